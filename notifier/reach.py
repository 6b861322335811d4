"""How every source is reached: what its last reading listed, since when it fails, how old its answers are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from notifier.health import STALE
from notifier.known import SourceHealth
from notifier.model import Snapshot
from notifier.ports import Clock, PollStore, Source, SourceFailed, StoreFailed

NOTED = timedelta(minutes=1)
"""How old the written time of the last poll may be: a quiet tick writes nothing else, and mostly not even that."""

log = structlog.get_logger("poll")


@dataclass(slots=True)
class Watch:
    """What is remembered of one source between two readings; lost with the process, and no harm done."""

    name: str
    failures: int = 0
    """In a row."""
    tried: bool = False
    noted_at: datetime | None = None
    listed: frozenset[str] = field(default_factory=frozenset)
    """The incidents of its last reading."""
    complete: bool = False
    """Whether absence from that reading means something."""
    ok_at: datetime | None = None
    failing_since: datetime | None = None
    stale_since: datetime | None = None
    age: timedelta | None = None
    reason: str = ""

    def took(self, snapshot: Snapshot) -> None:
        """This reading is recorded."""
        self.listed = frozenset(incident.id for incident in snapshot.incidents)
        self.complete = snapshot.complete


class Reach:
    """Keeps a watch on each source, and writes down how it fares."""

    def __init__(self, store: PollStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._watches: dict[str, Watch] = {}

    async def recall(self) -> None:
        """Begins anew: what failed when the process before this one ended, fails until it answers."""
        self._watches.clear()
        for state in await self._store.sources():
            since = (state.ok_at or state.polled_at) if state.failures else None
            self._watches[state.name] = Watch(state.name, failing_since=since, reason=state.reason)

    def watch(self, name: str) -> Watch:
        return self._watches.setdefault(name, Watch(name))

    def is_failing(self, name: str) -> bool:
        return name in self._watches and self._watches[name].failures > 0

    def listed(self) -> frozenset[str]:
        """The incidents of every source's last reading."""
        return frozenset[str]().union(*(watch.listed for watch in self._watches.values()))

    def answering(self) -> frozenset[str]:
        """The sources that this process had a reading of."""
        return frozenset(name for name, watch in self._watches.items() if watch.ok_at is not None)

    def health(self) -> tuple[SourceHealth, ...]:
        return tuple(
            SourceHealth(
                name=watch.name,
                heard=watch.tried,
                ok_at=watch.ok_at,
                failing_since=watch.failing_since,
                stale_since=watch.stale_since,
                age=watch.age,
                reason=watch.reason,
            )
            for watch in self._watches.values()
        )

    async def answered(self, watch: Watch, source: Source) -> None:
        if watch.failures:
            log.info("source answers again", source=source.name, after_failures=watch.failures)
        now = self._clock.now()
        stale = source.age is not None and source.age > STALE
        watch.ok_at, watch.failing_since, watch.reason, watch.age = now, None, "", source.age
        watch.stale_since = (watch.stale_since or now) if stale else None
        await self._note(watch, failures=0, reason="")

    async def failed(self, watch: Watch, source: Source, failed: SourceFailed | StoreFailed) -> None:
        source.forget()  # what is not recorded has to be read again, whole, even if the page stays as it is
        watch.listed, watch.complete = frozenset(), False
        reason = str(failed)
        if isinstance(failed, SourceFailed):
            watch.failing_since, watch.reason = watch.failing_since or self._clock.now(), reason
        if not watch.failures:
            event = "source failed" if isinstance(failed, SourceFailed) else "a reading is not recorded"
            log.warning(event, source=source.name, reason=reason)
        await self._note(watch, failures=watch.failures + 1, reason=reason)

    async def _note(self, watch: Watch, *, failures: int, reason: str) -> None:
        """Writes how polling goes: at once when that turned, and once in a while as long as it stays."""
        now = self._clock.now()
        turned = bool(watch.failures) != bool(failures)
        watch.failures = failures
        if not turned and watch.noted_at is not None and abs(now - watch.noted_at) < NOTED:
            return
        watch.noted_at = now
        try:
            await self._store.polled(watch.name, now, ok=not reason, failures=failures, reason=reason)
        except StoreFailed as failed:
            log.warning("poll time not written", source=watch.name, reason=str(failed))
