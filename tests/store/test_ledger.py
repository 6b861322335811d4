"""What operators see and mend: subscriptions, deliveries, sources."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifier.model import State
from notifier.parcel import News, Parcel, Settlement
from notifier.store.sql import SqlStore
from notifier.subscription import Address, Filter
from tests.builders import NOW, incident, page, update
from tests.store.telling import change, owed, read, subscribe, tell, watch
from tests.world import to

MINUTE = timedelta(minutes=1)


async def claimed(store: SqlStore) -> Parcel:
    [parcel] = await store.claim("telegram", 1, NOW)
    return parcel


async def test_who_is_gone_from_the_configuration_gets_nothing_that_waits_and_nothing_new(store: SqlStore) -> None:
    await watch(store, "telegram:1", "telegram:2")
    await tell(store, change("a"))
    await subscribe(store, "telegram:2")
    await tell(store, change("b"))
    assert {(each.address, each.change.key, each.state) for each in await store.deliveries((), 10)} == {
        ("telegram:1", "a", "failed"),
        ("telegram:2", "a", "pending"),
        ("telegram:2", "b", "pending"),
    }


async def test_who_comes_back_hears_what_is_new_and_no_backlog(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await tell(store, change("a"))
    await subscribe(store)
    await subscribe(store, "telegram:1")
    await tell(store, change("b"))
    assert [(each.change.key, each.state) for each in await store.deliveries((), 10)] == [
        ("b", "pending"),
        ("a", "failed"),
    ]


async def test_a_changed_wish_takes_the_place_of_the_old_one_from_then_on(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await store.sync([to("telegram:1", filter=Filter(min_impact="critical"))], welcome=False, now=NOW)
    await tell(store, change("mild"), change("grave", impact="critical"))
    assert await owed(store) == [("grave", "telegram:1")]


async def test_subscriptions_of_people_are_no_concern_of_the_configuration(store: SqlStore) -> None:
    await store.sync([to("telegram:1", origin="self")], welcome=False, now=NOW)
    await subscribe(store, "telegram:2")
    await read(store, page())
    await tell(store, change())
    assert [address for _, address in await owed(store)] == ["telegram:1", "telegram:2"]


async def test_equal_wishes_are_asked_once(store: SqlStore) -> None:
    await watch(store, *(f"telegram:{n}" for n in range(1, 20)))
    asked: list[int] = []

    def count(_: object, filters: object) -> object:
        asked.append(len(filters))  # type: ignore[arg-type]
        raise LookupError

    with pytest.raises(LookupError):
        await store.record((), lambda _: News(changes=(change(),)), count)  # type: ignore[arg-type]
    assert asked == [1]


async def test_a_given_up_delivery_is_tried_again_with_its_subscription(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await tell(store, change())
    await store.settle(Settlement(parcel=await claimed(store), state=State.FAILED, reason="blocked", gone=True))
    [entry] = await store.deliveries([State.FAILED], 10)
    assert (entry.reason, entry.attempt, entry.due_at) == ("blocked", 1, None)
    assert await store.revive(entry.id, NOW)
    again = await claimed(store)
    assert (again.attempt, again.uncertain) == (1, False)
    await tell(store, change("later", subject="another"))
    assert len(await owed(store, [State.PENDING])) == 1


async def test_what_is_not_given_up_cannot_be_tried_again(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await tell(store, change())
    [entry] = await store.deliveries((), 10)
    assert not await store.revive(entry.id, NOW)
    await store.settle(Settlement(parcel=await claimed(store), state=State.SENT))
    assert not await store.revive(entry.id, NOW) and not await store.revive(12345, NOW)


async def test_what_waits_can_be_dropped_and_what_is_out_or_under_way_cannot(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await tell(store, change("a"))
    [waiting] = await store.deliveries((), 10)
    assert await store.drop(waiting.id)
    assert await store.claim("telegram", 1, NOW) == []
    await tell(store, change("b", subject="another"))
    parcel = await claimed(store)
    assert not await store.drop(parcel.parts[0].delivery_id)
    await store.settle(Settlement(parcel=parcel, state=State.SENT))
    assert not await store.drop(parcel.parts[0].delivery_id)
    assert await store.counts() == {"failed": 1, "sent": 1}


async def test_a_source_that_fails_keeps_the_hour_of_its_last_good_reading(store: SqlStore) -> None:
    await store.polled("summary", NOW, ok=True, failures=0, reason="")
    await store.polled("summary", NOW + MINUTE, ok=False, failures=1, reason="HTTP 503")
    await store.polled("feed", NOW, ok=False, failures=4, reason="timeout")
    feed, summary = await store.sources()
    assert (summary.ok_at, summary.polled_at, summary.failures, summary.reason) == (NOW, NOW + MINUTE, 1, "HTTP 503")
    assert (feed.ok_at, feed.failures) == (None, 4)
    await store.polled("summary", NOW + 2 * MINUTE, ok=True, failures=0, reason="")
    assert (await store.sources())[1].ok_at == NOW + 2 * MINUTE


async def test_incidents_are_listed_by_their_last_move(store: SqlStore) -> None:
    early, late = incident(update("9:00"), id="early0000001"), incident(update("10:00"), id="late00000001")
    over = incident(update("8:00"), update("11:00", "resolved"), id="over00000001")
    await read(store, page(early, late, over))
    assert [each.id for each in await store.incidents()] == ["over00000001", "late00000001", "early0000001"]
    assert [each.id for each in await store.open_incidents()] == ["late00000001", "early0000001"]


async def test_the_address_is_all_that_tells_subscriptions_apart(store: SqlStore) -> None:
    await watch(store, "mailto:a@example.com")
    await store.sync(
        [to("mailto:a@example.com", name="again"), to("mailto:b@example.com")], welcome=False, now=NOW + MINUTE
    )
    await tell(store, change())
    found = [parcel.address for parcel in await store.claim("mailto", 10, NOW)]
    assert sorted(map(str, found)) == sorted(str(Address("mailto", f"{name}@example.com")) for name in "ab")
