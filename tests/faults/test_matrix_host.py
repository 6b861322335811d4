"""A small host, one that runs out of descriptors, and a channel that is dead for a day."""

from __future__ import annotations

import resource
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.config import load as load_settings
from notifier.simulator import load
from notifier.wiring import open_store
from tests.faults.deposits import clock
from tests.faults.stage import TELEGRAM, stage
from tests.receivers import refused
from tests.running import program
from tests.town import outage, town

PEOPLE = 10_000
MANY = 100
MOST_MEGABYTES = 150
AS_INSTALLED = (
    "import sys; sys.modules['cryptography'] = None; import runpy; runpy.run_module('notifier', run_name='__main__')"
)
"""python-telegram-bot loads it where it is there, which only the tests' requirements bring about."""

CROWD = f"""
WITH RECURSIVE people(number) AS (SELECT 1000001 UNION ALL SELECT number + 1 FROM people LIMIT {PEOPLE})
INSERT INTO subscriptions (address, written, channel, filter_id, origin, name, active, reason, welcomed, created_at)
SELECT 'telegram:' || number, 'telegram:' || number, 'telegram', filter_id, 'self', '', 1, '', 1, created_at
FROM people, subscriptions
"""
"""Everybody wants what the one subscription wants."""


@pytest.mark.fault("F8")
async def test_ten_thousand_subscribers_fit_a_host_of_256_mb(tmp_path: Path) -> None:
    async with town(outage(("investigating", "We look into it."))) as there:
        config, database = tmp_path / "config.toml", tmp_path / "notifier.db"
        config.write_text(there.settings(database, subscriptions=("telegram:-1001",), per_second=1000))
        settings = load_settings(config, {})
        async with open_store(settings) as store:
            await store.sync(settings.subscriptions, welcome=False, now=there.time())
        with closing(sqlite3.connect(database)) as written, written:
            written.execute(CROWD)
        async with program("-c", AS_INSTALLED, "run", "--config", str(config), cwd=tmp_path) as running:
            await there.polled(3)
            there.time.set(there.simulator.script.incidents[0].updates[0].at)
            await there.telegram.until(lambda: len(there.telegram.messages) >= MANY, 20)
            used = Path(f"/proc/{running.process.pid}/status").read_text()
            assert await running.stop() == 0
        most = int(used.partition("VmHWM:")[2].split()[0]) // 1024
        with closing(sqlite3.connect(database)) as written:
            [[owed]] = written.execute("SELECT count(*) FROM deliveries WHERE channel = 'telegram'")
        assert owed == PEOPLE + 1 and most < MOST_MEGABYTES, f"{most} MB"


@pytest.mark.fault("F9")
async def test_a_process_that_can_open_nothing_any_more_loses_nothing_and_tells_it_as_soon_as_it_can(
    tmp_path: Path,
) -> None:
    async with town(outage(("investigating", "We look into it."))) as there:
        config = tmp_path / "config.toml"
        config.write_text(there.settings(tmp_path / "notifier.db", subscriptions=("telegram:-1001",)))
        async with program("-m", "notifier", "run", "--config", str(config), cwd=tmp_path) as running:
            await there.telegram.until(lambda: len(there.telegram.messages) == 1, 20)
            _, hard = usual = resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, (3, hard))
            there.telegram.next(refused())  # takes the open connection away
            there.time.set(there.simulator.script.incidents[0].updates[0].at)
            await running.until(lambda: "Telegram cannot be reached" in running.printed)
            assert len(there.telegram.messages) == 1
            resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE, usual)
            await there.telegram.until(lambda: len(there.telegram.messages) == 2, 20)
            assert "We look into it." in there.telegram.messages[1].text
            assert await running.stop() == 0


@pytest.mark.fault("F9")
@pytest.mark.parametrize("descriptors", [6, 8])
async def test_a_process_that_never_could_open_anything_ends_and_says_why(descriptors: int, tmp_path: Path) -> None:
    few = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({descriptors}, {descriptors})); "
    starting = f"{few}import runpy; sys.argv = ['notifier', 'run']; runpy.run_module('notifier', run_name='__main__')"
    async with program("-c", f"import sys; {starting}", cwd=tmp_path) as running:
        assert await running.ended() == 1
    assert len(running.err) == 1 and ("Too many open files" in running.err[0] or "cannot be opened" in running.err[0])


def two_days() -> str:
    """Each incident is open for hours; one of them ends while a channel is dead, one after."""
    incidents = {
        "one": ["12T09:00", "12T11:00", "12T13:00", "12T20:00"],
        "two": ["12T15:00", "12T17:00", "13T07:50", "13T12:00"],
        "three": ["12T16:00", "13T12:30"],
    }
    told = []
    for name, moments in incidents.items():
        told.append(
            f'[[incidents]]\nname = "{name}"\ntitle = "Trouble {name}"\ncomponents = ["Kraken API (Websocket)"]'
        )
        for step, at in enumerate(moments):
            status = "resolved" if step == len(moments) - 1 else "investigating" if step == 0 else "identified"
            told.append(
                f'[[incidents.updates]]\nat = 2026-05-{at}:03.250Z\nstatus = "{status}"\ntext = "{name}, step {step}."'
            )
    return "[page]\nstart = 2026-05-12T08:50:00Z\nend = 2026-05-20T00:00:00Z\nhistory = 3\n" + "\n".join(told)


@pytest.mark.fault("F10")
async def test_a_channel_that_is_dead_for_a_day_delays_no_other_and_leaves_one_message_for_each_incident(
    tmp_path: Path,
) -> None:
    script = load(two_days())
    async with stage(script, tmp_path) as there:
        there.clock.second = 1e-6  # the waits of a day are over at once
        await there.restart()
        await there.at(clock("09:01"))
        there.telegram.breaks(refused())
        hour = timedelta(hours=1)
        for step in range(24):
            moment = clock("09:10") + step * hour
            await there.at(moment)
            due = [each for one in script.incidents for each in one.updates if each.at <= moment]
            assert len(there.slack.messages) == len(due) + 1, "on time"
        assert len(there.telegram.messages) == 2
        there.telegram.mends()
        await there.at(*(clock("09:10") + 24 * hour + timedelta(minutes=minute) for minute in (0, 5, 10)))
        one, two, three = (there.told(each.id)[TELEGRAM] for each in script.incidents)
        assert len(one) == 2 and all(f"one, step {step}." in one[1] for step in (1, 2, 3)), "its end is news for a day"
        assert len(two) == 1 and all(f"two, step {step}." in two[0] for step in (0, 1, 2)), "its last news is fresh"
        assert three == [], "nothing of it is news any more"
        await there.at(clock("13:10") + 24 * hour)
        two, three = (there.told(each.id)[TELEGRAM] for each in script.incidents[1:])
        assert len(two) == 2 and "two, step 3." in two[1]
        assert len(three) == 1 and all(f"three, step {step}." in three[0] for step in (0, 1)), "it rides along"
