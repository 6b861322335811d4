"""What the page shows of a script at one instant, derived from these two alone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.simulator.catalogue import Component, find
from notifier.simulator.levels import ENDS, levels_after
from notifier.simulator.script import Script
from notifier.simulator.story import Incident, Maintenance, Reschedule, Retitle, Update
from notifier.simulator.vocabulary import Level


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """An incident or a maintenance as it stands."""

    incident: Incident
    title: str
    impact: str
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    monitoring_at: datetime | None
    window: Maintenance | Reschedule | None
    """Where its planned time is written; None for an incident."""
    updates: tuple[ShownUpdate, ...]
    """Newest first."""

    @property
    def status(self) -> str:
        return self.updates[0].status

    @property
    def over(self) -> bool:
        return self.status in ENDS

    @property
    def rank(self) -> datetime:
        """The display time of its newest update; the page lists the latest first."""
        return max((update.display_at for update in self.updates if update.timed), default=self.created_at)

    @property
    def components(self) -> tuple[Component, ...]:
        return tuple(find(name) for name in self.incident.components)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownUpdate:
    id: str
    status: str
    text: str
    created_at: datetime
    updated_at: datetime
    display_at: datetime
    moved: tuple[tuple[Component, Level, Level], ...]
    """Components with their levels before and after. The closing update states none."""

    @property
    def timed(self) -> bool:
        """A postmortem shows no time and stands in no feed."""
        return self.status != "postmortem"


def turn(script: Script, at: datetime) -> datetime:
    """The last instant at which the page changed; the start of the story where nothing came before it."""
    place = bisect_right(script.turns, at)
    return script.turns[place - 1] if place else script.page.start


def shown(script: Script, at: datetime) -> list[Shown]:
    """Everything that the page has, in the order in which it is listed."""
    views = (view(incident, at) for incident in script.everything)
    return sorted((seen for seen in views if seen), key=lambda seen: seen.rank, reverse=True)


def view(incident: Incident, at: datetime) -> Shown | None:
    """One incident; None before its first update and once it is deleted."""
    posted = incident.posted(at)
    if not posted:
        return None
    headings: list[Update | Retitle] = [*posted, *(step for step in incident.retitles if step.at <= at)]
    headings.sort(key=lambda heading: heading.at)
    updates = tuple(_updates(incident, posted, at))
    first = posted[0]
    created = first.display_at or first.at - timedelta(milliseconds=41)
    ended = next((u.display_at for u in updates if u.status in ENDS and u.timed), None)
    return Shown(
        incident=incident,
        title=next((step.title for step in reversed(headings) if step.title), incident.title),
        impact=next((step.impact for step in reversed(headings) if step.impact), incident.impact),
        created_at=created,
        started_at=first.at if first.display_at else created - timedelta(milliseconds=7),
        updated_at=max(instant for instant in incident.instants if instant <= at),
        resolved_at=ended if updates[0].status in ENDS else None,
        monitoring_at=next((u.display_at for u in updates if u.status in {"monitoring", "verifying"}), None),
        window=window(incident, at) if isinstance(incident, Maintenance) else None,
        updates=updates,
    )


def window(maintenance: Maintenance, at: datetime) -> Maintenance | Reschedule:
    """Where the planned time is written: in the maintenance, or in its last rescheduling."""
    moves = [step for step in maintenance.reschedules if step.at <= at]
    return max(moves, key=lambda step: step.at, default=maintenance)


def _updates(incident: Incident, posted: tuple[Update, ...], at: datetime) -> Iterator[ShownUpdate]:
    for place in range(len(posted), 0, -1):
        update = posted[place - 1]
        edit = max((e for e in incident.edits if e.update == place and e.at <= at), key=lambda e: e.at, default=None)
        display_at = update.display_at or update.at
        after = levels_after(incident, posted[:place])
        before = levels_after(incident, posted[: place - 1])
        yield ShownUpdate(
            id=incident.update_id(place),
            status=update.status,
            text=edit.text if edit else update.text,
            created_at=update.at,
            updated_at=edit.at if edit else update.at,
            display_at=display_at.replace(microsecond=0) if edit else display_at,
            moved=() if update.status in ENDS else tuple((c, before[c], level) for c, level in after.items()),
        )
