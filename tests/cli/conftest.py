"""A town to point the commands at, and somebody who types them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from notifier import cli
from tests.cli.asking import Ask
from tests.town import Town, outage, town


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def there() -> AsyncIterator[Town]:
    """An incident of two updates is about to begin."""
    updates = (
        ("investigating", "We are investigating errors on connect."),
        ("resolved", "This incident has been resolved."),
    )
    async with town(outage(*updates)) as made:
        yield made


@pytest.fixture
def config(there: Town, tmp_path: Path) -> Path:
    """A settings file that names everybody there; the database is to be beside it."""
    path = tmp_path / "config.toml"
    path.write_text(there.settings(tmp_path / "notifier.db"))
    return path


@pytest.fixture
def ask(config: Path) -> Ask:
    """Types a command; in this process, because that is faster."""

    async def typed(*arguments: str, **env: str) -> Result:
        given = {"NOTIFIER_CONFIG": str(config), **env}
        return await asyncio.to_thread(lambda: CliRunner().invoke(cli.app, arguments, env=given))

    return typed
