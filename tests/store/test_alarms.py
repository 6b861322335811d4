"""What the database says of the bot's own health, and what operators are owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from notifier.alarm import turn
from notifier.health import Trouble
from notifier.known import Backlog, DeadLetters, SwitchedOff
from notifier.model import State
from notifier.parcel import Parcel, Settlement, Turn
from notifier.store.sql import SqlStore
from notifier.subscription import Address, Filter, QuietHours
from tests.builders import NOW, at
from tests.store.telling import change, dump, owed, subscribe, tell, watch
from tests.world import to

OPS = Address.parse("slack:C0OPS")
MINUTE = timedelta(minutes=1)
DOWN = Trouble(title="The page is down", since=NOW, told_from=NOW, text="Mend it.")


async def sync(
    store: SqlStore, *subscribers: str, operators: tuple[Address, ...] = (OPS,), welcome: bool = False
) -> None:
    await store.sync([to(each) for each in subscribers], welcome=welcome, now=NOW, operators=operators)


async def say(store: SqlStore, present: Mapping[str, Trouble], *, whom: tuple[Address, ...] = (OPS,)) -> Turn:
    return await store.alarm(partial(turn, present=present, now=NOW), whom)


async def decided(store: SqlStore, what: Turn) -> Turn:
    """By a process that read the alarms before another one wrote its own."""
    return await store.alarm(lambda _: what, (OPS,))


async def settled(store: SqlStore, state: State, reason: str = "", *, gone: bool = False) -> Parcel:
    [parcel] = await store.claim("slack", 1, NOW + MINUTE)
    await store.settle(Settlement(parcel=parcel, state=state, reason=reason, gone=gone))
    return parcel


async def test_an_operator_hears_of_troubles_and_of_no_news(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await sync(store, "telegram:1")
    await tell(store, change("news", impact="critical"))
    told = await say(store, {"page": DOWN})
    assert await owed(store) == [("news", "telegram:1"), (told.raised["page"].key, "slack:C0OPS")]


async def test_an_operator_who_subscribes_too_has_one_row_that_serves_both(store: SqlStore) -> None:
    await watch(store, "slack:C0OPS")
    await sync(store, "slack:C0OPS")
    await tell(store, change("news"))
    told = await say(store, {"page": DOWN})
    assert await owed(store) == [("news", "slack:C0OPS"), (told.raised["page"].key, "slack:C0OPS")]


async def test_an_operator_who_came_by_himself_and_left_still_hears_of_troubles(store: SqlStore) -> None:
    me = Address.parse("telegram:42")
    await watch(store)
    await sync(store, operators=(me,))
    await store.keep(to("telegram:42", origin="self"), NOW)
    await store.forget(me)
    told = await say(store, {"page": DOWN}, whom=(me,))
    await tell(store, change("news"))
    assert await owed(store) == [(told.raised["page"].key, "telegram:42")]


async def test_an_operator_who_muted_what_he_reads_still_hears_of_troubles(store: SqlStore) -> None:
    me = Address.parse("telegram:42")
    await watch(store)
    await store.keep(to("telegram:42", origin="self", muted_until=NOW + timedelta(days=7)), NOW)
    told = await say(store, {"page": DOWN}, whom=(me,))
    await tell(store, change("news"))
    [parcel] = await store.claim("telegram", 9, NOW + MINUTE)
    assert parcel.parts[0].change == told.raised["page"]


async def test_a_trouble_is_told_once_and_its_end_to_those_who_heard_of_it(store: SqlStore) -> None:
    late = Address.parse("telegram:9")
    await sync(store)
    begun = (await say(store, {"page": DOWN})).raised["page"]
    assert not await say(store, {"page": DOWN})
    await sync(store, operators=(OPS, late))
    over = (await say(store, {}, whom=(OPS, late))).over["page"]
    assert not await say(store, {}, whom=(OPS, late))
    assert await owed(store) == [(begun.key, "slack:C0OPS"), (over.key, "slack:C0OPS")]
    assert (await store.owed(NOW)).raised == {}


async def test_two_processes_that_decide_at_once_tell_a_trouble_and_its_end_once(store: SqlStore) -> None:
    await sync(store)
    first, second = (turn({}, {"page": DOWN}, NOW + number * MINUTE) for number in range(2))
    await decided(store, first)
    await decided(store, second)
    for number in range(2):
        await decided(store, turn(first.raised, {}, NOW + (2 + number) * MINUTE))
    begun, ended = first.raised["page"].key, f"{first.raised['page'].subject}/over"
    assert [key for key, _ in await owed(store)] == [begun, ended]


async def test_what_is_told_is_remembered_by_the_next_process(store: SqlStore) -> None:
    await sync(store)
    begun = (await say(store, {"page": DOWN})).raised
    assert (await store.owed(NOW)).raised == begun


async def test_an_operator_gone_from_the_configuration_ends(store: SqlStore) -> None:
    await sync(store)
    await sync(store, operators=())
    await say(store, {"page": DOWN})
    assert await owed(store) == []
    assert (await store.owed(NOW)).switched_off == (), "that was wanted"


async def test_who_subscribes_after_having_been_an_operator_is_welcomed_and_hears_news(store: SqlStore) -> None:
    await watch(store)
    await sync(store)
    await sync(store, "slack:C0OPS", operators=(), welcome=True)
    assert await store.welcome(lambda number, *_: change(f"welcome/{number}")) == 1
    await tell(store, change("news"))
    assert [address for _, address in await owed(store)] == ["slack:C0OPS"] * 2


async def test_the_backlog_counts_what_is_due_and_not_what_waits_for_quiet_hours_to_end(store: SqlStore) -> None:
    await watch(store)
    quiet = Filter(quiet_hours=QuietHours(start=at("11:00").time(), end=at("13:00").time()))
    await store.sync([to("slack:C1"), to("telegram:1", filter=quiet)], welcome=False, now=NOW)
    await tell(store, change("a"), change("b", detected_at=NOW + MINUTE))
    assert (await store.owed(NOW + MINUTE)).backlogs == (Backlog(channel="slack", oldest=NOW, count=2),)
    await settled(store, State.SENT)
    assert (await store.owed(NOW + MINUTE)).backlogs == ()


async def test_a_recipient_that_refused_counts_until_something_reached_it(store: SqlStore) -> None:
    await watch(store, "slack:C1")
    await tell(store, change("a"))
    await settled(store, State.FAILED, "is_archived", gone=True)
    [off] = (await store.owed(NOW)).switched_off
    assert off == SwitchedOff(address="slack:C1", reason="is_archived")
    await say(store, {"off/slack:C1": DOWN})
    await subscribe(store, "slack:C1")
    [again] = (await store.owed(NOW)).switched_off
    assert again.again, "the configuration switched it on, but nothing has arrived"
    await tell(store, change("b"))
    await settled(store, State.SENT)
    assert (await store.owed(NOW)).switched_off == ()


async def test_who_came_by_himself_and_refused_is_no_trouble(store: SqlStore) -> None:
    await watch(store)
    await store.sync([to("slack:D1", origin="self")], welcome=False, now=NOW)
    await tell(store, change("a"))
    await settled(store, State.FAILED, "blocked", gone=True)
    assert (await store.owed(NOW)).switched_off == ()


async def test_dead_letters_are_one_count_a_channel_with_the_newest_reason(store: SqlStore) -> None:
    await watch(store, "slack:C1")
    await tell(store, change("a"), change("b", subject="other"))
    await settled(store, State.DEAD, "first")
    await settled(store, State.DEAD, "second")
    assert (await store.owed(NOW)).dead == (DeadLetters(channel="slack", count=2, reason="second"),)


async def test_looking_writes_nothing(store: SqlStore, url: str) -> None:
    await sync(store)
    await say(store, {"page": DOWN})
    before = dump(url)
    await store.owed(NOW)
    await say(store, {"page": replace(DOWN, since=NOW + MINUTE)})
    assert dump(url) == before
