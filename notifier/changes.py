"""The changes of one incident, each with its reason and with all that is needed to route and to tell it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from notifier.known import KnownIncident, KnownUpdate
from notifier.model import TERMINAL, Before, Change, Kind, Moment, Phase, Topic
from notifier.phase import LOUD, phases, same_window, worsened
from notifier.stock import continues


def changes(
    before: KnownIncident | None,
    after: KnownIncident,
    new: Collection[str],
    edited: Sequence[tuple[KnownUpdate, KnownUpdate]],
    now: datetime,
) -> list[Change]:
    """What happened between `before` and `after`: updates that are `new`, by id, and those edited, as (old, newer)."""
    story = {update.id: update for update in after.updates}
    found = [
        _posted(after, story[key], phase, new, now) for key, phase in phases(after.updates, new, before, after).items()
    ]
    if before is not None and found:
        found[-1] = replace(found[-1], stood=_stood(before, after))
    found += [_edited(after, old, newer, now) for old, newer in edited]
    if before is not None and before.headings != after.headings and not new:
        found.append(_retitled(before, after, now))
    return found


def facts(incident: KnownIncident, now: datetime) -> Change:
    """A change with everything that is true of the incident whatever happened."""
    first = incident.updates[0].at if incident.updates else incident.started_at
    starts = [u.at for u in incident.updates if u.status == "in_progress"]
    planned = incident.window.start if incident.window else None
    return Change(
        key="",
        kind=Kind.UPDATE_POSTED,
        topic=incident.topic,
        subject=incident.subject,
        reason="",
        at=now,
        detected_at=now,
        title=incident.name,
        status=incident.status,
        impact=incident.impact,
        told_since=incident.told_since if incident.open else None,
        incident_id=incident.id,
        components=incident.components,
        started_at=(starts[0] if starts else planned) if incident.topic is Topic.MAINTENANCE else first,
        ended_at=incident.resolved_at,
        window=incident.window,
        timeline=_timeline(incident.updates),
        first_title=incident.headings[0].rsplit("|", 3)[0] if incident.headings else incident.name,
        revision=max(0, len(incident.headings) - 1),
    )


def _posted(incident: KnownIncident, update: KnownUpdate, phase: Phase, new: Collection[str], now: datetime) -> Change:
    until = incident.updates[: incident.updates.index(update) + 1]
    first = until[0] is update and len(new) == len(incident.updates)
    ends = phase in (Phase.RESOLVED, Phase.COMPLETED)
    after_the_end = phase is Phase.POSTMORTEM or (phase is Phase.PROGRESS and any(u.status in TERMINAL for u in until))
    return replace(
        facts(incident, now),
        key=f"posted/{incident.id}/{update.born}",
        reason=f"update {update.id} was never seen: {phase}",
        at=update.at,
        posted_at=update.created_at,
        phase=phase,
        status=update.status,
        text=update.text,
        loud=phase in LOUD,
        introduces=first or not (ends or after_the_end),
        told_since=incident.told_since if ends or incident.open else None,
        update_id=update.born,
        ended_at=update.at if ends else (incident.resolved_at if after_the_end else None),
        timeline=_timeline(until),
        repeats=_repeats(until),
    )


def _repeats(story: Sequence[KnownUpdate]) -> int:
    """How many updates up to the newest say nothing but that work goes on."""
    count = 0
    for update in reversed(story):
        if not continues(update.text):
            break
        count += 1
    return count


def _stood(before: KnownIncident, after: KnownIncident) -> Before:
    """What is different now, as it was before."""
    newest = before.updates[-1].status if before.updates else before.status
    if before.withdrawn:
        newest = "withdrawn"
    return Before(
        status=newest if after.updates and newest != after.updates[-1].status else None,
        impact=before.impact if before.impact not in (None, after.impact) else None,
        title=before.name if before.name != after.name else None,
        window=before.window if before.window and not same_window(before.window, after.window) else None,
        components=before.components if before.components and before.components != after.components else None,
    )


def _timeline(story: Iterable[KnownUpdate]) -> tuple[Moment, ...]:
    moments: list[Moment] = []
    for update in story:
        if not moments or moments[-1].status != update.status:
            moments.append(Moment(status=update.status, at=update.at))
    return tuple(moments)


def _edited(incident: KnownIncident, old: KnownUpdate, newer: KnownUpdate, now: datetime) -> Change:
    what = "text" if " ".join(old.text.split()) != " ".join(newer.text.split()) else "status or time"
    return replace(
        facts(incident, now),
        key=f"edited/{incident.id}/{newer.born}/{newer.fingerprints[-1]}",
        kind=Kind.UPDATE_EDITED,
        reason=f"the {what} of update {newer.id} is one never seen",
        at=newer.at,
        status=newer.status,
        text=newer.text,
        before=old.text,
        introduces=False,
        told_since=None,
        update_id=newer.born,
    )


def _retitled(before: KnownIncident, after: KnownIncident, now: datetime) -> Change:
    stood = _stood(before, after)
    moved = [what for what in ("title", "impact", "window") if getattr(stood, what) is not None]
    if before.withdrawn:
        moved = ["its presence on the page"]
    rose = worsened(before.impact, after.impact)
    return replace(
        facts(after, now),
        key=f"retitled/{after.id}/{len(after.headings)}",
        kind=Kind.INCIDENT_RETITLED,
        phase=Phase.WORSENED if rose else None,
        reason=f"{' and '.join(moved) or 'the heading'} changed without an update",
        at=after.updated_at or now,
        stood=stood,
        loud=rose or before.withdrawn,
        introduces=rose and after.open,
    )
