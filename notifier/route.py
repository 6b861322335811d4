"""Who wants a change: a pure verdict on each distinct filter, with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from zoneinfo import ZoneInfo

from notifier.model import Affected, Change, Kind, Phase, Topic, impact_rank
from notifier.parcel import FIRST, LAST, Want
from notifier.subscription import Filter, QuietHours


class Verdict(StrEnum):
    """What a filter says to a change."""

    WANTED = "wanted"
    WRONG_KIND = "the filter's kinds leave it out"
    NO_MILESTONE = "the filter wants milestones only"
    TOO_MILD = "its impact is below the filter's min_impact"
    NO_REMINDERS = "the filter wants no reminders"
    OTHER_COMPONENTS = "it names none of the filter's components"


_ONLY_IF_TOLD = frozenset({Verdict.TOO_MILD, Verdict.OTHER_COMPONENTS})
_NO_MILESTONE = frozenset({Phase.PROGRESS, Phase.VERIFYING, Phase.POSTMORTEM})
TICKER = re.compile(r"[A-Z0-9]{2,10}")


def route(change: Change, filters: Mapping[int, Filter]) -> Want:
    """Sorts the filters into those that want the change and those that want it only where its subject was told before:
    an incident that grew milder, or moved to other components, still owes its end to everyone who heard of it.
    """
    matching, following = [], []
    for number, each in filters.items():
        said = verdict(each, change)
        wait = quiet_until(each.quiet_hours, change, change.detected_at)
        if said is Verdict.WANTED:
            matching.append((number, wait))
        elif said in _ONLY_IF_TOLD:
            following.append((number, wait))
    return Want(matching=tuple(matching), following=tuple(following + matching), rank=rank(change))


def rank(change: Change) -> int:
    """Its place in the queue: loud news, then incidents by impact, then the rest."""
    if change.loud:
        return FIRST
    if change.topic is Topic.INCIDENT and change.kind is not Kind.UPDATE_EDITED:
        return LAST - 1 - impact_rank(change.impact)
    return LAST


def verdict(wish: Filter, change: Change) -> Verdict:
    """What is not stated (the feed knows no impact) keeps nothing from anybody."""
    if change.topic is not Topic.BOT and change.topic not in wish.kinds:
        return Verdict.WRONG_KIND
    if change.kind is Kind.MAINTENANCE_DUE and not wish.reminders:
        return Verdict.NO_REMINDERS
    if wish.milestones_only and not _is_milestone(change):
        return Verdict.NO_MILESTONE
    if change.impact is not None and impact_rank(change.impact) < impact_rank(wish.min_impact):
        return Verdict.TOO_MILD
    if wish.components and not _touches(wish, change):
        return Verdict.OTHER_COMPONENTS
    return Verdict.WANTED


def _is_milestone(change: Change) -> bool:
    if change.kind is Kind.UPDATE_POSTED:
        return change.phase not in _NO_MILESTONE
    return change.kind is not Kind.INCIDENT_RETITLED or change.loud


def _touches(wish: Filter, change: Change) -> bool:
    if not change.components or change.topic is Topic.EXCHANGE:
        return not wish.strict_components or _named(wish.components, change.components, change.title)
    return _named(wish.components, change.components, change.title)


def _named(terms: Iterable[str], components: Iterable[Affected], title: str) -> bool:
    names = [name for each in components for name in (each.name, each.group or "", str(each)) if name]
    return any(term_matches(term.strip(), names, title) for term in terms)


def term_matches(term: str, names: Iterable[str], title: str) -> bool:
    """A term is a glob, or whole words of a name in any case; a ticker also counts in the title, in capitals only."""
    lowered = term.lower()
    if any(sign in term for sign in "*?["):
        return any(fnmatchcase(name.lower(), lowered) for name in names)
    lower_names = [name.lower() for name in names]
    if any(lowered in name and _whole(lowered).search(name) for name in lower_names):
        return True
    return bool(TICKER.fullmatch(term) and _whole(term).search(title))


@lru_cache(maxsize=4096)
def _whole(words: str) -> re.Pattern[str]:
    """Not as a part of longer words. A term is looked for in hundreds of names, and thousands of terms in one."""
    return re.compile(rf"(?<![^\W_]){re.escape(words)}(?![^\W_])")


def quiet_until(quiet: QuietHours | None, change: Change, at: datetime) -> datetime | None:
    """The end of the quiet hours that hold `at` that instant, by the wall clock of their zone; None outside them, or if
    the change is critical.
    """
    if quiet is None or impact_rank(change.impact) >= impact_rank("critical"):
        return None
    zone = ZoneInfo(quiet.zone)
    local = at.astimezone(zone)
    for day in (local.date() - timedelta(days=1), local.date()):
        start = datetime.combine(day, quiet.start, zone)
        end = datetime.combine(day if quiet.start < quiet.end else day + timedelta(days=1), quiet.end, zone)
        if start <= local < end:
            return end.astimezone(at.tzinfo)
    return None
