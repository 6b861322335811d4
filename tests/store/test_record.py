"""A change together with its debts: everyone who asked is owed it once, in order, whatever happens in between."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.known import KnownPage
from notifier.model import Change, Topic
from notifier.notice import welcome
from notifier.parcel import News
from notifier.route import route
from notifier.store import fanout
from notifier.store.sql import SqlStore
from notifier.subscription import Filter
from notifier.tongue import ENGLISH
from tests.builders import NOW, at, incident, page, update
from tests.store.conftest import Opened
from tests.store.telling import change, owed, read, subscribe, tell, watch
from tests.world import to

OPEN = update("11:29", "investigating")
FIXED = update("11:35", "monitoring")
OVER = update("11:41", "resolved")
PEOPLE = [f"telegram:{n}" for n in range(1, 8)]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "CHUNK", 2)
    monkeypatch.setattr(fanout, "LATER_CHUNK", 2)


@pytest.mark.usefixtures("small_chunks")
async def test_the_first_chunk_is_there_at_once_and_the_rest_follows(store: SqlStore) -> None:
    await watch(store, *PEOPLE)
    await tell(store, change())
    sizes = [len(await owed(store))]
    while await store.fan_out():
        sizes.append(len(await owed(store)))
    assert sizes == [2, 4, 6]
    assert await owed(store) == [("posted/wsincident01/u1", address) for address in PEOPLE]
    assert not await store.fan_out()


@pytest.mark.usefixtures("small_chunks")
async def test_two_changes_that_overlap_overtake_each_other_nowhere(store: SqlStore) -> None:
    await watch(store, *PEOPLE)
    await tell(store, change("first"))
    await store.fan_out()
    await tell(store, change("second"), change("third"))
    more: bool | None = True
    while more:
        heard: dict[str, list[str]] = {}
        for key, address in await owed(store):
            heard.setdefault(address, []).append(key)
        assert all(keys == ["first", "second", "third"][: len(keys)] for keys in heard.values())
        more = await store.fan_out()
    assert Counter(await owed(store)) == Counter(
        (key, address) for key in ("first", "second", "third") for address in PEOPLE
    )


async def test_changes_that_come_together_share_a_chunk(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "CHUNK", 1)
    monkeypatch.setattr(fanout, "LATER_CHUNK", 6)
    await watch(store, *PEOPLE)
    await tell(store, change("first"), change("second"), change("third"))
    sizes = [len(await owed(store))]
    while await store.fan_out():
        sizes.append(len(await owed(store)))
    assert sizes == [3, 3 + 6, 3 + 6 + 6]
    assert len(await owed(store)) == 3 * len(PEOPLE)


@pytest.mark.usefixtures("small_chunks")
async def test_a_crash_between_two_chunks_loses_nobody(opened: Opened) -> None:
    first = await opened(token=1)
    await watch(first, *PEOPLE)
    await tell(first, change())
    await first.fan_out()
    await first.close()
    second = await opened(token=2)
    while await second.fan_out():
        pass
    assert [address for _, address in await owed(second)] == PEOPLE


@pytest.mark.usefixtures("small_chunks")
async def test_who_subscribes_after_the_change_is_owed_nothing_of_it(store: SqlStore) -> None:
    await watch(store, *PEOPLE)
    await tell(store, change())
    await subscribe(store, *PEOPLE, "telegram:99")
    while await store.fan_out():
        pass
    assert [address for _, address in await owed(store)] == PEOPLE


@pytest.mark.usefixtures("small_chunks")
async def test_who_leaves_while_it_is_written_is_owed_nothing_of_it(store: SqlStore) -> None:
    await watch(store, *PEOPLE)
    await tell(store, change())
    await subscribe(store, *PEOPLE[:-1])
    while await store.fan_out():
        pass
    assert [address for _, address in await owed(store)] == PEOPLE[:-1]


async def test_the_same_change_is_recorded_once_however_often_it_is_found(opened: Opened) -> None:
    first, second = await opened(token=1), await opened(token=2)
    await watch(first, "console:")
    for store in (first, second, first):
        await tell(store, change())
    assert len(await owed(first)) == 1


async def test_the_news_of_a_first_reading_is_what_is_known_and_owes_nobody_anything(store: SqlStore) -> None:
    await subscribe(store, "console:")
    assert await store.page() == KnownPage()
    await read(store, page(incident(OPEN)))
    assert await owed(store) == []
    assert [each.id for each in await store.open_incidents()] == ["wsincident01"]
    assert (await store.page()).id == "lfz25gyhcpjf"


async def test_what_is_over_is_known_for_ever_and_loaded_only_when_asked_for(store: SqlStore) -> None:
    await watch(store)
    await read(store, page(incident(OPEN, OVER), incident(OPEN, id="stillopen001")))
    loaded: list[set[str]] = []

    def look(known: object) -> News:
        loaded.append(set(known.incidents))  # type: ignore[attr-defined]
        return News()

    for ids in ([], ["wsincident01", "neverseen001"]):
        await store.record(ids, look, route)
    assert loaded == [{"stillopen001"}, {"stillopen001", "wsincident01"}]


TOLD_SINCE = at("11:30")

RULES: dict[str, tuple[Change, str, bool]] = {
    "what introduces its subject reaches who never heard of it": (change("b"), "never told", True),
    "what does not introduce it reaches nobody who never heard of it": (
        change("b", introduces=False),
        "never told",
        False,
    ),
    "what does not introduce it reaches who heard of it": (change("b", introduces=False), "told", True),
    "who is younger than the telling may hear the end": (
        change("b", introduces=False, told_since=TOLD_SINCE),
        "younger",
        True,
    ),
    "who is older than the telling and was not told does not hear the end": (
        change("b", introduces=False, told_since=TOLD_SINCE),
        "never told",
        False,
    ),
    "who wants other components follows what it was told of": (change("b", impact="none"), "told", True),
    "who wants other components is not introduced to it": (change("b", impact="none"), "never told", False),
    "youth alone does not make a filter match": (
        change("b", impact="none", introduces=False, told_since=TOLD_SINCE),
        "younger",
        False,
    ),
    "a kind that was not asked for reaches nobody": (change("b", topic=Topic.COMPONENT), "told", False),
}


@pytest.mark.parametrize("case", RULES)
async def test_who_is_told(store: SqlStore, case: str) -> None:
    news, who, expected = RULES[case]
    created = at("11:00") if who != "younger" else at("11:45")
    wish = Filter(min_impact="minor")
    await store.sync([to("console:", filter=wish)], welcome=False, now=created)
    if who == "told":
        await tell(store, change("a"))
    await tell(store, news)
    assert ("b" in dict(await owed(store))) is expected


async def test_whoever_was_told_of_one_incident_was_not_told_of_another(store: SqlStore) -> None:
    await watch(store, "console:")
    await tell(store, change("a"), change("b", subject="another", introduces=False))
    assert await owed(store) == [("a", "console:")]


async def test_a_welcome_comes_once_for_each_and_only_when_the_page_is_known(store: SqlStore) -> None:
    async def welcomed() -> int:
        return await store.welcome(lambda number, _, known: welcome(number, known, "Kraken", NOW, ENGLISH))

    await subscribe(store, "console:", "telegram:1", welcome=True)
    assert await welcomed() == 0
    await read(store, page())
    assert [await welcomed(), await welcomed()] == [2, 0]
    await subscribe(store, "console:", "telegram:1", "telegram:2", welcome=True)
    assert await welcomed() == 1
    assert [address for _, address in await owed(store)] == ["console:", "telegram:1", "telegram:2"]


async def test_quiet_hours_set_the_hour_at_which_it_is_due(store: SqlStore) -> None:
    await watch(store, "console:")
    later = NOW + timedelta(hours=3)

    def quietly(news: Change, filters: object) -> object:
        want = route(news, filters)  # type: ignore[arg-type]
        return replace(
            want,
            matching=tuple((n, later) for n, _ in want.matching),
            following=tuple((n, later) for n, _ in want.following),
        )

    await store.record((), lambda _: News(changes=(change(),)), quietly)  # type: ignore[arg-type]
    assert await store.next_due("console", NOW) == (later, None)
    assert await store.claim("console", 1, later - timedelta(seconds=1)) == []
    assert len(await store.claim("console", 1, later)) == 1
