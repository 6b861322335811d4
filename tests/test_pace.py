"""How fast a channel may be used, by instants that the test gives."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.pace import LIMITS, RAMP, Limits, Pace, chat_of
from notifier.subscription import Address

TELEGRAM = LIMITS["telegram"]


def booked(pace: Pace, count: int, now: float = 0) -> list[float]:
    """When so many messages go that all want to at once, each to a chat of its own."""
    times = []
    for number in range(count):
        now += max(0.0, pace.wait(now))
        pace.went(f"c{number}", number, now)
        times.append(round(now, 6))
    return times


def gaps(times: list[float]) -> list[float]:
    return [round(later - earlier, 6) for earlier, later in pairwise(times)]


def test_without_limits_everything_goes_at_once() -> None:
    assert booked(Pace(Limits()), 100) == [0] * 100


def test_telegram_never_bursts_not_even_after_a_rest() -> None:
    pace = Pace(TELEGRAM)
    assert gaps(booked(pace, 5)) == [0.03, 0.04, 0.04, 0.04]
    assert gaps(booked(pace, 5, now=1000)) == [0.03, 0.04, 0.04, 0.04]


def test_who_leaves_late_is_made_up_for_by_a_hundredth_of_a_second_and_no_more() -> None:
    pace = Pace(TELEGRAM)
    pace.went("7", 1, 0)
    pace.went("8", 2, 5)
    assert round(pace.wait(5), 6) == 0.03


def test_slack_answers_a_few_channels_at_once_and_many_one_after_the_other() -> None:
    times = booked(Pace(LIMITS["slack"]), 30)
    assert times[:20] == [0] * 20 and gaps(times[21:]) == [0.2] * 8


def test_a_chat_rests_after_each_message_and_others_do_not() -> None:
    pace = Pace(TELEGRAM)
    pace.went("7", 1, 0)
    assert pace.rests("7", 1, 0) == 1 and pace.rests("8", 2, 0) == 0
    assert pace.resting(0.5) == {1} and pace.resting(1) == set()


def test_the_topics_of_a_forum_share_their_chat_s_allowance() -> None:
    assert chat_of(Address("telegram", "-100/42")) == chat_of(Address("telegram", "-100"))
    pace = Pace(TELEGRAM)
    pace.went("-100", 1, 0)
    assert pace.rests("-100", 2, 0.5) == 0.5
    assert pace.resting(0.5) == {1, 2}, "whoever asked in vain is known from then on"


@pytest.mark.parametrize(("chat", "most"), [("-100", 18), ("@channel", 18), ("7", 60)])
def test_a_group_gets_eighteen_a_minute_and_a_person_one_a_second(chat: str, most: int) -> None:
    pace, now, sent = Pace(TELEGRAM), 0.0, []
    while now < 300:
        rest = pace.rests(chat, 1, now)
        if rest > 0:
            now += rest
        else:
            pace.went(chat, 1, now)
            sent.append(now)
    for start in sent:
        assert sum(start <= each < start + 60 for each in sent) <= most
    assert len(sent) == 5 * most


def test_after_a_pause_the_first_ones_come_slowly_and_the_rate_is_reached_again() -> None:
    pace = Pace(TELEGRAM)
    pace.resume(30)
    times = booked(pace, 400)
    assert times[0] == 30
    assert sum(each < 31 for each in times) <= 8, "no burst"
    assert gaps(times)[-1] == 0.04
    assert sum(each < 30 + 2 * RAMP for each in times) > 300


@pytest.mark.parametrize("channel", LIMITS)
def test_no_channel_bursts_after_a_pause(channel: str) -> None:
    pace = Pace(LIMITS[channel])
    pace.resume(30)
    times = booked(pace, 30)
    assert min(times) == 30 and sum(each < 31 for each in times) <= 4
    ramped = booked(pace, 30, now=30 + RAMP)
    assert sum(each == ramped[0] for each in ramped) <= 1 or LIMITS[channel].per_second is None


def test_edits_of_slack_have_a_rate_of_their_own() -> None:
    limits = LIMITS["slack"].edits
    assert limits is not None
    pace = Pace(limits)
    assert pace.free(0) == 10
    booked(pace, 10)
    assert pace.free(0) == 0 and pace.free(1.5) == 1
    assert sum(each <= 60 for each in booked(pace, 60)) <= 50, "chat.update allows fifty a minute"


def test_a_faster_clock_makes_everything_faster() -> None:
    pace = Pace(TELEGRAM, scale=0.1)
    assert gaps(booked(pace, 3)) == [0.003, 0.004]
    pace.went("7", 1, 10)
    assert round(pace.rests("7", 1, 10), 6) == 0.1


def test_what_no_longer_matters_is_forgotten() -> None:
    pace = Pace(TELEGRAM)
    booked(pace, 1000)
    pace.resting(1000)
    assert pace._chats == {}


@given(
    st.lists(st.tuples(st.floats(0, 2), st.integers(0, 5)), max_size=80),
    st.sampled_from([TELEGRAM, Limits(per_second=3, burst=4, gap=1)]),
)
def test_whatever_is_asked_for_the_rate_is_kept(asked: list[tuple[float, int]], limits: Limits) -> None:
    pace, now, sent = Pace(limits), 0.0, list[float]()
    for pause, chat in asked:
        now += pause
        if pace.rests(f"{chat}", chat, now) <= 0:
            now += max(0.0, pace.wait(now))
            pace.went(f"{chat}", chat, now)
            sent.append(now)
    assert sent == sorted(sent) and limits.per_second is not None
    for place, start in enumerate(sent):
        within = sum(each < start + 1 - 1e-9 for each in sent[place:])
        assert within <= limits.burst + limits.per_second + 1
