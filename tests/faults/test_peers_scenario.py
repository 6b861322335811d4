"""Twenty chats, three Slack channels and two mailboxes on a bad day: who has what in the end, and who waited."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier.app import Service, service
from notifier.config import load
from notifier.model import State
from notifier.simulator import Script
from notifier.simulator import load as play
from tests.faults.child import FastClock
from tests.faults.crowd import IN_FLIGHT, SPEED
from tests.receivers import answer
from tests.receivers.telegram import refusal
from tests.town import Town, town

PAUSE, AT_ONCE = timedelta(seconds=60), timedelta(seconds=20)
"""What Telegram wants; and what is under way by then has arrived."""

OPENED, SAME, OVER = "Step 01: deposits wait.", "Step 02: deposits wait.", "Step 03: it is over."
AMENDED = "Step 01: deposits and withdrawals wait."
TOLD = (OPENED, SAME, OVER)

CHATS = tuple(str(-2001 - number) for number in range(20))
BLOCKED, MOVED, NEW_HOME = CHATS[4], CHATS[7], "-100777"
WELL = tuple({*CHATS, NEW_HOME} - {BLOCKED, MOVED})
CHANNELS = ("C0TRADING", "C0OPS", "C0DESK")
MAILBOXES = ("ops@example.com", "desk@example.com")
ADDRESSES = (
    *(f"telegram:{chat}" for chat in CHATS),
    *(f"slack:{channel}" for channel in CHANNELS),
    *(f"mailto:{mailbox}" for mailbox in MAILBOXES),
)


def script() -> Script:
    """It begins a few minutes before now by the wall's clock, so that nothing told of it is late."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    at = [f"at = {start + timedelta(seconds=20 * step):%Y-%m-%dT%H:%M:%SZ}" for step in range(6)]
    return play(f"""
[page]
start = {start:%Y-%m-%dT%H:%M:%SZ}
end = {start + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}
[[incidents]]
name = "outage"
title = "Deposits are delayed"
impact = "major"
components = ["Kraken API (Websocket)"]
updates = [
  {{ {at[1]}, status = "investigating", text = "{OPENED}" }},
  {{ {at[2]}, status = "investigating", text = "{SAME}" }},
  {{ {at[4]}, status = "resolved", text = "{OVER}" }},
]
edits = [{{ {at[3]}, update = 1, text = "{AMENDED}" }}]
""")


@dataclass
class Got:
    """What one receiver was sent, in order; what of it stands by itself, and how that reads now."""

    texts: list[str] = field(default_factory=list)
    threads: set[object] = field(default_factory=set)
    shown: list[str] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        """The updates in the order in which they were told."""
        return [update for text in self.texts for update in TOLD if update in " ".join(text.split())]


def everybody(there: Town) -> dict[str, Got]:
    got: dict[str, Got] = defaultdict(Got)
    for bubble in there.telegram.messages:
        mine = got[bubble.chat]
        mine.texts.append(bubble.text)
        mine.threads.add(bubble.reply_to or bubble.message_id)
        mine.shown.append(bubble.shown)
    for post in there.slack.messages:
        mine = got[post.channel]
        mine.texts.append(post.text)
        mine.threads.add(post.thread_ts or post.ts)
        mine.shown.append(post.shown)
    for mail in there.mail.received:
        mine = got[mail.rcpt_tos[0]]
        mine.texts.append(mail.raw.decode())
        thread = re.search(rb"(?m)^References:\s+(\S+)", mail.raw) or re.search(rb"(?m)^Message-ID:\s+(\S+)", mail.raw)
        mine.threads.add(thread and thread[1])
    return got


def have(there: Town, update: str, who: tuple[str, ...]) -> bool:
    got = everybody(there)
    return all(update in got[each].told for each in who)


@asynccontextmanager
async def running(there: Town, folder: Path, clock: FastClock) -> AsyncIterator[Service]:
    """The product, in this process, once it has seen the page."""
    config = folder / "config.toml"
    more = "[announce]\nwelcome = false"
    config.write_text(there.settings(folder / "notifier.db", subscriptions=ADDRESSES, in_flight=IN_FLIGHT, more=more))
    async with service(load(config, {}), lambda _: None, clock=clock) as made, asyncio.TaskGroup() as tasks:
        tasks.create_task(made.run())
        await there.polled(2)
        yield made
        made.stop()


def steps(there: Town) -> Iterator[datetime]:
    [incident] = there.simulator.script.incidents
    yield from sorted(incident.instants)


@pytest.mark.fault("C1", "C3", "C4", "C10", "D1")
async def test_on_a_bad_day_all_but_the_blocked_have_everything_once_and_nobody_waits_for_another(
    tmp_path: Path,
) -> None:
    clock = FastClock(datetime.now(UTC), SPEED)
    async with town(script(), lambda: clock.now().timestamp()) as there, running(there, tmp_path, clock) as product:
        opened, same, amended, over = steps(there)
        there.telegram.chat(BLOCKED).blocked()
        there.telegram.chat(MOVED).migrated(int(NEW_HOME))
        there.telegram.next(
            refusal(429, "Too Many Requests: retry after 60", retry_after=60), refusal(500, "Internal Server Error")
        )
        there.slack.next(answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "3"}))
        calls: list[tuple[datetime, bool]] = []
        there.telegram.at_each_call(lambda: calls.append((clock.now(), have(there, OPENED, (*CHANNELS, *MAILBOXES)))))
        there.time.set(opened)
        await there.time.until(lambda: have(there, OPENED, (*WELL, *CHANNELS, *MAILBOXES)))

        (first, _), *_ = calls
        resumed = [others_have for at, others_have in calls if at - first >= PAUSE]
        assert not [at for at, _ in calls if AT_ONCE < at - first < PAUSE], "nobody disturbs the pause"
        assert len(resumed) >= len(WELL) - IN_FLIGHT, "all but those under way waited"
        assert all(resumed), "while Slack and mail did not"

        there.time.set(same)
        await there.time.until(lambda: have(there, SAME, (*WELL, *CHANNELS, *MAILBOXES)))
        there.time.set(amended)
        await there.time.until(lambda: all(_shows(got, "withdrawals") for got in _editable(there).values()))
        assert {len(got.texts) for got in everybody(there).values()} == {2}, "an edit is no message"
        there.time.set(over)
        await there.time.until(lambda: have(there, OVER, (*WELL, *CHANNELS, *MAILBOXES)))
        await there.time.until(lambda: all("Resolved" in got.shown[0] for got in _editable(there).values()))

        got = everybody(there)
        assert set(got) == {*WELL, *CHANNELS, *MAILBOXES}
        for who, each in got.items():
            assert each.told == list(TOLD) and len(each.texts) == 3, f"{who}: everything once, in order"
            assert len(each.threads) == 1, f"{who}: one conversation"
        [failed] = await product.store.deliveries([State.FAILED], 10)
        assert failed.address == f"telegram:{BLOCKED}"
        assert "blocked by the user" in failed.reason


def _editable(there: Town) -> dict[str, Got]:
    return {who: got for who, got in everybody(there).items() if who not in MAILBOXES}


def _shows(got: Got, word: str) -> bool:
    """Whether its first message was edited so."""
    return word in got.shown[0] and word not in got.texts[0]
