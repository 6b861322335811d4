"""Foreign text arrives literally in mails: in HTML, in text and in headers."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import markup
from notifier.message import Line, Span

LINK = "https://status.kraken.com/incidents/wsincident01"
ATTRIBUTES = {tag: f'style="{tag}:{tag}"' for tag in ("a", "code", "em", "s", "strong")}
OURS = re.compile(r'</?(a|code|em|s|strong)(?: href="https?://[^"<>\s]*")?(?: style="\1:\1")?>')
"""The only tags that the writer may produce."""

words = st.text(max_size=40) | st.sampled_from(("</b>", "&amp;", '" onclick="', "<a href='", "x\ny", "😀", "<!--", ""))
spans = st.builds(
    Span,
    text=words,
    style=st.sampled_from(("", "bold", "italic", "strike", "code")),
    url=st.none() | st.sampled_from((LINK, "javascript:alert(1)", 'https://x/"><b>|^ y', "http://x/?a=1&b=<2>")),
)


def visible(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text)


@given(st.lists(spans, max_size=5))
def test_any_spans_make_html_that_shows_just_their_text(some: list[Span]) -> None:
    html = markup.mail_spans(some, ATTRIBUTES)
    left = OURS.sub("", html)

    assert not re.search("[<>\"']", left)
    assert unescape(left) == "".join(visible(span.text) for span in some)


def test_each_style_has_its_tag_and_each_tag_its_attributes() -> None:
    some = (
        Span(text="a", style="bold"),
        Span(text="b", style="strike"),
        Span(text="c", style="italic"),
        Span(text="d", style="code", url=f"{LINK}?a&b"),
    )

    assert markup.mail_spans(some, ATTRIBUTES) == (
        '<strong style="strong:strong">a</strong><s style="s:s">b</s><em style="em:em">c</em>'
        f'<code style="code:code"><a href="{LINK}?a&amp;b" style="a:a">d</a></code>'
    )


@given(st.text())
def test_bare_words_stay_within_an_attribute(text: str) -> None:
    html = markup.mail_text(text)

    assert not re.search("[<>\"']", html)
    assert unescape(html) == visible(text)


def test_a_text_part_marks_what_is_gone_and_what_is_new_only_where_it_is_asked_to() -> None:
    some = (Span(text="all", style="strike"), Span(text=" "), Span(text="so\u2028me", style="bold"))

    assert markup.mail_plain(some) == "all so me"
    assert markup.mail_plain(some, marked=True) == "~all~ *so me*"


LINKS = {
    "a link": (LINK, LINK),
    "none": (None, None),
    "a script": ("javascript:alert(1)", None),
    "what would end it early": ('https://x/"><b>\n', "https://x/%22%3E%3Cb%3E%0A"),
}


@pytest.mark.parametrize(("url", "expected"), LINKS.values(), ids=LINKS.keys())
def test_a_line_leads_to_the_web_or_nowhere(url: str | None, expected: str | None) -> None:
    assert markup.mail_url(Line(spans=(Span(text="See "), Span(text="here", url=url)))) == expected


@given(st.text(), st.integers(min_value=1, max_value=100))
def test_a_header_is_one_line_of_limited_length(text: str, limit: int) -> None:
    line = markup.one_line(text, limit)

    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert line.encode() is not None
    assert line == " ".join(visible(text).split()) or line.endswith("…")
