"""Foreign text arrives literally in Slack: nothing in it mentions, links or formats."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import escape, unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import markup
from notifier.markup import INERT
from notifier.message import Form, Line, Role, Span

LINK = "https://status.kraken.com/incidents/wsincident01"
AT = datetime(2026, 2, 24, 11, 29, tzinfo=UTC)

words = st.text(st.characters(), max_size=40) | st.sampled_from(
    ("<!channel>", "<@U1>", "&amp;", "*a*", "_b_", "`c`", "<!date^1^{time}^https://x|y>", "x\ny", "|^", "> z", "", "😀")
)
spans = st.builds(
    Span,
    text=words,
    style=st.sampled_from(("", "bold", "italic", "strike", "code")),
    url=st.none() | st.sampled_from((LINK, "javascript:alert(1)", 'https://x/"><b>|^ y', "http://x/?a=1&b=<2>")),
    at=st.none() | st.just(AT),
    form=st.sampled_from(Form),
)
lines = st.lists(
    st.builds(Line, spans=st.lists(spans, max_size=3).map(tuple), role=st.sampled_from(Role)), min_size=1, max_size=6
)

OURS = re.compile(
    r"<(?:https?://[^<>|]*\||!date\^\d+\^(?:\{date_short_pretty\} \{time\}|\{time\}|\{ago\})\|(?=[^|^]*>))([^<>]*)>"
)
"""The only control sequences that the writer may produce, with the text that they show: a third ^ would be a link."""


def line(text: str, role: Role = Role.TEXT, **span: Any) -> Line:
    return Line(spans=(Span(text=text, **span),), role=role)


@given(lines)
def test_any_text_makes_slack_text_without_foreign_control_sequences(some: list[Line]) -> None:
    text = markup.slack_mrkdwn(some)
    left = OURS.sub(r"\1", text)

    assert "<" not in left
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    for shown, each in zip(left.split("\n"), some, strict=True):
        assert shown.startswith("> ") == each.foreign
        assert ">" not in shown.removeprefix("> ")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))))
def test_a_quotation_in_slack_shows_just_its_text(text: str) -> None:
    shown = unescape(markup.slack_mrkdwn([line(text, Role.QUOTE)]).removeprefix("> "))

    assert shown.replace(INERT, "") == text.replace(INERT, "")


@pytest.mark.parametrize(
    ("active", "inert"),
    {
        "bold": ("a *b* c", f"a *{INERT}b*{INERT} c"),
        "italic": ("an _idea_", f"an _{INERT}idea_"),
        "strike": ("~no~", f"~{INERT}no~{INERT}"),
        "code": ("`x`", f"`{INERT}x`{INERT}"),
        "an emoji": (":warning:", f":{INERT}warning:"),
        "a quotation": ("> x", f"{INERT}&gt; x"),
        "a shout": ("@here @channel", f"@{INERT}here @{INERT}channel"),
        "a channel": ("#general", f"#{INERT}general"),
        "control sequences": ("<!here> & <@U1>", f"&lt;!here&gt; &amp; &lt;@{INERT}U1&gt;"),
        "snake case stays copyable": ("order_book_id", "order_book_id"),
        "a time is a time": ("at 12:30:45", "at 12:30:45"),
    }.values(),
)
def test_nothing_in_foreign_text_becomes_active_in_slack(active: str, inert: str) -> None:
    assert markup.slack_mrkdwn([line(active)]) == inert


def test_slack_gets_our_styles_links_and_labels() -> None:
    some = [
        line("Bold ", style="bold"),
        Line(spans=(Span(text="minor"), Span(text=" x", style="code")), role=Role.FACT, label="Impact"),
        line("Details", url='https://status.kraken.com/a|b">'),
    ]

    assert markup.slack_mrkdwn(some) == ("*Bold* \nImpact: minor `x`\n<https://status.kraken.com/a%7Cb%22%3E|Details>")


@pytest.mark.parametrize(
    ("form", "fallback", "written"),
    {
        "date and time": (Form.FULL, "11:29 UTC", "<!date^1771932540^{date_short_pretty} {time}|11:29 UTC>"),
        "the time alone": (Form.TIME, "11:29", "<!date^1771932540^{time}|11:29>"),
        "how far it is": (Form.AGO, "in 3 h", "<!date^1771932540^{ago}|in 3 h>"),
        "a fallback ends nothing early": (Form.TIME, "a|b^c>d", "<!date^1771932540^{time}|a b c&gt;d>"),
    }.values(),
)
def test_slack_shows_an_instant_in_the_zone_of_its_reader(form: Form, fallback: str, written: str) -> None:
    assert markup.slack_mrkdwn([line(fallback, at=AT, form=form)]) == written


def test_slack_without_markup_is_escaped_all_the_same() -> None:
    assert markup.slack_plain([line("a & *b* <!here>"), line("Link", url=f"{LINK}?a&b")]) == (
        f"a &amp; *b* &lt;!here&gt;\nLink: {LINK}?a&amp;b"
    )


@given(st.text(max_size=60), st.integers(1, 40))
def test_literal_text_is_cut_between_characters_and_never_within_an_entity(text: str, limit: int) -> None:
    written = markup.slack_literal(text, limit)
    bare = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)

    assert len(written) <= limit
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", written)
    if len(escape(bare, quote=False)) <= limit:
        assert unescape(written) == unescape(escape(bare, quote=False))
    else:
        assert written.endswith("…")
        assert escape(bare, quote=False).startswith(written.removesuffix("…"))


def test_literal_text_fills_what_there_is() -> None:
    assert markup.slack_literal("a & b" * 10_000, 12) == "a &amp; ba…"
    assert markup.slack_literal("word " * 3, 10) == "word word…"
