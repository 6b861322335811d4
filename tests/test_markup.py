"""Foreign text arrives literally, in every markup and at every length."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import fitting, markup
from notifier.markup import utf16_len
from notifier.message import Line, Role, Span, Wording

LINK = "https://status.kraken.com/incidents/wsincident01"
AT = datetime(2026, 2, 24, 11, 29, tzinfo=UTC)

words = st.text(st.characters(), max_size=40) | st.sampled_from(
    ("<!channel>", "</b>", "&amp;", "*a*", "_b_", "`c`", "@x", "/y", "a.com", "😀", "x\ny", "<a href='", '"', "> z", "")
)
spans = st.builds(
    Span,
    text=words,
    style=st.sampled_from(("", "bold", "italic", "strike", "code")),
    url=st.none() | st.sampled_from((LINK, "javascript:alert(1)", 'https://x/"><b>|^ y', "http://x/?a=1&b=<2>")),
    at=st.none() | st.just(AT),
)
lines = st.lists(
    st.builds(Line, spans=st.lists(spans, max_size=3).map(tuple), role=st.sampled_from(Role)), min_size=1, max_size=6
)


def line(text: str, role: Role = Role.TEXT, **span: Any) -> Line:
    return Line(spans=(Span(text=text, **span),), role=role)


def seen(some: Sequence[Line]) -> str:
    """What people should see: the words, one line for each, where nothing can break a line or fail to be encoded."""
    return "\n".join("".join(one_line(span.text) for span in each.spans) for each in some)


def one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)


@given(st.text())
def test_an_emoji_counts_as_the_two_units_that_it_has(text: str) -> None:
    assert utf16_len(text) == sum(2 if character > "\uffff" else 1 for character in text)


def test_plain_text_indents_what_is_quoted_and_writes_addresses_out() -> None:
    some = [line("Kraken:"), line("Visit\nkraken.com", role=Role.QUOTE), line("Details", url=LINK)]

    assert markup.plain(some) == f"Kraken:\n    Visit kraken.com\nDetails: {LINK}"


def test_a_link_that_leads_elsewhere_than_to_the_web_is_only_words() -> None:
    some = [line("click", url="javascript:alert(1)")]

    assert {markup.plain(some), markup.slack_mrkdwn(some)} == {"click"}


def telegram_size(some: Sequence[Line]) -> int:
    return markup.telegram_length(markup.telegram_html(some))


def slack_size(some: Sequence[Line]) -> int:
    return len(markup.slack_mrkdwn(some).encode())


def shown_size(some: Sequence[Line]) -> int:
    return len(seen(some))


REST = Line(spans=(Span(text=Wording().rest, url=LINK),))
"""What becomes of the link where something is missing."""


def fit(some: Sequence[Line], size: Callable[[Sequence[Line]], int], limit: int) -> tuple[Line, ...]:
    return fitting.fit(some, size, limit, Wording().rest)


SIZES: dict[str, Callable[[Sequence[Line]], int]] = {"as Telegram counts": telegram_size, "as Slack counts": slack_size}
sizes = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())

long_lines = st.lists(
    st.builds(
        line,
        st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=8), st.integers(1, 60)),
        role=st.sampled_from(Role),
    ),
    min_size=1,
    max_size=12,
)


@sizes
@given(some=long_lines, limit=st.integers(0, 400))
def test_what_is_fitted_fits(size: Callable[[Sequence[Line]], int], some: list[Line], limit: int) -> None:
    fitted = fit(some, size, limit)

    assert size(fitted) <= limit
    assert (fitted == tuple(some)) == (size(some) <= limit)


@given(some=long_lines, limit=st.integers(150, 800))
def test_the_title_and_the_link_stay_longest(some: list[Line], limit: int) -> None:
    title, link = line("Title", style="bold"), line("Details", url=LINK)

    fitted = fit([title, *some, link], telegram_size, limit)

    assert (fitted[0], fitted[-1]) == (
        title,
        link if len(fitted) == len(some) + 2 and "…" not in seen(fitted) else REST,
    )
    assert "…" in seen(fitted) or len(fitted) == len(some) + 2


@pytest.mark.parametrize(
    ("text", "units"), [("a", 4_096), ("😀", 2_048), ("&", 4_096)], ids=["letters", "emoji", "escaped"]
)
def test_the_boundary_is_where_telegram_has_it(text: str, units: int) -> None:
    exactly, over = [line(text * units, role=Role.QUOTE)], [line(text * (units + 1), role=Role.QUOTE)]

    assert fit(exactly, telegram_size, 4_096) == tuple(exactly)
    [cut] = fit(over, telegram_size, 4_096)
    assert cut.spans[0].text.endswith("…")
    assert 4_094 <= telegram_size([cut]) <= 4_096


def test_the_longest_quoted_line_is_shortened_first() -> None:
    short, long = line("s" * 100, role=Role.QUOTE), line("l" * 500, role=Role.QUOTE)
    link = line("Details", url=LINK)

    first, second, third, last = fit([line("Title"), short, long, link], shown_size, 300)

    assert (first, second, last) == (line("Title"), short, REST)
    assert third.spans[0].text.startswith("l" * 150)
    assert shown_size([first, second, third, last]) == 300


def test_many_short_lines_go_from_the_end_and_leave_a_mark() -> None:
    some = [
        line("Title"),
        *[line(f"Line {number}", role=Role.QUOTE) for number in range(1_000)],
        line("Details", url=LINK),
    ]

    fitted = fit(some, shown_size, 200)

    assert [seen([each]) for each in (*fitted[:2], *fitted[-2:])] == ["Title", "Line 0", "…", seen([REST])]
    assert 180 < shown_size(fitted) <= 200


def test_paragraphs_stay_whole_from_the_top_and_one_is_cut_however_many_styles_it_has() -> None:
    one = line("a" * 300, role=Role.QUOTE)
    three = Line(spans=tuple(Span(text="b" * 100, style=style) for style in ("bold", "", "italic")), role=Role.QUOTE)

    fitted = fit([one, three, line("Details", url=LINK)], shown_size, 435)

    assert [len(seen([each])) for each in fitted] == [300, 101, 32]


def test_our_own_words_are_not_cut_while_foreign_ones_can_be() -> None:
    ours, foreign, link = line("o" * 120), line("f" * 120, role=Role.QUOTE), line("Details", url=LINK)

    assert fit([ours, foreign, link], shown_size, 245) == (ours, line("f" * 90 + "…", role=Role.QUOTE), REST)


def test_a_title_too_long_is_cut_before_the_link_goes() -> None:
    title, link = line("word " * 100), line("Details", url=LINK)

    assert fit([title, link], shown_size, 54) == (line("word word word word…"), REST)


def test_a_cut_keeps_styles_and_links_of_what_is_left() -> None:
    rich = Line(spans=(Span(text="11:29 UTC", at=AT), Span(text=" " + "x" * 200, style="bold")), role=Role.QUOTE)

    [cut] = fit([rich], shown_size, 80)

    assert cut.spans == (Span(text="11:29 UTC", at=AT), Span(text=" " + "x" * 69 + "…", style="bold"))


def test_a_link_that_does_not_fit_at_all_leaves_nothing() -> None:
    assert fit([line("Details", url=LINK)], slack_size, 20) == ()


def test_lists_of_facts_are_cut_before_foreign_words_are() -> None:
    fact = Line(spans=(Span(text="c" * 400),), role=Role.FACT, label="Affected")
    words = line("w" * 200, role=Role.QUOTE)

    assert fit([line("Title"), fact, words, line("Details", url=LINK)], shown_size, 400) == (
        line("Title"),
        Line(spans=(Span(text="c" * 119 + "…"),), role=Role.FACT, label="Affected"),
        words,
        REST,
    )


def test_what_an_edit_changed_is_marked_in_plain_text_too() -> None:
    edited = Line(
        spans=(Span(text="all", style="strike"), Span(text=" "), Span(text="some", style="bold")), role=Role.QUOTE
    )

    assert markup.plain([edited]) == "    ~all~ *some*"
    assert markup.plain([line("Title", style="bold")]) == "Title"
