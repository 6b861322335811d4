"""What follows from a failure: a decision as a value. Pure; `jitter` in [0, 1) is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifier.model import Change, Kind, State
from notifier.ports import (
    BadCredentials,
    BadMessage,
    ChannelFailure,
    Gone,
    Moved,
    NotSent,
    Throttled,
)
from notifier.subscription import Address


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How one channel retries."""

    waits: tuple[float, ...]
    """Seconds before the second, third, … try; the last one repeats."""
    horizon: timedelta
    """News older than this is no news any more: it rides in the next message of its conversation."""
    resend_ambiguous: bool = True
    """Whether to send again what may have arrived, where the provider cannot be asked."""


POLICIES: Mapping[str, Policy] = {
    "slack": Policy(waits=(1, 5, 15, 60, 180, 600), horizon=timedelta(hours=6)),
    "slack-webhook": Policy(waits=(1, 5, 15, 60, 180, 600), horizon=timedelta(hours=6)),
    "telegram": Policy(waits=(1, 3, 10, 30, 60, 300), horizon=timedelta(hours=2)),
    "mailto": Policy(waits=(60, 300, 900, 1800, 3600), horizon=timedelta(hours=24)),
    "console": Policy(waits=(1, 5, 15), horizon=timedelta(hours=1)),
}
"""By channel. Greylisting wants a quarter of an hour; Telegram and Slack only a moment."""

END_HORIZON = timedelta(hours=24)
"""That something is over stays news for a day, and so does what an operator tells everybody."""

FLAP_HORIZON = timedelta(hours=1)
"""A component's state without an incident is news for an hour: it may have changed back since."""

LONGEST_PAUSE = 3600
"""Seconds. A provider that wants more is asked again after this."""

MAX_BAD = 3
"""Refusals of one message, the plain form included, before it is given up."""

MAX_BUGS = 8
"""Tries of one message that ended in a bug of ours before it is given up."""

MAX_TRIES = 100
"""Tries of one message that may have arrived before it is given up; more than any horizon holds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What to do with the parcel, and with its channel."""

    state: State
    after: timedelta | None = None
    """When to try again; None: at once if pending, never otherwise."""
    counts: bool = True
    plain: bool = False
    gone: bool = False
    moved_to: Address | None = None
    pause: timedelta | None = None
    """What the provider wants, of whatever it means by that."""


def decide(
    failure: ChannelFailure, policy: Policy, *, attempt: int, plain: bool, can_find: bool, jitter: float
) -> Decision:
    """What becomes of a parcel whose `attempt`-th try (from 1) ended so; `plain`: its rich form was refused before.

    What may have arrived is asked for, sent again or left, until it is too old to be news.
    """
    wait = timedelta(seconds=max(0.1, policy.waits[min(attempt, len(policy.waits)) - 1] * jitter))
    match failure:
        case NotSent():
            return Decision(state=State.PENDING, after=wait)
        case Throttled():
            wish = failure.retry_after if failure.retry_after is not None else 30
            pause = timedelta(seconds=min(wish, LONGEST_PAUSE) + 0.5)
            return Decision(state=State.PENDING, after=pause, counts=False, pause=pause)
        case Moved():
            return Decision(state=State.PENDING, moved_to=failure.to)
        case Gone():
            return Decision(state=State.FAILED, gone=True)
        case BadMessage():
            if plain and attempt >= MAX_BAD:
                return Decision(state=State.DEAD)
            return Decision(state=State.PENDING, plain=True, after=wait if plain else None)
        case BadCredentials():
            return Decision(state=State.PENDING, counts=False)
    if can_find:
        return Decision(state=State.UNKNOWN, after=max(wait, timedelta(seconds=3)))
    return Decision(state=State.UNKNOWN, after=wait if policy.resend_ambiguous else None)


def is_past(change: Change, now: datetime) -> bool:
    """Whether it announces what has begun by now, so that not even a message of other news should hold it."""
    return change.kind is Kind.MAINTENANCE_DUE and change.window is not None and change.window.start <= now


def lasts(change: Change) -> bool:
    """Whether it stays news for END_HORIZON at least."""
    return change.ended_at is not None or change.kind is Kind.BROADCAST


def is_news(change: Change, since: datetime, policy: Policy, now: datetime) -> bool:
    """Whether it may still be told as news, to somebody for whom it is news `since` then.

    A reminder is, until what it reminds of begins; an end and an operator's word, for a day at least; a component's
    flap, for an hour at most.
    """
    if is_past(change, now):
        return False
    horizon = policy.horizon
    if change.kind is Kind.COMPONENT_CHANGED:
        horizon = min(horizon, FLAP_HORIZON)
    elif lasts(change):
        horizon = max(horizon, END_HORIZON)
    return now - since <= horizon


def next_poll(usual: float, *, failures: int, retry_after: timedelta | None) -> float:
    """Seconds until a source is asked again: as usual, twice as long from the third failure on up to five minutes, and
    never before the server wants it.
    """
    wait = usual if failures < 3 else max(usual, min(300, usual * 2 ** min(failures - 2, 10)))
    return max(wait, retry_after.total_seconds() if retry_after else 0)
