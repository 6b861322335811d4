"""Some hundred readers, and a program that is killed from outside while it tells them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

from notifier.simulator import Script
from notifier.store.sql import SqlStore
from notifier.subscription import Address, Subscription
from tests.faults.child import FastClock
from tests.faults.test_kill import STEP, Mailbox, kept_current
from tests.running import Program, program
from tests.template import laid_out
from tests.town import Town, outage, town

IN_FLIGHT = 8
"""Sends to Telegram at once."""

SPEED = 30.0
"""Of the program's clock, so that Slack's pace of edits takes seconds only."""

MOST_CALLS = 30
"""Requests that a run may make before it is killed; the first six ask the page and the exchange."""


def steps(count: int) -> Script:
    """An incident in so many updates and its end; every update says which one it is."""
    told = [("investigating" if step == 0 else "identified", f"Step {step:02}.") for step in range(count)]
    return outage(*told, ("resolved", f"Step {count:02}."), apart=timedelta(seconds=1))


@dataclass(kw_only=True)
class Readers:
    """Everybody who is told, and what each of them has."""

    there: Town
    addresses: Sequence[str]
    _newest: dict[str, int] = field(default_factory=dict)
    _read: Counter[str] = field(default_factory=Counter)

    def has(self, step: int) -> int:
        """How many have this step, or a later one."""
        for kind, address, text in self._unread():
            self._read[kind] += 1
            self._newest[address] = max(
                self._newest.get(address, -1), *(int(number) for number in STEP.findall(text)), -1
            )
        return sum(self._newest.get(address, -1) >= step for address in self.addresses)

    def _unread(self) -> list[tuple[str, str, str]]:
        slack, telegram, mail = self.there.slack.messages, self.there.telegram.messages, self.there.mail.received
        return [
            *(("slack", f"slack:{each.channel}", each.text) for each in slack[self._read["slack"] :]),
            *(("telegram", f"telegram:{each.chat}", each.text) for each in telegram[self._read["telegram"] :]),
            *(("mail", f"mailto:{each.rcpt_tos[0]}", each.raw.decode()) for each in mail[self._read["mail"] :]),
        ]

    def mailboxes(self) -> list[Mailbox]:
        self._read.clear()
        got: dict[str, list[str]] = {address: [] for address in self.addresses}
        for _, address, text in self._unread():
            got.setdefault(address, []).append(text)
        return [Mailbox(address, got[address]) for address in self.addresses]

    def comes(self, step: int) -> None:
        """The page has this step."""
        [incident] = self.there.simulator.script.incidents
        self.there.time.set(incident.updates[step].at)

    async def hears(self, step: int) -> None:
        """Until all of them have this step."""
        await self.there.time.until(lambda: self.has(step) == len(self.addresses), 60)

    def repeated_after(self) -> Counter[str]:
        """By run of the program: how many messages to Telegram it sent that were sent once more, by a later one."""
        told, cut_off = dict[tuple[str, str], str](), Counter[str]()
        for (method, arguments), run in zip(self.there.telegram.calls, self.there.telegram.callers, strict=True):
            if method == "sendMessage":
                key = (str(arguments["chat_id"]), str(arguments["text"]))
                if key in told:
                    cut_off[told[key]] += 1
                told[key] = run
        return cut_off


@dataclass(kw_only=True)
class Crowd(Readers):
    """With one program, and its supervisor."""

    running: Program
    clock: FastClock
    """The program's."""

    async def is_up_to_date(self) -> None:
        """Until every first message says that it is over."""
        await self.there.time.until(lambda: kept_current(self.there), 60)

    def left_over(self) -> set[str]:
        """The states of deliveries that the last run left, but for those that were told."""
        return set(json.loads(self.running.err[-1])) - {"sent", "superseded"}


def one_each(addresses: Sequence[str]) -> list[str]:
    """One address of each channel, for the settings: the others come by themselves."""
    return [*{address.partition(":")[0]: address for address in addresses}.values()]


async def subscribe(url: str, addresses: Sequence[str], now: datetime) -> None:
    """Each by himself, to everything."""
    store = await SqlStore.open(url, token=1)
    people = [Subscription(address=Address.parse(each), origin="self") for each in addresses]
    await store.sync(people, welcome=False, now=now)
    await store.close()


@asynccontextmanager
async def crowd(folder: Path, script: Script, addresses: Sequence[str], *points: str) -> AsyncIterator[Crowd]:
    """They subscribed to a page on which nothing has happened yet; the program, which watches it, dies at `points`."""
    began, database = datetime.now(UTC), folder / "notifier.db"
    config = folder / "config.toml"
    clock = FastClock(began, SPEED)
    async with town(script, lambda: clock.now().timestamp()) as there:
        listed = one_each(addresses)
        config.write_text(
            there.settings(
                database,
                subscriptions=listed,
                in_flight=IN_FLIGHT,
                per_second=1_000,
                more="[announce]\nwelcome = false",
            )
        )
        own = [each for each in addresses if each not in listed]
        await subscribe(f"sqlite:///{laid_out(database)}", own, began)
        async with program("-m", "tests.faults.child", str(config), began.isoformat(), str(SPEED), *points) as running:
            await there.polled(2)
            yield Crowd(there=there, addresses=addresses, running=running, clock=clock)


class Killer:
    """Kills each run of the program at a random moment: some requests after it began, and up to ten ms more."""

    def __init__(self, told: Crowd, dice: Random) -> None:
        self._running = told.running
        self._dice = dice
        self._left = 0
        self._pid = 0
        for each in (told.there.time, told.there.slack, told.there.telegram):
            each.at_each_call(self._called)

    async def kill(self, times: int) -> None:
        for number in range(1, times + 1):
            await self._running.until(partial(self._has_said, "started", number))
            *_, started = (line for line in self._running.err if line.startswith("started"))
            self._pid = int(started.split()[1])
            self._left = self._dice.randint(1, MOST_CALLS)
            await self.has_killed(number)

    async def has_killed(self, times: int) -> None:
        """Until it was done so often."""
        await self._running.until(partial(self._has_said, "killed", times), 120)

    def _called(self) -> None:
        self._left -= 1
        if self._left == 0:
            moment = self._dice.uniform(0, 0.01)
            asyncio.get_running_loop().call_later(moment, os.kill, self._pid, signal.SIGKILL)

    def _has_said(self, word: str, times: int) -> bool:
        return sum(line.startswith(word) for line in self._running.err) >= times
