"""Which troubles begin and which are over: each is told once, and once more at its end. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from notifier.health import Trouble
from notifier.model import Change, Kind, Topic
from notifier.parcel import Turn

LASTS_FOR_EVER = "note"
"""The status of what is told once and never over."""


def turn(
    raised: Mapping[str, Change],
    present: Mapping[str, Trouble],
    now: datetime,
    mine: Callable[[str], bool] = bool,
) -> Turn:
    """What has to be told, given what was (`raised`) and what is wrong now; of what is not `mine` nothing is said."""
    return Turn(
        raised={
            key: begun(key, trouble, now)
            for key, trouble in present.items()
            if mine(key) and key not in raised and trouble.told_from is not None and trouble.told_from <= now
        },
        over={
            key: ended(change, now)
            for key, change in raised.items()
            if mine(key) and key not in present and change.status != LASTS_FOR_EVER
        },
    )


def begun(key: str, trouble: Trouble, now: datetime) -> Change:
    """Its subject is its own, so that its end goes into the same conversation and its return begins another."""
    subject = f"trouble/{key}/{now:%Y%m%dT%H%M%S}" if trouble.lasts else f"trouble/{key}"
    return Change(
        key=subject,
        kind=Kind.BOT_TROUBLE,
        topic=Topic.BOT,
        subject=subject,
        reason=key,
        at=now,
        detected_at=now,
        title=trouble.title,
        status="trouble" if trouble.lasts else LASTS_FOR_EVER,
        impact="major" if trouble.lasts else "none",
        text=trouble.text,
        loud=trouble.lasts,
        started_at=trouble.since if trouble.lasts else None,
    )


def as_told(change: Change) -> Trouble:
    """The trouble that `begun` made this of."""
    return Trouble(title=change.title, since=change.started_at or change.at, told_from=change.at, text=change.text)


def ended(change: Change, now: datetime) -> Change:
    """The end of what `begun` told."""
    return replace(
        change,
        key=f"{change.subject}/over",
        kind=Kind.BOT_RECOVERED,
        at=now,
        detected_at=now,
        status="over",
        text="",
        loud=False,
        introduces=False,
        ended_at=now,
    )
