"""Foreign text arrives literally, in every markup and at every length."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import markup
from notifier.markup import INERT, fit, utf16_len
from notifier.model import Line, Span

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
    st.builds(Line, spans=st.lists(spans, max_size=3).map(tuple), quoted=st.booleans()), min_size=1, max_size=6
)


def line(text: str, *, quoted: bool = False, **span: Any) -> Line:
    return Line(spans=(Span(text=text, **span),), quoted=quoted)


class StrictHtml(HTMLParser):
    """Reads HTML as a suspicious person would: a few tags, well nested, with the attributes that belong to them."""

    def __init__(self, tags: dict[str, set[str]]) -> None:
        super().__init__(convert_charrefs=True)
        self.tags = tags
        self.open: list[str] = []
        self.text = ""
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.tags, f"<{tag}>"
        assert {name for name, _ in attrs} == self.tags[tag]
        self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("declaration")

    def handle_pi(self, data: str) -> None:
        raise AssertionError("processing instruction")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError("declaration")


TELEGRAM: dict[str, set[str]] = {"b": set(), "i": set(), "s": set(), "code": set(), "blockquote": set(), "a": {"href"}}


def read(html: str, tags: dict[str, set[str]]) -> StrictHtml:
    assert not re.search(r"<(?![a-z/])", html), "a bare <"
    parser = StrictHtml(tags)
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def seen(some: Sequence[Line]) -> str:
    """What people should see: the words, one line for each, where nothing can break a line or fail to be encoded."""
    return "\n".join("".join(one_line(span.text) for span in each.spans) for each in some)


def one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)


@given(lines)
def test_any_text_makes_telegram_html_that_shows_just_that_text(some: list[Line]) -> None:
    html = markup.telegram_html(some)
    parsed = read(html, TELEGRAM)

    assert parsed.text.replace(INERT, "") == seen(some).replace(INERT, "")
    assert all(link.startswith(("https://", "http://")) for link in parsed.links)
    assert markup.telegram_length(html) == utf16_len(parsed.text)


@pytest.mark.parametrize(
    ("active", "inert"),
    {
        "a mention": ("ask @kraken", f"ask @{INERT}kraken"),
        "a command": ("send /start now", f"send /{INERT}start now"),
        "a hash tag": ("#btc", f"#{INERT}btc"),
        "a cash tag": ("$BTC", f"${INERT}BTC"),
        "a host": ("api.kraken.com", f"api.{INERT}kraken.{INERT}com"),
        "an address": ("https://evil.example/x", f"https://{INERT}evil.{INERT}example/x"),
        "a mail address": ("a@b.example", f"a@b.{INERT}example"),
        "an IP address": ("1.2.3.4", f"1.{INERT}2.3.4"),
        "words with slashes are words": ("SOME/ALL and/or", "SOME/ALL and/or"),
        "numbers are numbers": ("0.5 BTC, v1.2, 12:30.", "0.5 BTC, v1.2, 12:30."),
        "a sentence ends": ("Done. Next.", "Done. Next."),
    }.values(),
)
def test_nothing_in_foreign_text_becomes_active_in_telegram(active: str, inert: str) -> None:
    assert markup.telegram_html([line(active)]) == inert


def test_neighbouring_quoted_lines_are_one_quotation() -> None:
    some = [line("Kraken:"), line("One.", quoted=True), line("Two.", quoted=True), line("Link", url=LINK)]

    assert markup.telegram_html(some) == (f'Kraken:\n<blockquote>One.\nTwo.</blockquote>\n<a href="{LINK}">Link</a>')


@given(st.text())
def test_an_emoji_counts_as_the_two_units_that_it_has(text: str) -> None:
    assert utf16_len(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


OURS = re.compile(r"<(?:https?://[^<>|]*\||!date\^\d+\^\{date_short_pretty\} \{time\}\^)([^<>]*)>")
"""The only control sequences that the writer may produce, with the text that they show."""


@given(lines)
def test_any_text_makes_slack_text_without_foreign_control_sequences(some: list[Line]) -> None:
    text = markup.slack_mrkdwn(some)
    left = OURS.sub(r"\1", text)

    assert "<" not in left
    assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    for shown, each in zip(left.split("\n"), some, strict=True):
        assert shown.startswith("> ") == each.quoted
        assert ">" not in shown.removeprefix("> ")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"))))
def test_a_quotation_in_slack_shows_just_its_text(text: str) -> None:
    shown = unescape(markup.slack_mrkdwn([line(text, quoted=True)]).removeprefix("> "))

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


def test_slack_gets_our_styles_links_and_instants() -> None:
    some = [
        line("Bold ", style="bold"),
        Line(spans=(Span(text="At "), Span(text="11:29 UTC", at=AT), Span(text=": "), Span(text="x", style="code"))),
        line("Details", url='https://status.kraken.com/a|b">'),
    ]

    assert markup.slack_mrkdwn(some) == (
        "*Bold* \n"
        "At <!date^1771932540^{date_short_pretty} {time}^11:29 UTC>: `x`\n"
        "<https://status.kraken.com/a%7Cb%22%3E|Details>"
    )


def test_slack_without_markup_is_escaped_all_the_same() -> None:
    assert markup.slack_plain([line("a & *b* <!here>"), line("Link", url=f"{LINK}?a&b")]) == (
        f"a &amp; *b* &lt;!here&gt;\nLink: {LINK}?a&amp;b"
    )


MAIL = TELEGRAM | {
    "html": {"lang"},
    "head": set(),
    "title": set(),
    "body": {"style"},
    "div": {"style"},
    "blockquote": {"style"},
    "strong": set(),
    "em": set(),
}


@given(lines)
def test_any_text_makes_a_mail_that_shows_just_that_text(some: list[Line]) -> None:
    html = markup.mail_html(some)
    start, body = html.split("\n", 1)
    parsed = read(body.replace('<meta charset="utf-8">', "").replace("<br>", ""), MAIL)

    assert start == "<!DOCTYPE html>"
    assert "".join(parsed.text.split()) == "".join(seen(some).split())
    assert all(link.startswith(("https://", "http://")) for link in parsed.links)


def test_plain_text_indents_what_is_quoted_and_writes_addresses_out() -> None:
    some = [line("Kraken:"), line("Visit\nkraken.com", quoted=True), line("Details", url=LINK)]

    assert markup.plain(some) == f"Kraken:\n    Visit kraken.com\nDetails: {LINK}"


def test_a_link_that_leads_elsewhere_than_to_the_web_is_only_words() -> None:
    some = [line("click", url="javascript:alert(1)")]

    assert {markup.plain(some), markup.telegram_html(some), markup.slack_mrkdwn(some)} == {"click"}


def telegram_size(some: Sequence[Line]) -> int:
    return markup.telegram_length(markup.telegram_html(some))


def slack_size(some: Sequence[Line]) -> int:
    return len(markup.slack_mrkdwn(some).encode())


SIZES: dict[str, Callable[[Sequence[Line]], int]] = {"as Telegram counts": telegram_size, "as Slack counts": slack_size}
sizes = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())

long_lines = st.lists(
    st.builds(
        line,
        st.builds(lambda text, times: text * times, st.text(min_size=1, max_size=8), st.integers(1, 60)),
        quoted=st.booleans(),
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

    assert (fitted[0], fitted[-1]) == (title, link)
    assert "…" in seen(fitted) or len(fitted) == len(some) + 2


@pytest.mark.parametrize(
    ("text", "units"), [("a", 4_096), ("😀", 2_048), ("&", 4_096)], ids=["letters", "emoji", "escaped"]
)
def test_the_boundary_is_where_telegram_has_it(text: str, units: int) -> None:
    exactly, over = [line(text * units, quoted=True)], [line(text * (units + 1), quoted=True)]

    assert fit(exactly, telegram_size, 4_096) == tuple(exactly)
    [cut] = fit(over, telegram_size, 4_096)
    assert cut.spans[0].text.endswith("…")
    assert 4_094 <= telegram_size([cut]) <= 4_096


def test_the_longest_quoted_line_is_shortened_first() -> None:
    short, long = line("s" * 100, quoted=True), line("l" * 500, quoted=True)
    link = line("Details", url=LINK)

    first, second, third, last = fit([line("Title"), short, long, link], telegram_size, 300)

    assert (first, second, last) == (line("Title"), short, link)
    assert third.spans[0].text.startswith("l" * 150)
    assert telegram_size([first, second, third, last]) == 300


def test_many_short_lines_go_from_the_end_and_leave_a_mark() -> None:
    some = [line("Title"), *[line(f"Line {number}", quoted=True) for number in range(1_000)], line("Details", url=LINK)]

    fitted = fit(some, telegram_size, 200)

    assert [seen([each]) for each in (*fitted[:2], *fitted[-2:])] == ["Title", "Line 0", "…", "Details"]
    assert 180 < telegram_size(fitted) <= 200


def test_lines_are_cut_to_one_width_however_many_styles_they_have() -> None:
    one = line("a" * 300, quoted=True)
    three = Line(spans=tuple(Span(text="b" * 100, style=style) for style in ("bold", "", "italic")), quoted=True)

    fitted = fit([one, three, line("Details", url=LINK)], telegram_size, 410)

    assert [len(seen([each])) for each in fitted] == [200, 200, 7]


def test_our_own_words_are_not_cut_while_foreign_ones_can_be() -> None:
    ours, foreign, link = line("o" * 120), line("f" * 120, quoted=True), line("Details", url=LINK)

    assert fit([ours, foreign, link], telegram_size, 220) == (ours, line("f" * 90 + "…", quoted=True), link)


def test_a_title_too_long_is_cut_before_the_link_goes() -> None:
    title, link = line("word " * 100), line("Details", url=LINK)

    assert fit([title, link], telegram_size, 29) == (line("word word word word…"), link)


def test_a_cut_keeps_styles_and_links_of_what_is_left() -> None:
    rich = Line(spans=(Span(text="11:29 UTC", at=AT), Span(text=" " + "x" * 200, style="bold")), quoted=True)

    [cut] = fit([rich], telegram_size, 80)

    assert cut.spans == (Span(text="11:29 UTC", at=AT), Span(text=" " + "x" * 69 + "…", style="bold"))


def test_a_link_that_does_not_fit_at_all_leaves_nothing() -> None:
    assert fit([line("Details", url=LINK)], slack_size, 20) == ()
