"""The terminal: what is told when nobody else is, and what the demonstration shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from notifier.channels.transport import only_failures
from notifier.markup import plain
from notifier.message import Message, Receipt
from notifier.model import Address
from notifier.ports import BadMessage


def compose(message: Message) -> str:
    """The time at which it is told, the text, and an empty last line."""
    return f"{message.date:%H:%M:%S} UTC\n{plain(message.lines)}\n"


class Console:
    """`write` ends the line after each text, as `print` does. It may block."""

    name = "console"
    can_edit = False
    can_find = False
    keeps_root = False

    def __init__(self, write: Callable[[str], None]) -> None:
        self.notes: list[str] = []
        self._write = write

    async def send(self, to: Address, message: Message) -> Receipt:
        with only_failures("the terminal"):
            await asyncio.to_thread(self._write, compose(message))
        return Receipt(to=to.target, ref=message.delivery_ids[-1], root=message.thread is None)

    async def edit(self, receipt: Receipt, message: Message) -> None:
        raise BadMessage("what stands on a terminal cannot be edited")

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return None

    async def check(self) -> str:
        return "this terminal"

    async def close(self) -> None:
        """Nothing to do: the terminal belongs to the caller."""
