"""Waiting that ends when the process does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from telegram.error import TelegramError

Result = TypeVar("Result")

log = structlog.get_logger("inbox")


async def happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether it does within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def unless(stopping: asyncio.Event, ask: Callable[[], Awaitable[Result]]) -> Result | None:
    """What it comes to; None if it was stopped before, at once. Raises TelegramError, in place of any bug too."""
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(_outcome(ask))
        stop = tasks.create_task(stopping.wait())
        await asyncio.wait((asking, stop), return_when=asyncio.FIRST_COMPLETED)
        asking.cancel()
        stop.cancel()
    if asking.cancelled():
        return None
    found = asking.result()
    if isinstance(found, TelegramError):
        raise found
    return found


async def _outcome(ask: Callable[[], Awaitable[Result]]) -> Result | TelegramError:
    """A TaskGroup would wrap what is raised, and end for it."""
    try:
        return await ask()
    except TelegramError as error:
        return error
    except Exception as bug:
        log.exception("asking Telegram failed in a way that it may not")
        return TelegramError(f"a bug: {type(bug).__name__}")
