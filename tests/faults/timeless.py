"""An event loop whose time passes only while nothing else can happen, and which runs the same way every time.

Whoever sleeps has slept at once. A thread's answer is taken only when everything that could run has run, so that it
does not matter how fast the thread is; only one may be asked at a time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

RESOLUTION = 1e-5


class _Selector(selectors.DefaultSelector):
    loop: TimelessLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return []
        events: list[tuple[selectors.SelectorKey, int]] = []
        if not self.loop.answers:
            if timeout is not None and not self.loop.asked:
                self.loop.skip(timeout)
                return []
            events = super().select()
        self.loop.take_answers()
        return events


class TimelessLoop(asyncio.SelectorEventLoop):
    """`asked` counts the questions to threads that are under way: until they are answered no time passes."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers: deque[tuple[Callable[..., object], tuple[Any, ...], Context | None]] = deque()
        self._passed = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)
        self._clock_resolution = RESOLUTION

    def time(self) -> float:
        return self._passed

    def skip(self, seconds: float) -> None:
        self._passed = round(self._passed + seconds, 6)

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> None:
        self.answers.append((callback, args, context))
        self._write_to_self()  # type: ignore[attr-defined]

    def take_answers(self) -> None:
        while self.answers:
            callback, args, context = self.answers.popleft()
            self.call_soon(callback, *args, context=context)
