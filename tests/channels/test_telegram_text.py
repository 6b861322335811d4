"""How a message is laid out for a phone, judged by what Telegram makes of its HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from notifier.channels.telegram import compose_edit
from notifier.channels.telegram_text import Layout, text_of
from notifier.markup import INERT, TELEGRAM_TEXT
from notifier.message import Line, Message, Receipt, Role, Span
from notifier.model import Change
from notifier.parcel import Part
from notifier.render import Page, render
from tests.builders import at, incident, update
from tests.channels.contract import AT, HOSTILE, message, said, table
from tests.news import FIXED, NEWS, OPEN, OVER, api, newest
from tests.receivers.telegram_html import parse_html, units

REST = "Read the rest on the status page"


def told(changes: Sequence[Change], when: str = "11:30", **more: Any) -> Message:
    parts = [Part(delivery_id=number, change=change) for number, change in enumerate(changes)]
    return render(parts, Page(url="https://status.kraken.com"), origin="db", date=at(when), **more)


def read(message: Message, **layout: bool) -> tuple[str, list[tuple[str, str]]]:
    """What people see, and each entity as its kind and its words."""
    text, entities = parse_html(text_of(message, Layout(**layout))["text"])
    wide = text.encode("utf-16-le")
    words = [wide[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le") for e in entities]
    kinds = [e["type"] + (f" {e['date_time_format']}" if "date_time_format" in e else "") for e in entities]
    return text.replace(INERT, ""), [(kind, said.replace(INERT, "")) for kind, said in zip(kinds, words, strict=True)]


def buttons(payload: dict[str, Any]) -> list[dict[str, str]]:
    return [button for row in payload.get("reply_markup", {}).get("inline_keyboard", []) for button in row]


OPENED = """\
🟡 Investigating: WebSocket API connection errors

Affected: Kraken API (Websocket)
Impact: minor
Since: 11:29 UTC

Kraken, 11:29 UTC:
We see connection errors.
Orders placed over REST are not affected."""

ENDED = """\
🟢 Resolved: WebSocket API connection errors

Affected: Kraken API (Websocket)
Impact: minor
Started: 11:29 UTC
Last update: 11:41 UTC, resolved
Lasted: 12 min
Timeline: 11:29 UTC investigating · 11:35 monitoring · 11:41 resolved

Latest, 11:35 UTC:
A fix is in.

Kraken, 11:29 UTC:
We see connection errors.
Orders placed over REST are not affected."""


def test_title_facts_and_words_stand_apart_and_the_link_is_a_button() -> None:
    text, entities = read(told(NEWS["opened"]()))

    assert text == OPENED
    assert entities == [
        ("bold", "🟡 Investigating: WebSocket API connection errors"),
        ("date_time t", "11:29 UTC"),
        ("date_time t", "11:29 UTC"),
        ("blockquote", "We see connection errors.\nOrders placed over REST are not affected."),
    ]


def test_the_first_message_says_later_how_it_ended_in_the_same_layout() -> None:
    fixed = newest(api(incident(OPEN)), api(incident(OPEN, FIXED)))
    over = newest(api(incident(OPEN, FIXED)), api(incident(OPEN, FIXED, OVER)))

    edit = compose_edit(Receipt("777", "1", root=True), told(NEWS["opened"](), since=(*fixed, *over)))

    assert parse_html(edit["text"])[0] == ENDED
    assert buttons(edit) == [{"text": "Status page", "url": "https://status.kraken.com/incidents/wsincident01"}]


def test_small_print_is_italic_and_names_instants_in_the_readers_zone() -> None:
    text, entities = read(told(NEWS["progress"](), "12:00"))

    assert text.split("\n\n")[-1] == "Late: posted 11:35 UTC, delivered 12:00 UTC"
    assert entities[-3:] == [
        ("italic", "Late: posted 11:35 UTC, delivered 12:00 UTC"),
        ("date_time t", "11:35 UTC"),
        ("date_time t", "12:00 UTC"),
    ]


def test_a_plan_says_its_date_its_time_and_its_distance() -> None:
    _, entities = read(told(NEWS["maintenance rescheduled"](), "12:00"))

    assert ("date_time dt", "25 Feb 12:30 UTC") in entities
    assert ("date_time r", "in 1 d") in entities


def test_a_backlog_folds_away_what_came_earlier() -> None:
    steps = [update(f"12:{n:02}", "monitoring", f"Step {n} of the repair is done.") for n in range(20)]

    text, entities = read(told(newest(api(incident(OPEN)), api(incident(OPEN, *steps))), "12:20"))

    [earlier] = [words for kind, words in entities if kind == "expandable_blockquote"]
    assert earlier.splitlines()[0] == "12:18 UTC Monitoring: Step 18 of the repair is done."
    assert len(earlier.splitlines()) == 19
    assert f"\n\nBefore that:\n{earlier}" in text
    assert len(entities) <= 100


@table({"rich": False, "plain": True})
def test_6000_characters_end_with_the_way_to_the_rest(row: bool) -> None:
    long = newest(api(incident(update("11:29", text="Many orders are rejected. " * 240))))

    payload = text_of(told(long, plain=row))
    text = payload["text"] if row else parse_html(payload["text"])[0]

    assert OPENED.partition("\n")[0] in text
    assert text.splitlines()[-1].startswith(REST)
    assert TELEGRAM_TEXT - 40 < units(text) <= TELEGRAM_TEXT
    assert [button["text"] for button in buttons(payload)] == ["Status page"]


def test_300_components_are_a_few_and_a_number() -> None:
    text, _ = read(told(NEWS["300 components"]()))

    assert len(text) < 600
    assert REST not in text


def test_hostile_words_are_words() -> None:
    text, entities = read(message(*map(said, HOSTILE)))

    assert [line for line in HOSTILE if line not in text] == []
    assert [kind for kind, _ in entities] == ["bold", "blockquote"]


def test_without_markup_the_words_are_the_same() -> None:
    payload = text_of(told(NEWS["opened"](), plain=True))

    assert "parse_mode" not in payload
    assert [line.strip() for line in payload["text"].split("\n")] == [line for line in OPENED.split("\n") if line]
    assert len(buttons(payload)) == 1


def test_without_dates_the_times_are_in_utc() -> None:
    text, entities = read(told(NEWS["opened"]()), dates=False)

    assert text == OPENED
    assert [kind for kind, _ in entities] == ["bold", "blockquote"]


@table(
    {
        "this machine by number": "http://127.0.0.1:8000/incidents/a",
        "this machine by name": "http://localhost/incidents/a",
        "this machine by its other number": "http://[::1]:8000/incidents/a",
        "a host without a dot": "https://statuspage/incidents/a",
        "no host at all": "https:///incidents/a",
    }
)
def test_an_address_that_telegram_takes_for_no_button_is_a_link_in_the_text(row: str) -> None:
    lines = (*message().lines[:-1], said("Details", role=Role.LINK, url=row))

    for plain in (False, True):
        payload = text_of(message(plain=plain, lines=lines))
        assert buttons(payload) == []
        assert "Details" in payload["text"].splitlines()[-1]


@pytest.mark.fault("C6")
@table({"letters": "a", "emoji, two units each": "😀", "escaped in markup": "&"})
def test_texts_up_to_the_limit_arrive_whole_and_longer_ones_trimmed(row: str) -> None:
    room = (TELEGRAM_TEXT - units("🟡 Investigating: WebSocket API connection errors\n\n")) // units(row)

    whole, trimmed = (read(message(said(row * size)))[0] for size in (room, room + 1))

    assert units(whole) > TELEGRAM_TEXT - 2
    assert "…" not in whole
    assert trimmed.endswith(f"…\n\n{REST}")


@pytest.mark.fault("C6")
@pytest.mark.parametrize("many", [60, 95, 400])
def test_where_entities_run_out_the_first_dates_and_all_styles_are_kept(many: int) -> None:
    dates = [Span(text=f"{n} ", at=AT + timedelta(minutes=n)) for n in range(many)]
    words = tuple(Span(text=f"word{n} ", style="strike") for n in range(30))

    text, entities = read(message(Line(spans=tuple(dates), role=Role.FACT, label="Timeline"), Line(spans=words)))

    kinds = [kind for kind, _ in entities]
    assert len(kinds) <= 100
    assert kinds.count("strikethrough") == 30
    kept = [words for kind, words in entities if kind.startswith("date_time")]
    assert kept == [f"{n} " for n in range(len(kept))]
    assert len(kept) == min(many, 59)
    assert f"{many - 1} " in text


def test_more_styles_than_telegram_shows_are_cut_and_lead_to_the_rest() -> None:
    edited = tuple(Span(text=f"{n} ", style=("strike", "bold")[n % 2]) for n in range(400))

    text, entities = read(message(Line(spans=edited, role=Role.QUOTE)))

    assert 80 < len(entities) <= 100
    assert text.endswith(f"…\n\n{REST}")


def test_whom_the_operator_wants_to_reach_stands_in_front() -> None:
    text, _ = read(told(NEWS["worsened"](), mention="@desk & co"))

    assert text.startswith("@desk & co 🔴 Worsened (identified): WebSocket")
