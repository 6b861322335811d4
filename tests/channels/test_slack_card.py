"""The blocks of a Slack message: what stands where, within what Slack takes, and nothing foreign in them is active."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from notifier.channels.slack_card import Block, blocks_of
from notifier.markup import INERT
from notifier.message import Form, Line, Message, Receipt, Role, Span
from tests.channels.contract import HOSTILE, message, said, table
from tests.receivers.slack import unfit

AT = datetime(2026, 2, 24, 11, 29, tzinfo=UTC)
THREAD = Receipt("C0DESK", "1.5")
LINK = "<https://status.kraken.com/incidents/wsincident01|Details on the status page>"
OURS = re.compile(
    r"<(?:!date\^\d+\^(?:\{date_short_pretty\} )?\{(?:time|ago)\}\|[^<>|^]*"
    r"|https://status\.kraken\.com/incidents/wsincident01\|[^<>|]*|!here)>"
)
"""All that may be active: an instant, the link, the operator's mention."""


def fact(label: str, *spans: Span | str, past: bool = False) -> Line:
    made = (each if isinstance(each, Span) else Span(text=each) for each in spans)
    return Line(spans=tuple(made), role=Role.FACT, label=label, past=past)


def titled(title: str, *lines: Line, **more: Any) -> Message:
    told = message(*lines, **more)
    return replace(told, lines=(said(title, role=Role.TITLE, style="bold"), *told.lines[1:]))


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def section(text: str) -> Block:
    return {"type": "section", "text": mrkdwn(text)}


def columns(*texts: str) -> Block:
    return {"type": "section", "fields": [mrkdwn(text) for text in texts]}


def context(text: str) -> Block:
    return {"type": "context", "elements": [mrkdwn(text)]}


TITLE = "🟡 Investigating: WebSocket API connection errors"
HEADER = header(TITLE)
SINCE = fact("Since", Span(text="11:29 UTC", at=AT, form=Form.TIME))
SAYS = Line(spans=(Span(text="Kraken, "), Span(text="24 Feb 11:29 UTC", at=AT), Span(text=":")))
NEWS = (
    fact("Changed", "investigating → identified", past=True),
    fact("Affected", "Kraken API (Websocket)"),
    fact("Impact", "minor"),
    SINCE,
    fact("Timeline", "11:29 UTC investigating · 11:33 identified", past=True),
    SAYS,
    said("We see errors."),
    said("Orders are fine."),
    said("Late: posted 11:29 UTC", role=Role.NOTE),
)
LONG_LIST = ", ".join(f"Coin {number}" for number in range(20))

LAYOUTS: dict[str, tuple[Message, list[Block]]] = {
    "a card has facts in columns, then the words, then the small print": (
        message(*NEWS),
        [
            HEADER,
            columns(
                "*Affected*\nKraken API (Websocket)", "*Impact*\nminor", "*Since*\n<!date^1771932540^{time}|11:29 UTC>"
            ),
            section(
                "Kraken, <!date^1771932540^{date_short_pretty} {time}|24 Feb 11:29 UTC>:\n"
                "> We see errors.\n> Orders are fine."
            ),
            context(
                "Changed: investigating → identified\n"
                "Timeline: 11:29 UTC investigating · 11:33 identified\n"
                "Late: posted 11:29 UTC"
            ),
            context(LINK),
        ],
    ),
    "a reply is its words and one piece of small print": (
        message(*NEWS, thread=THREAD),
        [
            section(
                f"*{TITLE}*\nKraken, <!date^1771932540^{{date_short_pretty}} {{time}}|24 Feb 11:29 UTC>:\n"
                "> We see errors.\n> Orders are fine."
            ),
            context(
                "Changed: investigating → identified\n"
                "Timeline: 11:29 UTC investigating · 11:33 identified\n"
                "Late: posted 11:29 UTC\n"
                "Affected: Kraken API (Websocket) · Impact: minor · "
                f"Since: <!date^1771932540^{{time}}|11:29 UTC> · {LINK}"
            ),
        ],
    ),
    "a mention comes before a card": (
        message(said("Down."), mention="<!here>"),
        [section("<!here>"), HEADER, section("> Down."), context(LINK)],
    ),
    "a mention comes before the title of a reply": (
        message(said("Down."), mention="<!here>", thread=THREAD),
        [section(f"<!here> *{TITLE}*\n> Down."), context(LINK)],
    ),
    "a long fact has a place of its own": (
        message(fact("Affected", LONG_LIST), fact("Impact", "minor")),
        [HEADER, columns("*Impact*\nminor"), section(f"*Affected*\n{LONG_LIST}"), context(LINK)],
    ),
    "a title too long for a header is told in full below it": (
        titled("🔴" + " down" * 40, said("Yes.")),
        [header("🔴" + " down" * 29 + " do…"), section(f"*🔴{' down' * 40}*"), section("> Yes."), context(LINK)],
    ),
    "a title has no markup in a header": (
        titled("🔴 *Down* & <!here>", said("Yes.")),
        [header("🔴 *Down* &amp; &lt;!here&gt;"), section("> Yes."), context(LINK)],
    ),
    "our words after a quotation begin a section": (
        message(said("One."), SAYS, said("Two.", role=Role.EARLIER)),
        [
            HEADER,
            section("> One."),
            section("Kraken, <!date^1771932540^{date_short_pretty} {time}|24 Feb 11:29 UTC>:\n> Two."),
            context(LINK),
        ],
    ),
    "eleven facts are two rows of columns": (
        message(*(fact(f"No {number}", "x") for number in range(11))),
        [HEADER, columns(*(f"*No {number}*\nx" for number in range(10))), columns("*No 10*\nx"), context(LINK)],
    ),
    "what is plain has no blocks": (message(*NEWS, plain=True), []),
}


@table(LAYOUTS)
def test_the_layout_is_exactly_this(row: tuple[Message, list[Block]]) -> None:
    told, expected = row

    assert blocks_of(told) == expected


def texts(blocks: list[Block]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        yield from ([block["text"]] if "text" in block else block.get("fields") or block["elements"])


def shown(blocks: list[Block]) -> str:
    """What people read, with the link's address and without what keeps words inert."""
    return unescape("\n".join(each["text"] for each in texts(blocks)).replace(INERT, ""))


def assert_fit_and_inert(blocks: list[Block]) -> None:
    assert unfit({"text": "x", "blocks": blocks}) is None
    for each in texts(blocks):
        left = OURS.sub("", each["text"])
        assert "<" not in left
        assert ">" not in re.sub(r"^> ", "", left, flags=re.MULTILINE)
        assert not re.search(r"&(?!amp;|lt;|gt;)", left)
        assert each["type"] == "plain_text" or not re.search(r"(?<!\w)[@#](?=\w)|(?<!\d):\w+:", left)


BIG: dict[str, tuple[Line, ...]] = {
    "300 components": (fact("Affected", ", ".join(f"Coin {number} <&> (C{number})" for number in range(300))),),
    "6,000 characters": (said("word " * 1_200),),
    "40 paragraphs": tuple(said(f"{number}: " + "word <&> " * 60) for number in range(40)),
    "one paragraph of 10,000 characters": (said("wörd & " * 1_430),),
    "2,000 characters that are escaped": (said("<&>" * 700),),
    "emoji only": (said("😀" * 3_000),),
    "an instant at the edge of a section": (
        Line(spans=(Span(text="x" * 2_950), Span(text="11:29 UTC", at=AT), Span(text="y" * 90)), role=Role.QUOTE),
    ),
    "120 facts": tuple(fact(f"No {number}", "x" * 100) for number in range(120)),
    "a backlog of 700": tuple(said(f"{number} more <news>", role=Role.EARLIER) for number in range(700)),
    "a timeline of 100 steps": (
        fact("Timeline", *(Span(text=f"{number} · ", at=AT, form=Form.TIME) for number in range(100)), past=True),
    ),
    "60 openings": tuple(line for _ in range(60) for line in (SAYS, said("No news."))),
}


@table(BIG)
def test_whatever_is_too_long_is_cut_to_what_slack_takes(row: tuple[Line, ...]) -> None:
    for told in (message(*row), message(*row, thread=THREAD, mention="<!here>")):
        blocks = blocks_of(told)

        assert_fit_and_inert(blocks)
        assert "WebSocket API connection errors" in shown(blocks[:1] + blocks[1:2])
        assert "…" in shown(blocks)
        assert blocks[-1]["elements"][0]["text"].endswith("|Read the rest on the status page>")


def test_much_is_told_in_full_before_anything_is_cut() -> None:
    paragraphs = [said(f"{number}: " + "word " * 110) for number in range(10)]

    blocks = blocks_of(message(*paragraphs))

    assert_fit_and_inert(blocks)
    assert [line for line in paragraphs if line.spans[0].text.strip() not in shown(blocks)] == []
    assert "…" not in shown(blocks)


@table({"alone": None, "as a reply": THREAD})
def test_hostile_words_arrive_literally_wherever_they_stand(row: Receipt | None) -> None:
    roles = (Role.TITLE, Role.TEXT, Role.QUOTE, Role.EARLIER, Role.NOTE)
    lines = [Line(spans=(Span(text=text),), role=role, label="") for role in roles[1:] for text in HOSTILE]
    facts = [fact("Affected", text) for text in HOSTILE]

    for title in HOSTILE:
        blocks = blocks_of(titled(title, *facts, *lines, thread=row, mention="<!here>"))

        assert_fit_and_inert(blocks)
        assert shown(blocks).count(title) == len(roles) + 1
        assert [text for text in HOSTILE if shown(blocks).count(text) < len(roles)] == []
        assert sum(each["text"].count("<!here>") for each in texts(blocks)) == 1


words = st.text(st.characters(), max_size=60) | st.sampled_from((*HOSTILE, "<", "&amp;", "> x", " ", "|^>", "😀" * 900))
spans = st.builds(Span, text=words, style=st.sampled_from(("", "bold", "strike")), at=st.none() | st.just(AT))
lines = st.builds(
    Line,
    spans=st.lists(spans, min_size=1, max_size=3).map(tuple),
    role=st.sampled_from((Role.FACT, Role.TEXT, Role.QUOTE, Role.EARLIER, Role.NOTE)),
    label=st.sampled_from(("Affected", "Changed", "Timeline")),
    past=st.booleans(),
)


@given(st.lists(lines, max_size=30), st.booleans())
def test_slack_takes_every_card_and_reply(some: list[Line], reply: bool) -> None:
    assert_fit_and_inert(blocks_of(message(*some, thread=THREAD if reply else None)))
