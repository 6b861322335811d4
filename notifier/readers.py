"""The store as the inbox sees it: who subscribes by himself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from notifier.known import Scene, Tally
from notifier.subscription import Address, Subscription


class Readers(Protocol):
    """What the inbox remembers with: who subscribes by himself. Every method is one transaction. Raises StoreFailed."""

    async def reader(self, address: Address) -> Subscription | None:
        """As it is kept, configured ones too; None for who never subscribed, or left. Under a name, as
        `telegram:@channel`, only configured ones, in whatever case.
        """

    async def keep(self, subscription: Subscription, now: datetime) -> None:
        """Subscribes, or changes what is subscribed, and switches on what was off. What waits follows: what a mute
        holds waits until it ends, what it no longer holds is due, what is told of a muted subject is told no more.
        """

    async def forget(self, address: Address) -> int | None:
        """Deletes the subscription with all that was, or would be, told to it; which one it was, if there was one."""

    async def leave(self, chat: str, reason: str) -> int:
        """Switches off all subscriptions of a chat of Telegram, its topics too; how many."""

    async def move(self, chat: str, to: str) -> int:
        """A chat of Telegram got another number: its subscriptions, topics too, follow; how many."""

    async def subject_of(self, address: Address, ref: str) -> str | None:
        """What a message told there is about; None if it is none of ours."""

    async def scene(self) -> Scene: ...

    async def tally(self, now: datetime) -> Tally: ...

    async def draft(self, number: int, text: str) -> None:
        """Keeps what an operator wants to tell everybody, until it is `broadcast`; there is one draft at a time."""

    async def broadcast(self, number: int, now: datetime) -> int | None:
        """Owes the draft of this number to everybody who came by himself; how many that is. None if there is no such
        draft, or if it was told before.
        """

    async def remembered(self, key: str) -> str | None: ...

    async def remember(self, key: str, value: str) -> None: ...

    async def receive(self, number: int, doc: str) -> bool:
        """Keeps an update of a webhook until it is `handled`; whether it is new."""

    async def received(self, most: int) -> Sequence[tuple[int, str]]:
        """What is not handled, oldest first, up to so many."""

    async def handled(self, number: int) -> None: ...
