"""One incident's way from what was known to what is known now, and the changes between. Pure.

Every change says its reason. An older copy adds the updates it has and takes nothing back; the API wins over the feed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from notifier.changes import changes
from notifier.identity import is_provisional, pair
from notifier.known import Known, KnownIncident, KnownUpdate
from notifier.model import TERMINAL, Affected, Change, Incident, Topic, Update, fingerprint
from notifier.phase import has_ended, same_window, worsened


def follow(
    known: Known,
    before: KnownIncident | None,
    seen: Incident,
    catalogue: Mapping[str, Affected],
    told_since: datetime | None,
    now: datetime,
    *,
    silent: bool,
) -> tuple[KnownIncident, list[Change]]:
    """One incident from what was known to what is known now, with the changes between."""
    seen = _with_implied_end(before, seen)
    known_updates = before.updates if before else ()
    from_feed = any(update.id is None for update in seen.updates)
    older = before is not None and _is_older(before, seen)
    api_owns = any(not is_provisional(update.id) for update in known_updates)

    story = {update.id: update for update in known_updates}
    new: set[str] = set()
    edited: list[tuple[KnownUpdate, KnownUpdate]] = []
    for update, match in zip(seen.updates, pair(known_updates, seen.updates), strict=True):
        if match is None:
            born = update.id or f"feed:{len(story)}"
            story[born] = _known(update, born)
            new.add(born)
        else:
            now_known = _refreshed(match, update, may_edit=not older and (not from_feed or is_provisional(match.id)))
            if match.id != now_known.id:
                story = {now_known.id if key == match.id else key: value for key, value in story.items()}
            story[now_known.id] = now_known
            if now_known.fingerprints != match.fingerprints:
                edited.append((match, now_known))
    updates = tuple(sorted(story.values(), key=posted_at))

    if before is not None and (older or (from_feed and api_owns)):
        after = replace(before, updates=updates)
        if new and not older:
            after = replace(after, status=seen.status, updated_at=seen.updated_at, resolved_at=_ended_at(seen, updates))
    else:
        after = _merged(known, before, seen, updates, catalogue, told_since)
    if silent:
        return after, []
    return after, changes(before, after, new, edited, now)


def _with_implied_end(before: KnownIncident | None, seen: Incident) -> Incident:
    """An incident that is over without an update that says so gets one, so that everybody hears of the end."""
    said = {update.status for update in seen.updates} | {update.status for update in (before.updates if before else ())}
    if not has_ended(seen) or said & TERMINAL or not seen.updates:
        return seen
    status = (
        seen.status if seen.status in TERMINAL else ("completed" if seen.topic is Topic.MAINTENANCE else "resolved")
    )
    at = seen.resolved_at or seen.updated_at or seen.updates[-1].at
    at = max(at, seen.updates[-1].created_at or seen.updates[-1].at)
    implied = Update(id=f"implied:{status}", status=status, text="", at=at, created_at=at)
    return replace(seen, updates=(*seen.updates, implied))


def _is_older(before: KnownIncident, seen: Incident) -> bool:
    """Whether this is an older copy. To the second, as the feed has it; one without a time cannot outrank one with."""
    if before.updated_at is None:
        return False
    if seen.updated_at is None:
        return True
    return seen.updated_at.replace(microsecond=0) < before.updated_at.replace(microsecond=0)


def _known(update: Update, born: str) -> KnownUpdate:
    return KnownUpdate(
        id=born,
        born=born,
        status=update.status,
        at=update.at,
        created_at=update.created_at,
        text=update.text,
        fingerprints=(fingerprint(update.status, update.at, update.text),),
    )


def posted_at(update: Update | KnownUpdate) -> datetime:
    """For the order. The feed knows minutes only: what it shows first comes after all that is known of that minute."""
    return update.created_at or update.at.replace(second=59, microsecond=999_999)


def _refreshed(known: KnownUpdate, seen: Update, *, may_edit: bool) -> KnownUpdate:
    """The known update with its API id filled in and, if the form is one never seen, the new text."""
    form = fingerprint(seen.status, seen.at, seen.text)
    if known.id != seen.id and seen.id is not None:
        known = replace(known, id=seen.id, created_at=seen.created_at)
    if form in known.fingerprints or not may_edit:
        return known
    return replace(known, status=seen.status, at=seen.at, text=seen.text, fingerprints=(*known.fingerprints, form))


def _merged(
    known: Known,
    before: KnownIncident | None,
    seen: Incident,
    updates: tuple[KnownUpdate, ...],
    catalogue: Mapping[str, Affected],
    told_since: datetime | None,
) -> KnownIncident:
    """What is known of the incident after a reading that may change all of it."""
    affected = tuple(catalogue.get(each.id) or Affected(name=each.name) for each in seen.components or ())
    after = KnownIncident(
        id=seen.id,
        topic=seen.topic if before is None else before.topic,
        subject=before.subject if before else _subject(known, seen),
        name=seen.name,
        status=seen.status,
        impact=seen.impact or (before.impact if before else None),
        updated_at=seen.updated_at,
        started_at=seen.started_at or (before.started_at if before else None),
        resolved_at=_ended_at(seen, updates),
        window=seen.window or (before.window if before else None),
        components=affected or (before.components if before else ()),
        updates=updates,
        headings=before.headings if before else (),
        told_since=told_since,
        reminded=before.reminded if before else None,
        shortlink=seen.shortlink or (before.shortlink if before else None),
    )
    heading = _heading(after)
    if before is None:
        return replace(after, headings=(heading,))
    if before.withdrawn:
        return replace(after, headings=(*before.headings, heading))
    same = (
        before.name == after.name
        and (before.impact in (None, after.impact) and not worsened(before.impact, after.impact))
        and (before.window is None or same_window(before.window, after.window))
    )
    if same:
        return after
    newer = before.updated_at is None or (after.updated_at is not None and after.updated_at > before.updated_at)
    if newer or heading not in before.headings:
        return replace(after, headings=(*before.headings, heading))
    return replace(after, name=before.name, impact=before.impact, window=before.window)


def _ended_at(seen: Incident, updates: Sequence[KnownUpdate]) -> datetime | None:
    if not has_ended(seen):
        return None
    if seen.resolved_at is not None:
        return seen.resolved_at
    ended: datetime | None = None
    for update in updates:
        over = update.status in TERMINAL
        ended = (ended or update.at) if over else None
    return ended or seen.updated_at


def _subject(known: Known, seen: Incident) -> str:
    """An incident that the exchange announced first goes on in that conversation."""
    told = known.exchange.advisories if known.exchange else {}
    return told.get(seen.shortlink or "", seen.id)


def _heading(incident: KnownIncident) -> str:
    window = incident.window
    return f"{incident.name}|{incident.impact}|{window.start if window else ''}|{window.end if window else ''}"
