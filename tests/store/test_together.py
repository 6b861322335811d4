"""Calls that are served together, and what becomes of them if one of them cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from notifier.ports import StoreFailed
from notifier.store.together import Together


class Clerk:
    """Doubles numbers; with a negative one among them serves none."""

    def __init__(self) -> None:
        self.served: list[list[int]] = []

    async def serve(self, asked: Sequence[int]) -> Sequence[int]:
        self.served.append(list(asked))
        if min(asked) < 0:
            raise StoreFailed("less than nothing")
        return [2 * each for each in asked]


async def test_calls_of_the_same_moment_are_served_together_and_answered_each() -> None:
    clerk = Clerk()
    together = Together(clerk.serve)
    assert await asyncio.gather(*map(together.ask, (1, 2, 3))) == [2, 4, 6]
    assert clerk.served == [[1, 2, 3]]


async def test_one_that_cannot_be_served_holds_up_no_other() -> None:
    together = Together(Clerk().serve, linger=0.01)
    first, second, third = await asyncio.gather(*map(together.ask, (1, -2, 3)), return_exceptions=True)
    assert (first, third) == (2, 6)
    assert isinstance(second, StoreFailed)
