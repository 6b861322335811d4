"""What an update does to its incident or maintenance. Decided from the whole story, never from its newest line."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from notifier.known import KnownIncident, KnownUpdate
from notifier.model import TERMINAL, Incident, Phase, Topic, Window, impact_rank

_ENDS = frozenset({"resolved", "completed"})
LOUD = frozenset({Phase.OPENED, Phase.WORSENED, Phase.RESOLVED, Phase.REOPENED, Phase.STARTED})


def has_ended(incident: Incident) -> bool:
    """Only an explicit terminal status ends, or `resolved_at` with no later update that is not terminal."""
    if incident.status in TERMINAL:
        return True
    if incident.resolved_at is None:
        return False
    return all((u.created_at or u.at) <= incident.resolved_at or u.status in TERMINAL for u in incident.updates)


def worsened(before: str | None, after: str | None) -> bool:
    """Whether the impact rose. One that was not stated (the feed's) was told as nothing much."""
    if after is None:
        return False
    return impact_rank(after) > impact_rank(before) if before else impact_rank(after) >= impact_rank("major")


def same_window(one: Window | None, other: Window | None) -> bool:
    """To the minute, which is what the feed knows; an end that is not stated agrees with any."""
    if one is None or other is None:
        return one is other
    ends = (one.end, other.end)
    return f"{one.start:%Y%m%d%H%M}" == f"{other.start:%Y%m%d%H%M}" and (
        None in ends or len({f"{end:%Y%m%d%H%M}" for end in ends if end}) == 1
    )


def phases(
    story: Sequence[KnownUpdate], new: Collection[str], before: KnownIncident | None, after: KnownIncident
) -> dict[str, Phase]:
    """The phase of each new update, by id. `story` is every update known now, oldest first."""
    decide = _maintenance if after.topic is Topic.MAINTENANCE else _incident
    found = decide(story, after)
    news = {update.id: found[update.id] for update in story if update.id in new}
    if before is not None and news:
        newest = [update.id for update in story if update.id in new][-1]
        if after.topic is Topic.MAINTENANCE:
            moved = before.window is not None and not same_window(before.window, after.window)
            if moved and news[newest] in (Phase.PROGRESS, Phase.SCHEDULED):
                news[newest] = Phase.RESCHEDULED
        elif news[newest] is Phase.PROGRESS and worsened(before.impact, after.impact):
            news[newest] = Phase.WORSENED
    return news


def _incident(story: Sequence[KnownUpdate], after: KnownIncident) -> dict[str, Phase]:
    found: dict[str, Phase] = {}
    ended = False
    for place, update in enumerate(story):
        if update.status == "postmortem":
            phase = Phase.POSTMORTEM if ended else Phase.RESOLVED
        elif update.status in _ENDS:
            phase = Phase.PROGRESS if ended else Phase.RESOLVED
        elif ended and (after.open or any(later.status in _ENDS for later in story[place + 1 :])):
            phase = Phase.REOPENED
        else:
            phase = Phase.OPENED if place == 0 else Phase.PROGRESS
        ended = update.status in TERMINAL or (ended and phase is not Phase.REOPENED)
        found[update.id] = phase
    return found


def _maintenance(story: Sequence[KnownUpdate], after: KnownIncident) -> dict[str, Phase]:
    found: dict[str, Phase] = {}
    status, ended = "", False
    for update in story:
        repeated = update.status == status
        late = after.window is not None and after.window.end is not None and update.at > after.window.end
        if update.status == "postmortem":
            phase = Phase.POSTMORTEM if ended else Phase.COMPLETED
        elif update.status in _ENDS:
            phase = Phase.PROGRESS if ended else Phase.COMPLETED
        elif ended:
            phase = Phase.PROGRESS
        elif update.status == "in_progress" and not repeated:
            phase = Phase.STARTED
        elif late:
            phase = Phase.OVERDUE
        elif update.status == "verifying" and not repeated:
            phase = Phase.VERIFYING
        else:
            phase = Phase.SCHEDULED if not status else Phase.PROGRESS
        ended = ended or update.status in TERMINAL
        status = update.status
        found[update.id] = phase
    return found
