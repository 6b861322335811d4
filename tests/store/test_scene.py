"""What the inbox answers with: Kraken as it is known, who reads, what everybody is told, what is not handled yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.known import Known, KnownComponent, KnownExchange, Scene, Tally
from notifier.model import State, Topic
from notifier.parcel import News, Settlement
from notifier.retry import POLICIES, is_news
from notifier.route import route
from notifier.store import fanout
from notifier.store.received import REMEMBERED
from notifier.store.scene import ENDED_SHOWN
from notifier.store.sql import SqlStore
from notifier.subscription import Address, Filter
from tests.builders import NOW, incident, page, update
from tests.store.conftest import Opened
from tests.store.telling import change, owed, read, tell, watch
from tests.world import to

HOUR = timedelta(hours=1)


async def people(store: SqlStore, *addresses: str, **wish: object) -> None:
    for address in addresses:
        await store.keep(to(address, origin="self", **wish), NOW)


async def test_the_scene_is_all_that_is_open_and_the_newest_of_what_is_over(store: SqlStore) -> None:
    assert await store.scene() == Scene()
    await watch(store)
    over = [
        incident(update(f"{8 + number // 60}:{number % 60:02}", "resolved"), id=f"over{number:08}")
        for number in range(ENDED_SHOWN + 5)
    ]
    await read(store, page(*over, incident(update("7:00", "investigating"), id="open00000001")))
    components = {"c-ws": KnownComponent(name="Websocket", group="API", status="operational", updated_at=NOW)}
    known = Known(components=components, exchange=KnownExchange(status="post_only"))
    await store.record((), lambda _: News(known=known), route)
    await store.polled("summary", NOW, ok=True, failures=0, reason="")
    await store.polled("exchange", NOW + HOUR, ok=True, failures=0, reason="")
    scene = await store.scene()
    newest = [each.id for each in reversed(over)][:ENDED_SHOWN]
    assert [each.id for each in scene.incidents] == [*newest, "open00000001"]
    assert (scene.components, scene.exchange, scene.read_at) == (components, known.exchange, NOW)
    await read(store, page(replace(over[0], updates=(*over[0].updates, update("11:00", "postmortem")))))
    assert (await store.scene()).incidents[0].id == "over00000000", "it moved"


async def test_the_figures_are_of_people(store: SqlStore) -> None:
    assert await store.tally(NOW) == Tally()
    await watch(store, "telegram:9")
    await people(store, "telegram:1", "telegram:2", filter=Filter(components=("BTC", "Websocket")))
    await people(store, "telegram:3", filter=Filter(components=("BTC",)), language="de", muted_until=NOW + HOUR)
    await people(store, "telegram:4", muted_until=NOW - HOUR)
    await store.leave("2", "blocked")
    await tell(store, change("BTC", title="BTC is late"))
    parcels = await store.claim("telegram", 9, NOW)
    for each in parcels:
        state = State.SENT if str(each.address) != "telegram:4" else State.PENDING
        await store.settle(Settlement(parcel=each, state=state, next_attempt_at=NOW + HOUR))
    assert await store.tally(NOW) == Tally(
        readers=3,
        off=1,
        muted=1,
        languages={"en": 2, "de": 1},
        terms=(("BTC", 2), ("Websocket", 1)),
        sent=2,
        waiting=2,
    )
    assert (await store.tally(NOW + timedelta(hours=25))).sent == 0


async def test_what_an_operator_says_reaches_people_once_and_only_as_it_was_confirmed(store: SqlStore) -> None:
    await watch(store, "telegram:9")
    await people(store, "telegram:1", "telegram:2", filter=Filter(kinds=(Topic.COMPONENT,)))
    await store.leave("2", "blocked")
    await store.draft(1, "An early form.")
    await store.draft(2, "We move house.")
    assert await store.broadcast(1, NOW) is None, "there is one draft at a time"
    assert await store.broadcast(2, NOW) == 1
    assert await store.broadcast(2, NOW) is None
    await store.draft(2, "We move house.")
    assert await store.broadcast(2, NOW) is None, "whoever asks again, and after whatever crash"
    assert await owed(store) == [("broadcast/2", "telegram:1")]
    [parcel] = await store.claim("telegram", 9, NOW)
    said = parcel.parts[0].change
    assert (said.text, said.loud) == ("We move house.", True)


async def test_what_an_operator_says_is_written_chunk_by_chunk(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "CHUNK", 2)
    await watch(store)
    everybody = [f"telegram:{number}" for number in range(1, 6)]
    await people(store, *everybody)
    await store.draft(1, "Hello")
    assert await store.broadcast(1, NOW) == 5
    assert len(await owed(store)) == 2
    while await store.fan_out():
        pass
    assert [address for _, address in await owed(store)] == everybody


async def test_what_an_operator_says_stays_news_for_a_day(store: SqlStore) -> None:
    await watch(store)
    await people(store, "telegram:1")
    await store.draft(1, "Hello")
    await store.broadcast(1, NOW)
    policy = POLICIES["telegram"]
    for age, still in ((timedelta(hours=23), True), (timedelta(hours=25), False)):
        now = NOW + age
        await store.expire("telegram", now - policy.horizon, now - timedelta(hours=24), now)
        parcels = await store.claim("telegram", 9, now)
        assert bool(parcels) is still
        for each in parcels:
            assert is_news(each.parts[0].change, NOW, policy, now)
            await store.settle(Settlement(parcel=each, state=State.PENDING))


async def test_what_the_inbox_remembers_is_nobody_elses(opened: Opened) -> None:
    first, second = await opened(token=1), await opened(token=2)
    assert await first.remembered("origin") is None
    await first.remember("origin", "a")
    await first.remember("origin", "b")
    assert await second.remembered("origin") == "b"
    assert second.origin == first.origin != "b"


async def test_what_a_webhook_was_told_is_kept_until_it_is_handled_and_known_when_it_comes_again(
    store: SqlStore,
) -> None:
    assert [await store.receive(number, f'{{"update_id":{number}}}') for number in (7, 5, 7)] == [True, True, False]
    assert [number for number, _ in await store.received(9)] == [5, 7]
    await store.handled(5)
    assert await store.received(9) == [(7, '{"update_id":7}')]
    assert not await store.receive(5, "again")
    await store.handled(7 + REMEMBERED)
    assert [await store.receive(number, "again") for number in (5, 7)] == [True, False]


async def test_what_is_said_to_nobody_is_told_to_nobody(store: SqlStore) -> None:
    await people(store, "telegram:1")
    await store.draft(1, "Hello")
    assert await store.forget(Address.parse("telegram:1"))
    assert await store.broadcast(1, NOW) == 0
