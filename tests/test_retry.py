"""What follows from each failure, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from notifier.model import State
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
from notifier.retry import MAX_BAD, POLICIES, Decision, Policy, decide, next_poll
from notifier.subscription import Address

POLICY = Policy(waits=(1, 5, 15), horizon=timedelta(hours=1))
NEW = Address("telegram", "-1009")


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def after(failure: ChannelFailure, policy: Policy = POLICY, **more: Any) -> Decision:
    """With full jitter, so that the waits are those of the policy."""
    given: dict[str, Any] = {"attempt": 1, "plain": False, "can_find": False, "jitter": 1.0}
    return decide(failure, policy, **{**given, **more})


DECISIONS: dict[str, tuple[Decision, Decision]] = {
    "certainly not sent: again, a little later": (
        after(NotSent("refused")),
        Decision(state=State.PENDING, after=seconds(1)),
    ),
    "not sent for the second time: later": (
        after(NotSent("refused"), attempt=2),
        Decision(state=State.PENDING, after=seconds(5)),
    ),
    "not sent for the hundredth time: as late as it gets": (
        after(NotSent("refused"), attempt=100),
        Decision(state=State.PENDING, after=seconds(15)),
    ),
    "throttled: a pause, and no try is counted": (
        after(Throttled("slow down", 30)),
        Decision(state=State.PENDING, after=seconds(30.5), counts=False, pause=seconds(30.5)),
    ),
    "throttled without a word about how long": (
        after(Throttled("slow down")),
        Decision(state=State.PENDING, after=seconds(30.5), counts=False, pause=seconds(30.5)),
    ),
    "throttled for no time at all": (
        after(Throttled("slow down", 0)),
        Decision(state=State.PENDING, after=seconds(0.5), counts=False, pause=seconds(0.5)),
    ),
    "throttled for ages: asked again after an hour": (
        after(Throttled("slow down", 10**9)),
        Decision(state=State.PENDING, after=seconds(3600.5), counts=False, pause=seconds(3600.5)),
    ),
    "moved: at once, to the new address": (
        after(Moved("a supergroup now", NEW)),
        Decision(state=State.PENDING, moved_to=NEW),
    ),
    "gone: never again": (after(Gone("blocked")), Decision(state=State.FAILED, gone=True)),
    "refused text: at once again, plain": (
        after(BadMessage("can't parse")),
        Decision(state=State.PENDING, plain=True),
    ),
    "plain text refused: once more, later": (
        after(BadMessage("can't parse"), attempt=2, plain=True),
        Decision(state=State.PENDING, plain=True, after=seconds(5)),
    ),
    "refused text for the last time": (
        after(BadMessage("can't parse"), attempt=MAX_BAD, plain=True),
        Decision(state=State.DEAD),
    ),
    "refused text for the first time, after other failures: once more, plain": (
        after(BadMessage("can't parse"), attempt=MAX_BAD),
        Decision(state=State.PENDING, plain=True),
    ),
    "refused credentials: no try is counted, and the breaker says when": (
        after(BadCredentials("401"), attempt=50),
        Decision(state=State.PENDING, counts=False),
    ),
    "unclear, where the provider can be asked: asked, but not at once": (
        after(Ambiguous("timeout"), can_find=True),
        Decision(state=State.UNKNOWN, after=seconds(3)),
    ),
    "unclear, where it cannot be asked: sent again": (
        after(Ambiguous("timeout"), attempt=2),
        Decision(state=State.UNKNOWN, after=seconds(5)),
    ),
    "unclear, where doubles are unwanted: left": (
        after(Ambiguous("timeout"), Policy(waits=(1,), horizon=seconds(1), resend_ambiguous=False)),
        Decision(state=State.UNKNOWN, after=None),
    ),
    "unclear, where doubles are unwanted but it can be asked: asked": (
        after(Ambiguous("timeout"), Policy(waits=(1,), horizon=seconds(1), resend_ambiguous=False), can_find=True),
        Decision(state=State.UNKNOWN, after=seconds(3)),
    ),
    "unclear for the fiftieth time: still asked, for its age decides": (
        after(Ambiguous("timeout"), Policy(waits=(1, 600), horizon=seconds(1)), attempt=50, can_find=True),
        Decision(state=State.UNKNOWN, after=seconds(600)),
    ),
    "a failure that nobody has a name for counts as unclear": (
        after(ChannelFailure("?")),
        Decision(state=State.UNKNOWN, after=seconds(1)),
    ),
}


@pytest.mark.parametrize("case", DECISIONS)
def test_decisions(case: str) -> None:
    found, expected = DECISIONS[case]
    assert found == expected


def test_jitter_spreads_the_wait_from_almost_nothing_to_all_of_it() -> None:
    waits = [after(NotSent("refused"), attempt=3, jitter=jitter).after for jitter in (0.0, 0.5, 0.999)]
    assert waits == [seconds(0.1), seconds(7.5), seconds(14.985)]


@pytest.mark.parametrize("channel", POLICIES)
def test_each_channel_waits_ever_longer_and_gives_up_before_its_news_is_old(channel: str) -> None:
    policy = POLICIES[channel]
    assert list(policy.waits) == sorted(set(policy.waits))
    assert seconds(policy.waits[-1]) < policy.horizon


POLLS: dict[str, tuple[dict[str, Any], float]] = {
    "as usual": ({"failures": 0, "retry_after": None}, 20),
    "a failure or two change nothing": ({"failures": 2, "retry_after": None}, 20),
    "the third failure doubles the wait": ({"failures": 3, "retry_after": None}, 40),
    "the fourth doubles it again": ({"failures": 4, "retry_after": None}, 80),
    "five minutes are the longest": ({"failures": 30, "retry_after": None}, 300),
    "a million failures overflow nothing": ({"failures": 10**6, "retry_after": None}, 300),
    "the server's wish": ({"failures": 1, "retry_after": seconds(70)}, 70),
    "the server's wish to be asked at once": ({"failures": 1, "retry_after": seconds(0)}, 20),
    "the server's wish, beyond our own patience": ({"failures": 9, "retry_after": seconds(900)}, 900),
    "an interval beyond five minutes is never cut": ({"usual": 3600, "failures": 9, "retry_after": None}, 3600),
}


@pytest.mark.parametrize("case", POLLS)
def test_when_a_source_is_asked_again(case: str) -> None:
    given, expected = POLLS[case]
    assert next_poll(**{"usual": 20, **given}) == expected
