"""Group commit: calls that come while one is served wait for it, and are then served all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from notifier.ports import StoreDown, StoreFailed

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """`serve` gets all that waits, in order, and answers in that order. What it refuses together it gets one by one:
    what one of them is refused for is no other's concern. But when the database is down all of them hear so at once:
    one by one they would wait as often, and what is written after all would be asked for again.

    `linger` is how many seconds a call waits for company.
    """

    def __init__(self, serve: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]], *, linger: float = 0) -> None:
        self._serve = serve
        self._linger = linger
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._turn = asyncio.Lock()

    async def ask(self, asked: Asked) -> Answer:
        mine: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, mine))
        await asyncio.sleep(self._linger)  # who comes meanwhile, at least who was woken at the same moment, joins in
        async with self._turn:
            if not mine.done():
                await self._serve_all()
        return await mine

    async def _serve_all(self) -> None:
        batch, self._waiting = self._waiting, []
        await self._serve_these(batch)

    async def _serve_these(self, batch: list[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._serve([asked for asked, _ in batch])
        except Exception as error:  # noqa: BLE001 - it is passed on
            if len(batch) > 1 and not isinstance(error, StoreDown):
                for each in batch:
                    await self._serve_these([each])
                return
            _settle([future for _, future in batch], error)
        except BaseException:
            _settle([future for _, future in batch], StoreFailed("interrupted"))
            raise
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)


def _settle(futures: Sequence[asyncio.Future[Answer]], error: Exception) -> None:
    for future in futures:
        if not future.done():
            future.set_exception(error)
            future.exception()  # whoever waits still gets it; whoever is gone leaves no complaint behind
