"""How much anybody may ask: so many at once, then one at a time. Pure; instants are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MOST = 10_000
"""How many are remembered; the one that has been silent longest is forgotten first."""


class Verdict(StrEnum):
    ADMIT = "admit"
    TELL = "tell"
    """Too much, and it was not said yet."""
    IGNORE = "ignore"


@dataclass(slots=True)
class _Bucket:
    empty_at: datetime
    """When everything that was asked is worked off, at the pace that is allowed."""
    told: bool = False
    """That it is too much; until half of it is worked off."""


class Flood:
    """`burst` at once, and one more after each `every`."""

    def __init__(self, burst: int, every: timedelta) -> None:
        self._every = every
        self._room = burst * every
        self._buckets: dict[str, _Bucket] = {}

    def asks(self, who: str, now: datetime) -> Verdict:
        """Whether this one is answered. A clock that goes back refuses nobody for longer than a full bucket would."""
        bucket = self._buckets.pop(who, None) or _Bucket(empty_at=now)
        self._buckets[who] = bucket
        if len(self._buckets) > MOST:
            del self._buckets[next(iter(self._buckets))]
        bucket.empty_at = min(max(bucket.empty_at, now), now + self._room)
        if bucket.empty_at <= now + self._room / 2:
            bucket.told = False
        if bucket.empty_at + self._every <= now + self._room:
            bucket.empty_at += self._every
            return Verdict.ADMIT
        if bucket.told:
            return Verdict.IGNORE
        bucket.told = True
        return Verdict.TELL
