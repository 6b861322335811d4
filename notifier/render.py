"""The words: from the changes that one recipient hears at once to one Message. Pure, and the same on every channel.

Everything told comes from the change rows; nothing is looked up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from notifier.model import TERMINAL, Affected, Change, Kind, Line, Message, Phase, Receipt, Span, Topic, impact_rank
from notifier.ports import Part

LATE = timedelta(minutes=10)
"""News that reaches its reader later than this after Kraken's own time says so."""

_COMPONENTS_SHOWN = 8

_ICONS = {"none": "⚪", "maintenance": "🔧", "minor": "🟡", "major": "🟠", "critical": "🔴"}

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Whose news it is: the page's name and address; the only place that links go to."""

    url: str
    name: str = "Kraken"


def render(
    parts: Sequence[Part],
    page: Page,
    *,
    origin: str,
    date: datetime,
    mention: str | None = None,
    thread: Receipt | None = None,
    plain: bool = False,
) -> Message:
    """One message for the parts of a parcel (oldest first): the newest state on top, the earlier ones below in short.

    `origin` names the database, so that delivery ids are unique across databases; `date` is that of the first try.
    """
    changes = _with_newest_texts([part.change for part in parts])
    newest = changes[-1]
    loud = any(change.loud for change in changes)
    severe = impact_rank(newest.impact) >= impact_rank("major")
    title = f"{_label(newest, date)}: {newest.title}" if newest.kind is not Kind.WELCOME else newest.title
    return Message(
        delivery_ids=tuple(f"{origin}-{part.delivery_id}" for part in parts),
        subject=f"[{page.name}] {title}",
        lines=tuple(
            line
            for line in (
                Line(spans=(Span(text=f"{_icon(newest)} {title}", style="bold"),)),
                *_what_changed(newest),
                *_facts(newest, date),
                *_said(newest, date),
                *_earlier(changes[:-1], date),
                *_lateness(newest, date),
                _link(newest, page),
            )
        ),
        date=date,
        loud=loud,
        mention=mention if loud and severe else None,
        thread=thread,
        plain=plain,
    )


def _with_newest_texts(changes: Sequence[Change]) -> list[Change]:
    """Edits of updates told in the same message are taken into them; the others stay, as news of their own."""
    told = {change.update_id: place for place, change in enumerate(changes) if change.kind is Kind.UPDATE_POSTED}
    merged: list[Change] = list(changes)
    absorbed = set()
    for place, change in enumerate(changes):
        if change.kind is Kind.UPDATE_EDITED and change.update_id in told:
            original = told[change.update_id]
            merged[original] = replace(merged[original], text=change.text, status=change.status, at=change.at)
            absorbed.add(place)
    kept = [change for place, change in enumerate(merged) if place not in absorbed]
    edits = [change for change in kept if change.kind is Kind.UPDATE_EDITED]
    news = [change for change in kept if change.kind is not Kind.UPDATE_EDITED]
    return [*edits, *news] if news else edits


def words(status: str) -> str:
    """A status as a reader would write it: `in_progress` → `in progress`."""
    return status.replace("_", " ")


def _label(change: Change, now: datetime) -> str:
    match change.kind:
        case Kind.UPDATE_EDITED:
            return "Edited"
        case Kind.INCIDENT_RETITLED:
            return "Worsened" if change.loud else "Renamed" if change.before != change.title else "Changed"
        case Kind.INCIDENT_WITHDRAWN:
            return "Withdrawn"
        case Kind.MAINTENANCE_DUE if change.window:
            return f"Maintenance in {duration(change.window.start - now)}"
        case Kind.COMPONENT_CHANGED:
            return words(change.status).capitalize()
        case Kind.EXCHANGE_CHANGED:
            return f"Exchange {words(change.status)}" if change.subject.startswith("exchange/") else "Exchange advisory"
    if change.phase in _LABELS:
        label = _LABELS[change.phase]
        return f"{label} ({words(change.status)})" if change.phase in (Phase.REOPENED, Phase.WORSENED) else label
    return words(change.status).capitalize() or "Update"


def _icon(change: Change) -> str:
    if change.kind is Kind.WELCOME:
        return "👋"
    if change.ended_at is not None or change.status in {*TERMINAL, "operational"}:
        return "🟢"
    if change.topic is Topic.MAINTENANCE:
        return "🔧"
    return _ICONS.get(change.impact or "minor", "🟠")


def _what_changed(change: Change) -> Iterable[Line]:
    if change.kind is Kind.INCIDENT_RETITLED:
        yield _line(f"What changed: {change.reason}.")
    elif change.kind is Kind.INCIDENT_WITHDRAWN:
        yield _line("Kraken took this off its status page without saying that it is resolved.")
    elif change.kind in (Kind.COMPONENT_CHANGED, Kind.EXCHANGE_CHANGED) and change.before:
        yield _line(f"Before: {words(change.before)}.")


def _facts(change: Change, now: datetime) -> Iterable[Line]:
    facts: list[tuple[Span, ...]] = []
    if change.components and change.kind is not Kind.COMPONENT_CHANGED:
        facts.append((Span(text=f"Affected: {components(change.components)}"),))
    if change.impact and change.topic is Topic.INCIDENT:
        facts.append((Span(text=f"Impact: {change.impact}"),))
    if change.window and change.ended_at is None:
        until = (Span(text=" – "), moment(change.window.end, change.window.start)) if change.window.end else ()
        facts.append((Span(text="Planned: "), moment(change.window.start, now), *until))
    if facts:
        joined: list[Span] = []
        for fact in facts:
            joined += [Span(text=" · "), *fact] if joined else fact
        yield Line(spans=tuple(joined))
    if change.ended_at is not None and change.started_at is not None and change.started_at < change.ended_at:
        story = _timeline(change, now)
        lasted = f"Lasted {duration(change.ended_at - change.started_at)}"
        yield Line(spans=(Span(text=f"{lasted}: "), *story) if story else (Span(text=lasted),))


def _timeline(change: Change, now: datetime) -> tuple[Span, ...]:
    spans: list[Span] = []
    for step in change.timeline:
        spans += [Span(text=" · ")] if spans else []
        spans += [moment(step.at, now), Span(text=f" {words(step.status)}")]
    return tuple(spans)


def _said(change: Change, now: datetime) -> Iterable[Line]:
    if not change.text:
        return
    if change.kind is Kind.WELCOME:
        yield from (_line(text) for text in change.text.split("\n"))
        return
    who = "The exchange" if change.topic is Topic.EXCHANGE else "Kraken"
    yield Line(spans=(Span(text=f"{who}, "), moment(change.at, now), Span(text=":")))
    for text in change.text.split("\n"):
        if text.strip():
            yield Line(spans=(Span(text=text.strip()),), quoted=True)


def _earlier(changes: Sequence[Change], now: datetime) -> Iterable[Line]:
    if changes and changes[-1].kind is not Kind.WELCOME:
        yield Line(spans=(Span(text="Before that:", style="bold"),))
        for change in reversed(changes):
            text = f" {_label(change, now)}" + (f": {' '.join(change.text.split())}" if change.text else "")
            yield Line(spans=(moment(change.at, now), Span(text=text)), quoted=True)


def _lateness(change: Change, now: datetime) -> Iterable[Line]:
    if change.kind in (Kind.WELCOME, Kind.UPDATE_EDITED):
        return
    posted = change.posted_at or change.at
    if posted - change.at > LATE:
        yield Line(spans=(Span(text="Published after the fact, "), moment(posted, now)))
    if now - posted > LATE:
        yield Line(spans=(Span(text="Late: posted "), moment(posted, now), Span(text=", delivered "), moment(now, now)))


def _link(change: Change, page: Page) -> Line:
    if change.incident_id:
        return Line(spans=(Span(text="Details on the status page", url=f"{page.url}/incidents/{change.incident_id}"),))
    return Line(spans=(Span(text="Status page", url=page.url),))


def _line(text: str) -> Line:
    return Line(spans=(Span(text=text),))


def components(affected: Sequence[Affected]) -> str:
    """Names by group, the first few and a count of the rest: 826 components exist."""
    groups: dict[str | None, list[str]] = {}
    for each in affected[:_COMPONENTS_SHOWN]:
        groups.setdefault(each.group, []).append(each.name)
    shown = ", ".join(f"{group} ({', '.join(names)})" if group else ", ".join(names) for group, names in groups.items())
    rest = len(affected) - _COMPONENTS_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown


def moment(at: datetime, now: datetime) -> Span:
    """An instant in UTC, with its date where that is not the reader's today."""
    day = "" if at.date() == now.date() else f"{at.day} {at:%b} " if at.year == now.year else f"{at.day} {at:%b %Y} "
    return Span(text=f"{day}{at:%H:%M} UTC", at=at)


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
