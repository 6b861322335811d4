"""A backup takes the place of a lost database: nobody is flooded, nobody misses what is still news."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifier.simulator import load
from notifier.store.copying import back_up, copy
from tests.faults.deposits import clock
from tests.faults.stage import Stage, stage
from tests.places import KINDS, Places


def _incident(name: str, *updates: tuple[str, str, str]) -> str:
    told = "\n".join(
        f'[[incidents.updates]]\nat = 2026-05-{at}Z\nstatus = "{status}"\ntext = "{text}"'
        for at, status, text in updates
    )
    return f'[[incidents]]\nname = "{name}"\ntitle = "About {name}"\ncomponents = ["Kraken API (Websocket)"]\n{told}\n'


SCRIPT = load(
    "[page]\nstart = 2026-05-12T08:50:00Z\nend = 2026-05-19T12:00:00Z\nhistory = 3\n"
    + _incident(
        "deposits",
        ("12T09:00:03", "investigating", "D1."),
        ("12T09:20:05", "identified", "D2."),
        ("12T09:40:55", "monitoring", "D3."),
        ("12T10:10:00", "resolved", "D4."),
    )
    + _incident("wires", ("13T10:00:00", "investigating", "W1."), ("13T12:00:00", "resolved", "W2."))
    + _incident(
        "staking",
        ("13T14:00:00", "investigating", "S1."),
        ("16T09:00:00", "identified", "S2."),
        ("16T10:00:00", "resolved", "S3."),
    )
    + _incident("futures", ("15T08:00:00", "investigating", "F1."), ("15T08:30:00", "identified", "F2."))
)
NAMES = {"D": "deposits", "W": "wires", "S": "staking", "F": "futures"}
TEXTS = [f"{letter}{number}." for letter in NAMES for number in range(1, 5)]
RESTORED = clock("12:00") + timedelta(days=3)

Restore = Callable[..., Awaitable[None]]


def since(there: Stage, posts: int) -> list[list[list[str]]]:
    """The texts in each message that Slack's and Telegram's reader got after their first so many."""
    found = ([each.text for each in there.slack.messages], [each.text for each in there.telegram.messages])
    return [[[text for text in TEXTS if text in message] for message in messages[posts:]] for messages in found]


@asynccontextmanager
async def lost(folder: Path, places: Places, kind: str) -> AsyncIterator[tuple[Stage, Restore, int]]:
    """A notifier ran for three days and is gone; of its database there is a backup of the first morning. It had told
    D1 and D2 by then, D3 waited, and has told nothing since. With what restores it, and how many messages each reader
    has.
    """
    (folder / "there").mkdir()
    backup = folder / "backup.db"
    async with stage(SCRIPT, folder / "there") as there:
        await there.at(clock("09:01"), clock("09:21"))
        await there.reads(clock("09:41"))
        await back_up(there.settings.store.url, backup, there.clock.now())

        async def restore(at: datetime, *, replay: bool = False) -> None:
            url = places.new(kind)
            await there.process.aclose()
            if kind == "sqlite":
                shutil.copyfile(backup, url.removeprefix("sqlite:///"))
            else:
                await copy(f"sqlite:///{backup}", url)
            there.clock.move(at - there.clock.now())
            await there.restart(store=url, replay=replay)
            await there.at(at, at + timedelta(minutes=1))

        yield there, restore, 3


@pytest.mark.fault("B15")
@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_young_is_told_and_what_is_old_is_only_recorded(
    tmp_path: Path, places: Places, kind: str
) -> None:
    async with lost(tmp_path, places, kind) as (there, restore, posts):
        await restore(RESTORED)
        assert since(there, posts) == [[["F1.", "F2."]]] * 2
        known = {each.name: each.open for each in await there.running.store.incidents()}
        assert [known[f"About {name}"] for name in NAMES.values()] == [False, False, True, True]
        [first] = [each for each in there.slack.messages if "D1." in each.text]
        assert "Resolved" in first.shown, "without a sound, what is out shows how it ended"
        assert await there.running.store.restored(RESTORED) is None, "and it is no backup any more"


@pytest.mark.fault("B15")
@pytest.mark.parametrize("kind", KINDS)
async def test_what_follows_what_was_only_recorded_is_news_and_so_is_its_end(
    tmp_path: Path, places: Places, kind: str
) -> None:
    async with lost(tmp_path, places, kind) as (there, restore, posts):
        await restore(RESTORED)
        day = clock("09:01") + timedelta(days=4)
        await there.at(day, day + timedelta(hours=1))
        assert since(there, posts) == [[["F1.", "F2."], ["S2."], ["S3."]]] * 2


@pytest.mark.fault("B15")
async def test_the_end_alone_of_what_was_only_recorded_is_told_to_all_who_want_it(
    tmp_path: Path, places: Places
) -> None:
    async with lost(tmp_path, places, "sqlite") as (there, restore, posts):
        await restore(clock("09:30") + timedelta(days=5))
        assert since(there, posts) == [[["S3."]]] * 2


@pytest.mark.fault("B15")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_replay_tells_all_of_it_one_message_an_incident(tmp_path: Path, places: Places, kind: str) -> None:
    async with lost(tmp_path, places, kind) as (there, restore, posts):
        await restore(RESTORED, replay=True)
        for told in since(there, posts):
            assert sorted(told) == [["D3.", "D4."], ["F1.", "F2."], ["S1."], ["W1.", "W2."]]


@pytest.mark.fault("B15")
@pytest.mark.parametrize("kind", KINDS)
async def test_restored_twice_it_floods_nobody_and_no_message_has_the_number_of_another(
    tmp_path: Path, places: Places, kind: str
) -> None:
    async with lost(tmp_path, places, kind) as (there, restore, posts):
        await restore(RESTORED)
        await restore(RESTORED + timedelta(hours=1))
        assert since(there, posts) == [[["F1.", "F2."]] * 2] * 2
        numbers = [
            number for each in there.slack.messages for number in (each.metadata or {})["event_payload"]["delivery_ids"]
        ]
        assert len(numbers) == len({*numbers}) > 4


@pytest.mark.fault("B15")
async def test_a_restart_before_everything_was_read_forgets_nothing(tmp_path: Path, places: Places) -> None:
    async with lost(tmp_path, places, "sqlite") as (there, _, posts):
        await there.process.aclose()
        shutil.copyfile(tmp_path / "backup.db", tmp_path / "restored.db")
        there.clock.move(RESTORED - there.clock.now())
        await there.restart(store=f"sqlite:///{tmp_path}/restored.db")
        await there.running.poll.page(there.running.page_sources[0])
        assert await there.running.store.restored(RESTORED) is not None
        await there.restart()
        await there.at(RESTORED + timedelta(minutes=1))
        assert since(there, posts) == [[["F1.", "F2."]]] * 2
