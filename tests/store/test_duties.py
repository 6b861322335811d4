"""Who has which duty, and what is written by one who has it no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from notifier.model import State
from notifier.parcel import Settlement
from notifier.ports import INBOX, POLL, OffDuty, sending
from notifier.store import schema as t
from notifier.store.sql import SqlStore
from tests.builders import NOW
from tests.store.conftest import Opened
from tests.store.telling import change, tell, watch

TELEGRAM, SLACK = sending("telegram"), sending("slack")
FIRST, SECOND = "worker.1", "worker.2"


async def its_lease_ends(store: SqlStore, *names: str) -> None:
    ended = sa.update(t.duties).where(t.duties.c.name.in_(names)).values(until=NOW - timedelta(days=365))
    async with store.engine.begin() as connection:
        await connection.execute(ended)


async def taken_over(first: SqlStore, second: SqlStore, *names: str) -> None:
    await first.hold(FIRST, names)
    await its_lease_ends(first, *names)
    assert set(await second.hold(SECOND, names)) == set(names)


async def holders(store: SqlStore) -> dict[str, str | None]:
    return {each.name: each.holder if each.held else None for each in await store.duties()}


@pytest.mark.parametrize("database", ["postgresql"])
async def test_what_one_has_no_other_takes_until_its_lease_is_over(opened: Opened) -> None:
    first, second = await opened(1), await opened(2)
    assert await first.hold(FIRST, [POLL, TELEGRAM]) == {POLL: 1, TELEGRAM: 1}
    assert await second.hold(SECOND, [POLL, TELEGRAM, SLACK]) == {SLACK: 1}
    await its_lease_ends(first, POLL)
    assert await second.hold(SECOND, [POLL, TELEGRAM, SLACK]) == {SLACK: 1, POLL: 2}
    assert await first.hold(FIRST, [POLL, TELEGRAM, SLACK]) == {TELEGRAM: 1}
    assert await holders(first) == {POLL: SECOND, SLACK: SECOND, TELEGRAM: FIRST}


async def test_who_was_late_and_not_replaced_goes_on_under_its_token(store: SqlStore) -> None:
    await store.hold(FIRST, [POLL])
    await its_lease_ends(store, POLL)
    held = await store.hold(FIRST, [POLL])
    assert held == ({POLL: 1} if store.lease else {POLL: 2}), "on a file, nobody is ever late"


@pytest.mark.parametrize("database", ["postgresql"])
async def test_a_lease_is_twenty_seconds_of_the_database_from_now(store: SqlStore) -> None:
    await store.hold(FIRST, [POLL])
    async with store.engine.connect() as connection:
        epoch = await connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())"))
        now = float(epoch.scalar_one())
    [duty] = await store.duties()
    assert store.lease == timedelta(seconds=20)
    assert 19 < duty.until.timestamp() - now <= 20
    assert 0 <= now - duty.since.timestamp() < 1


async def test_what_is_given_up_is_free_at_once_and_only_the_own(opened: Opened) -> None:
    first, second = await opened(1), await opened(2)
    await first.hold(FIRST, [POLL, TELEGRAM])
    await second.release(SECOND, [POLL, TELEGRAM])
    await first.release(FIRST, [POLL])
    held = await second.hold(SECOND, [POLL, TELEGRAM] if second.lease else [POLL])
    assert held == {POLL: 2}


@pytest.mark.parametrize("database", ["postgresql"])
async def test_of_many_that_ask_at_once_one_gets_it(opened: Opened) -> None:
    stores = [await opened(number) for number in range(4)]
    held = await asyncio.gather(*(each.hold(f"worker.{place}", [POLL]) for place, each in enumerate(stores)))
    assert sorted(map(len, held)) == [0, 0, 0, 1]


LATE: Mapping[str, Callable[[SqlStore], Awaitable[object]]] = {
    "a reading": lambda store: tell(store, change("b")),
    "a claim": lambda store: store.claim("telegram", 9, NOW),
    "a claim of edits": lambda store: store.outdated("telegram", 9, NOW),
    "what it takes for lost": lambda store: store.recover("telegram", NOW),
}


@pytest.mark.fault("B18")
@pytest.mark.parametrize("written", LATE)
async def test_who_was_replaced_writes_nothing(written: str, opened: Opened) -> None:
    first, second = await opened(1), await opened(2)
    await watch(first, "telegram:1")
    await tell(first, change("a"))
    await taken_over(first, second, POLL, TELEGRAM)
    with pytest.raises(OffDuty, match="another process"):
        await LATE[written](first)
    assert [each.state for each in await second.deliveries((), 9)] == [State.PENDING]
    await LATE[written](second)


@pytest.mark.fault("B19")
async def test_a_result_that_comes_after_the_duty_changed_hands_changes_nothing(opened: Opened) -> None:
    first, second = await opened(1), await opened(2)
    await watch(first, "telegram:1")
    await tell(first, change("a"))
    await first.hold(FIRST, [TELEGRAM])
    [parcel] = await first.claim("telegram", 9, NOW)
    await taken_over(first, second, TELEGRAM)
    assert await second.recover("telegram", NOW) == 1
    await first.settle(Settlement(parcel=parcel, state=State.SENT))
    assert [each.state for each in await second.deliveries((), 9)] == [State.UNKNOWN]
    [again] = await second.claim("telegram", 9, NOW)
    assert again.uncertain
    await second.settle(Settlement(parcel=again, state=State.SENT))
    assert [each.state for each in await second.deliveries((), 9)] == [State.SENT]


async def test_what_is_under_way_here_is_not_lost_and_another_channel_s_is_not_asked_for(store: SqlStore) -> None:
    await watch(store, "telegram:1", "telegram:2", "slack:C1")
    await tell(store, change("a"))
    here, lost = await store.claim("telegram", 9, NOW)
    await store.claim("slack", 9, NOW)
    assert await store.recover("telegram", NOW, {here.parts[0].delivery_id}) == 1
    states = {each.id: each.state for each in await store.deliveries((), 9)}
    assert states.pop(lost.parts[0].delivery_id) == State.UNKNOWN
    assert set(states.values()) == {State.SENDING}


@pytest.mark.parametrize("database", ["postgresql"])
async def test_a_duty_does_not_change_hands_while_something_is_written_on_its_behalf(opened: Opened) -> None:
    first, second = await opened(1), await opened(2)
    await first.hold(FIRST, [TELEGRAM])
    await its_lease_ends(first, TELEGRAM)
    async with first._write() as connection:
        await first._fence(connection, TELEGRAM)
        assert await second.hold(SECOND, [TELEGRAM]) == {}, "and who asks does not wait"
        assert await first.hold(FIRST, [TELEGRAM]) == {TELEGRAM: 1}, "nor does a renewal"
    await its_lease_ends(first, TELEGRAM)
    assert await second.hold(SECOND, [TELEGRAM]) == {TELEGRAM: 2}


async def test_a_newer_version_s_database_is_left_to_it(store: SqlStore) -> None:
    await store.hold(FIRST, [POLL, INBOX])
    async with store.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(OffDuty, match="9999 by now"):
        await store.hold(FIRST, [POLL, INBOX])
    assert set((await holders(store)).values()) == {None}


@pytest.mark.parametrize("database", ["postgresql"])
async def test_a_call_is_heard_by_the_others_once_it_is_committed(opened: Opened) -> None:
    first, second = await opened(1), await opened(2)
    await watch(first, "telegram:1")
    async with aclosing(second.calls()) as calls, asyncio.timeout(10):
        missed = {await anext(calls) for _ in range(3)}
        assert missed == {"due", "duty", "said"}, "whatever came before it listened"
        await tell(first, change("a"))
        assert await anext(calls) == "due"
        await first.receive(7, "{}")
        assert await anext(calls) == "said"
        await first.release(FIRST, [POLL])
        assert await anext(calls) == "duty"
