"""The Procfile on a clean checkout, run by honcho as Heroku would run it: nothing is installed but requirements.txt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.asking import moved_to
from tests.running import ROOT, Program, program
from tests.town import Town


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What git knows, and nothing else."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    place = tmp_path / "app"
    for name in filter(None, listed.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).exists():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, place / name)
    return place


def as_heroku(environment: Mapping[str, str]) -> Mapping[str, str]:
    return {
        **environment,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


async def released(environment: Mapping[str, str], checkout: Path) -> Program:
    """The release phase, after its end."""
    phase = program("-m", "honcho", "start", "release", env=as_heroku(environment), cwd=checkout)
    async with phase as started:
        await started.ended()
    return started


async def test_release_and_worker_tell_the_news_and_end_with_0(
    there: Town, environment: Mapping[str, str], checkout: Path
) -> None:
    release = await released(environment, checkout)
    assert release.process.returncode == 0, release.printed
    assert "✓ the database is up to date" in release.printed
    async with program("-m", "honcho", "start", "worker", env=as_heroku(environment), cwd=checkout) as dyno:
        await there.polled(1)
        await there.telegram.until(lambda: len(there.telegram.messages) == 1, 20)  # the welcome
        moved_to(there, 0)
        await there.telegram.until(lambda: len(there.telegram.messages) == 2, 20)
        await there.slack.until(lambda: len(there.slack.messages) == 4, 20)
        await dyno.stop()
    assert "worker.1 stopped (rc=0)" in dyno.printed, dyno.printed
    assert f"{checkout}" not in dyno.printed, "no traceback"
    assert {path.name for path in checkout.iterdir() if path.name.startswith("notifier.db")} == set()


async def test_a_release_without_a_database_says_so_and_lets_the_deploy_pass(checkout: Path) -> None:
    release = await released({"DYNO": "release.1"}, checkout)
    assert release.process.returncode == 0, release.printed
    assert "heroku addons:create heroku-postgresql:essential-0" in release.printed


async def test_a_release_with_wrong_settings_stops_the_deploy_and_names_them(checkout: Path) -> None:
    release = await released({"NOTIFIER_SUBSCRIPTIONS": "slack:C0123456789"}, checkout)
    assert release.process.returncode == 2
    assert "set slack.bot_token in the file or SLACK_BOT_TOKEN in the environment" in release.printed
