"""The whole service at its true pace: who asks while many are told is answered first, and Telegram never protests."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

from notifier.app import service
from notifier.config import Settings, load
from tests.receivers.telegram_people import Person
from tests.town import Town, outage, town

READERS = 120
PER_SECOND = 25
ENFORCED = 30
"""What Telegram takes within any second, here."""


async def test_commands_go_before_a_fan_out_and_nothing_is_refused(tmp_path: Path) -> None:
    async with town(outage(("investigating", "We look into it."))) as there:
        settings = _settings(there, tmp_path)
        people = [there.telegram.person(number, f"Reader {number}") for number in range(1, 9)]
        [update] = there.simulator.script.incidents[0].updates
        there.telegram.allows(ENFORCED)
        async with service(settings, lambda _: None) as running, asyncio.TaskGroup() as tasks:
            tasks.create_task(running.run())
            await there.polled(2)
            await there.telegram.until(lambda: any(name == "getUpdates" for name, _ in there.telegram.reads))
            there.time.set(update.at)
            await there.telegram.until(lambda: len(there.telegram.messages) >= 10, seconds=20)
            overtaken = []
            for person in people:
                before = _told(there)
                person.says("/status")
                await there.telegram.until(partial(_is_answered, person))
                overtaken.append(_told(there) - before)
            assert _told(there) < READERS, "the fan-out was still running"
            assert {"status", "follow", "stop"} <= people[0].menu().keys()
            await there.telegram.until(lambda: _told(there) == READERS, seconds=20)
            running.stop()
    assert there.telegram.refused_for_pace == 0
    assert max(overtaken) <= 10, "pieces of news that an answer waited for"


def _settings(there: Town, folder: Path) -> Settings:
    config = folder / "config.toml"
    subscriptions = [f"telegram:{number}" for number in range(1_001, 1_001 + READERS)]
    more = "[announce]\nwelcome = false"
    config.write_text(
        there.settings(
            folder / "notifier.db", subscriptions=subscriptions, in_flight=8, per_second=PER_SECOND, more=more
        )
    )
    return load(config, {})


def _is_answered(person: Person) -> bool:
    return bool(person.chat.messages)


def _told(there: Town) -> int:
    return sum(int(each.chat) > 1_000 for each in there.telegram.messages)
