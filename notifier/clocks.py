"""The wall's time, and that of a story which runs faster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SystemClock:
    """The wall's time."""

    second = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self, length: timedelta) -> float:
        return length.total_seconds()


class StoryClock:
    """Time that runs `speed` times as fast as the wall's, from `start` on; with `waits` only once it `begins`."""

    def __init__(self, start: datetime, speed: float, *, waits: bool = False) -> None:
        self._start = start
        self._speed = speed
        self.second = 1 / speed
        self._began = None if waits else datetime.now(UTC)

    def begin(self) -> None:
        self._began = datetime.now(UTC)

    def now(self) -> datetime:
        return self._start + (datetime.now(UTC) - self._began) * self._speed if self._began else self._start

    def seconds(self, length: timedelta) -> float:
        return length.total_seconds() / self._speed
