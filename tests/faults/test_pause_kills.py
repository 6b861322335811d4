"""The process is killed just before and just after it has written down that a provider wants a pause."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.crowd import IN_FLIGHT, crowd, steps
from tests.receivers import answer
from tests.receivers.telegram import refusal

PEOPLE = tuple(f"telegram:{1_000_001 + number}" for number in range(2 * IN_FLIGHT))
CHANNELS = tuple(f"slack:C{number:03}" for number in range(2 * IN_FLIGHT))
PAUSE = timedelta(seconds=60)


@pytest.mark.fault("C1")
async def test_a_pause_that_was_written_outlives_the_process_and_one_that_was_not_is_asked_for_again(
    tmp_path: Path,
) -> None:
    wanted = refusal(429, "Too Many Requests: retry after 60", retry_after=PAUSE.seconds)
    points = ("after:pause:1", "before:pause:1")
    async with crowd(tmp_path, steps(1), PEOPLE, *points) as readers:
        telegram, times = readers.there.telegram, list[datetime]()
        telegram.at_each_call(lambda: times.append(readers.clock.now()))
        telegram.next(wanted)
        readers.comes(0)
        await readers.running.until(lambda: f"killed {points[0]}" in readers.running.err)
        telegram.next(wanted)
        await readers.hears(0)
        assert await readers.running.stop() == 0, readers.running.printed
    runs = {
        run: [at for at, each in zip(times, telegram.callers, strict=True) if each == run] for run in telegram.callers
    }
    first, second, _ = runs.values()
    assert min(second) - first[0] >= PAUSE, "the next process keeps it"
    for each in readers.mailboxes():
        assert each.steps == [[0]], each.name
    assert readers.left_over() == set()


@pytest.mark.fault("D1")
async def test_a_pause_of_edits_outlives_the_process_too(tmp_path: Path) -> None:
    wanted = answer(200, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(PAUSE.seconds)})
    async with crowd(tmp_path, steps(1), CHANNELS, "after:pause:1") as readers:
        slack, edited, refused = readers.there.slack, list[datetime](), list[datetime]()

        def called() -> None:
            method, _ = slack.calls[-1]
            if method == "chat.update":
                edited.append(readers.clock.now())
                if not refused and len(slack.messages) == 2 * len(CHANNELS):
                    refused.append(edited[-1])
                    slack.next(wanted)

        slack.at_each_call(called)
        readers.comes(0)
        await readers.hears(0)
        readers.comes(1)
        await readers.running.until(lambda: "killed after:pause:1" in readers.running.err)
        killed = readers.clock.now()
        await readers.hears(1)
        await readers.is_up_to_date()
        assert await readers.running.stop() == 0, readers.running.printed
    later = [at for at in edited if at > killed]
    assert later and min(later) - refused[0] >= PAUSE
    for each in readers.mailboxes():
        assert (each.steps, each.repeated) == ([[0], [1]], 0), each.name
    assert readers.left_over() == set()
