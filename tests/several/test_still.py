"""The process that tells stands still, or is cut off from the database, for longer than its lease."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.ports import sending
from tests.faults.crowd import steps
from tests.postgres import Databases
from tests.receivers import silence
from tests.several.fleet import DUTIES, IN_FLIGHT, SHORT, Fleet, fleet
from tests.store.wire import wire


async def in_the_middle(told: Fleet) -> str:
    """Who tells the first step: it has as much under way as it may, and nobody answers."""
    slack, telegram = told.there.slack, told.there.telegram
    slack.next(*[silence()] * IN_FLIGHT)
    told.comes(0)
    await told.is_told(20)
    telegram.next(*[silence()] * IN_FLIGHT)
    held = len(telegram.calls) + IN_FLIGHT
    await telegram.until(lambda: len(telegram.calls) == held, 30)
    await slack.until(lambda: len(slack.calls) == IN_FLIGHT, 30)
    return told.holder(sending("telegram"))


@pytest.mark.fault("B18", "B19", "H9")
async def test_a_process_that_stood_still_begins_nothing_stands_by_and_is_there_when_it_is_wanted(
    postgresql: Databases, tmp_path: Path
) -> None:
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(1), lease=SHORT) as told:
            telegram = told.there.telegram
            await told.go_to_work("a", "b")
            asleep = await in_the_middle(told)
            [other] = {"a", "b"} - {asleep}
            moment = told.stop(asleep)
            await told.next_of(telegram, moment, asleep)
            await told.is_held(*DUTIES, by=other)
            await told.hears(0)
            told.there.slack.release()
            telegram.release()
            told.wake(asleep)
            await told.logs(asleep, "off duty", len(DUTIES))
            assert asleep not in telegram.callers[telegram.callers.index(other) :]
            told.kill(other)
            await told.is_held(*DUTIES, by=asleep)
            told.comes(1)
            await told.hears(1)
        told.everybody_has(2, repeated=2 * IN_FLIGHT)
        assert telegram.callers[-1] == asleep


@pytest.mark.fault("B18", "B12")
async def test_a_process_that_the_database_does_not_hear_leaves_the_rest_to_another(
    postgresql: Databases, tmp_path: Path
) -> None:
    with postgresql.one() as url:
        async with wire(url) as (line, over_it), fleet(tmp_path, url, steps(1), lease=SHORT) as told:
            await told.start("a", STORE__URL=over_it)
            await told.is_held(*DUTIES, by="a")
            await told.go_to_work("b")
            told.comes(0)
            await told.is_told(20)
            line.fall_silent()
            await told.is_held(*DUTIES, by="b")
            await told.hears(0)
            line.speak()
            told.comes(1)
            await told.hears(1)
            assert await told.ends("b") == 0
            await told.is_held(*DUTIES, by="a")
        told.everybody_has(2, repeated=IN_FLIGHT)
