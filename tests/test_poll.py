"""The poll on a real SQLite file: what is concluded from a reading, and above all what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from notifier.model import Kind, Snapshot, Window
from notifier.poll import MISSED_READINGS, Outcome
from notifier.ports import SourceFailed, StoreFailed
from notifier.reach import NOTED
from notifier.store import fanout
from tests.builders import NOW, at, from_feed, incident, maintenance, page, update
from tests.doubles import RecordingChannel, ScriptedSource
from tests.world import ON_BOTH, Born, World

pytestmark = ON_BOTH

OPEN = update("11:29", "investigating", "We see connection errors.")
FIXED = update("11:35", "monitoring", "A fix is in.")
OVER = update("11:41", "resolved", "This incident has been resolved.")
DOWN = SourceFailed("HTTP 503", retry_after=timedelta(seconds=70))


def whole(*incidents: object, **more: object) -> Snapshot:
    """A reading in which absence means something."""
    return page(*incidents, source="summary", complete=True, **more)  # type: ignore[arg-type]


def said(outcomes: list[Outcome]) -> list[str]:
    return [str(change.phase or change.kind) for outcome in outcomes for change in outcome.changes]


async def test_a_failed_reading_changes_nothing_and_says_why(world: World) -> None:
    await world.sees(page(incident(OPEN)))
    before = await world.store.incidents()
    first, second = await world.sees(DOWN, DOWN)
    assert (first.reason, first.failures, first.retry_after) == ("HTTP 503", 1, timedelta(seconds=70))
    assert (second.failures, second.changes) == (2, ())
    assert world.poll.is_failing("summary")
    assert await world.store.incidents() == before
    [again] = await world.sees(whole(incident(OPEN)))
    assert (again.reason, again.failures, again.changes) == ("", 0, ())
    assert not world.poll.is_failing("summary")


async def test_how_each_source_fares_is_written_down(world: World) -> None:
    await world.sees(whole())
    world.clock.move(timedelta(minutes=1))
    await world.sees(DOWN)
    [summary] = [each for each in await world.store.sources() if each.name == "summary"]
    assert (summary.ok_at, summary.polled_at) == (NOW, NOW + timedelta(minutes=1))
    assert (summary.failures, summary.reason) == (1, "HTTP 503")


async def test_as_long_as_nothing_turns_it_is_written_down_once_in_a_while_only(world: World) -> None:
    polled = []
    await world.sees(whole())
    for _ in range(4):
        world.clock.move(NOTED / 2)
        await world.sees(None)
        polled.append(next(each.polled_at for each in await world.store.sources() if each.name == "summary"))
    assert polled == [NOW, NOW + NOTED, NOW + NOTED, NOW + 2 * NOTED]


async def test_a_bug_in_a_source_is_one_failed_reading_and_not_the_end(world: World) -> None:
    class Buggy(ScriptedSource):
        async def read(self) -> Snapshot | None:
            raise ZeroDivisionError

    outcome = await world.poll.page(Buggy("feed"))
    assert (outcome.reason, outcome.failures) == ("a bug: ZeroDivisionError", 1)
    assert said(await world.sees(page(incident(OPEN)))) == ["opened"]


async def test_that_the_hour_of_a_poll_cannot_be_written_spoils_no_reading(world: World) -> None:
    async with world.store.engine.begin() as connection:
        await connection.execute(text("DROP TABLE sources"))
    [outcome] = await world.sees(whole(incident(OPEN)))
    assert outcome.reason == "" and len(await world.store.open_incidents()) == 1


async def test_a_part_that_could_not_be_read_is_left_out_and_named_in_the_log(world: World) -> None:
    with capture_logs() as logged:
        [outcome] = await world.sees(page(incident(OPEN), broken=("incident 2 has no id",)))
    assert len(outcome.changes) == 1
    assert [entry["what"] for entry in logged if entry["log_level"] == "warning"] == ["incident 2 has no id"]


async def test_the_same_as_before_is_a_good_reading_without_news(world: World) -> None:
    [outcome] = await world.sees(None)
    assert outcome == Outcome()


async def test_a_reading_that_could_not_be_recorded_is_forgotten_by_its_source_and_told_later(world: World) -> None:
    async with world.store.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE changes RENAME TO elsewhere"))
    [failed] = await world.sees(page(incident(OPEN)))
    assert failed.failures == 1 and "changes" in failed.reason
    assert world.sources["incidents"].forgotten == 1
    assert await world.store.incidents() == []
    async with world.store.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE elsewhere RENAME TO changes"))
    assert said(await world.sees(page(incident(OPEN)))) == ["opened"]
    assert world.sources["incidents"].forgotten == 1


# absence


async def test_an_open_incident_that_the_page_forgot_is_withdrawn_after_it_was_asked_for(world: World) -> None:
    await world.sees(whole(incident(OPEN)))
    for _ in range(MISSED_READINGS - 1):
        await world.sees(whole())
    assert world.lookup.asked == []
    await world.sees(whole())
    assert world.lookup.asked == ["wsincident01"]
    arrived = await world.deliver()
    assert arrived[-1].subject == "[Kraken] Withdrawn: WebSocket API connection errors"
    assert await world.store.open_incidents() == []
    assert said(await world.sees(whole(), whole(), whole())) == []
    assert said(await world.sees(whole(incident(OPEN)))) == ["incident.retitled"], "it is back"
    assert world.lookup.asked == ["wsincident01"]


async def test_what_is_missing_but_still_there_under_its_own_url_gives_its_news_instead(world: World) -> None:
    world.lookup.answers["wsincident01"] = page(incident(OPEN, OVER), source="lookup")
    await world.sees(whole(incident(OPEN)), *[whole()] * MISSED_READINGS)
    assert [each.subject.split(":")[0] for each in await world.deliver()] == ["[Kraken] Resolved"]
    assert await world.store.open_incidents() == []


async def test_what_cannot_be_asked_for_stays_open_and_is_asked_for_again(world: World) -> None:
    world.lookup.answers["wsincident01"] = SourceFailed("timeout")
    await world.sees(whole(incident(OPEN)), *[whole()] * MISSED_READINGS * 2)
    assert world.lookup.asked == ["wsincident01"] * 2
    assert [each.id for each in await world.store.open_incidents()] == ["wsincident01"]


NOT_MISSING: dict[str, list[Snapshot | SourceFailed | None]] = {
    "readings in which absence means nothing": [page(), from_feed(), page(), from_feed()],
    "failed readings": [DOWN, DOWN, DOWN, DOWN],
    "readings with too little in between": [whole(), whole(), whole(incident(OPEN)), whole(), whole()],
    "readings beside another source that lists it": [page(incident(OPEN)), whole(), whole(), whole(), whole()],
}


@pytest.mark.parametrize("case", NOT_MISSING)
async def test_an_open_incident_is_not_missed_by(world: World, case: str) -> None:
    await world.sees(whole(incident(OPEN)))
    await world.sees(*NOT_MISSING[case])
    assert world.lookup.asked == []


async def test_a_reading_that_says_the_same_counts_as_one_more_without_it(world: World) -> None:
    await world.sees(whole(incident(OPEN)), whole(), None, None)
    assert world.lookup.asked == ["wsincident01"]


async def test_once_another_source_fails_its_list_counts_no_more(world: World) -> None:
    await world.sees(whole(incident(OPEN)), from_feed(incident(OPEN)), whole(), whole())
    world.sources["feed"].will_say(DOWN)
    await world.poll.page(world.sources["feed"])
    await world.sees(whole(), whole(), whole())
    assert world.lookup.asked == ["wsincident01"]


# pages and sources


async def test_another_page_is_refused_and_its_feed_too_until_the_right_one_answers(world: World) -> None:
    other = page(incident(OPEN), page_id="someoneelses")
    wrong, feed = await world.sees(other, from_feed(incident(OPEN)))
    assert "belongs to page lfz25gyhcpjf" in wrong.reason and wrong.reason == feed.reason
    assert await world.store.incidents() == []
    assert world.sources["incidents"].forgotten == world.sources["feed"].forgotten == 1
    assert said(await world.sees(page(), from_feed(incident(OPEN)))) == ["opened"]


async def test_the_first_reading_of_each_source_is_no_news_on_a_new_database(born: Born) -> None:
    world = await born()
    await world.subscribe("console:")
    over, still_open = incident(OPEN, OVER, id="over00000001"), incident(OPEN)
    outcomes = await world.sees(whole(still_open), page(still_open, over), from_feed(still_open, over))
    assert said(outcomes) == []
    assert {each.id: each.open for each in await world.store.incidents()} == {
        "wsincident01": True,
        "over00000001": False,
    }


async def test_a_source_that_answers_late_announces_only_what_is_younger_than_the_watch(born: Born) -> None:
    world = await born()
    await world.subscribe("console:")
    old = incident(update("10:00"), id="old000000001")
    young = incident(update("11:50"), id="young0000001")
    await world.sees(DOWN, page(clock=at("11:30")))
    late = await world.sees(whole(old, young))
    assert [change.incident_id for outcome in late for change in outcome.changes] == ["young0000001"]
    assert {each.id for each in await world.store.open_incidents()} == {"old000000001", "young0000001"}


async def test_a_baseline_that_failed_is_made_by_the_next_reading_and_not_announced(born: Born) -> None:
    world = await born()
    await world.subscribe("console:")
    assert said(await world.sees(DOWN, DOWN, whole(incident(OPEN), clock=NOW))) == []
    assert [each.id for each in await world.store.open_incidents()] == ["wsincident01"]


async def test_the_next_process_announces_nothing_twice_and_loses_nothing(born: Born) -> None:
    first = await born(token=1)
    await first.subscribe("console:")
    await first.sees(page(), page(incident(OPEN)))
    await first.die()
    second = await born(token=2)
    assert said(await second.sees(page(incident(OPEN)), from_feed(incident(OPEN)))) == []
    assert said(await second.sees(page(incident(OPEN, FIXED, OVER)))) == ["progress", "resolved"]


async def test_what_happened_while_nobody_watched_is_told_by_the_next_process(born: Born) -> None:
    first = await born(token=1)
    await first.subscribe("console:")
    await first.sees(page())
    await first.die()
    second = await born(token=2)
    second.clock.move(timedelta(days=3))
    while_away = incident(update("9:00", at=at("9:00", 1)), update("10:00", "resolved", at=at("10:00", 1)))
    assert said(await second.sees(page(while_away))) == ["opened", "resolved"]
    [told] = await second.deliver()
    assert "Late: posted 25 Feb 10:00 UTC" in told.text


# what no reading says


@pytest.mark.fault("H8")
async def test_a_maintenance_is_announced_again_shortly_before_its_start_and_only_once(world: World) -> None:
    lead = timedelta(minutes=30)
    assert (await world.poll.remind(lead)).changes == ()
    await world.sees(page(maintenance(update("6:00", "scheduled"), window=Window(start=at("12:40")))))
    assert (await world.poll.remind(lead)).changes == ()
    world.clock.move(timedelta(minutes=15))
    [due] = (await world.poll.remind(lead)).changes
    assert due.kind is Kind.MAINTENANCE_DUE
    assert (await world.poll.remind(lead)).changes == ()
    assert len((await world.deliver())[0].message.delivery_ids) == 2


async def test_a_reminder_that_cannot_be_written_is_no_end_of_the_world(world: World) -> None:
    await world.sees(page(maintenance(update("6:00", "scheduled"), window=Window(start=at("12:20")))))
    async with world.store.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE known RENAME TO elsewhere"))
    outcome = await world.poll.remind(timedelta(minutes=30))
    await world.poll.welcome("Kraken")
    assert "known" in outcome.reason and outcome.changes == ()


async def test_an_open_incident_that_moved_within_the_hour_makes_the_poll_active(world: World) -> None:
    assert not world.poll.is_active()
    await world.sees(page(incident(OPEN)))
    assert world.poll.is_active()
    world.clock.move(timedelta(minutes=30))
    assert not world.poll.is_active()
    await world.sees(page(incident(OPEN, update("12:10", "identified"))))
    assert world.poll.is_active()
    await world.sees(page(incident(OPEN, update("12:10", "identified"), update("12:20", "resolved"))))
    assert not world.poll.is_active()


async def test_senders_are_woken_by_news_and_by_nothing_else(world: World) -> None:
    woken: list[str] = []
    world.poll._told = lambda: woken.append("told")
    await world.sees(page(incident(OPEN)), page(incident(OPEN)), None, DOWN)
    assert woken == ["told"]


async def test_a_failed_poll_followed_by_unchanged_ones_withdraws_nothing(world: World) -> None:
    await world.sees(whole(incident(OPEN)), DOWN, *[None] * (2 * MISSED_READINGS))
    assert world.lookup.asked == []


async def test_the_rest_of_a_failed_fan_out_is_written_later(born: Born, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "CHUNK", 2)
    monkeypatch.setattr(fanout, "LATER_CHUNK", 2)
    world = await born(RecordingChannel("telegram"))
    await world.subscribe(*(f"telegram:{number}" for number in range(1, 8)))
    await world.sees(page())
    whole_store = world.store.fan_out

    async def fails_once() -> bool:
        monkeypatch.setattr(world.store, "fan_out", whole_store)
        raise StoreFailed("disk full")

    monkeypatch.setattr(world.store, "fan_out", fails_once)
    [outcome] = await world.sees(page(incident(OPEN)))
    assert outcome.reason == "" and len(outcome.changes) == 1, "the reading itself is recorded"
    assert await world.store.counts() == {"pending": 2}
    await world.poll.finish()
    assert len(await world.deliver("telegram")) == 7
