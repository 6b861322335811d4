"""The vocabulary: what states, instants, lengths and components are called, the same on every channel. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from notifier.known import WITHDRAWN
from notifier.message import Form, Span, Tone
from notifier.model import TERMINAL, Affected, Change, Kind, Moment, Phase, Topic, Window, impact_rank

_COMPONENTS_SHOWN = 8
_STEPS_SHOWN = 8

_ENGINE = {
    "online": "Trading is open.",
    "maintenance": "Nothing can be traded: orders can neither be placed nor cancelled.",
    "cancel_only": "Orders can be cancelled but not placed; nothing is traded.",
    "post_only": "Only post-only orders can be placed, and orders cancelled; nothing is traded.",
    "limit_only": "Only limit orders can be placed.",
}

ICONS = {
    Tone.CALM: "⚪",
    Tone.MINOR: "🟡",
    Tone.MAJOR: "🟠",
    Tone.CRITICAL: "🔴",
    Tone.WORK: "🔧",
    Tone.GOOD: "🟢",
}
_TONES = {"none": Tone.CALM, "minor": Tone.MINOR, "major": Tone.MAJOR, "critical": Tone.CRITICAL}

_LABELS = {
    Phase.WORSENED: "Worsened",
    Phase.RESOLVED: "Resolved",
    Phase.REOPENED: "Reopened",
    Phase.POSTMORTEM: "Postmortem",
    Phase.SCHEDULED: "Maintenance scheduled",
    Phase.RESCHEDULED: "Maintenance rescheduled",
    Phase.STARTED: "Maintenance started",
    Phase.VERIFYING: "Maintenance being verified",
    Phase.COMPLETED: "Maintenance completed",
    Phase.OVERDUE: "Maintenance overdue",
}
_STANDING = {
    "scheduled": "Maintenance scheduled",
    "in_progress": "Maintenance in progress",
    "verifying": "Maintenance being verified",
    "completed": "Maintenance completed",
    "postmortem": "Resolved",
}


def words(status: str) -> str:
    """A status as a reader would write it: `in_progress` → `in progress`."""
    return status.replace("_", " ")


def label(change: Change, now: datetime) -> str:
    """What happened, in front of the title."""
    match change.kind:
        case Kind.UPDATE_EDITED:
            return "Edited"
        case Kind.INCIDENT_RETITLED:
            if change.stood.status == WITHDRAWN:
                return "Back on the page"
            if change.loud and change.stood.impact is None:
                return f"Rated {change.impact}"
            return "Worsened" if change.loud else "Renamed" if change.stood.title else "Changed"
        case Kind.INCIDENT_WITHDRAWN:
            return "Withdrawn"
        case Kind.MAINTENANCE_DUE if change.window:
            return f"Maintenance in {duration(change.window.start - now)}"
        case Kind.COMPONENT_CHANGED:
            return words(change.status).capitalize()
        case Kind.EXCHANGE_CHANGED:
            return words(change.status).capitalize() if change.subject.startswith("exchange/") else "Exchange advisory"
    if change.topic is Topic.MAINTENANCE and change.phase is Phase.PROGRESS and change.status == "scheduled":
        return "Maintenance update"
    if change.phase in _LABELS:
        said = _LABELS[change.phase]
        return f"{said} ({words(change.status)})" if change.phase in (Phase.REOPENED, Phase.WORSENED) else said
    return words(change.status).capitalize() or "Update"


def standing(change: Change, now: datetime) -> str:
    """How the subject stands after a change: `label` without what was only news at its moment."""
    if change.topic not in (Topic.INCIDENT, Topic.MAINTENANCE) or change.kind is Kind.INCIDENT_WITHDRAWN:
        return label(change, now)
    if change.phase is Phase.OVERDUE:
        return _LABELS[Phase.OVERDUE]
    ended = change.ended_at is not None and change.topic is Topic.INCIDENT
    return "Resolved" if ended else _STANDING.get(change.status) or words(change.status).capitalize() or "Open"


def tone(change: Change) -> Tone:
    """The colour of the state after a change."""
    if change.kind is Kind.WELCOME or change.kind is Kind.INCIDENT_WITHDRAWN:
        return Tone.CALM
    if change.ended_at is not None or change.status in {*TERMINAL, "operational"}:
        return Tone.GOOD
    if change.topic is Topic.MAINTENANCE or change.impact == "maintenance":
        return Tone.WORK
    return _TONES.get(change.impact or "none", Tone.MAJOR)


def is_severe(change: Change) -> bool:
    """Whether its impact is major, critical, or one that nobody knows."""
    return impact_rank(change.impact) >= impact_rank("major")


def components(affected: Sequence[Affected]) -> str:
    """Names by group, the first few of each and a count of the rest: 826 components exist."""
    groups: dict[str | None, list[str]] = {}
    for each in affected:
        groups.setdefault(each.group, []).append(each.name)
    shown = list(groups.items())[:_COMPONENTS_SHOWN]
    most = max(1, _COMPONENTS_SHOWN // max(1, len(shown)))
    listed = [f"{group} ({_some(names, most)})" if group else _some(names, most) for group, names in shown]
    rest = len(affected) - sum(len(names) for _, names in shown)
    return ", ".join(listed) + (f" and {rest} more" if rest else "")


def _some(names: Sequence[str], most: int) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def moment(at: datetime, now: datetime) -> Span:
    """An instant in UTC, with its date where that is not the reader's today."""
    return Span(text=f"{_day(at, now)}{at:%H:%M} UTC", at=at, form=_form(at, now))


def _form(at: datetime, now: datetime) -> Form:
    return Form.TIME if at.date() == now.date() else Form.FULL


def _day(at: datetime, now: datetime) -> str:
    if at.date() == now.date():
        return ""
    return f"{at.day} {at:%b} " if at.year == now.year else f"{at.day} {at:%b %Y} "


def window(planned: Window, now: datetime) -> tuple[Span, ...]:
    """`12:30 – 13:30 UTC (1 h)`."""
    start, end = planned.start, planned.end
    if end is None:
        return (moment(start, now),)
    begins = Span(text=f"{_day(start, now)}{start:%H:%M}", at=start, form=_form(start, now))
    return (begins, Span(text=" – "), moment(end, start), Span(text=f" ({duration(end - start)})"))


def ahead(planned: Window, now: datetime) -> tuple[Span, ...]:
    """`, in 30 min`; nothing once it has begun."""
    if planned.start <= now:
        return ()
    return (Span(text=", "), Span(text=f"in {duration(planned.start - now)}", at=planned.start, form=Form.AGO))


def steps(taken: Sequence[Moment], now: datetime) -> tuple[Span, ...]:
    """`11:29 UTC investigating · 11:35 monitoring · 11:41 resolved`; a date where the day changes.

    Of many, the first and the newest ones.
    """
    left_out = len(taken) - _STEPS_SHOWN if len(taken) > _STEPS_SHOWN + 1 else 0
    spans: list[Span] = []
    day = now
    for place, step in enumerate(taken):
        if left_out and place == 1:
            spans.append(Span(text=f" · … {left_out} more …"))
        if 0 < place <= left_out:
            continue
        spans += [Span(text=" · ")] if spans else []
        zone = "" if place else " UTC"
        spans += [Span(text=f"{_day(step.at, day)}{step.at:%H:%M}{zone}", at=step.at, form=_form(step.at, day))]
        spans += [Span(text=f" {words(step.status)}")]
        day = step.at
    return tuple(spans)


def meaning(engine: str) -> str | None:
    """What an engine status of https://docs.kraken.com/api/docs/rest-api/get-system-status means for orders."""
    return _ENGINE.get(engine)


def duration(length: timedelta) -> str:
    """`12 min`, `5 h 48 min`, `3 d 2 h`."""
    minutes = max(0, round(length.total_seconds() / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {left} min" if left else f"{hours} h"
    return f"{left} min" if left else "less than a minute"


def ordinal(number: int) -> str:
    """`2nd`, `11th`."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
