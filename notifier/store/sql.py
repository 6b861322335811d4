"""ports.Store on SQLAlchemy: opens the database and runs every operation in a transaction of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from notifier.known import DutyState, Entry, Known, KnownIncident, KnownPage, Owed, SourceState
from notifier.model import Change, State
from notifier.parcel import Again, News, Parcel, Pause, Refresh, Settlement, Turn, Want
from notifier.ports import POLL, StoreRefused, sending
from notifier.store import alarms, bell, due, duties, fanout, ledger, marks, outbox, outdated, pauses, record, settling
from notifier.store import engine as opening
from notifier.store.crowd import Crowd
from notifier.store.cures import place, why
from notifier.store.schema import DUTY_LEASE
from notifier.store.together import Together
from notifier.subscription import Address, Filter, Subscription

SETTLE_TOGETHER = 0.005
"""Seconds that a result waits for those of other sends; its place among the sends under way stays taken."""


class SqlStore(Crowd):
    """`token` names this process in the intents it commits; no two processes may share one."""

    def __init__(self, engine: AsyncEngine, *, token: int, origin: str) -> None:
        super().__init__(engine)
        self.origin = origin
        """Names this database for ever."""
        self._token = token
        self._fences: dict[str, int] = {}
        self.lease = None if engine.dialect.name == "sqlite" else DUTY_LEASE
        self._claims = Together(self._claim_all)
        self._settlements = Together(self._settle_all, linger=SETTLE_TOGETHER)

    @classmethod
    async def open(cls, url: str, *, token: int) -> SqlStore:
        """Opens and migrates. Raises StoreRefused."""
        engine = opening.open_engine(url)
        try:
            await opening.migrate(engine)
            async with engine.begin() as connection:
                await marks.refuse_unfinished(connection)
                origin = await ledger.kept(connection, "origin", f"{token:016x}"[-8:])
                return cls(engine, token=token, origin=origin)
        except DBAPIError as error:
            await engine.dispose()
            raise StoreRefused(why(error.orig, engine.url)) from error
        except BaseException:
            await engine.dispose()
            raise

    @property
    def place(self) -> str:
        """Which database it is, without user and password."""
        return place(self.engine.url)

    async def close(self) -> None:
        await self.engine.dispose()

    # The poll's half.

    async def page(self) -> KnownPage:
        async with self._read() as connection:
            return (await record.load(connection, ())).page

    async def record(
        self,
        incident_ids: Collection[str],
        decide: Callable[[Known], News],
        route: Callable[[Change, Mapping[int, Filter]], Want],
    ) -> tuple[News, bool]:
        async with self._write() as connection:
            await self._fence(connection, POLL)
            known = await record.load(connection, incident_ids)
            news = decide(known)
            await record.keep(connection, known, news.known)
            more = await record.announce(connection, news, route)
            if news.changes:
                await bell.ring(connection, "due")
            return news, more

    async def restored(self, now: datetime) -> datetime | None:
        async with self._read() as connection:
            made_at = await marks.restored(connection)
        if made_at is not None:
            async with self._write() as connection:
                await marks.skip_numbers(connection, now)
        return made_at

    async def in_use(self) -> None:
        async with self._write() as connection:
            await marks.in_use(connection)

    async def fan_out(self) -> bool | None:
        async with self._write() as connection:
            more = await fanout.fan_out(connection)
            if more is not None:
                await bell.ring(connection, "due")
            return more

    async def open_incidents(self) -> Sequence[KnownIncident]:
        async with self._read() as connection:
            return await ledger.incidents(connection, only_open=True)

    async def polled(self, name: str, at: datetime, *, ok: bool, failures: int, reason: str) -> None:
        async with self._write() as connection:
            await ledger.polled(connection, name, at, ok=ok, failures=failures, reason=reason)

    async def welcome(self, greet: Callable[[int, str, Known], Change]) -> int:
        async with self._write() as connection:
            greeted = await record.welcome(connection, greet)
            if greeted:
                await bell.ring(connection, "due")
            return greeted

    # The delivery's half.

    async def claim(
        self, channel: str, limit: int, now: datetime, *, can_edit: bool = False, resting: Collection[int] = ()
    ) -> Sequence[Parcel]:
        return await self._claims.ask(outbox.Wish(channel, limit, now, can_edit, resting, self._token_of(channel)))

    async def _claim_all(self, asked: Sequence[outbox.Wish]) -> Sequence[Sequence[Parcel]]:
        wishes = {each.channel: each for each in asked}
        async with self._write() as connection:
            await self._fence(connection, *(sending(channel) for channel in wishes))
            parcels = await outbox.claim(connection, [*wishes.values()], max(each.now for each in asked))
        answers = []
        for wish in asked:
            answers.append([each for each in parcels if each.address.channel == wish.channel])
            parcels = [each for each in parcels if each.address.channel != wish.channel]
        return answers

    async def outdated(
        self, channel: str, limit: int, now: datetime, *, resting: Collection[int] = ()
    ) -> Sequence[Refresh]:
        async with self._write() as connection:
            await self._fence(connection, sending(channel))
            return await outdated.claim(connection, channel, limit, self._token_of(channel), now, resting)

    async def refreshed(self, refresh: Refresh, again: Again | None) -> None:
        async with self._write() as connection:
            if again is not None and again.pause is not None:
                await pauses.keep(connection, refresh.address.channel, again.pause)
            await outdated.settle(connection, refresh, again, self._token_of(refresh.address.channel))

    async def settle(self, settlement: Settlement) -> None:
        await self._settlements.ask(settlement)

    async def _settle_all(self, settlements: Sequence[Settlement]) -> Sequence[None]:
        async with self._write() as connection:
            await settling.settle(connection, settlements, self._token_of)
        return [None] * len(settlements)

    async def recover(self, channel: str, ask_at: datetime, but: Collection[int] = ()) -> int:
        async with self._write() as connection:
            await self._fence(connection, sending(channel))
            return await outbox.recover(connection, channel, ask_at, but)

    async def expire(self, channel: str, news_since: datetime, ends_since: datetime, latest: datetime) -> int:
        async with self._write() as connection:
            return await outbox.expire(connection, channel, news_since, ends_since, latest)

    async def pause(self, channel: str, pause: Pause) -> None:
        async with self._write() as connection:
            await pauses.keep(connection, channel, pause)

    async def pauses(self, channel: str, now: datetime) -> Sequence[Pause]:
        async with self._read() as connection:
            return await pauses.lasting(connection, channel, now)

    async def next_due(self, channel: str, now: datetime) -> tuple[datetime | None, datetime | None]:
        async with self._read() as connection:
            news = await due.next_due(connection, channel, self._token_of(channel), now)
            return news, await outdated.next_due(connection, channel)

    async def signing_key(self, fresh: str) -> str:
        """What signs links that this database has to recognise: `fresh`, if there is none yet."""
        async with self._write() as connection:
            return await ledger.kept(connection, "signing_key", fresh)

    # Who does what.

    async def hold(self, holder: str, wanted: Collection[str]) -> Mapping[str, int]:
        async with self._read() as connection:
            held = await duties.hold(connection, holder, wanted)
        self._fences.update(held)
        return held

    async def release(self, holder: str, names: Collection[str]) -> None:
        async with self._read() as connection:
            await duties.release(connection, holder, names)
            await bell.ring(connection, "duty")

    async def duties(self) -> Sequence[DutyState]:
        async with self._read() as connection:
            found = await duties.states(connection)
        served = opening.is_served(self.engine.url)
        return [replace(each, held=each.held and served) for each in found]

    def calls(self) -> AsyncGenerator[str]:
        return bell.calls(self.engine.url)

    def _token_of(self, channel: str) -> int:
        return self._fences.get(sending(channel), self._token)

    async def _fence(self, connection: AsyncConnection, *names: str) -> None:
        """A process that never took any duty, such as a command, is not fenced in."""
        if tokens := {name: self._fences[name] for name in names if name in self._fences}:
            await duties.fence(connection, tokens)

    # The watch over the bot itself.

    async def owed(self, now: datetime) -> Owed:
        async with self._read() as connection:
            return await alarms.owed(connection, now)

    async def alarm(self, decide: Callable[[Mapping[str, Change]], Turn], to: Collection[Address]) -> Turn:
        async with self._write() as connection:
            turn = await alarms.alarm(connection, decide, to)
            if turn:
                await bell.ring(connection, "due")
            return turn

    async def touch(self) -> None:
        async with self._write() as connection:
            await alarms.touch(connection)
        self.unwritable = ""

    # The operator's.

    async def sync(
        self, wanted: Sequence[Subscription], *, welcome: bool, now: datetime, operators: Collection[Address] = ()
    ) -> None:
        async with self._write() as connection:
            await ledger.sync(connection, wanted, welcome=welcome, now=now)
            await ledger.sync_operators(connection, operators, now)

    async def incidents(self) -> Sequence[KnownIncident]:
        async with self._read() as connection:
            return await ledger.incidents(connection, only_open=False)

    async def deliveries(self, states: Collection[State], limit: int) -> Sequence[Entry]:
        async with self._read() as connection:
            return await ledger.deliveries(connection, states, limit)

    async def counts(self) -> dict[str, int]:
        async with self._read() as connection:
            return await ledger.counts(connection)

    async def sources(self) -> Sequence[SourceState]:
        async with self._read() as connection:
            return await ledger.sources(connection)

    async def revive(self, delivery_id: int, now: datetime) -> bool:
        async with self._write() as connection:
            revived = await ledger.revive(connection, delivery_id, now)
            if revived:
                await bell.ring(connection, "due")
            return revived

    async def drop(self, delivery_id: int) -> bool:
        async with self._write() as connection:
            return await ledger.drop(connection, delivery_id)
