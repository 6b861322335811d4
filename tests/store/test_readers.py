"""Who subscribes by himself: kept, changed, moved and forgotten, with all that waits for him."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.message import Receipt
from notifier.model import State
from notifier.parcel import Again, News, Parcel, Settlement
from notifier.store.sql import SqlStore
from notifier.subscription import Address, Filter
from tests.builders import NOW
from tests.store.telling import ask, change, owed, subscribe, tell, watch
from tests.world import ON_SQLITE, to

MINUTE = timedelta(minutes=1)
ME = Address.parse("telegram:1")


async def came(store: SqlStore, address: str = "telegram:1", **wish: object) -> None:
    await store.keep(to(address, origin="self", **wish), NOW)


async def taken(store: SqlStore) -> Parcel:
    [parcel] = await store.claim("telegram", 1, NOW + MINUTE)
    return parcel


async def out(store: SqlStore, ref: str = "7") -> None:
    """The next message goes out, and stands by itself."""
    parcel = await taken(store)
    receipt = Receipt(parcel.address.target.partition("/")[0], ref, root=True)
    await store.settle(Settlement(parcel=parcel, state=State.SENT, receipt=receipt, keeps_root=True))


def rows(url: str) -> Mapping[str, int]:
    """How many rows each table has that says something of a person."""
    tables = ("subscriptions", "deliveries", "threads", "outdated", "mutes", "pauses")
    return {table: ask(url, f"SELECT count(*) FROM {table}")[0][0] for table in tables}


async def test_who_comes_by_himself_is_kept_as_he_wants_it(store: SqlStore) -> None:
    assert await store.reader(ME) is None
    wish = to(
        "telegram:1",
        origin="self",
        filter=Filter(components=("BTC",), reminders=False),
        language="de",
        zone="Europe/Berlin",
        muted_until=NOW + MINUTE,
        muted=frozenset({"wsincident01", "advisory/x"}),
    )
    await store.keep(wish, NOW)
    assert await store.reader(ME) == wish
    changed = replace(wish, filter=Filter(), language="en", muted_until=None, muted=frozenset({"advisory/x"}))
    await store.keep(changed, NOW)
    assert await store.reader(ME) == changed
    assert await store.subscriptions() == [changed]


async def test_equal_wishes_of_people_share_a_row_and_filters_that_nobody_has_are_not_asked(
    store: SqlStore,
) -> None:
    await watch(store)
    for number in range(3):
        await came(store, f"telegram:{number}", filter=Filter(components=("OLD",)))
        await came(store, f"telegram:{number}", filter=Filter(components=("BTC",)))
    asked: list[object] = []

    def look(_: object, filters: Mapping[int, Filter]) -> object:
        asked.extend(filters.values())
        raise LookupError

    with pytest.raises(LookupError):
        await store.record((), lambda _: News(changes=(change(),)), look)  # type: ignore[arg-type]
    assert asked == [Filter(components=("BTC",))]


async def test_a_crowd_is_kept_as_if_each_had_come_alone(store: SqlStore) -> None:
    await watch(store, "telegram:9")
    await store.sync([to("telegram:9")], welcome=False, now=NOW, operators=[Address.parse("telegram:8")])
    for number in range(1, 5):
        await came(store, f"telegram:{number}")
    await store.leave("2", "blocked")
    await tell(store, change("a"))
    btc = Filter(components=("BTC",))
    crowd = [
        to("telegram:1", origin="self"),
        to("telegram:2", origin="self"),
        to("telegram:3", origin="self", filter=btc, language="de", zone="Europe/Berlin"),
        to("telegram:4", origin="self", filter=btc, muted_until=NOW + timedelta(hours=8)),
        to("telegram:5", origin="self", filter=btc),
        to("telegram:6", origin="self", muted=frozenset({"wsincident01"})),
        to("telegram:8", origin="self", filter=btc),
    ]
    assert await store.enroll(crowd, NOW) == 6
    assert await store.enroll(crowd, NOW) == 0
    assert {each.address: each for each in await store.subscriptions()} == {
        each.address: each for each in (*crowd, to("telegram:9"))
    }
    told = {str(each.address) for each in await store.claim("telegram", 9, NOW)}
    assert told == {"telegram:1", "telegram:3", "telegram:9"}


async def test_a_crowd_with_one_of_the_configuration_is_not_kept_at_all(store: SqlStore) -> None:
    await watch(store, "telegram:9")
    with pytest.raises(ValueError, match="telegram:9 is in the configuration"):
        await store.enroll([to(f"telegram:{number}", origin="self") for number in range(1, 10)], NOW)
    assert [str(each.address) for each in await store.subscriptions()] == ["telegram:9"]


async def test_nobody_who_came_by_himself_is_welcomed_again(store: SqlStore) -> None:
    await watch(store)
    await came(store)
    assert await store.welcome(lambda number, *_: change(f"welcome/{number}")) == 0


@pytest.mark.fault("C16")
async def test_who_comes_back_after_he_blocked_the_bot_hears_no_backlog(store: SqlStore) -> None:
    await watch(store)
    await came(store)
    await tell(store, change("a"), change("b", subject="other"))
    await store.settle(Settlement(parcel=await taken(store), state=State.FAILED, reason="blocked", gone=True))
    found = await store.reader(ME)
    assert found is not None and not found.active
    await store.keep(found, NOW + MINUTE)
    assert (await store.reader(ME)) == replace(found, active=True)
    await tell(store, change("c", subject="third"))
    assert await owed(store, [State.PENDING]) == [("c", "telegram:1")]


async def test_who_comes_back_counts_as_younger_than_what_was_told_while_he_was_away(store: SqlStore) -> None:
    await watch(store)
    await came(store)
    await store.leave("1", "left")
    await tell(store, change("a", told_since=NOW))
    await store.keep(to("telegram:1", origin="self"), NOW + MINUTE)
    await tell(store, change("b", introduces=False, told_since=NOW))
    assert await owed(store) == [("b", "telegram:1")]


async def test_the_configuration_is_neither_changed_nor_forgotten(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    found = await store.reader(ME)
    assert found is not None and found.origin == "config"
    with pytest.raises(ValueError, match="in the configuration"):
        await came(store)
    with pytest.raises(ValueError, match="in the configuration"):
        await store.forget(ME)
    assert await store.reader(ME) == found


async def test_who_is_gone_from_the_configuration_may_come_by_himself(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await subscribe(store)
    assert await store.reader(ME) is None
    await came(store)
    await subscribe(store)
    await tell(store, change("a"))
    assert await owed(store) == [("a", "telegram:1")]


async def test_an_operator_may_come_by_himself_and_leave_again(store: SqlStore) -> None:
    await watch(store)
    await store.sync([], welcome=False, now=NOW, operators=[ME])
    assert await store.reader(ME) is None
    assert not await store.forget(ME)
    await came(store)
    await store.sync([], welcome=False, now=NOW, operators=[ME])
    await tell(store, change("a"))
    assert await owed(store) == [("a", "telegram:1")]
    assert await store.forget(ME)
    await store.sync([], welcome=False, now=NOW, operators=[ME])
    await tell(store, change("b"))
    assert await owed(store) == [], "an operator again, who hears no news"


async def test_the_configuration_takes_over_who_came_by_himself_without_his_mutes(store: SqlStore) -> None:
    await watch(store)
    await came(store, muted_until=NOW + timedelta(hours=8), muted=frozenset({"wsincident01"}), language="de")
    await tell(store, change("held", subject="other"))
    await subscribe(store, "telegram:1")
    await tell(store, change("a"))
    assert {part.change.key for each in await store.claim("telegram", 9, NOW) for part in each.parts} == {"held", "a"}
    assert await store.reader(ME) == to("telegram:1")


@pytest.mark.fault("H7")
async def test_who_leaves_is_sent_nothing_and_leaves_nothing_behind(store: SqlStore, url: str) -> None:
    await watch(store)
    before = rows(url)
    await came(store, muted=frozenset({"other"}))
    await tell(store, change("a"))
    await out(store)
    await tell(store, change("b"), change("c", subject="third"))
    assert await store.forget(ME)
    assert not await store.forget(ME)
    assert await store.claim("telegram", 9, NOW) == [] and await store.outdated("telegram", 9, NOW) == []
    assert rows(url) == before


@ON_SQLITE
async def test_the_file_itself_holds_nothing_of_who_left_nor_of_what_he_said(store: SqlStore, path: Path) -> None:
    me, said = Address.parse("telegram:777000777123"), "canary-words-9941"
    await came(store, str(me), muted=frozenset({"other"}))
    await store.receive(5, f'{{"update_id": 5, "message": {{"text": "{said}"}}}}')
    await store.handled(5)
    assert await store.forget(me)
    await store.close()
    held = path.read_bytes()
    assert str(me).encode() not in held and said.encode() not in held
    assert [each.name for each in path.parent.glob("*-wal")] == []


@pytest.mark.fault("H7")
@pytest.mark.parametrize("end", [State.SENT, State.PENDING, State.UNKNOWN, State.FAILED])
async def test_the_result_of_a_send_that_was_under_way_is_nobodys(store: SqlStore, url: str, end: State) -> None:
    await watch(store)
    await came(store)
    await tell(store, change("a"))
    late = await taken(store)
    await store.forget(ME)
    await came(store)
    await tell(store, change("b"))
    receipt = Receipt("1", "7", root=True) if end is State.SENT else None
    moved = Address.parse("telegram:-1009") if end is State.PENDING else None
    await store.settle(
        Settlement(parcel=late, state=end, receipt=receipt, gone=end is State.FAILED, moved_to=moved, reason="late")
    )
    assert await owed(store, [State.PENDING]) == [("b", "telegram:1")]
    assert [table for table, count in rows(url).items() if count] == ["subscriptions", "deliveries"]
    assert [part.change.key for part in (await taken(store)).parts] == ["b"]


@pytest.mark.fault("H7")
@pytest.mark.parametrize("again", [None, Again(at=NOW + MINUTE)])
async def test_the_result_of_an_edit_that_was_under_way_is_nobodys(
    store: SqlStore, url: str, again: Again | None
) -> None:
    await watch(store)
    await came(store)
    await tell(store, change("a"))
    await out(store)
    await tell(store, change("b"))
    await store.settle(Settlement(parcel=await taken(store), state=State.SENT, receipt=Receipt("1", "8")))
    [edit] = await store.outdated("telegram", 1, NOW)
    await store.forget(ME)
    await store.refreshed(edit, again)
    assert set(rows(url).values()) == {0}


async def test_a_number_is_never_given_to_somebody_else(store: SqlStore) -> None:
    await watch(store)
    seen: set[tuple[int, int]] = set()
    for _ in range(3):
        await came(store)
        await tell(store, change(f"change{len(seen)}"))
        parcel = await taken(store)
        seen.add((parcel.subscription_id, parcel.parts[0].delivery_id))
        await store.forget(ME)
    assert len({one for one, _ in seen}) == len({other for _, other in seen}) == 3


async def test_a_chat_that_threw_the_bot_out_ends_with_its_topics(store: SqlStore) -> None:
    await watch(store, "telegram:-100/7")
    for address in ("telegram:-100", "telegram:-100/5", "telegram:-1001", "telegram:-10"):
        await came(store, address)
    await tell(store, change("a"))
    assert await store.leave("-100", "the bot was thrown out") == 3
    assert await store.leave("-100", "again") == 0
    left = {str(each.address) for each in await store.claim("telegram", 9, NOW)}
    assert left == {"telegram:-1001", "telegram:-10"}
    failed = await store.deliveries([State.FAILED], 9)
    assert {each.reason for each in failed} == {"the bot was thrown out"} and len(failed) == 3


async def test_a_chat_that_moved_takes_its_topics_along(store: SqlStore) -> None:
    await watch(store)
    for address in ("telegram:-5", "telegram:-5/3", "telegram:-55"):
        await came(store, address)
    await tell(store, change("a"))
    assert await store.move("-5", "-1005") == 2
    assert await store.move("-5", "-1005") == 0
    addresses = {str(each.address) for each in await store.claim("telegram", 9, NOW)}
    assert addresses == {"telegram:-1005", "telegram:-1005/3", "telegram:-55"}


async def test_a_chat_that_moved_to_where_it_is_subscribed_is_told_once(store: SqlStore) -> None:
    await watch(store)
    await came(store, "telegram:-5")
    await came(store, "telegram:-1005")
    assert await store.move("-5", "-1005") == 1
    await tell(store, change("a"))
    assert await owed(store) == [("a", "telegram:-1005")]


async def test_what_a_message_was_about_is_known_where_it_was_told(store: SqlStore) -> None:
    await watch(store, "telegram:@channel")
    await came(store)
    await tell(store, change("a"), change("b", subject="other"))
    for _ in range(4):
        parcel = await taken(store)
        to_chat = "-100123" if parcel.address.target == "@channel" else "1"
        receipt = Receipt(to_chat, f"4{parcel.subject_id}", root=True)
        await store.settle(Settlement(parcel=parcel, state=State.SENT, receipt=receipt))
    channel = Address.parse("telegram:@channel")
    assert [await store.subject_of(ME, ref) for ref in ("41", "42", "43")] == ["wsincident01", "other", None]
    assert await store.subject_of(channel, "42") == "other"
    assert await store.subject_of(Address.parse("telegram:2"), "41") is None
    await store.move("1", "2")
    assert await store.subject_of(Address.parse("telegram:2"), "41") is None, "numbers start anew there"
