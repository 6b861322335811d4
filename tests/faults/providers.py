"""Providers as their customers know them: they take a message or not, answer or not, and keep what they took."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from notifier.message import Message, Receipt, Role
from notifier.ports import Ambiguous, BadCredentials, BadMessage, ChannelFailure, Gone, Moved, NotSent, Throttled
from notifier.subscription import Address


class Answer(StrEnum):
    """To one call. What is LOST or HANGS was taken, what is BROKEN was not: the caller cannot know."""

    OK = "ok"
    BUSY = "429 for 5 s"
    VERY_BUSY = "429 for 90 s"
    LOST = "taken, reply lost"
    HANGS = "taken, no reply"
    BROKEN = "500, not taken"
    UNREACHABLE = "unreachable"
    GONE = "403"
    MOVED = "moved"
    REFUSED = "rich text refused"
    LOCKED_OUT = "401"


TAKEN = (Answer.OK, Answer.LOST, Answer.HANGS)


@dataclass
class Post:
    """A message as its reader has it."""

    to: str
    message: Message
    ref: str
    by: int
    """The process that sent it."""
    at: datetime
    clean: bool
    """Whether the sender got the reply and wrote it down."""
    edits: list[Message] = field(default_factory=list)

    @property
    def now(self) -> Message:
        return self.edits[-1] if self.edits else self.message


@dataclass
class Provider:
    """Answers as told, one answer a call, and well when nothing is told. `now` is its own clock."""

    name: str
    now: Callable[[], datetime]
    can_edit: bool
    can_find: bool
    keeps_root: bool
    posts: list[Post] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    answers: deque[Answer] = field(default_factory=deque)

    async def take(self, to: Address, message: Message, by: int) -> Receipt:
        answer = self._answer()
        if str(to) in self.moved:
            raise Moved("moved", Address.parse(self.moved[str(to)]))
        if answer is Answer.MOVED and self.name == "telegram" and str(to) not in self.moved.values():
            self.moved[str(to)] = f"{to}000"
            raise Moved("moved", Address.parse(self.moved[str(to)]))
        if answer is Answer.REFUSED and not message.plain:
            raise BadMessage("rich text refused")
        if answer is Answer.GONE:
            raise Gone("blocked")
        self._refuse(answer)
        ref = f"{self.name}{len(self.posts) + 1}"
        self.posts.append(Post(str(to), message, ref, by, self.now(), clean=answer not in (Answer.LOST, Answer.HANGS)))
        await self._reply(answer)
        return Receipt(str(to), ref, root=message.thread is None)

    async def change(self, receipt: Receipt, message: Message) -> None:
        answer = self._answer()
        if answer is Answer.REFUSED and not message.plain:
            raise BadMessage("rich text refused")
        self._refuse(answer)
        next(post for post in self.posts if post.ref == receipt.ref).edits.append(message)
        await self._reply(answer)

    async def look_up(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        self._refuse(self._answer())
        for post in self.posts:
            mine = post.to == str(to) and post.at >= since
            if mine and not set(post.message.delivery_ids).isdisjoint(message.delivery_ids):
                return Receipt(post.to, post.ref, root=post.message.thread is None)
        return None

    def _answer(self) -> Answer:
        return self.answers.popleft() if self.answers else Answer.OK

    def _refuse(self, answer: Answer) -> None:
        match answer:
            case Answer.BUSY:
                raise Throttled("slow down", 5)
            case Answer.VERY_BUSY:
                raise Throttled("slow down", 90)
            case Answer.BROKEN:
                raise Ambiguous("500")
            case Answer.UNREACHABLE:
                raise NotSent("unreachable")
            case Answer.LOCKED_OUT:
                raise BadCredentials("401")

    async def _reply(self, answer: Answer) -> None:
        if answer is Answer.HANGS:
            await asyncio.sleep(3600)
        if answer is Answer.LOST:
            raise Ambiguous("the connection was closed")


def words(message: Message) -> str:
    """All that a reader reads."""
    return "\n".join("".join(span.text for span in line.spans) for line in message.lines)


def title(message: Message) -> str:
    return "".join(span.text for line in message.lines if line.role is Role.TITLE for span in line.spans)


def incident_of(message: Message) -> str | None:
    """The id of the incident that it links to."""
    for line in message.lines:
        for span in line.spans:
            if line.role is Role.LINK and span.url and "/incidents/" in span.url:
                return span.url.rpartition("/")[2]
    return None


__all__ = ["TAKEN", "Answer", "ChannelFailure", "Post", "Provider", "incident_of", "title", "words"]
