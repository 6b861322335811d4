"""What a command answers, as the tests of the command line look at it."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from typer.testing import Result

from tests.running import Program, notifier
from tests.town import Town


class Ask(Protocol):
    def __call__(self, *arguments: str, **env: str) -> Awaitable[Result]: ...


def in_json(result: Result) -> Any:
    """Standard output, which has to be JSON and nothing else."""
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


def moved_to(there: Town, update: int) -> None:
    """Now the page shows this update of the incident, counted from 0."""
    there.time.set(there.simulator.script.incidents[0].updates[update].at + timedelta(seconds=1))


async def once(config: Path) -> Program:
    """`notifier run --once`, in a process of its own, after its end."""
    ended = await notifier("run", "--once", "--config", str(config), cwd=config.parent)
    assert ended.process.returncode == 0, ended.printed
    return ended
