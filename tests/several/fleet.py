"""Several processes of the program on one PostgreSQL, and some hundred readers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from notifier.ports import INBOX, POLL, sending
from notifier.simulator import Script
from notifier.store.schema import DUTY_LEASE
from tests.faults.crowd import Readers, one_each, subscribe
from tests.receivers import Receiver
from tests.running import Program, program
from tests.several.spells import FOR_EVER, Spell, in_turn, spells, wrong
from tests.town import town

REAL = DUTY_LEASE.total_seconds()
"""Seconds of a lease."""

SHORT = float(os.environ.get("LEASE", "3"))
"""Where its length does not matter."""

DUTIES = (POLL, INBOX, sending("slack"), sending("telegram"), sending("mailto"))

IN_FLIGHT = 8
"""Sends to Telegram at once."""

PEOPLE = (
    *(f"telegram:{1_000_001 + number}" for number in range(100)),
    *(f"slack:C{number:03}" for number in range(15)),
    *(f"mailto:reader{number}@example.com" for number in range(25)),
)
FEW = (*PEOPLE[:3], *PEOPLE[100:103], *PEOPLE[-3:])

OPERATOR = "slack:C0OPS"

PER_SECOND = 40
"""To Telegram: two and a half seconds for an update."""

MOST_PER_SECOND = 50
"""What the fake takes; two paces would be far above."""

SETTINGS = {
    "STATUS_PAGE__POLL_SECONDS": "0.4",
    "STATUS_PAGE__ACTIVE_POLL_SECONDS": "0.4",
    "STATUS_PAGE__FEED_POLL_SECONDS": "2",
    "EXCHANGE__POLL_SECONDS": "1",
    "LOG__FORMAT": "json",
    "ANNOUNCE__WELCOME": "false",
    "OPERATORS__TO": f'["{OPERATOR}"]',
}


@dataclass(kw_only=True)
class Fleet(Readers):
    """Processes by their names."""

    parent: Program
    config: Path
    deaths: dict[str, datetime] = field(default_factory=dict)
    """When those that were killed, or stopped for good, did something for the last time."""
    _pids: dict[str, int] = field(default_factory=dict)
    _log: list[dict[str, Any]] = field(default_factory=list)
    _read_lines: int = 0
    _only_ask: set[str] = field(default_factory=set)

    # What is done to them.

    async def go_to_work(self, *names: str) -> None:
        """Until all is done by one or another of them, and they know the page."""
        await self.start(*names)
        await self.is_held(*DUTIES)
        await self.there.polled(1)

    async def start(self, *names: str, **env: str) -> None:
        """Until each of them is at work, or stands by."""
        before = self._watching()
        for name in names:
            await self.begin(name, "run", **env)
        await self.parent.until(lambda: self._watching() == before + len(names), 30)

    async def begin(self, name: str, *arguments: str, **env: str) -> None:
        """`env` are settings by the rest of their variable's name, or PORT."""
        own = {key if key == "PORT" else f"NOTIFIER_{key}": value for key, value in env.items()}
        told = {"name": name, "arguments": [*arguments, "--config", str(self.config)], "env": own}
        assert self.parent.process.stdin is not None
        self.parent.process.stdin.write(json.dumps(told).encode() + b"\n")
        await self.parent.until(lambda: bool(self._said("started", name)))
        self._pids[name] = int(self._said("started", name)[0])

    def kill(self, name: str) -> float:
        """When, by the clock of the event loop."""
        return self._last(name, signal.SIGKILL)

    def stop(self, name: str) -> float:
        """It stands still, in mid-sentence."""
        return self._last(name, signal.SIGSTOP)

    def wake(self, name: str) -> None:
        del self.deaths[name]
        os.kill(self._pids[name], signal.SIGCONT)

    async def ends(self, name: str) -> int:
        """By SIGTERM; its exit code, which has to come in time."""
        os.kill(self._pids[name], signal.SIGTERM)
        return await self.ended(name, 10)

    async def ended(self, name: str, seconds: float = 30) -> int:
        await self.parent.until(lambda: bool(self._said("ended", name)), seconds)
        return int(self._said("ended", name)[0])

    def _last(self, name: str, number: signal.Signals) -> float:
        os.kill(self._pids[name], number)
        self.deaths.setdefault(name, datetime.now(UTC))
        return asyncio.get_running_loop().time()

    # What is seen of them.

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of all of them, each as JSON says it."""
        fresh, self._read_lines = self.parent.err[self._read_lines :], len(self.parent.err)
        self._log += [json.loads(line) for line in fresh if line.startswith("{")]
        return self._log

    def logged(self, name: str, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["event"] == event and line["run"] == name]

    async def logs(self, name: str, event: str, times: int = 1, seconds: float = 30) -> None:
        await self.parent.until(lambda: len(self.logged(name, event)) >= times, seconds)

    async def tells(self, event: str, seconds: float = 60) -> None:
        """Until any of them logs it."""
        await self.parent.until(lambda: any(line["event"] == event for line in self.log), seconds)

    def spells(self) -> list[Spell]:
        return spells(self.log, self.deaths)

    def holder(self, duty: str) -> str:
        """Who is at it; empty if nobody is."""
        names = [each.process for each in self.spells() if each.duty == duty and each.ends == FOR_EVER]
        return names[-1] if names else ""

    async def is_held(self, *duties: str, by: str = "", but: str = "", seconds: float = 30) -> None:
        """Until somebody has all of these, the one or another than the one."""

        def found() -> bool:
            holders = [self.holder(duty) for duty in duties]
            return all(each and each != but and each == (by or each) for each in holders)

        await self.parent.until(found, seconds)

    async def is_told(self, messages: int) -> None:
        """Until Telegram has so many more than now: in the middle of a fan-out."""
        telegram = self.there.telegram
        goal = len(telegram.messages) + messages
        await telegram.until(lambda: len(telegram.messages) >= goal, 60)

    async def next_of(self, receiver: Receiver, since: float, but: str, seconds: float = 30) -> float:
        """How long after that moment another process's next request came, in seconds."""

        def found() -> Iterator[float]:
            came = zip(receiver.times, receiver.callers, strict=True)
            return (at - since for at, caller in came if at > since and caller != but)

        await receiver.until(lambda: any(found()), seconds)
        return next(found())

    async def status(self, name: str) -> dict[str, str | None]:
        """Who does what, as a process of that name prints it."""
        before = len(self.parent.out)
        self._only_ask.add(name)
        await self.begin(name, "status", "--json")
        assert await self.ended(name) == 0
        await self.parent.until(lambda: self.parent.out[-1:] == ["}"] and len(self.parent.out) > before)
        return {each["duty"]: each["process"] for each in json.loads("\n".join(self.parent.out[before:]))["duties"]}

    async def until_alarmed(self, times: int) -> None:
        """Until operators were told so much."""
        await self.there.slack.until(lambda: self.alarms().total() >= times, 60)

    def alarms(self) -> Counter[str]:
        """What operators were told on Slack, by its first line."""
        told = [each.text for each in self.there.slack.messages if f"slack:{each.channel}" == OPERATOR]
        return Counter(each.split("\n")[0].strip("*") for each in told)

    def check(self) -> None:
        """No duty was held twice at any time, and nobody else than its holders did what it is about."""
        found = self.spells()
        assert list(wrong(found)) == []
        there = self.there
        did = {
            POLL: [name for _, name in there.simulator.askers if name not in self._only_ask],
            sending("telegram"): there.telegram.callers,
        }
        for duty, callers in did.items():
            own = [each for each in found if each.duty == duty]
            assert in_turn(callers, own), f"{duty}: {[str(each) for each in own]}"

    def everybody_has(self, steps: int, *, repeated: int = 0) -> None:
        """Each of so many steps once, in order, in one conversation; on Telegram, all in all, some once more."""
        for each in self.mailboxes():
            assert list(chain(*each.steps)) == list(range(steps)), f"{each.name}: every step once, in order"
            assert each.repeated == 0 or not each.name.startswith("slack:"), each.name
        again = self.repeated_after()
        assert max(again.values(), default=0) <= IN_FLIGHT and again.total() <= repeated, again
        for address, answered in self._answered().items():
            first, *rest = answered
            assert first is None and None not in rest and len(set(rest)) <= 1, f"{address}: one conversation"

    def _answered(self) -> Mapping[str, Sequence[object]]:
        """By reader, which message each one answers; repetitions left out."""
        found: dict[str, dict[str, object]] = {each: {} for each in self.addresses if not each.startswith("mailto:")}
        for post in self.there.slack.messages:
            found.get(f"slack:{post.channel}", {}).setdefault(post.text, post.thread_ts)
        for bubble in self.there.telegram.messages:
            found.get(f"telegram:{bubble.chat}", {}).setdefault(bubble.text, bubble.reply_to)
        return {address: [*answered.values()] for address, answered in found.items()}

    def _watching(self) -> int:
        """How many have said so."""
        return sum(line.startswith("watching ") for line in self.parent.err)

    def _said(self, word: str, name: str) -> list[str]:
        return [line.split()[-1] for line in self.parent.err if line.startswith(f"{word} {name} ")]


@asynccontextmanager
async def fleet(
    folder: Path,
    url: str,
    script: Script,
    *,
    addresses: Sequence[str] = PEOPLE,
    lease: float = REAL,
    **settings: str,
) -> AsyncIterator[Fleet]:
    """Nobody of it runs yet. What the logs show is checked at the end. `lease` is in seconds; `settings` are those of
    all processes.
    """
    config = folder / "config.toml"
    async with town(script) as there:
        listed = one_each(addresses)
        there.telegram.allows(MOST_PER_SECOND)
        config.write_text(there.settings(folder, subscriptions=listed, in_flight=IN_FLIGHT, per_second=PER_SECOND))
        await subscribe(url, [each for each in addresses if each not in listed], datetime.now(UTC))
        env = {f"NOTIFIER_{key}": value for key, value in {**SETTINGS, "STORE__URL": url, **settings}.items()}
        started = partial(program, "-m", "tests.several.parent", str(lease), env=env, stdin=asyncio.subprocess.PIPE)
        async with started() as parent:
            made = Fleet(there=there, addresses=addresses, parent=parent, config=config)
            try:
                yield made
            finally:
                (folder / "log").write_text("\n".join(parent.err))
            made.check()
            assert there.telegram.refused_for_pace == 0
            assert [line for line in parent.err if "Traceback" in line] == []
