"""The first step: read one source, find what is new, commit it with its debts. One call is one poll.

Nothing is concluded from a failed or a partial reading. An open incident that complete readings no longer show is
asked for by its own URLs before it counts as withdrawn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from notifier.diff import diff_exchange, diff_page
from notifier.health import odd_words
from notifier.known import Known, KnownIncident, SourceHealth
from notifier.model import Change, Snapshot
from notifier.notice import remind, welcome, withdraw
from notifier.parcel import News
from notifier.ports import Clock, Lookup, PollStore, Source, SourceFailed, StoreFailed
from notifier.reach import Reach, Watch
from notifier.restore import OLD, without_old
from notifier.route import route
from notifier.tongue import ENGLISH, ENGLISH_ONLY, Tongue

MISSED_READINGS = 3
"""Complete readings without an open incident, before its own URLs are asked."""

ACTIVE = timedelta(hours=1)
"""How long after its last update an open incident is worth the shorter interval."""

HEAD_START = 0.02
"""Seconds that the senders have for their first claim before the rest of a long fan-out is written."""

log = structlog.get_logger("poll")


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How one poll went. `reason` is empty if the reading came off."""

    changes: tuple[Change, ...] = ()
    reason: str = ""
    failures: int = 0
    """In a row, this one included."""
    retry_after: timedelta | None = None


class Poll:
    """`told` is called after each commit that owes somebody something; `tongues` are by their codes. With `replay`, all
    that came since a backup is told once that is restored, however old.
    """

    def __init__(
        self,
        store: PollStore,
        lookup: Lookup,
        clock: Clock,
        told: Callable[[], None],
        tongues: Mapping[str, Tongue] = ENGLISH_ONLY,
        *,
        replay: bool = False,
    ) -> None:
        self._store = store
        self._lookup = lookup
        self._clock = clock
        self._told = told
        self._tongues = tongues
        self._replay = replay
        self._reach = Reach(store, clock)
        self._fresh = self._restored = False
        self._open: dict[str, KnownIncident] = {}
        self._missed: dict[str, int] = {}
        self._wrong_page = ""
        self._odd: dict[str, None] = {}

    async def start(self) -> None:
        """Recalls what is known, and finishes what a process before this one left half written."""
        self._missed, self._wrong_page = {}, ""
        self._fresh = (await self._store.page()).watched_since is None
        self._open = {incident.id: incident for incident in await self._store.open_incidents()}
        self._odd.update(dict.fromkeys(odd_words(self._open.values())))
        await self._reach.recall()
        made_at = await self._store.restored(self._clock.now())
        self._restored = made_at is not None
        if made_at is not None:
            told = "all" if self._replay else f"younger than {OLD // timedelta(hours=1)} h"
            log.warning("a backup was restored", made_at=made_at.isoformat(), news_told=told)
        await self.finish()

    def is_active(self) -> bool:
        """Whether an unresolved incident moved within the last hour."""
        since = self._clock.now() - ACTIVE
        return any(
            max((u.created_at or u.at for u in each.updates), default=since) > since for each in self._open.values()
        )

    def is_failing(self, name: str) -> bool:
        return self._reach.is_failing(name)

    def health(self) -> tuple[SourceHealth, ...]:
        """How every source fares; what failed when the process before this one ended, fails until it answers."""
        return self._reach.health()

    @property
    def wrong_page(self) -> str:
        """Why what answers is not the page that is known; empty if it is."""
        return self._wrong_page

    @property
    def oddities(self) -> tuple[str, ...]:
        """Words met that this version does not know, such as `status on_fire`."""
        return tuple(self._odd)

    async def page(self, source: Source) -> Outcome:
        """One reading of the status page or its feed."""
        outcome = await self._read(source, diff_page)
        if not outcome.reason:
            if self._reach.watch(source.name).complete:
                await self._look_for_missing()
            await self._catch_up()
        return outcome

    async def exchange(self, source: Source) -> Outcome:
        """One reading of the engine's state."""
        return await self._read(source, diff_exchange)

    async def remind(self, lead: timedelta) -> Outcome:
        """Reminders of maintenances that start within `lead`."""
        if not any(incident.window for incident in self._open.values()):
            return Outcome()
        try:
            return Outcome(changes=await self._record((), lambda known: self._due(known, lead)))
        except StoreFailed as failed:
            return Outcome(reason=str(failed))

    async def welcome(self, page_name: str) -> None:
        """Greets the subscriptions that were never greeted, once the page is known."""

        def greet(subscription_id: int, language: str, known: Known) -> Change:
            return welcome(subscription_id, known, page_name, self._clock.now(), self._tongues.get(language, ENGLISH))

        try:
            if await self._store.welcome(greet):
                self._told()
        except StoreFailed as failed:
            log.warning("nobody welcomed", reason=str(failed))

    def _due(self, known: Known, lead: timedelta) -> News:
        return remind(known.incidents.values(), lead, self._clock.now())

    async def _read(self, source: Source, diff: Callable[..., News]) -> Outcome:
        watch = self._reach.watch(source.name)
        baseline = self._fresh and not watch.tried
        watch.tried = True
        try:
            snapshot = await source.read()
            changes = await self._take(snapshot, watch, partial(diff, baseline=baseline)) if snapshot else ()
        except (SourceFailed, StoreFailed) as failed:
            return await self._failed(source, watch, failed)
        except Exception as bug:
            log.exception("a poll failed in a way that no source may", source=source.name)
            return await self._failed(source, watch, SourceFailed(f"a bug: {type(bug).__name__}"))
        await self._reach.answered(watch, source)
        return Outcome(changes=changes)

    async def _failed(self, source: Source, watch: Watch, failed: SourceFailed | StoreFailed) -> Outcome:
        await self._reach.failed(watch, source, failed)
        retry_after = failed.retry_after if isinstance(failed, SourceFailed) else None
        return Outcome(reason=str(failed), failures=watch.failures, retry_after=retry_after)

    async def _take(
        self, snapshot: Snapshot, watch: Watch, diff: Callable[[Known, Snapshot, datetime], News]
    ) -> tuple[Change, ...]:
        now = self._clock.now()
        try:
            if self._wrong_page and snapshot.page_id is None and snapshot.exchange is None:
                raise SourceFailed(self._wrong_page)
            changes = await self._record(_incident_ids(snapshot), lambda known: diff(known, snapshot, now))
        except SourceFailed as failed:
            self._wrong_page = failed.reason
            raise
        if snapshot.page_id is not None:
            self._wrong_page = ""
        watch.took(snapshot)
        return changes

    async def _record(self, ids: tuple[str, ...], decide: Callable[[Known], News]) -> tuple[Change, ...]:
        news, more = await self._store.record(ids, partial(self._decide, decide), route)
        for change in news.changes:
            log.info(
                "news, recorded only" if change.key in news.silent else "news",
                kind=str(change.kind),
                phase=change.phase,
                key=change.key,
                title=change.title,
                reason=change.reason,
            )
        for note in news.notes:
            log.warning("left out of a reading", what=note)
        self._remember(news.known.incidents)
        self._odd.update(dict.fromkeys(odd_words(news.known.incidents.values(), news.known.exchange)))
        if news.changes:
            self._told()
        if more:
            await asyncio.sleep(HEAD_START)
            await self.finish()
        return news.changes

    def _decide(self, decide: Callable[[Known], News], known: Known) -> News:
        news = decide(known)
        return without_old(news, known, self._clock.now()) if self._restored and not self._replay else news

    async def _catch_up(self) -> None:
        """Once every source of the page was read, and no open incident is missing, all that came since is known."""
        if not self._restored or self._open.keys() - self._reach.listed():
            return
        try:
            if self._reach.answering().issuperset((await self._store.page()).sources):
                await self._store.in_use()
                self._restored = False
        except StoreFailed as failed:
            log.warning("the database still counts as a backup", reason=str(failed))

    def _remember(self, incidents: Mapping[str, KnownIncident]) -> None:
        for incident in incidents.values():
            if incident.open:
                self._open[incident.id] = incident
            else:
                self._open.pop(incident.id, None)

    async def finish(self) -> None:
        """Writes the rest of every fan-out. What fails here is written later: the readings themselves are recorded."""
        try:
            more: bool | None = True
            while more:
                more = await self._store.fan_out()
                if more is not None:
                    self._told()
        except StoreFailed as failed:
            log.warning("the rest of a fan-out waits", reason=str(failed))

    async def _look_for_missing(self) -> None:
        """Counts complete readings without an open incident, and asks for it by name once that is enough."""
        listed = self._reach.listed()
        self._missed = {key: self._missed.get(key, 0) + 1 for key in self._open if key not in listed}
        for incident_id in [key for key, missed in self._missed.items() if missed % MISSED_READINGS == 0]:
            try:
                snapshot = await self._lookup.look_up(incident_id)
                await self._record((incident_id,), partial(self._gone_or_not, incident_id, snapshot))
            except (SourceFailed, StoreFailed) as failed:
                log.info("no answer about a missing incident", incident=incident_id, reason=str(failed))

    def _gone_or_not(self, incident_id: str, snapshot: Snapshot | None, known: Known) -> News:
        now = self._clock.now()
        if snapshot is not None:
            return diff_page(known, snapshot, now, baseline=False)
        incident = known.incidents.get(incident_id)
        return withdraw(incident, now) if incident and incident.open else News()


def _incident_ids(snapshot: Snapshot) -> tuple[str, ...]:
    ids = [incident.id for incident in snapshot.incidents]
    if snapshot.exchange is not None:
        urls = [advisory.source_url or "" for advisory in snapshot.exchange.advisories]
        ids += [url.rstrip("/").rpartition("/")[2] for url in urls]
    return tuple(ids)
