"""The program is killed from outside while it tells some hundred readers, again and again.

Nobody misses anything; Slack has everything once; on Telegram a kill repeats no more than was under way; a repeated
mail is the very same; what was folded into one message stays one.
"""

from __future__ import annotations

import asyncio
import os
import signal
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from notifier.store.fanout import CHUNK
from tests.faults.child import OUTSIDE
from tests.faults.crowd import IN_FLIGHT, Killer, crowd, steps
from tests.receivers import silence

PEOPLE = (
    *(f"telegram:{1_000_001 + number}" for number in range(200)),
    *(f"slack:C{number:03}" for number in range(60)),
    *(f"mailto:reader{number}@example.com" for number in range(60)),
)
KILLS = int(os.environ.get("KILLS", "18"))
SEED = int(os.environ.get("KILLS_SEED", "20260224"))


def moments(dice: Random) -> list[int]:
    """After how many kills each update comes: some while the one before is still being told, some much later."""
    found = [0]
    while (later := found[-1] + dice.randint(5, 40)) < KILLS:
        found.append(later)
    return found


@pytest.mark.fault("B3", "B4", "B5", "F3", "H2")
async def test_of_a_program_that_is_killed_again_and_again_everybody_gets_everything(tmp_path: Path) -> None:
    dice = Random(SEED)
    updates = moments(dice)
    async with crowd(tmp_path, steps(len(updates)), PEOPLE, *[OUTSIDE] * KILLS) as readers:
        killer = Killer(readers, dice)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(killer.kill(KILLS))
            for step, kill in enumerate(updates):
                await killer.has_killed(kill)
                readers.comes(step)
        readers.comes(len(updates))
        await readers.hears(len(updates))
        await readers.is_up_to_date()
        assert await readers.running.stop() == 0, readers.running.printed
    boxes, cut_off = readers.mailboxes(), readers.repeated_after()
    for each in boxes:
        assert list(chain(*each.steps)) == list(range(len(updates) + 1)), f"{each.name}: every step once, in order"
        assert each.repeated == 0 or not each.name.startswith("slack:"), each.name
    assert 0 < max(cut_off.values()) <= IN_FLIGHT
    assert any(len(told) > 1 for each in boxes for told in each.steps), "some of it in one message"
    assert readers.left_over() == set()


@pytest.mark.fault("F1", "F2")
async def test_sigterm_within_a_fan_out_leaves_the_rest_to_the_next_process_and_repeats_nothing(tmp_path: Path) -> None:
    async with crowd(tmp_path, steps(1), PEOPLE) as readers:
        telegram = readers.there.telegram
        readers.comes(0)
        await telegram.until(lambda: len(telegram.messages) >= 40)
        held = len(telegram.calls) + IN_FLIGHT
        telegram.next(*[silence()] * IN_FLIGHT)
        await telegram.until(lambda: len(telegram.calls) == held)
        readers.running.process.send_signal(signal.SIGTERM)
        await readers.there.time.until_quiet()
        readers.running.process.send_signal(signal.SIGTERM)
        under_way = len(telegram.messages)
        telegram.release()
        assert await readers.running.ended() == 0, readers.running.printed
    assert 40 <= under_way < 200, "it was stopped in the middle"
    boxes = readers.mailboxes()
    assert {each.name: each.steps for each in boxes} == {address: [[0]] for address in PEOPLE}
    assert [each.name for each in boxes if each.repeated] == []
    assert len(set(telegram.callers)) == 2, "one process after the other"
    assert readers.left_over() == set()


@pytest.mark.fault("B5", "F5")
async def test_killed_between_two_chunks_of_a_fan_out_it_writes_the_other_one_at_its_next_start(tmp_path: Path) -> None:
    many = tuple(f"telegram:{1_000_001 + number}" for number in range(CHUNK + 200))
    points = ("before:fan_out:2", "after:fan_out:1")
    async with crowd(tmp_path, steps(1), many, *points) as readers:
        readers.comes(0)
        await readers.hears(0)
        assert await readers.running.stop() == 0, readers.running.printed
    for each in readers.mailboxes():
        assert each.steps == [[0]], each.name
    assert max(readers.repeated_after().values(), default=0) <= IN_FLIGHT
    assert [line for line in readers.running.err if line.startswith("killed")] == [f"killed {each}" for each in points]
    assert readers.left_over() == set()
