"""The process is killed at every point where it matters, and started again: nobody misses anything.

Judged by what the receivers have. Slack's Web API can be asked after a crash and has everything once; the others may
have a message again, the very same one, at most as often as sends were under way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from tests.faults.child import SPEED, FastClock
from tests.running import Program, program
from tests.template import laid_out
from tests.town import MAX_IN_FLIGHT, Town, outage, town

SUBSCRIPTIONS = (
    "slack:C0TRADING",
    "slack:C0OPS",
    "slack-webhook:ops",
    "telegram:-1001",
    "telegram:-1002",
    "telegram:-1003",
    "mailto:ops@example.com",
    "mailto:desk@example.com",
    "console:",
)
CHANNELS = ("slack", "slack-webhook", "telegram", "mailto", "console")
STEP = re.compile(r"Step (\d\d)\.")

BY_NAME = [
    *(f"{moment}:{call}:1" for call in ("record", "claim", "settle") for moment in ("before", "after")),
    *(f"{moment}:{channel}:1" for channel in CHANNELS for moment in ("before", "after")),
    *(f"{moment}:{call}:1" for call in ("outdated", "edit", "refreshed") for moment in ("before", "after")),
    "after:telegram:2",
    "after:settle:3",
    "at:commit:12",
]
RANDOMLY = 9


def random_points(seed: int) -> list[str]:
    """Anywhere: the n-th call, write or commit of a run."""
    places = [f"{moment}:{call}" for call in ("claim", "settle", *CHANNELS) for moment in ("before", "after")]
    dice = Random(seed)
    return [
        f"{place}:{dice.randint(1, 3)}" if place in places else f"{place}:{dice.randint(4, 30)}"
        for place in dice.choices([*places, *["at:write"] * 6, *["at:commit"] * 4], k=RANDOMLY)
    ]


@dataclass(frozen=True)
class Mailbox:
    """Everything one receiver got, in order of arrival. A repetition is the same text again."""

    name: str
    messages: Sequence[str]

    @property
    def once(self) -> list[str]:
        return list(dict.fromkeys(self.messages))

    @property
    def repeated(self) -> int:
        return len(self.messages) - len(self.once)

    @property
    def steps(self) -> list[list[int]]:
        """The steps of the story that each message tells, repetitions left out."""
        return [sorted({int(number) for number in STEP.findall(text)}) for text in self.once if STEP.search(text)]


def mailboxes(there: Town, out: Iterable[str]) -> list[Mailbox]:
    """What each of SUBSCRIPTIONS got."""
    got: dict[str, list[str]] = {address: [] for address in SUBSCRIPTIONS}
    for post in there.slack.messages:
        got["slack-webhook:ops" if post.channel == "ops" else f"slack:{post.channel}"].append(post.text)
    for message in there.telegram.messages:
        got[f"telegram:{message.chat}"].append(message.text)
    for mail in there.mail.received:
        got[f"mailto:{mail.rcpt_tos[0]}"].append(mail.raw.decode())
    got["console:"] += [block for block in "\n".join(out).split("\n\n") if block]
    return [Mailbox(address, messages) for address, messages in got.items()]


def kept_current(there: Town) -> bool:
    """Whether in every chat a first message of the incident says how it ended. A repeated one may stay as it was."""
    posts = {each.channel: False for each in there.slack.messages if each.channel != "ops"}
    for post in there.slack.messages:
        posts |= {post.channel: True} if post.thread_ts is None and "Resolved" in post.shown else {}
    bubbles = {each.chat: False for each in there.telegram.messages}
    for bubble in there.telegram.messages:
        bubbles |= {bubble.chat: True} if bubble.reply_to is None and "Resolved" in bubble.shown else {}
    posts.pop("ops", None)
    return all(posts.values()) and all(bubbles.values())


def everybody_has(there: Town, running: Program, step: int) -> bool:
    return all(any(f"Step {step:02}." in text for text in each.messages) for each in mailboxes(there, running.out))


async def told_through_kills(points: Sequence[str], folder: Path, *, together: int = 1) -> tuple[Town, Program]:
    """The whole story, told by a program that dies at these points, one after the other; so many of its steps come at
    once, and the last one by itself.
    """
    began, count = datetime.now(UTC), len(points) * together
    steps = [("investigating" if step == 0 else "identified", f"Step {step:02}.") for step in range(count)]
    script = outage(*steps, ("resolved", f"Step {count:02}."), apart=timedelta(seconds=3))
    config = folder / "config.toml"
    async with town(script, lambda: FastClock(began).now().timestamp()) as there:
        config.write_text(there.settings(laid_out(folder / "notifier.db"), subscriptions=SUBSCRIPTIONS))
        async with program("-m", "tests.faults.child", str(config), began.isoformat(), str(SPEED), *points) as running:
            await there.time.until(lambda: all(each.messages for each in mailboxes(there, running.out)))
            for step in (*range(together - 1, count, together), count):
                there.time.set(script.incidents[0].updates[step].at)
                await there.time.until(partial(everybody_has, there, running, step))
            await running.until(lambda: sum(line.startswith("killed") for line in running.err) == len(points))
            await there.time.until(lambda: kept_current(there))
            assert await running.stop() == 0, running.printed
        return there, running


@pytest.mark.fault("B1", "B2", "B3", "B4", "F3", "F5")
@pytest.mark.parametrize("points", [BY_NAME, random_points(20260224)], ids=["by name", "at random"])
async def test_a_killed_program_loses_nothing_and_repeats_no_more_than_was_under_way(
    points: list[str], tmp_path: Path
) -> None:
    there, running = await told_through_kills(points, tmp_path)
    boxes = mailboxes(there, running.out)
    for each in boxes:
        assert list(chain(*each.steps)) == list(range(len(points) + 1)), f"{each.name}: every step once, in order"
        assert each.repeated <= (0 if each.name.startswith("slack:") else len(points)), each.name
    telegram = sum(each.repeated for each in boxes if each.name.startswith("telegram:"))
    assert telegram <= len(points) * MAX_IN_FLIGHT
    *killed, counts = running.err
    assert killed == [f"killed {point}" for point in points], "and says nothing else"
    assert set(json.loads(counts)) <= {"sent", "superseded"}, "nothing is left over"


FOLDED = [f"{moment}:{channel}:1" for channel in CHANNELS for moment in ("before", "after")]


@pytest.mark.fault("H2")
async def test_a_folded_message_that_a_kill_cut_off_is_repeated_whole_or_not_at_all(tmp_path: Path) -> None:
    there, running = await told_through_kills(FOLDED, tmp_path, together=3)
    last = 3 * len(FOLDED)
    for each in mailboxes(there, running.out):
        assert each.steps == [*([step, step + 1, step + 2] for step in range(0, last, 3)), [last]], each.name
        assert each.repeated <= (0 if each.name.startswith("slack:") else len(FOLDED)), each.name
    *killed, counts = running.err
    assert killed == [f"killed {point}" for point in FOLDED]
    assert set(json.loads(counts)) <= {"sent", "superseded"}, "nothing is left over"
