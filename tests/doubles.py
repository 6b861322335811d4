"""Stand-ins for the ports, with a vocabulary: a source with a script, a channel that remembers, a clock that is set."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notifier.message import Message, Receipt
from notifier.model import Snapshot
from notifier.ports import ChannelFailure, SourceFailed, Throttles
from notifier.subscription import Address
from tests.builders import NOW


class FrozenClock:
    """Stands still until it is moved, or until somebody wants to wait: then that time has passed."""

    second = 0.001

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def seconds(self, length: timedelta) -> float:
        self._now += max(length, timedelta())
        return 0.001

    def move(self, length: timedelta) -> None:
        self._now += length


class ScriptedSource:
    """Says one thing after the other: a snapshot, None for "the same", or a failure."""

    def __init__(self, name: str = "summary", *says: Snapshot | SourceFailed | None) -> None:
        self.name = name
        self.age: timedelta | None = None
        self._says = list(says)
        self.forgotten = 0

    def will_say(self, *says: Snapshot | SourceFailed | None) -> None:
        self._says += says

    async def read(self) -> Snapshot | None:
        said = self._says.pop(0) if self._says else None
        if isinstance(said, SourceFailed):
            raise said
        return said

    def forget(self) -> None:
        self.forgotten += 1


class ScriptedLookup:
    """Answers for single incidents; without an answer of its own, as if the page had forgotten it."""

    def __init__(self) -> None:
        self.answers: dict[str, Snapshot | SourceFailed] = {}
        self.asked: list[str] = []

    async def look_up(self, incident_id: str) -> Snapshot | None:
        self.asked.append(incident_id)
        answer = self.answers.get(incident_id)
        if isinstance(answer, SourceFailed):
            raise answer
        return answer


@dataclass
class Arrived:
    """A message as its receiver has it."""

    to: Address
    message: Message
    receipt: Receipt
    edits: list[Message] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return self.message.subject

    @property
    def text(self) -> str:
        newest = self.edits[-1] if self.edits else self.message
        return "\n".join("".join(span.text for span in line.spans) for line in newest.lines)


class RecordingChannel:
    """Keeps what arrives, and fails as told: `fail(NotSent("down"), times=2)`, `lose_reply()`, `hold()`."""

    def __init__(
        self,
        name: str = "console",
        *,
        can_edit: bool = True,
        can_find: bool = False,
        keeps_root: bool = False,
        throttles: Throttles = "all",
    ) -> None:
        self.name = name
        self.throttles = throttles
        self.can_edit = can_edit
        self.keeps_root = keeps_root
        self.can_find = can_find
        self.arrived: list[Arrived] = []
        self.tries = 0
        self.notes: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self.looks = 0
        self._failed_looks: list[ChannelFailure] = []
        self._failed_edits: list[ChannelFailure] = []
        self._failures: list[tuple[ChannelFailure, bool]] = []
        self._refusing: dict[str, Callable[[], ChannelFailure]] = {}
        self._refused_form: ChannelFailure | None = None
        self._refused_language = ""
        self._at_each_send: Callable[[], None] = lambda: None
        self._failed_checks: list[ChannelFailure] = []
        self._at_each_check: Callable[[], None] = lambda: None
        self.checks = 0
        self.order: list[str] = []
        """What was asked of it: send, edit."""
        self._tried = asyncio.Event()
        self._gate = asyncio.Event()
        self._gate.set()

    def fail(self, failure: ChannelFailure, *, times: int = 1, arrives: bool = False) -> None:
        self._failures += [(failure, arrives)] * times

    def fail_look(self, failure: ChannelFailure) -> None:
        self._failed_looks.append(failure)

    def fail_edit(self, failure: ChannelFailure) -> None:
        self._failed_edits.append(failure)

    def at_each_send(self, do: Callable[[], None]) -> None:
        self._at_each_send = do

    def at_each_check(self, do: Callable[[], None]) -> None:
        self._at_each_check = do

    def fail_check(self, failure: ChannelFailure) -> None:
        self._failed_checks.append(failure)

    def refuse_rich(self, failure: ChannelFailure, *, language: str = "") -> None:
        """Every message but a plain one; with `language`, of those in that one."""
        self._refused_form, self._refused_language = failure, language

    def relent(self, address: str) -> None:
        del self._refusing[address]

    def refuse(self, address: str, failure: Callable[[], ChannelFailure]) -> None:
        self._refusing[address] = failure

    def hold(self) -> None:
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def at(self, address: str) -> list[Arrived]:
        return [each for each in self.arrived if str(each.to) == address]

    async def until_asked(self, *, edits: int) -> None:
        while self.order.count("edit") < edits:
            self._tried.clear()
            await self._tried.wait()

    async def until_checked(self, times: int) -> None:
        while self.checks < times:
            self._tried.clear()
            await self._tried.wait()

    async def until_tried(self, times: int) -> None:
        while self.tries < times:
            self._tried.clear()
            await self._tried.wait()

    async def send(self, to: Address, message: Message) -> Receipt:
        self.tries += 1
        self.order.append("send")
        self._at_each_send()
        self._tried.set()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await self._gate.wait()
            if refusal := self._refusing.get(str(to)):
                raise refusal()
            spoken = self._refused_language in ("", message.wording.language)
            if self._refused_form is not None and spoken and not message.plain:
                raise self._refused_form
            failure, arrives = self._failures.pop(0) if self._failures else (None, True)
            if arrives:
                receipt = Receipt(str(to), f"m{len(self.arrived) + 1}", root=message.thread is None)
                self.arrived.append(Arrived(to, message, receipt))
            if failure is not None:
                raise failure
            return receipt
        finally:
            self._at_once -= 1

    async def edit(self, receipt: Receipt, message: Message) -> None:
        self.order.append("edit")
        self._tried.set()
        await self._gate.wait()
        if self._failed_edits:
            raise self._failed_edits.pop(0)
        for each in self.arrived:
            if each.receipt.ref == receipt.ref:
                each.edits.append(message)

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        self.looks += 1
        if self._failed_looks:
            raise self._failed_looks.pop(0)
        for each in self.arrived:
            if set(each.message.delivery_ids) & set(message.delivery_ids):
                return each.receipt
        return None

    async def check(self) -> str:
        self.checks += 1
        self._at_each_check()
        self._tried.set()
        if self._failed_checks:
            raise self._failed_checks.pop(0)
        return "recording"

    async def close(self) -> None:
        return None


def texts(arrived: Iterable[Arrived]) -> list[str]:
    return [each.text for each in arrived]
