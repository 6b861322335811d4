"""What a reader muted: everything until an hour, or single subjects; what waits follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from notifier.message import Receipt
from notifier.model import State
from notifier.parcel import News, Parcel, Settlement
from notifier.retry import POLICIES, is_news
from notifier.route import route
from notifier.store.due import due_lanes
from notifier.store.sql import SqlStore
from notifier.subscription import Address, Filter, QuietHours, Subscription
from tests.builders import NOW, at
from tests.store.conftest import Opened
from tests.store.telling import change, owed, tell, watch
from tests.world import ON_POSTGRESQL, ON_SQLITE, to

SECOND = timedelta(seconds=1)
MORNING = NOW + timedelta(hours=8)
SUBJECT = "wsincident01"
ME = Address.parse("telegram:1")
I = to("telegram:1", origin="self")  # noqa: E741 - as he would say it


async def said(store: SqlStore, me: Subscription, now: datetime = NOW) -> None:
    await store.keep(me, now)


async def keys(store: SqlStore, now: datetime) -> list[str]:
    """What can be sent then, as parcels; it is under way from then on."""
    return ["+".join(part.change.key for part in each.parts) for each in await store.claim("telegram", 9, now)]


async def mute(store: SqlStore, until: datetime | None = MORNING, now: datetime = NOW) -> None:
    await said(store, replace(I, muted_until=until), now)


@pytest.fixture
async def reading(store: SqlStore) -> SqlStore:
    await watch(store)
    await said(store, I)
    return store


async def test_a_mute_holds_what_comes_whatever_its_impact_and_it_is_news_when_it_ends(reading: SqlStore) -> None:
    await mute(reading)
    await tell(reading, change("a", impact="critical", loud=True), change("b", impact="critical"))
    assert await reading.next_due("telegram", NOW) == (MORNING, None)
    assert await keys(reading, MORNING - SECOND) == []
    [parcel] = await reading.claim("telegram", 9, MORNING)
    assert [part.change.key for part in parcel.parts] == ["a", "b"], "one message"
    since = parcel.parts[0].news_at or NOW
    assert since == MORNING and is_news(parcel.parts[0].change, since, POLICIES["telegram"], MORNING)


async def test_a_mute_holds_what_waits_already_and_its_end_moves_with_it(reading: SqlStore) -> None:
    await tell(reading, change("a"))
    await mute(reading)
    assert await keys(reading, NOW) == []
    await mute(reading, MORNING + SECOND)
    assert await keys(reading, MORNING) == []
    await mute(reading, MORNING - SECOND)
    assert await keys(reading, MORNING - SECOND) == ["a"]


async def test_who_unmutes_is_told_at_once(reading: SqlStore) -> None:
    await mute(reading)
    await tell(reading, change("a"))
    await mute(reading, None, NOW + SECOND)
    assert await keys(reading, NOW + SECOND) == ["a"]


async def test_a_mute_that_is_over_holds_nothing(reading: SqlStore) -> None:
    await mute(reading)
    late = MORNING + timedelta(hours=1)
    await tell(reading, change("a", detected_at=late))
    assert await keys(reading, late) == ["a"]
    await mute(reading, MORNING, late)
    await tell(reading, change("b", subject="other", detected_at=late))
    assert await keys(reading, late) == ["b"]


async def test_the_later_of_quiet_hours_and_mute_counts(store: SqlStore) -> None:
    await watch(store)
    night = Filter(quiet_hours=QuietHours(start=at("11:00").time(), end=at("13:00").time()))
    for address, until in (("telegram:1", at("12:30")), ("telegram:2", at("13:30"))):
        await store.keep(to(address, origin="self", filter=night, muted_until=until), NOW)
    await tell(store, change("a"))
    assert await store.claim("telegram", 9, at("12:45")) == []
    assert [str(each.address) for each in await store.claim("telegram", 9, at("13:00"))] == ["telegram:1"]
    assert [str(each.address) for each in await store.claim("telegram", 9, at("13:30"))] == ["telegram:2"]


async def test_the_mute_of_one_holds_nothing_of_another(reading: SqlStore) -> None:
    await mute(reading)
    await reading.keep(to("telegram:2", origin="self"), NOW)
    await tell(reading, change("a"))
    assert [str(each.address) for each in await reading.claim("telegram", 9, NOW)] == ["telegram:2"]


@pytest.mark.parametrize("end", [State.PENDING, State.UNKNOWN])
async def test_what_was_under_way_when_he_muted_is_not_tried_again_before_its_end(
    reading: SqlStore, end: State
) -> None:
    await tell(reading, change("a"))
    [parcel] = await reading.claim("telegram", 9, NOW)
    await mute(reading)
    soon = NOW + SECOND
    await reading.settle(Settlement(parcel=parcel, state=end, reason="no answer", next_attempt_at=soon))
    assert await keys(reading, soon) == []
    long = timedelta(minutes=10)
    await reading.expire("telegram", NOW - long, NOW - long, NOW + long)  # housekeeping
    assert await keys(reading, soon) == []
    [again] = await reading.claim("telegram", 9, MORNING)
    assert again.uncertain is (end is State.UNKNOWN)


async def test_what_backs_off_when_he_mutes_starts_anew_at_its_end(reading: SqlStore) -> None:
    await tell(reading, change("a"))
    [parcel] = await reading.claim("telegram", 9, NOW)
    await reading.settle(Settlement(parcel=parcel, state=State.PENDING, next_attempt_at=NOW + SECOND))
    await mute(reading)
    await reading.expire("telegram", NOW - SECOND, NOW - SECOND, NOW + SECOND)
    assert await keys(reading, MORNING - SECOND) == []
    [again] = await reading.claim("telegram", 9, MORNING)
    assert (again.attempt, again.first_tried_at, again.uncertain) == (1, MORNING, False)


async def test_what_a_process_that_died_was_sending_waits_too(opened: Opened) -> None:
    first = await opened(token=1)
    await watch(first)
    await said(first, I)
    await tell(first, change("a"))
    await first.claim("telegram", 9, NOW)
    second = await opened(token=2)
    await second.recover("telegram", NOW + SECOND)
    await mute(second)
    assert await keys(second, NOW + SECOND) == []
    [again] = await second.claim("telegram", 9, MORNING)
    assert again.uncertain


async def silenced(store: SqlStore, *subjects: str) -> None:
    await said(store, replace(I, muted=frozenset(subjects)))


async def test_a_muted_subject_is_told_no_more_and_the_others_are(reading: SqlStore) -> None:
    await tell(reading, change("a"), change("b", subject="other"))
    await silenced(reading, SUBJECT)
    await tell(reading, change("c", impact="critical", loud=True))
    assert await keys(reading, NOW) == ["b"]
    [entry] = await reading.deliveries([State.EXPIRED], 9)
    assert (entry.change.key, entry.reason) == ("a", "muted by its reader")


async def test_news_that_comes_after_the_unmuting_tells_what_was_held_back(reading: SqlStore) -> None:
    await tell(reading, change("a"))
    await silenced(reading, SUBJECT)
    await tell(reading, change("b"))
    await silenced(reading)
    assert await keys(reading, NOW) == []
    await tell(reading, change("c"))
    assert await keys(reading, NOW) == ["a+c"]


async def test_what_was_under_way_when_its_subject_was_muted_is_not_tried_again(reading: SqlStore) -> None:
    await tell(reading, change("a"))
    [parcel] = await reading.claim("telegram", 9, NOW)
    await silenced(reading, SUBJECT)
    await reading.settle(Settlement(parcel=parcel, state=State.PENDING, next_attempt_at=NOW))
    assert await keys(reading, NOW) == []
    assert [each.state for each in await reading.deliveries((), 9)] == ["expired"]


def rooted(parcel: Parcel) -> Settlement:
    return Settlement(parcel=parcel, state=State.SENT, receipt=Receipt("1", "7", root=True), keeps_root=True)


async def test_the_first_message_of_a_muted_subject_still_follows_it(reading: SqlStore) -> None:
    await tell(reading, change("a"))
    [parcel] = await reading.claim("telegram", 9, NOW)
    await reading.settle(rooted(parcel))
    await silenced(reading, SUBJECT)
    await tell(reading, change("b"))
    assert await keys(reading, NOW) == []
    [edit] = await reading.outdated("telegram", 9, NOW)
    assert [each.key for each in edit.told.since] == ["b"]


async def test_the_first_message_shows_what_waited_when_its_subject_was_muted(reading: SqlStore) -> None:
    await tell(reading, change("a"))
    [parcel] = await reading.claim("telegram", 9, NOW)
    await reading.settle(rooted(parcel))
    await tell(reading, change("b"))
    await silenced(reading, SUBJECT)
    [edit] = await reading.outdated("telegram", 9, NOW)
    assert [each.key for each in edit.told.since] == ["b"]


async def test_a_mute_spares_no_one_the_end_of_what_he_did_not_mute(reading: SqlStore) -> None:
    await reading.keep(to("telegram:2", origin="self"), NOW)
    await silenced(reading, SUBJECT)
    await tell(reading, change("a"), change("b", introduces=False))
    assert await owed(reading) == [("a", "telegram:2"), ("b", "telegram:2")]


async def test_what_is_for_people_reaches_neither_the_configuration_nor_operators(store: SqlStore) -> None:
    await watch(store, "telegram:9")
    await store.sync([to("telegram:9")], welcome=False, now=NOW, operators=[Address.parse("telegram:8")])
    await said(store, I)
    news = News(changes=(change("a"),))
    await store.record((), lambda _: news, lambda each, filters: replace(route(each, filters), people_only=True))
    assert await owed(store) == [("a", "telegram:1")]


async def plan_of_a_claim(store: SqlStore) -> list[str]:
    dialect = store.engine.dialect
    claim = due_lanes(dialect.name, resting=False).params(channel="telegram", now=NOW, token=1, most=8)
    query = claim.compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if dialect.name == "sqlite" else "EXPLAIN (COSTS OFF)"
    async with store.engine.begin() as connection:
        if dialect.name != "sqlite":
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # which an empty table is worth
        return [row[-1] for row in await connection.exec_driver_sql(f"{explain} {query}")]


@ON_SQLITE
async def test_a_claim_leaps_over_all_that_waits_for_its_hour(store: SqlStore) -> None:
    plan = await plan_of_a_claim(store)
    assert "ix_deliveries_due (channel=? AND rank=? AND due_at<?)" in plan[0]
    assert not any("ORDER BY" in step for step in plan), "nothing is sorted"


@ON_POSTGRESQL
async def test_a_claim_leaps_over_all_that_waits_for_its_hour_on_postgresql_too(store: SqlStore) -> None:
    plan = "\n".join(await plan_of_a_claim(store))
    within = plan[plan.index("->  Limit") :]
    assert "using ix_deliveries_due" in within and "using ix_deliveries_lane" in within
    [where, *_] = [step for step in within.split("\n") if "Index Cond" in step]
    assert all(column in where for column in ("channel =", "rank =", "due_at <="))
    assert "Sort" not in within and "Seq Scan" not in within, "nothing is sorted but the few that are found"
