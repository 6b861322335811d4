"""The process as hosts treat it: told how many to be, told to end again and again, on a disk that forgets."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from notifier.app import STOP_SECONDS
from tests.cli.asking import moved_to
from tests.receivers import silence
from tests.running import Program, program
from tests.town import Town


def children_of(pid: int) -> list[str]:
    listed = subprocess.run(["ps", "-A", "-o", "ppid="], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.split() if line == str(pid)]


async def test_a_host_that_wants_many_workers_gets_one(
    there: Town, environment: Mapping[str, str], tmp_path: Path
) -> None:
    """Heroku sets WEB_CONCURRENCY to what web servers should start on such a dyno."""
    many = {**environment, "WEB_CONCURRENCY": "4", "PORT": "5000", "DYNO": "worker.1"}
    async with program("-m", "notifier", "run", env=many, cwd=tmp_path) as running:
        await there.telegram.until(lambda: len(there.telegram.messages) == 1, 20)  # the welcome
        moved_to(there, 0)
        await there.telegram.until(lambda: len(there.telegram.messages) == 2, 20)
        await there.mail.until(lambda: len(there.mail.received) == 2, 20)
        assert children_of(running.process.pid) == []
        assert await running.stop() == 0
    assert [method for method, _ in there.telegram.reads].count("getUpdates") == 1, "one question, which still waits"
    assert len(there.telegram.messages) == len(there.mail.received) == 2
    [warning] = [line for line in running.err if "the database will be lost" in line]
    assert "heroku addons:create" in warning


async def test_it_ends_in_time_although_a_send_hangs_and_it_is_told_again_and_again(
    there: Town, environment: Mapping[str, str], tmp_path: Path
) -> None:
    async with program("-m", "notifier", "run", env=environment, cwd=tmp_path) as first:
        await there.slack.until(
            lambda: len(there.slack.messages) == 2, 20
        )  # the welcome, to the bot's and the webhook's
        there.slack.breaks(silence())
        moved_to(there, 0)
        await there.slack.until(lambda: len(there.slack.messages) == 4, 20)
        assert await told_again_and_again(first) < STOP_SECONDS + 2
    assert first.process.returncode == 0, first.printed


async def told_again_and_again(running: Program) -> float:
    """SIGTERM to all its processes, five times a second until they are gone; how long that took."""
    began = time.monotonic()
    ending = asyncio.ensure_future(running.ended())
    while not ending.done():
        with suppress(ProcessLookupError):
            os.killpg(running.process.pid, signal.SIGTERM)
        await asyncio.wait([ending], timeout=0.2)
    await ending
    return time.monotonic() - began
