"""When a provider is left alone, and when it is tried again."""

from __future__ import annotations

import pytest

from notifier.breaker import FIRST_WAIT, LONGEST_WAIT, REFUSED_WAIT, THRESHOLD, TRIAL, Breaker
from notifier.ports import (
    Ambiguous,
    BadCredentials,
    BadMessage,
    ChannelFailure,
    Gone,
    Moved,
    NotSent,
    Throttled,
)
from notifier.subscription import Address
from tests.builders import NOW

DOWN = NotSent("down")
ANSWERS: dict[str, ChannelFailure] = {
    "a recipient that is gone": Gone("blocked"),
    "one that moved": Moved("a supergroup", Address("telegram", "-1")),
    "a refused text": BadMessage("can't parse"),
    "the wish for a pause": Throttled("slow down", 3),
}
PERSONAL: dict[str, ChannelFailure] = {
    "greylisting": NotSent("450 greylisted", personal=True),
    "a bug of ours": Ambiguous("KeyError", personal=True),
}


def opened(breaker: Breaker, failure: ChannelFailure = DOWN, *, now: float = 0, times: int = THRESHOLD) -> bool:
    return [breaker.failed(failure, now, NOW) for _ in range(times)][-1]


@pytest.mark.parametrize("failure", [DOWN, Ambiguous("502")], ids=["not sent", "unclear"])
def test_five_failures_in_a_row_open_it_and_four_do_not(failure: ChannelFailure) -> None:
    breaker = Breaker()
    assert not opened(breaker, failure, times=THRESHOLD - 1) and breaker.probe_in(0) is None
    assert breaker.failed(failure, 0, NOW)
    assert breaker.probe_in(10) == FIRST_WAIT - 10 and (breaker.since, breaker.refused) == (NOW, False)


def test_refused_credentials_open_it_at_once_and_a_probe_comes_every_five_minutes() -> None:
    breaker = Breaker()
    assert breaker.failed(BadCredentials("401"), 0, NOW) and breaker.refused
    for time in (REFUSED_WAIT, 2 * REFUSED_WAIT):
        assert breaker.probe_in(time) == 0
        breaker.probed(BadCredentials("401"), time, NOW)
        assert breaker.probe_in(time) == REFUSED_WAIT


@pytest.mark.parametrize("case", ANSWERS)
def test_a_provider_that_answers_is_well(case: str) -> None:
    breaker = Breaker()
    opened(breaker, times=THRESHOLD - 1)
    assert not breaker.failed(ANSWERS[case], 0, NOW)
    assert not opened(breaker, times=THRESHOLD - 1)


@pytest.mark.parametrize("case", PERSONAL)
def test_what_concerns_one_recipient_says_nothing_of_the_provider(case: str) -> None:
    breaker = Breaker()
    assert not opened(breaker, PERSONAL[case], times=100)
    opened(breaker, times=THRESHOLD - 1)
    breaker.failed(PERSONAL[case], 0, NOW)
    assert breaker.failed(DOWN, 0, NOW), "and nothing good either"


def test_waits_double_up_to_five_minutes_while_the_probes_fail() -> None:
    breaker, time, waits = Breaker(), 0.0, []
    opened(breaker)
    for _ in range(6):
        wait = breaker.probe_in(time)
        assert wait is not None
        waits.append(wait)
        time += wait
        breaker.probed(DOWN, time, NOW)
    assert waits == [30, 60, 120, 240, LONGEST_WAIT, LONGEST_WAIT]


def test_after_a_good_probe_one_message_is_tried_and_its_success_closes_it() -> None:
    breaker = Breaker()
    opened(breaker)
    breaker.probed(None, 30, NOW)
    assert breaker.probe_in(30) is None and breaker.on_trial() and breaker.since == NOW
    breaker.worked()
    assert not breaker.on_trial() and breaker.since is None


def test_a_failure_on_trial_opens_it_again_for_longer() -> None:
    breaker = Breaker()
    opened(breaker)
    breaker.probed(None, 30, NOW)
    assert breaker.failed(DOWN, 31, NOW) and breaker.probe_in(31) == 2 * FIRST_WAIT


def test_a_minute_with_nothing_to_send_ends_the_trial() -> None:
    breaker = Breaker()
    opened(breaker)
    breaker.probed(None, 30, NOW)
    breaker.idle(30 + TRIAL - 1)
    assert breaker.on_trial() and breaker.since == NOW
    breaker.idle(30 + TRIAL)
    assert not breaker.on_trial() and breaker.since is None


@pytest.mark.parametrize("case", ANSWERS)
def test_a_probe_that_gets_an_answer_is_good(case: str) -> None:
    breaker = Breaker()
    opened(breaker)
    breaker.probed(ANSWERS[case], 30, NOW)
    assert breaker.on_trial()


def test_stragglers_do_not_prolong_it() -> None:
    breaker = Breaker()
    opened(breaker)
    assert not breaker.failed(DOWN, 20, NOW) and breaker.probe_in(20) == 10


def test_it_knows_when_the_trouble_began_and_what_it_is_now() -> None:
    breaker = Breaker()
    opened(breaker)
    breaker.probed(BadCredentials("401"), 30, NOW.replace(hour=13))
    assert (breaker.since, breaker.refused, breaker.reason) == (NOW, True, "401")
