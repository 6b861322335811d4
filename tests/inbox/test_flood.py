"""How much anybody may ask."""

from __future__ import annotations

from datetime import timedelta

from notifier.inbox.flood import MOST, Flood, Verdict
from tests.builders import NOW

SECOND = timedelta(seconds=1)


def flood() -> Flood:
    return Flood(3, 2 * SECOND)


def test_so_many_at_once_are_answered_and_the_first_beyond_is_told_so_and_the_rest_ignored() -> None:
    asked = flood()
    assert [asked.asks("ada", NOW) for _ in range(6)] == [
        *[Verdict.ADMIT] * 3,
        Verdict.TELL,
        Verdict.IGNORE,
        Verdict.IGNORE,
    ]


def test_after_that_one_is_answered_at_a_time_and_nothing_is_said_again_until_it_calms_down() -> None:
    asked = flood()
    for _ in range(4):
        asked.asks("ada", NOW)
    verdicts = [asked.asks("ada", NOW + n * SECOND) for n in range(1, 7)]
    assert verdicts == [Verdict.IGNORE, Verdict.ADMIT, Verdict.IGNORE, Verdict.ADMIT, Verdict.IGNORE, Verdict.ADMIT]
    calm = NOW + 60 * SECOND
    assert [asked.asks("ada", calm) for _ in range(4)][-1] is Verdict.TELL


def test_nobody_pays_for_another() -> None:
    asked = flood()
    for _ in range(5):
        asked.asks("ada", NOW)
    assert asked.asks("bob", NOW) is Verdict.ADMIT


def test_a_clock_that_goes_back_keeps_nobody_out_for_longer_than_a_burst() -> None:
    asked = flood()
    for _ in range(3):
        asked.asks("ada", NOW)
    before = NOW - timedelta(days=1)
    assert asked.asks("ada", before) is Verdict.TELL
    assert asked.asks("ada", before + 6 * SECOND) is Verdict.ADMIT


def test_no_crowd_fills_the_memory() -> None:
    asked = flood()
    for number in range(MOST + 50):
        asked.asks(str(number), NOW)
    assert len(asked._buckets) == MOST
