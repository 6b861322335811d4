"""What instants, spans of time and ordinals are called, in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from notifier.message import Form, Span
from notifier.model import Window
from notifier.tongue import N_, Tongue

_MONTHS = (
    *(N_("Jan"), N_("Feb"), N_("Mar"), N_("Apr"), N_("May"), N_("Jun")),
    *(N_("Jul"), N_("Aug"), N_("Sep"), N_("Oct"), N_("Nov"), N_("Dec")),
)
_ORDINALS: Sequence[str] = (N_("{number}th"), N_("{number}st"), N_("{number}nd"), N_("{number}rd"))


def moment(at: datetime, now: datetime, tongue: Tongue) -> Span:
    """An instant in UTC, with its date where that is not the reader's today."""
    return Span(text=f"{clock(at, now, tongue)} UTC", at=at, form=form(at, now))


def form(at: datetime, now: datetime) -> Form:
    return Form.TIME if at.date() == now.date() else Form.FULL


def clock(at: datetime, now: datetime, tongue: Tongue) -> str:
    """`11:29`, and on another day `23 Feb 11:29`."""
    if at.date() == now.date():
        return f"{at:%H:%M}"
    date = tongue.gettext("{day} {month}") if at.year == now.year else tongue.gettext("{day} {month} {year}")
    month = tongue.gettext(_MONTHS[at.month - 1])
    return f"{date.format(day=at.day, month=month, year=at.year)} {at:%H:%M}"


def window(planned: Window, now: datetime, tongue: Tongue) -> tuple[Span, ...]:
    """`12:30 – 13:30 UTC (1 h)`."""
    start, end = planned.start, planned.end
    if end is None:
        return (moment(start, now, tongue),)
    begins = Span(text=clock(start, now, tongue), at=start, form=form(start, now))
    return (begins, Span(text=" – "), moment(end, start, tongue), Span(text=f" ({duration(end - start, tongue)})"))


def ahead(planned: Window, now: datetime, tongue: Tongue) -> tuple[Span, ...]:
    """`, in 30 min`; nothing once it has begun."""
    if planned.start <= now:
        return ()
    distance = tongue.gettext("in {length}").format(length=duration(planned.start - now, tongue))
    return (Span(text=", "), Span(text=distance, at=planned.start, form=Form.AGO))


def duration(length: timedelta, tongue: Tongue) -> str:
    """`12 min`, `5 h 48 min`, `3 d 2 h`."""
    minutes = max(0, round(length.total_seconds() / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    if days:
        said = tongue.gettext("{days} d {hours} h") if hours else tongue.gettext("{days} d")
    elif hours:
        said = tongue.gettext("{hours} h {minutes} min") if left else tongue.gettext("{hours} h")
    else:
        said = tongue.gettext("{minutes} min") if left else tongue.gettext("less than a minute")
    return said.format(days=days, hours=hours, minutes=left)


def ordinal(number: int, tongue: Tongue) -> str:
    """`2nd`, `11th`. Which of the four it is goes by English; others may have one form for all."""
    ending = number % 10 if number % 10 <= 3 and number % 100 not in (11, 12, 13) else 0
    return tongue.gettext(_ORDINALS[ending]).format(number=number)
