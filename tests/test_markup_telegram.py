"""Foreign text arrives literally in Telegram: nothing in it mentions, links, formats or breaks the message."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import markup
from notifier.markup import INERT
from notifier.message import Form, Line, Role, Span
from tests.receivers.telegram_html import parse_html, units

LINK = "https://status.kraken.com/incidents/wsincident01"
AT = datetime(2026, 2, 24, 11, 29, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = EPOCH + timedelta(seconds=2**31 - 1)

words = st.text(st.characters(), max_size=40) | st.sampled_from(
    ("</b>", "</blockquote>", '<tg-time unix="1">', "&amp;", "&#60;b>", "@x", "/y", "a.com", "😀", "x\ny", '"', "", " ")
)
spans = st.builds(
    Span,
    text=words,
    style=st.sampled_from(("", "bold", "italic", "strike", "code")),
    url=st.none() | st.sampled_from((LINK, "javascript:alert(1)", 'https://x/"><b>|^ y', "http://x/?a=1&b=<2>")),
    at=st.none() | st.datetimes(timezones=st.just(UTC)) | st.just(AT),
    form=st.sampled_from(Form),
)
lines = st.lists(
    st.builds(
        Line,
        spans=st.lists(spans, max_size=3).map(tuple),
        role=st.sampled_from(Role),
        label=st.sampled_from(("", "Since")),
    ),
    min_size=1,
    max_size=60,
)


def line(text: str, role: Role = Role.TEXT, **span: Any) -> Line:
    return Line(spans=(Span(text=text, **span),), role=role)


def seen(line: Line) -> str:
    """What people should see of it, where nothing can break a line or fail to be encoded."""
    text = "".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", span.text) for span in line.spans)
    return (f"{line.label}: " if line.label else "") + text


@given(lines, st.booleans())
def test_any_text_makes_html_that_shows_just_that_text(some: list[Line], dates: bool) -> None:
    html = markup.telegram_html(some, dates=dates)
    text, entities = parse_html(html)

    shown = text.replace("\n", "").replace(INERT, "")
    assert shown == "".join(map(seen, some)).replace(INERT, "")
    assert all(e["url"].startswith(("https://", "http://")) for e in entities if e["type"] == "text_link")
    assert markup.telegram_length(html) == units(text)
    assert len(entities) <= markup.telegram_entities(html)


@given(lines)
def test_any_instant_makes_a_date_that_telegram_can_show(some: list[Line]) -> None:
    _, entities = parse_html(markup.telegram_html(some))
    dates = [e for e in entities if e["type"] == "date_time"]

    assert all(0 < e["unix_time"] < 2**31 and e["date_time_format"] in ("dt", "t", "r") for e in dates)
    assert len(dates) <= markup.TELEGRAM_ENTITIES
    assert "tg-time" not in re.sub("&lt;tg-time", "", markup.telegram_html(some, dates=False))


@pytest.mark.parametrize(
    ("at", "shown"),
    {
        "the first second": (EPOCH, False),
        "the second after it": (EPOCH + timedelta(seconds=1), True),
        "the last second of 32 bits": (LAST, True),
        "the one after it": (LAST + timedelta(seconds=1), False),
    }.values(),
)
def test_an_instant_that_telegram_would_get_wrong_is_only_words(at: datetime, shown: bool) -> None:
    assert markup.telegram_html([line("11:29 UTC", at=at)]) == (
        f'<tg-time unix="{int(at.timestamp())}" format="dt">11:29 UTC</tg-time>' if shown else "11:29 UTC"
    )


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
def test_nothing_in_foreign_text_becomes_active(active: str, inert: str) -> None:
    assert markup.telegram_html([line(active)]) == inert


def test_each_role_has_its_place() -> None:
    some = [
        line("Title", Role.TITLE, style="bold"),
        Line(spans=(Span(text="11:29 UTC", at=AT, form=Form.TIME),), role=Role.FACT, label="Since"),
        Line(spans=(Span(text="minor"),), role=Role.FACT, label="Impact"),
        line("Kraken:"),
        line("One.", Role.QUOTE),
        line("Two.", Role.QUOTE),
        line("Before that:", style="bold"),
        line("Older.", Role.EARLIER),
        line("Late", Role.NOTE),
        line("Details", Role.LINK, url=LINK),
    ]

    assert markup.telegram_html(some) == (
        "<b>Title</b>\n"
        "\n"
        'Since: <tg-time unix="1771932540" format="t">11:29 UTC</tg-time>\n'
        "Impact: minor\n"
        "\n"
        "Kraken:\n"
        "<blockquote>One.\nTwo.</blockquote>\n"
        "\n"
        "<b>Before that:</b>\n"
        "<blockquote expandable>Older.</blockquote>\n"
        "\n"
        "<i>Late</i>\n"
        "\n"
        f'<a href="{LINK}">Details</a>'
    )


def test_a_link_leads_to_the_web_or_is_only_words() -> None:
    assert markup.telegram_html([line("click", url="javascript:alert(1)")]) == "click"
    assert markup.telegram_button(line("click", url="javascript:alert(1)")) is None
    assert markup.telegram_button(line("Details", url=LINK)) == LINK
    assert markup.telegram_button(line("Details")) is None
