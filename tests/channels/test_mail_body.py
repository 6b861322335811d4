"""The HTML part as a mail client shows it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.channels import mail_body
from notifier.compare import compared
from notifier.message import Line, Message, Role, Span, Tone, Wording
from notifier.parcel import Part
from notifier.render import Page, render
from tests.builders import NOW
from tests.channels.contract import HOSTILE, message, said, table
from tests.news import NEWS, OWN
from tests.receivers.mail_client import Reading, read

CLIPPED = 102_000
"""Bytes after which Gmail hides the rest."""

TAGS = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "th", "div", "h1", "p", "blockquote"}
TAGS |= {"ul", "li", "a", "strong", "em", "s", "code"}


def shown(told: Message, *, dark: bool = False, unsubscribe: str | None = None) -> Reading:
    return read(written(told, unsubscribe), dark=dark)


def written(told: Message, unsubscribe: str | None = None) -> str:
    return mail_body.html(told, mail_body.fitted(told, unsubscribe=unsubscribe), unsubscribe=unsubscribe)


def news(case: str) -> Message:
    parts = [Part(delivery_id=number, change=change) for number, change in enumerate(NEWS[case](), 1)]
    return render(parts, Page(url="https://status.kraken.com"), origin="db", date=NOW)


EDITED = compared("We see errors on all markets of the API.", "We see errors on some markets of the API.") or ((),)
EVERYTHING = (
    said("Kraken API (Websocket)", role=Role.FACT),
    Line(
        role=Role.FACT,
        label="Timeline",
        spans=(Span(text="11:29 UTC investigating"), Span(text=" · "), Span(text="11:35 monitoring")),
    ),
    said("Kraken, 11:29 UTC:", role=Role.TEXT),
    Line(role=Role.QUOTE, spans=EDITED[0]),
    said("Before that:", role=Role.TEXT, style="bold"),
    said("11:20 UTC Investigating: It began.", role=Role.EARLIER),
    said("Late: posted 11:29 UTC", role=Role.NOTE),
)


@pytest.mark.parametrize("case", NEWS)
def test_every_kind_of_news_is_sound_and_says_all_its_words(case: str) -> None:
    told = news(case)

    page = shown(told)

    words = "".join(page.text.split())
    for line in told.lines[1:]:
        assert line.label in page.text
        for span in line.spans:
            assert "".join(span.text.split()) in words or span.text == " · "
    assert page.tags <= TAGS
    assert page.bare == [], "Gmail drops style sheets"
    assert {urlsplit(link).netloc for link in page.links} == (set() if case in OWN else {"status.kraken.com"})


def test_the_head_names_language_title_and_both_schemes() -> None:
    page = shown(message(subject='[Kraken] Down: "<b>&amp;\u2028'))

    assert page.language == "en"
    assert page.title == '[Kraken] Down: "<b>&amp;'
    assert page.meta["color-scheme"] == page.meta["supported-color-schemes"] == "light dark"
    assert page.meta["viewport"] == "width=device-width, initial-scale=1"


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("tone", Tone)
def test_every_word_is_readable_in_every_tone_by_day_and_by_night(tone: Tone, dark: bool) -> None:
    page = shown(message(*EVERYTHING, tone=tone), dark=dark, unsubscribe="https://n.example/u")

    assert [run for run in page.seen if run.contrast < 4.5] == []
    assert all("#ffffff" not in (run.ink, run.ground) for run in page.seen), "which clients turn around"


def test_tones_differ_by_colour_and_never_by_colour_alone() -> None:
    tops = [shown(message(tone=tone)).seen[0] for tone in Tone]

    assert len({top.ground for top in tops}) == len(Tone)
    assert {top.text for top in tops} == {"🟡\xa0 Investigating"}


def test_the_state_stands_above_the_title() -> None:
    page = shown(news("maintenance due"))

    assert page.seen[0].text == "🔧\xa0 Maintenance in 30 min"
    assert page.within("h1") == ["Network maintenance"]


def test_a_greeting_has_a_title_and_no_state() -> None:
    page = shown(news("welcome with nothing open"))

    assert page.seen[0].text == "👋\xa0 Status news"
    assert page.within("h1") == ["You will hear from Kraken status here"]


def test_a_colon_in_a_title_stays_in_the_title() -> None:
    told = message(said("🟠 Resolved: API: slow: very", role=Role.TITLE), said("x"))

    page = read(mail_body.html(told, told.lines[1:]))

    assert page.seen[0].text == "🟠\xa0 Resolved"
    assert page.within("h1") == ["API: slow: very"]


PREVIEWS = {
    "the source's first words": (news("opened"), "Investigating. We see connection errors. Orders placed over REST"),
    "the facts, where it said nothing": (
        news("withdrawn"),
        "Withdrawn. Affected Kraken API (Websocket). Impact minor.",
    ),
    "the title of a greeting": (news("welcome with nothing open"), "You will hear from Kraken status here."),
}


@table(PREVIEWS)
def test_an_inbox_previews(row: tuple[Message, str]) -> None:
    told, words = row

    [preview] = shown(told).hidden

    assert preview.startswith(words)
    assert not preview[200:].replace("\u034f", "").replace("\u200c", "").strip(), "and nothing of what stands below"


def test_facts_are_a_table_with_a_line_for_each_step() -> None:
    page = shown(news("resolved"))

    assert page.within("th") == ["Changed", "Affected", "Impact", "Timeline"]
    assert page.within("div") == ["11:29 UTC investigating", "11:35 monitoring", "11:41 resolved · 12 min"]


def test_an_edit_shows_what_is_gone_and_what_is_new() -> None:
    page = shown(message(*EVERYTHING))

    assert page.within("s") == ["all"]
    assert [words for words in page.within("blockquote") if words in page.within("strong")] == ["some"]


def test_hostile_words_arrive_literally() -> None:
    page = shown(message(*map(said, HOSTILE), *(said(line, role=Role.EARLIER) for line in HOSTILE)))

    assert page.within("blockquote") == list(HOSTILE)
    assert page.within("li") == list(HOSTILE)
    assert page.tags <= TAGS


words = st.text() | st.sampled_from(("</td>", "<script>", "<!--", "]]>", "&lt;", '"', "😀", "x\u2028y", " · ", ": "))
lines = st.builds(
    Line,
    spans=st.lists(
        st.builds(Span, text=words, style=st.sampled_from(("", "bold", "italic", "strike", "code"))), max_size=4
    ).map(tuple),
    role=st.sampled_from((Role.FACT, Role.TEXT, Role.QUOTE, Role.EARLIER, Role.NOTE)),
    label=words,
)


@given(some=st.lists(lines, max_size=6), subject=words)
def test_any_words_make_a_sound_page(some: list[Line], subject: str) -> None:
    page = shown(message(*some, subject=subject))

    assert page.tags <= TAGS
    assert page.links == ["https://status.kraken.com/incidents/wsincident01"]
    assert page.text.endswith(f"Details on the status page\n{Wording().why}")


def test_twenty_thousand_characters_arrive_whole() -> None:
    text = "wörd & more " * 1_500

    assert text in shown(message(said(text))).text


ENDLESS = {
    "one endless paragraph": message(said("word <&> 😀 " * 10_000)),
    "endless paragraphs": message(*(said("word " * 20) for _ in range(2_000))),
    "endless lines of a word": message(*(said("x") for _ in range(5_000))),
    "an endless title": message(said("T" * 200_000, role=Role.TEXT)),
}


@table(ENDLESS)
def test_a_text_without_end_is_cut_and_leads_to_the_rest(row: Message) -> None:
    html = written(row)

    page = read(html)
    assert len(html.encode()) <= mail_body.LIMIT < CLIPPED
    assert "…" in page.text
    assert page.seen[-2].text == "Read the rest on the status page"
    assert page.links == ["https://status.kraken.com/incidents/wsincident01"]


def test_news_without_a_word_of_the_source_has_no_empty_quotation() -> None:
    page = shown(news("resolved without a word"))

    assert "blockquote" not in page.tags
    assert page.within("h1") == ["WebSocket API connection errors"]


def test_whoever_can_leave_finds_the_way_at_the_end() -> None:
    page = shown(message(), unsubscribe="https://n.example/u?a=1&b=2")

    assert page.seen[-1].text == "Unsubscribe"
    assert page.links[-1] == "https://n.example/u?a=1&b=2"
    assert "Unsubscribe" not in shown(message()).text
