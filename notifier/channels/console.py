"""The terminal: what is told when nobody else is, and what the demonstration shows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial

from notifier.markup import plain
from notifier.message import Message, Receipt
from notifier.ports import BadMessage, Throttles
from notifier.subscription import Address
from notifier.transport import only_failures


def compose(message: Message) -> str:
    """The time at which it is told, the text, and an empty last line."""
    return f"{message.date:%H:%M:%S} UTC\n{plain(message.lines)}\n"


async def _unawaited_at_exit(work: Callable[[], None]) -> None:
    """On a thread that the interpreter does not wait for: a terminal that is stopped may never take the text."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(None)

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - it is raised where the text was sent
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=run, daemon=True).start()
    await done


class Console:
    """`write` ends the line after each text, as `print` does. It may block."""

    name = "console"
    throttles: Throttles = "all"
    can_edit = False
    can_find = False
    keeps_root = False

    def __init__(self, write: Callable[[str], None]) -> None:
        self.notes: list[str] = []
        self._write = write

    async def send(self, to: Address, message: Message) -> Receipt:
        with only_failures("the terminal"):
            await _unawaited_at_exit(partial(self._write, compose(message)))
        return Receipt(to=to.target, ref=message.delivery_ids[-1], root=message.thread is None)

    async def edit(self, receipt: Receipt, message: Message) -> None:
        raise BadMessage("what stands on a terminal cannot be edited")

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return None

    async def check(self) -> str:
        return "this terminal"

    async def close(self) -> None:
        """Nothing to do: the terminal belongs to the caller."""
