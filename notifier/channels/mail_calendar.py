"""A planned maintenance as an invitation: https://www.rfc-editor.org/rfc/rfc5546. Pure, equal on every call."""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address as Mailbox

from icalendar import Calendar, Event, vCalAddress

from notifier.markup import mail_plain, one_line
from notifier.message import Appointment, Span

_SUMMARY, _DESCRIPTION = 200, 4_000
"""Characters of the words, which the mail itself says in full."""


def method_of(appointment: Appointment) -> str:
    """What a calendar is asked to do; the mail's Content-Type says it too."""
    return "CANCEL" if appointment.cancelled else "REQUEST"


def invitation(appointment: Appointment, *, organizer: Mailbox, attendee: Mailbox, stamp: datetime) -> str:
    """The text of an `.ics` file; `stamp` is the date of the mail. Both mailboxes in ASCII."""
    event = Event()
    event.add("uid", one_line(appointment.uid, _SUMMARY))
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", appointment.start.astimezone(UTC))
    if appointment.end is not None:
        event.add("dtend", appointment.end.astimezone(UTC))
    event.add("summary", one_line(appointment.summary, _SUMMARY))
    event.add("description", _description(appointment))
    if appointment.url:
        event.add("url", one_line(appointment.url, _DESCRIPTION))
    event.add("status", "CANCELLED" if appointment.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("organizer", _person(organizer))
    event.add("attendee", _attending(attendee))
    calendar = Calendar()
    calendar.add("prodid", "-//Kraken status notifier//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method_of(appointment))
    calendar.add_component(event)
    return str(calendar.to_ical(), "utf-8")


def _description(appointment: Appointment) -> str:
    lines = [" ".join(mail_plain([Span(text=line)]).split()) for line in appointment.description.split("\n")]
    words = "\n".join(line for line in lines if line)
    words = words if len(words) <= _DESCRIPTION else f"{words[: _DESCRIPTION - 1]}…"
    return "\n\n".join(each for each in (words, one_line(appointment.url, _DESCRIPTION)) if each)


def _person(mailbox: Mailbox) -> vCalAddress:
    person = vCalAddress(f"mailto:{mailbox.addr_spec}")
    if name := one_line(mailbox.display_name, _SUMMARY):
        person.params["CN"] = name
    return person


def _attending(mailbox: Mailbox) -> vCalAddress:
    """There is nothing to accept: calendars that see it accepted enter it without asking for an answer."""
    person = _person(mailbox)
    person.params.update({"PARTSTAT": "ACCEPTED", "RSVP": "FALSE"})
    return person
