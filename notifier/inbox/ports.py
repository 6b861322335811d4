"""What the inbox asks of others: the desk that decides, and the channel's way out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from notifier.inbox.talk import Answer, Asked, Audience
from notifier.ports import Call, ChannelFailure
from notifier.subscription import Address

Result = TypeVar("Result")


class Desk(Protocol):
    """Who decides what is changed and answered."""

    async def ask(self, asked: Asked) -> Answer | None:
        """None: nothing is said. Raises StoreFailed."""

    async def left(self, chat: str, reason: str) -> None:
        """The bot was blocked, or thrown out. Raises StoreFailed."""

    async def moved(self, chat: str, to: str) -> None:
        """The chat has another number now. Raises StoreFailed."""

    def commands(self, language: str, audience: Audience) -> list[tuple[str, str]]:
        """Names without the slash, with what each does."""

    def profile(self, language: str) -> tuple[str, str]:
        """What the bot is: at length, at most 512 characters, and in short, at most 120."""


class Way(Protocol):
    """The channel's way out, for what cannot wait behind the news."""

    async def do(self, call: Call, to: Address, send: Callable[[], Awaitable[Result]]) -> Result:
        """Sends when its turn comes. Raises ChannelFailure."""

    async def failed(self, call: Call, to: Address, failure: ChannelFailure) -> None:
        """A call that needed no turn ended so."""
