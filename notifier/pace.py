"""One channel's pace: a gap between sends, and pauses that the provider asked for. Of this process only."""

from __future__ import annotations

import asyncio


class Pace:
    """`per_second` sends at most; None: as fast as they go."""

    def __init__(self, per_second: float | None) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._next_slot = 0.0
        self._paused_until = 0.0

    async def slot(self) -> bool:
        """Waits for the next place; whether the channel may send then."""
        if self._gap:
            slot = max(self._next_slot, _loop_time())
            self._next_slot = slot + self._gap
            await asyncio.sleep(slot - _loop_time())
        return self.paused_for() <= 0

    def pause(self, seconds: float) -> None:
        """No sends for so long, or for as long as before, whichever is longer."""
        self._paused_until = max(self._paused_until, _loop_time() + seconds)

    def paused_for(self) -> float:
        """Seconds; 0 or less if it is not paused."""
        return self._paused_until - _loop_time()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
