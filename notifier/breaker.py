"""Whether a provider is worth asking: closed as long as it answers, open while it does not, tried again in between.

Pure: instants are arguments, in seconds of one clock that never goes back.
"""

from __future__ import annotations

from datetime import datetime

from notifier.ports import Ambiguous, BadCredentials, ChannelFailure, NotSent

THRESHOLD = 5
"""Failures of the provider in a row that open it."""
FIRST_WAIT, LONGEST_WAIT = 30.0, 300.0
"""Seconds until the first probe; every further one comes after twice the time, up to the longest."""
REFUSED_WAIT = 300.0
"""Seconds between probes of refused credentials: a person has to act."""
TRIAL = 60.0
"""Seconds after a probe that succeeded until all is well again, if nothing waits that could show it."""


class Breaker:
    """`scale` is how long a second of the waits is by the clock that gives the instants."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._close()

    def _close(self) -> None:
        self._failures = 0
        self._openings = 0
        self._probe_at: float | None = None
        self._trial_until: float | None = None
        self._began: datetime | None = None
        self.since: datetime | None = None
        """When the trouble began; None if there is none."""
        self.refused = False
        """Whether the credentials are the trouble."""
        self.reason = ""

    def worked(self) -> None:
        """The provider took something, or said why it does not want it."""
        if self.since is not None or self._failures:
            self._close()

    def failed(self, failure: ChannelFailure, now: float, at: datetime) -> bool:
        """A call ended so; whether this opened it. `at` is `now` by the calendar."""
        refused = isinstance(failure, BadCredentials)
        if not refused and not (isinstance(failure, NotSent | Ambiguous) and not failure.personal):
            if not isinstance(failure, NotSent | Ambiguous):
                self.worked()
            return False
        if self._probe_at is not None:
            return False  # sent before it opened
        self._failures += 1
        self._began = self._began or at
        if not refused and self._failures < THRESHOLD:
            return False
        self._open(failure, refused, now, at)
        return True

    def probed(self, failure: ChannelFailure | None, now: float, at: datetime) -> None:
        """What asking the provider about the bot itself, and nothing else, came to."""
        refused = isinstance(failure, BadCredentials)
        if failure is not None and (refused or isinstance(failure, NotSent | Ambiguous)):
            self._open(failure, refused, now, at)
            return
        self._probe_at = None
        self._trial_until = now + TRIAL * self._scale
        self._failures = THRESHOLD - 1

    def probe_in(self, now: float) -> float | None:
        """How long until the provider is to be asked; None while messages may go."""
        return None if self._probe_at is None else max(0.0, self._probe_at - now)

    def on_trial(self) -> bool:
        """Whether one message at a time may go, until one succeeds."""
        return self._trial_until is not None

    def idle(self, now: float) -> None:
        """Nothing waits to be sent: after a while the probe's word is enough."""
        if self._trial_until is not None and now >= self._trial_until:
            self._close()

    def _open(self, failure: ChannelFailure, refused: bool, now: float, at: datetime) -> None:
        wait = REFUSED_WAIT if refused else min(LONGEST_WAIT, FIRST_WAIT * 2**self._openings)
        self._openings = min(self._openings + 1, 10)
        self._probe_at = now + wait * self._scale
        self._trial_until = None
        self.since = self.since or self._began or at
        self.refused = refused
        self.reason = failure.reason
