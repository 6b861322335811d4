"""How the inbox fares: what the log and the watch say of it, each thing once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from telegram.error import Conflict, InvalidToken, TelegramError

from notifier.known import InboxState
from notifier.ports import Clock

CALM = timedelta(minutes=1)
"""Two who read get a turn each now and then: a conflict is over when there was none for so long."""

_CONFLICT = "another program reads the bot's commands, or Telegram sends them to another address"
_REFUSED = "Telegram refuses the bot's token"

log = structlog.get_logger("inbox")


class Condition:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = InboxState(name="telegram")
        self._conflict_at: datetime | None = None

    def state(self) -> InboxState:
        return self._state

    def worked(self) -> None:
        """Telegram answered, and nothing stands between."""
        now = self._clock.now()
        if self._state.failing_since is None or not self._contested(now):
            if self._state.failing_since is not None:
                log.info("commands are read again")
            self._state = InboxState(name=self._state.name)
        self._state = replace(self._state, heard_at=now)

    def failed(self, error: TelegramError) -> None:
        """It did not."""
        self.suffers(_reason(error), conflict=isinstance(error, Conflict), refused=isinstance(error, InvalidToken))

    def suffers(self, reason: str, *, conflict: bool = False, refused: bool = False) -> None:
        """A trouble of another kind is another trouble; only a conflict outlasts the others for a while."""
        now, state = self._clock.now(), self._state
        if conflict:
            self._conflict_at = now
        conflict = self._contested(now)
        if state.failing_since is None or (conflict, refused) != (state.conflict, state.refused):
            state = replace(state, failing_since=now)
            log.warning("commands are not read", reason=reason)
        self._state = replace(state, conflict=conflict, refused=refused, reason=reason)

    def _contested(self, now: datetime) -> bool:
        return self._conflict_at is not None and now - self._conflict_at < CALM


def _reason(error: TelegramError) -> str:
    if isinstance(error, Conflict):
        return _CONFLICT
    return _REFUSED if isinstance(error, InvalidToken) else error.message
