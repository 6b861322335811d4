"""What the program talks to, in a process of its own (`town`), as seen from here."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from bench.askers import Waited
from bench.bot_api import Rule, Tally

DAYS = 90
"""How many updates the story's incident gets: one a day."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Something arrived, or was answered in full, at `at` seconds of the clock that all processes share."""

    what: str
    """A channel's name, or the path of a page that changed."""
    at: float


@dataclass(frozen=True, slots=True)
class Ports:
    page: str
    sinks: str
    telegram: str
    smtp: int


class Peer:
    """The other process. `start` is the first instant of its story; an update is posted on each day of it."""

    def __init__(self, pipe: Connection, start: datetime) -> None:
        self._pipe = pipe
        self._start = start
        self.ports: Ports = pipe.recv()

    def show(self, day: int, *, drift: bool = True) -> None:
        """The page as of this day, and no stamps yet. With `drift` each answer is a second later than the last one:
        SystemStatus tells the time, so that no two of its answers are equal.
        """
        self._ask("show", self._start + timedelta(days=day, hours=1), timedelta(seconds=drift))

    def stamps(self) -> list[Stamp]:
        """Since the last `show`. Of Telegram's messages only the first one has a stamp."""
        stamps: list[Stamp] = self._ask("stamped")
        return stamps

    def telegram(self, rule: Rule) -> None:
        """From now on Telegram answers so, and counts anew."""
        self._ask("obey", rule)

    def tally(self) -> Tally:
        """What came to Telegram since `show` or `telegram`."""
        tally: Tally = self._ask("tallied")
        return tally

    def ask(self, per_second: float, seconds: float) -> None:
        """From now on people ask the bot, one after the other; each once (`askers`)."""
        self._ask("ask", per_second, seconds)

    def waited(self) -> list[Waited]:
        """How long everybody who asked so far waited, since the last `ask`."""
        waited: list[Waited] = self._ask("waited")
        return waited

    def _ask(self, question: str, *details: object) -> Any:
        self._pipe.send((question, details))
        return self._pipe.recv()


@contextmanager
def peer(start: datetime) -> Iterator[Peer]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_live, args=(theirs, start), daemon=True)
    process.start()
    try:
        yield Peer(ours, start)
    finally:
        process.terminate()
        process.join()


def _live(pipe: Connection, start: datetime) -> None:
    from bench.town import live  # the measured process does without the simulator's memory

    live(pipe, start)
