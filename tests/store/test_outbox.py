"""Intent, then result: who may send what and when, and what becomes of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.message import Receipt
from notifier.model import Change, Kind, State
from notifier.parcel import Again, Parcel, Settlement
from notifier.store import outdated
from notifier.store.schema import LEASE
from notifier.store.sql import SqlStore
from notifier.subscription import Address
from tests.builders import NOW
from tests.store.conftest import Opened
from tests.store.telling import change, subscribe, tell, watch

MINUTE = timedelta(minutes=1)


def sent(parcel: Parcel, ref: str = "m1", *, root: bool = True) -> Settlement:
    return Settlement(parcel=parcel, state=State.SENT, receipt=Receipt(str(parcel.address), ref, root=root))


def keys(parcel: Parcel) -> list[str]:
    return [part.change.key for part in parcel.parts]


async def states(store: SqlStore) -> list[str]:
    return [each.state for each in reversed(await store.deliveries((), 100))]


@pytest.fixture
async def owing(store: SqlStore) -> SqlStore:
    """A store that owes one person two changes of one subject."""
    await watch(store, "telegram:1")
    await tell(store, change("a"), change("b"))
    return store


async def test_one_lane_is_one_parcel_oldest_first(owing: SqlStore) -> None:
    [parcel] = await owing.claim("telegram", 10, NOW)
    assert keys(parcel) == ["a", "b"]
    assert (parcel.attempt, parcel.uncertain, parcel.thread, parcel.first_tried_at) == (1, False, None, NOW)
    assert await owing.claim("telegram", 10, NOW) == []


async def test_what_comes_while_a_parcel_is_under_way_waits_for_its_end(owing: SqlStore) -> None:
    [first] = await owing.claim("telegram", 10, NOW)
    await tell(owing, change("c"))
    assert await owing.claim("telegram", 10, NOW) == []
    await owing.settle(sent(first))
    [second] = await owing.claim("telegram", 10, NOW)
    assert keys(second) == ["c"]
    assert second.thread == Receipt("telegram:1", "m1")
    assert await states(owing) == ["superseded", "sent", "sending"]


async def test_other_subjects_and_other_people_are_other_lanes(store: SqlStore) -> None:
    await watch(store, "telegram:1", "telegram:2")
    await tell(store, change("a"), change("b", subject="another"))
    lanes = [(str(parcel.address), keys(parcel)) for parcel in await store.claim("telegram", 10, NOW)]
    assert sorted(lanes) == [
        ("telegram:1", ["a"]),
        ("telegram:1", ["b"]),
        ("telegram:2", ["a"]),
        ("telegram:2", ["b"]),
    ]


async def test_no_more_parcels_than_there_is_room_for(store: SqlStore) -> None:
    await watch(store, *(f"telegram:{n}" for n in range(1, 8)))
    await tell(store, change("a"), change("b"))
    claimed = [len(await store.claim("telegram", 3, NOW)) for _ in range(4)]
    assert claimed == [3, 3, 1, 0]


async def test_each_channel_claims_its_own(store: SqlStore) -> None:
    await watch(store, "telegram:1", "console:")
    await tell(store, change())
    assert [str(parcel.address) for parcel in await store.claim("console", 10, NOW)] == ["console:"]
    assert [str(parcel.address) for parcel in await store.claim("telegram", 10, NOW)] == ["telegram:1"]


async def test_a_lane_that_backs_off_holds_back_what_comes_later_and_no_other_lane(owing: SqlStore) -> None:
    [parcel] = await owing.claim("telegram", 10, NOW)
    retry = Settlement(parcel=parcel, state=State.PENDING, reason="refused", next_attempt_at=NOW + MINUTE)
    await owing.settle(retry)
    await tell(owing, change("c"), change("d", subject="another"))
    assert [keys(each) for each in await owing.claim("telegram", 10, NOW)] == [["d"]]
    [again] = await owing.claim("telegram", 10, NOW + MINUTE)
    assert keys(again) == ["a", "b", "c"]
    assert (again.attempt, again.uncertain) == (2, False)


async def test_what_does_not_count_as_a_try_keeps_its_number(owing: SqlStore) -> None:
    [parcel] = await owing.claim("telegram", 10, NOW)
    await owing.settle(Settlement(parcel=parcel, state=State.PENDING, next_attempt_at=NOW + MINUTE, counts=False))
    [again] = await owing.claim("telegram", 10, NOW + MINUTE)
    assert again.attempt == 1


async def test_the_same_parcel_tried_again_keeps_its_date_and_a_larger_one_gets_its_own(owing: SqlStore) -> None:
    for minutes in (0, 1):
        [parcel] = await owing.claim("telegram", 10, NOW + minutes * MINUTE)
        await owing.settle(Settlement(parcel=parcel, state=State.PENDING, plain=minutes == 1))
        assert parcel.first_tried_at == NOW
    await tell(owing, change("c"))
    [larger] = await owing.claim("telegram", 10, NOW + 2 * MINUTE)
    assert (larger.first_tried_at, larger.plain, larger.attempt) == (NOW + 2 * MINUTE, True, 3)


async def test_when_the_lease_is_over_the_very_same_parcel_is_uncertain(owing: SqlStore, opened: Opened) -> None:
    other = await opened(token=2)
    await owing.claim("telegram", 10, NOW)
    await tell(owing, change("c"))
    assert await other.claim("telegram", 10, NOW + LEASE - MINUTE) == []
    [taken] = await other.claim("telegram", 10, NOW + LEASE)
    assert (keys(taken), taken.uncertain, taken.attempt, taken.first_tried_at) == (["a", "b"], True, 2, NOW)


@pytest.mark.fault("B19")
async def test_who_lost_the_intent_changes_nothing(owing: SqlStore, opened: Opened) -> None:
    other = await opened(token=2)
    [lost] = await owing.claim("telegram", 10, NOW)
    [taken] = await other.claim("telegram", 10, NOW + LEASE)
    late = sent(lost, "late")
    for settlement in (
        late,
        replace(late, state=State.FAILED, gone=True),
        replace(late, moved_to=Address("mailto", "a@b")),
    ):
        await owing.settle(settlement)
    assert await states(owing) == ["sending", "sending"]
    await other.settle(sent(taken, "mine"))
    await tell(owing, change("c"))
    [following] = await owing.claim("telegram", 10, NOW)
    assert (str(following.address), following.thread) == ("telegram:1", Receipt("telegram:1", "mine"))


async def test_one_lost_intent_spoils_no_other_result(store: SqlStore, opened: Opened) -> None:
    other = await opened(token=2)
    await watch(store, "telegram:1", "telegram:2")
    await tell(store, change())
    lost, kept = await store.claim("telegram", 10, NOW)
    await other.recover("telegram", NOW)
    await other.claim("telegram", 1, NOW)
    [stolen] = [each for each in (lost, kept) if each.subscription_id == lost.subscription_id]
    await asyncio.gather(store.settle(sent(stolen)), store.settle(sent(kept)))
    assert sorted(await states(store)) == ["sending", "unknown"]


async def test_what_a_dead_process_left_under_way_is_uncertain_and_asked_for_first(
    owing: SqlStore, opened: Opened
) -> None:
    await owing.claim("telegram", 10, NOW)
    next_process = await opened(token=2)
    assert await next_process.recover("telegram", NOW + MINUTE) == 2
    assert await next_process.recover("telegram", NOW + MINUTE) == 0
    assert await next_process.claim("telegram", 10, NOW) == []
    [parcel] = await next_process.claim("telegram", 10, NOW + MINUTE)
    assert (keys(parcel), parcel.uncertain) == (["a", "b"], True)


async def test_what_may_have_arrived_and_is_not_asked_for_rests(owing: SqlStore) -> None:
    [parcel] = await owing.claim("telegram", 10, NOW)
    await owing.settle(Settlement(parcel=parcel, state=State.UNKNOWN, reason="may have arrived"))
    await tell(owing, change("c"))
    [following] = await owing.claim("telegram", 10, NOW + LEASE)
    assert (keys(following), following.uncertain) == (["c"], False)


async def test_who_is_gone_gets_nothing_any_more(owing: SqlStore) -> None:
    [parcel] = await owing.claim("telegram", 10, NOW)
    await tell(owing, change("c"), change("d", subject="another"))
    await owing.settle(Settlement(parcel=parcel, state=State.FAILED, reason="blocked", gone=True))
    await tell(owing, change("e"))
    assert await states(owing) == ["failed"] * 4
    assert await owing.claim("telegram", 10, NOW) == []


async def test_who_moved_is_followed(owing: SqlStore) -> None:
    [parcel] = await owing.claim("telegram", 10, NOW)
    there = Address("telegram", "-1001")
    await owing.settle(Settlement(parcel=parcel, state=State.PENDING, moved_to=there))
    [again] = await owing.claim("telegram", 10, NOW)
    assert (again.address, keys(again)) == (there, ["a", "b"])


@pytest.mark.fault("C4")
async def test_who_moved_to_where_somebody_is_subscribed_leaves_it_to_them(store: SqlStore) -> None:
    await watch(store, "telegram:-9", "telegram:-1009")
    await tell(store, change())
    [old] = [each for each in await store.claim("telegram", 10, NOW) if each.address.target == "-9"]
    await store.settle(Settlement(parcel=old, state=State.PENDING, moved_to=Address("telegram", "-1009")))
    assert {each.address: each.state for each in await store.deliveries((), 10)} == {
        "telegram:-9": "failed",
        "telegram:-1009": "sending",
    }
    await tell(store, change("later", subject="another"))
    assert [each.address for each in await store.deliveries([State.PENDING], 10)] == ["telegram:-1009"]


def edited(text: str) -> Change:
    key = f"edited/wsincident01/u1/{text}"
    return change(key, kind=Kind.UPDATE_EDITED, incident_id="wsincident01", update_id="u1", text=text, introduces=False)


async def test_an_edit_names_the_message_that_carries_its_update_with_the_newest_words(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    original = change("posted/wsincident01/u1", incident_id="wsincident01", update_id="u1", text="first")
    await tell(store, original, change("posted/wsincident01/u2", incident_id="wsincident01", update_id="u2"))
    [parcel] = await store.claim("telegram", 10, NOW)
    await store.settle(sent(parcel, "m7"))
    await tell(store, edited("second"), edited("third"))
    assert await store.claim("telegram", 10, NOW + MINUTE, can_edit=True) == [], "an edit is no message of its own"
    [refresh] = await store.outdated("telegram", 10, NOW + MINUTE)
    told = refresh.told
    assert (told.receipt, told.date) == (Receipt("telegram:1", "m7"), NOW)
    assert [part.change.text for part in told.parts] == ["first", ""]
    assert [change.text for change in told.since] == ["second", "third"]


async def test_an_edit_of_what_was_told_to_another_names_no_message_of_theirs(store: SqlStore) -> None:
    await watch(store, "telegram:1", "telegram:2")
    await tell(store, change("posted/wsincident01/u1", incident_id="wsincident01", update_id="u1"))
    for parcel in await store.claim("telegram", 10, NOW):
        await store.settle(sent(parcel, f"m{parcel.address.target}"))
    await tell(store, edited("second"))
    assert await store.claim("telegram", 10, NOW, can_edit=True) == []
    found = {each.address.target: each.told.receipt.ref for each in await store.outdated("telegram", 10, NOW)}
    assert found == {"1": "m1", "2": "m2"}


async def test_what_is_outdated_again_while_it_is_edited_is_edited_again(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await tell(store, change("posted/wsincident01/u1", incident_id="wsincident01", update_id="u1"))
    [parcel] = await store.claim("telegram", 10, NOW)
    await store.settle(sent(parcel, "m1"))
    await tell(store, edited("second"))
    await store.claim("telegram", 10, NOW, can_edit=True)
    [first] = await store.outdated("telegram", 10, NOW)
    await tell(store, edited("third"))
    await store.claim("telegram", 10, NOW, can_edit=True)
    assert await store.outdated("telegram", 10, NOW) == [], "one edit of a message at a time"
    await store.refreshed(first, None)
    [again] = await store.outdated("telegram", 10, NOW)
    assert [change.text for change in again.told.since] == ["second", "third"]
    await store.refreshed(again, Again(at=NOW + MINUTE, plain=True))
    assert await store.outdated("telegram", 10, NOW) == []
    [plain] = await store.outdated("telegram", 10, NOW + MINUTE)
    assert (plain.attempt, plain.plain) == (2, True)
    await store.refreshed(plain, None)
    assert await store.next_due("telegram", NOW) == (None, None)


OLD = timedelta(hours=2)


async def test_what_failed_until_it_is_old_expires_and_rides_with_the_next_message(owing: SqlStore) -> None:
    [parcel] = await owing.claim("telegram", 10, NOW)
    await owing.settle(Settlement(parcel=parcel, state=State.PENDING, next_attempt_at=NOW + MINUTE))
    assert await owing.expire("telegram", NOW - OLD, NOW - OLD, NOW + 99 * OLD) == 0
    assert await owing.expire("mailto", NOW + OLD, NOW + OLD, NOW + 99 * OLD) == 0
    assert await owing.expire("telegram", NOW + OLD, NOW + OLD, NOW + 99 * OLD) == 2
    assert await owing.next_due("telegram", NOW) == (None, None)
    await tell(owing, change("c", detected_at=NOW + OLD))
    [riding] = await owing.claim("telegram", 10, NOW + OLD)
    assert keys(riding) == ["a", "b", "c"]


async def test_an_end_stays_news_longer(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await tell(store, change("a", subject="one"), change("b", subject="two", ended_at=NOW))
    assert await store.expire("telegram", NOW + MINUTE, NOW - MINUTE, NOW + 99 * OLD) == 1
    assert await states(store) == ["expired", "pending"]


async def test_the_next_hour_at_which_something_is_due(owing: SqlStore) -> None:
    due, _ = await owing.next_due("telegram", NOW)
    assert due is not None and due <= NOW
    [parcel] = await owing.claim("telegram", 10, NOW)
    assert await owing.next_due("telegram", NOW) == (NOW + LEASE, None)
    await owing.settle(sent(parcel))
    assert await owing.next_due("telegram", NOW) == (None, None)


async def test_no_clock_however_wrong_holds_back_what_is_new(owing: SqlStore) -> None:
    await subscribe(owing, "telegram:1")
    assert len(await owing.claim("telegram", 10, NOW - timedelta(days=3650))) == 1


async def test_a_clock_that_is_put_back_holds_up_no_try_even_one_that_did_not_count(owing: SqlStore) -> None:
    [parcel] = await owing.claim("telegram", 10, NOW)
    ahead = NOW + timedelta(days=1)
    await owing.settle(Settlement(parcel=parcel, state=State.PENDING, next_attempt_at=ahead, counts=False))
    await owing.expire("telegram", NOW - OLD, NOW - OLD, NOW + OLD)
    assert len(await owing.claim("telegram", 10, NOW)) == 1


async def test_a_clock_that_is_put_back_holds_up_no_edit(store: SqlStore) -> None:
    await watch(store, "telegram:1")
    await tell(store, change("posted/wsincident01/u1", incident_id="wsincident01", update_id="u1"))
    [parcel] = await store.claim("telegram", 10, NOW)
    await store.settle(sent(parcel, "m1"))
    await tell(store, edited("second"))
    await store.claim("telegram", 10, NOW, can_edit=True)
    [refresh] = await store.outdated("telegram", 10, NOW)
    await store.refreshed(refresh, Again(at=NOW + timedelta(days=1)))
    await store.expire("telegram", NOW - OLD, NOW - OLD, NOW + OLD)
    assert len(await store.outdated("telegram", 10, NOW)) == 1


async def test_first_messages_are_marked_in_as_many_statements_as_it_takes(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outdated, "CHUNK", 7)
    await watch(store, *(f"telegram:{number}" for number in range(1, 31)))
    await tell(store, change("posted/wsincident01/u1"))
    for parcel in await store.claim("telegram", 30, NOW):
        await store.settle(replace(sent(parcel, f"m{parcel.address.target}"), keeps_root=True))
    await tell(store, change("posted/wsincident01/u2", introduces=False))
    late = NOW + timedelta(days=1)
    assert await store.expire("telegram", late, late, late) == 30
    assert len(await store.outdated("telegram", 100, late)) == 30
