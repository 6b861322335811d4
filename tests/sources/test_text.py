from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sources.text import MARKS_LIMIT, TEXT_LIMIT, Unreadable, clean, document, instant, one_line, visible_text

ZALGO = "o" + "\u0301" * 40

CLEANED = {
    "plain words stay": ("Funding delays", "Funding delays"),
    "newlines stay, every other break becomes one": ("a\nb\r\nc\rd\u2028e\u2029f\x85g", "a\nb\nc\nd\ne\nf\ng"),
    "control characters go": ("a\x00b\x07c\x1b[31md\x9be", "abc[31mde"),
    "a tab is a space": ("a\tb", "a b"),
    "text cannot be turned around": ("moc.\u202enekark\u202c \u2066x\u2069\u200f", "moc.nekark x"),
    "nothing hides between letters": ("BT\u200bC\u2060\ufeff\u00ad E\u200dT\u200cH", "BTC ETH"),
    "half a surrogate pair goes": ("a\ud800b\udfff", "ab"),
    "tag characters go": ("a\U000e0041\U000e007fb", "ab"),
    "marks stack no higher than writing needs": (ZALGO + "k", "o" + "\u0301" * MARKS_LIMIT + "k"),
    "not even by ten thousand": ("o" + "\u0301" * 10_000 + "k", "o" + "\u0301" * MARKS_LIMIT + "…"),
    "ordinary accents and scripts stay": ("Tether USA₮ é ñ กี่ हिन्दी 日本語 🇰🇷", "Tether USA₮ é ñ กี่ हिन्दी 日本語 🇰🇷"),
    "what is too long ends in an ellipsis": ("x" * 41, "x" * 39 + "…"),
    "what just fits is whole": ("x" * 40, "x" * 40),
}

VISIBLE = {
    "paragraphs are set apart": ("<p>a</p><p>b</p>", "a\n\nb"),
    "line breaks and items start lines": ("a<br>b<br />c<ul><li>d</li><li>e</li></ul>f", "a\nb\nc\nd\ne\nf"),
    "a link shows its words": ('see <A HREF="https://x.test/">the <code>docs</code></A>.', "see the docs."),
    "unknown tags are words": ("<SOME/ALL> of <Asset> and </kraken>", "<SOME/ALL> of <Asset> and </kraken>"),
    "comparisons are words": ("less than <1%, a < b, b > a, <3", "less than <1%, a < b, b > a, <3"),
    "scripts and styles go with their content": ("a<script src=x>alert('<p>')</script><style>p{}</STYLE >b", "ab"),
    "comments go": ("a<!-- <p>hidden</p> -->b", "ab"),
    "an enclosure without end hides nothing": ("a <!-- b <i>c</i>", "a b c"),
    "an arrow is no comment": ("BTC --> ETH", "BTC --> ETH"),
    "entities are resolved once": ("&lt;b&gt; R&amp;D &amp;lt; &nbsp;&#8364;", "<b> R&D &lt; €"),
    "an entity cannot bring back what is stripped": ("a&#x202e;b&#0;c&#8203;d&zwj;e", "ab\ufffdcde"),
    "a number without end is no entity": ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
    "spaces fold and lines are trimmed": ("  a \t b \n  c  ", "a b\nc"),
    "one blank line is the most": ("a\r\n\r\n\r\n\r\nb<p></p><p></p>c", "a\n\nb\n\nc"),
    "markdown stays as typed": ("### **Summary**", "### **Summary**"),
    "nothing is nothing": ("<p> </p>", ""),
}

HOSTILE = {
    "angles": ("<", "<"),
    "tags that never end": ("<a ", "<"),
    "ampersands": ("&", "&"),
    "entities that never end": ("&#", "&"),
    "words": ("a", "a"),
    "combining marks": ("\u0301", "\u0301"),
}

MARKUP = "word <b> </b> <p> </p> <br> <li> <script> </script> </STYLE> <!-- --> <SOME/ALL> <1% &amp; &lt;b é \u202e"
BODIES = st.lists(st.sampled_from([*MARKUP.split(" "), "a < b", " ", "\n", "\r\n"])).map("".join)


@pytest.mark.parametrize(("given_text", "expected"), CLEANED.values(), ids=CLEANED)
def test_cleaning_leaves_what_can_be_seen(given_text: str, expected: str) -> None:
    assert clean(given_text, 40) == expected


@given(st.text(alphabet=st.characters(), max_size=200), st.integers(1, 60))
def test_cleaned_text_is_short_harmless_and_clean_already(text: str, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert {unicodedata.category(c) for c in cleaned.replace("\n", "")}.isdisjoint({"Cc", "Cs", "Zl", "Zp"})
    assert clean(cleaned, limit) == cleaned


@given(st.text(alphabet=st.characters(), max_size=200))
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert one_line(text) == " ".join(one_line(text).split())


@pytest.mark.parametrize(("html", "expected"), VISIBLE.values(), ids=VISIBLE)
def test_a_body_shows_what_its_reader_sees(html: str, expected: str) -> None:
    assert visible_text(html) == expected


@given(st.text())
def test_escaped_text_is_shown_as_it_was(text: str) -> None:
    assert visible_text(escape(text)).split() == clean(text, TEXT_LIMIT).split()


@given(BODIES)
def test_the_feed_s_line_breaks_show_as_the_api_s(body: str) -> None:
    assert visible_text(body.replace("\n", "<br />")).split() == visible_text(body).split()


@pytest.mark.parametrize(("piece", "first"), HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_nonsense_is_cut_to_the_limit(piece: str, first: str) -> None:
    shown = visible_text(piece * (2**20 // len(piece)))
    assert len(shown) <= TEXT_LIMIT
    assert (shown[0], shown[-1]) == (first, "…")


@pytest.mark.parametrize("tag", ["<p>", "<br>", "</p>", "<!--", "<script>", "</script>", "<td>", " ", "\n"])
def test_a_megabyte_of_markup_shows_nothing(tag: str) -> None:
    assert visible_text(tag * (2**20 // len(tag))) == ""


@pytest.mark.parametrize(
    "value",
    [
        "2026-02-24T12:10:00.000Z",
        "2026-02-24T05:10:00-07:00",
        "Tue, 24 Feb 2026 12:10:00 GMT",
        "Tue, 24 Feb 2026 04:10:00 -0800",
    ],
)
def test_instants_of_every_notation_are_the_same_moment(value: str) -> None:
    assert instant(value) == datetime(2026, 2, 24, 12, 10, tzinfo=UTC)
    assert instant(value).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        None,
        1771934400,
        True,
        "",
        "soon",
        "2026-02-24",
        "2026-02-24T12:10:00",
        "Tue, 24 Feb 2026 12:10:00",
        "Mon, 99 Feb 2026 12:10:00 GMT",
        "0001-01-01T00:00:00+14:00",
        "\ud800",
        "9" * 5000,
    ],
)
def test_what_is_no_instant_is_refused_by_name(value: object) -> None:
    with pytest.raises(ValueError, match="not an instant with a zone: "):
        instant(value)


REFUSED = {
    "nothing": (b"", "not JSON"),
    "HTML": (b"<!doctype html><title>502</title>", "not JSON"),
    "a list": (b"[]", "not an object: a list"),
    "null": (b"null", "not an object: None"),
    "NaN": (b'{"page": NaN}', "NaN is no JSON number"),
    "infinity": (b'{"page": -Infinity}', "-Infinity is no JSON number"),
    "a number of many thousand digits": (b'{"page": ' + b"9" * 5000 + b"}", "not a JSON object"),
    "hopeless nesting": (b'{"page": ' + b"[" * 200_000, "nested too deeply"),
    "bytes that are no text": (b'{"page": "\xff\xfe"}', "can't decode byte 0xff"),
    "half a document": (b'{"page": {"id"', "not JSON"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_json_object_is_refused_in_one_line(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        document(body)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)
