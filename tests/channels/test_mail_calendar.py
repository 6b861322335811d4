"""A planned maintenance as calendars take it out of the mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from notifier.channels.email import compose
from notifier.message import Appointment, Message
from notifier.model import Change, Window
from notifier.notice import withdraw
from notifier.parcel import Part
from notifier.render import Page, render
from notifier.subscription import Address
from tests.builders import NOW, at, update
from tests.channels.contract import AT, message, said
from tests.news import BEGUN, NEWS, PLANNED, newest, planned, play
from tests.receivers.mail import Mail

DESK = Address("mailto", "desk@bücher.example")
SENDER = "Kraken status <status@notifier.example>"
APPOINTMENT = Appointment(
    uid="m1@status.kraken.com",
    sequence=2,
    summary="Kraken: Network maintenance",
    start=AT + timedelta(hours=1),
    end=AT + timedelta(hours=2),
    description="We will replace a switch.\n\nNo orders are lost.",
    url="https://status.kraken.com/incidents/m1",
)


def written(told: Message, sender: str = SENDER) -> Mail:
    return Mail(mail_from="", rcpt_tos=(), raw=compose(DESK, told, sender).as_bytes(), private=True, user=None)


def told(changes: Sequence[Change]) -> Message:
    parts = [Part(delivery_id=number, change=change) for number, change in enumerate(changes, 1)]
    return render(parts, Page(url="https://status.kraken.com"), origin="db", date=NOW)


def entry(mail: Mail) -> tuple[str, Any]:
    """The method and the event; asserts that the part within the mail and the file beside it agree."""
    [within] = [part for part in mail.message.walk() if part.get_content_type() == "text/calendar"]
    [beside] = mail.message.iter_attachments()
    assert beside.get_filename() == "maintenance.ics"
    assert "".join(within.get_content().split()) == "".join(beside.get_content().decode().split())
    calendar = Calendar.from_ical(beside.get_content())
    assert calendar["METHOD"] == within["Content-Type"].params["method"]
    assert within["Content-Type"].params["charset"] == "utf-8"
    [event] = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


def test_an_invitation_holds_all_that_a_calendar_shows() -> None:
    method, event = entry(written(message(appointment=APPOINTMENT)))

    assert method == "REQUEST"
    assert (event["UID"], event["SEQUENCE"], event["STATUS"]) == ("m1@status.kraken.com", 2, "CONFIRMED")
    assert (event.decoded("dtstart"), event.decoded("dtend")) == (APPOINTMENT.start, APPOINTMENT.end)
    assert event.decoded("dtstamp") == AT
    assert event["SUMMARY"] == "Kraken: Network maintenance"
    assert event["DESCRIPTION"] == (
        "We will replace a switch.\nNo orders are lost.\n\nhttps://status.kraken.com/incidents/m1"
    )
    assert event["URL"] == "https://status.kraken.com/incidents/m1"
    assert event["ORGANIZER"] == "mailto:status@notifier.example"
    assert event["ORGANIZER"].params["CN"] == "Kraken status"


def test_nobody_is_asked_for_an_answer_woken_up_or_shown_as_busy() -> None:
    _, event = entry(written(message(appointment=APPOINTMENT)))

    assert event["ATTENDEE"] == "mailto:desk@xn--bcher-kva.example"
    assert dict(event["ATTENDEE"].params) == {"PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    assert event["TRANSP"] == "TRANSPARENT"
    assert event.subcomponents == []


def test_times_are_in_utc() -> None:
    berlin = AT.astimezone(timezone(timedelta(hours=1)))
    mail = written(message(appointment=replace(APPOINTMENT, start=berlin, end=berlin + timedelta(hours=1))))
    [beside] = mail.message.iter_attachments()

    assert b"\r\nDTSTART:20260224T112900Z\r\n" in beside.get_content()
    assert b"\r\nDTEND:20260224T122900Z\r\n" in beside.get_content()


def test_a_maintenance_without_an_end_has_none() -> None:
    _, event = entry(written(message(appointment=replace(APPOINTMENT, end=None))))

    assert "DTEND" not in event


PLAN = planned(PLANNED)
MOVED = planned(
    PLANNED, update("11:40", "scheduled", "Tomorrow."), window=Window(start=at("12:30", 1), end=at("13:30", 1))
)


def test_an_entry_follows_its_maintenance_from_plan_to_cancellation() -> None:
    _, known = play(PLAN, MOVED)
    life = [newest(PLAN), newest(PLAN, MOVED), withdraw(known.incidents["maintenance1"], NOW).changes]

    entries = [entry(written(told(changes))) for changes in life]

    assert [method for method, _ in entries] == ["REQUEST", "REQUEST", "CANCEL"]
    assert len({str(event["UID"]) for _, event in entries}) == 1
    assert [event["SEQUENCE"] for _, event in entries] == [0, 1, 2]
    assert [event["STATUS"] for _, event in entries] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [event.decoded("dtstart") for _, event in entries] == [at("12:30"), at("12:30", 1), at("12:30", 1)]


def test_a_maintenance_that_ends_before_it_begins_is_cancelled() -> None:
    method, event = entry(written(told(newest(PLAN, planned(PLANNED, update("11:50", "completed", "Not needed."))))))

    assert (method, event["STATUS"], event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 1)


def test_a_reminder_repeats_the_entry_as_it_stands() -> None:
    method, event = entry(written(told(NEWS["maintenance due"]())))

    assert (method, event["SEQUENCE"]) == ("REQUEST", 0)


@pytest.mark.parametrize("case", ["maintenance started", "maintenance completed", "opened", "resolved"])
def test_other_news_brings_no_entry(case: str) -> None:
    mail = written(told(NEWS[case]()))

    assert [part.get_content_type() for part in mail.message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]


def test_a_maintenance_that_begins_after_it_was_planned_brings_no_second_entry() -> None:
    assert told(newest(PLAN, planned(PLANNED, BEGUN))).appointment is None


def test_the_parts_stand_where_gmail_and_outlook_look_for_them() -> None:
    mail = written(message(appointment=APPOINTMENT))

    assert [part.get_content_type() for part in mail.message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    outer, inner = (part.get_boundary() for part in mail.message.walk() if part.is_multipart())
    assert outer and inner and not inner.startswith(outer)
    assert mail.raw == written(message(appointment=APPOINTMENT)).raw, "the same on every try"


def test_where_markup_was_refused_no_calendar_goes_along() -> None:
    assert written(message(said("x"), plain=True, appointment=APPOINTMENT)).message.get_content_type() == "text/plain"


words = st.text() | st.sampled_from(
    (
        "x\r\nBEGIN:VALARM\r\nx",
        "a\nATTENDEE:mailto:e@x.example",
        "\u2028",
        "\ud83d",
        "\x00",
        "a;b,c:\\n\\",
        '"',
        "ж" * 90,
    )
)


@given(uid=words, summary=words, description=words, url=words, name=st.sampled_from(("Kraken", '"K; \\"x\\": ,"', "Ж")))
def test_any_words_stay_within_their_fields(uid: str, summary: str, description: str, url: str, name: str) -> None:
    entered = replace(APPOINTMENT, uid=uid, summary=summary, description=description, url=url)

    mail = written(message(appointment=entered), f"{name} <status@notifier.example>")

    _, event = entry(mail)
    assert mail.defects == []
    assert mail.raw.isascii()
    assert {"ATTENDEE", "ORGANIZER", "UID", "DTSTAMP"} <= set(event) and event.subcomponents == []
    assert isinstance(event["ATTENDEE"], str), "one"
    assert {name for name in event if name.startswith("X-")} == set()
    assert event["DTSTART"].dt == APPOINTMENT.start


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=150))
def test_a_title_arrives_as_it_is(title: str) -> None:
    _, event = entry(written(message(appointment=replace(APPOINTMENT, summary=f"Kraken: {title}"))))

    assert event["SUMMARY"] == f"Kraken: {title}"


def test_words_without_end_are_cut() -> None:
    _, event = entry(written(message(appointment=replace(APPOINTMENT, summary="w" * 9_000, description="d" * 90_000))))

    assert len(event["SUMMARY"]) == 200
    assert len(event["DESCRIPTION"]) < 4_100
