"""What only the composition can get wrong: which values are secret, and how the whole of it stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from notifier import app
from notifier.app import service
from notifier.config import Settings, load
from notifier.settings import secrets_of
from tests.receivers import silence
from tests.town import Town, outage, town

CANARIES = {
    "a Slack token": ("SLACK__BOT_TOKEN", "xoxb-canary", {"xoxb-canary"}),
    "a Telegram token": ("TELEGRAM__BOT_TOKEN", "42:canary", {"42:canary"}),
    "a webhook, whose whole address is one, and what a request names of it": (
        "SLACK__WEBHOOKS__OPS",
        "https://hooks.example/canary",
        {"https://hooks.example/canary", "/canary"},
    ),
    "the address of the heartbeat": (
        "OPERATORS__HEARTBEAT_URL",
        "https://ping.example/canary",
        {"https://ping.example/canary", "/canary"},
    ),
    "a mail password, as it is written, as it is meant, and as a login says it": (
        "EMAIL__SMTP_URL",
        "smtps://bot:canary%40home@mail.example:465",
        {"canary%40home", "canary@home", "AGJvdABjYW5hcnlAaG9tZQ==", "Y2FuYXJ5QGhvbWU="},
    ),
    "a database password": ("STORE__URL", "postgresql://bot:canary@db.example/news", {"canary"}),
}


@pytest.mark.parametrize("case", CANARIES)
def test_no_log_may_show(case: str) -> None:
    key, value, secret = CANARIES[case]
    found = secrets_of(load(None, {f"NOTIFIER_{key}": value}))
    assert set(found) >= secret
    assert all(found), "blotting out nothing would blot out everything"


def test_settings_without_secrets_have_none() -> None:
    assert secrets_of(load(None, {})) == []


@pytest.fixture
async def there() -> AsyncIterator[Town]:
    """Its page falls silent a minute after the update."""
    async with town(outage(("investigating", "We look into it."), answers_for=timedelta(minutes=1))) as made:
        yield made


@pytest.fixture
def settings(there: Town, tmp_path: Path) -> Settings:
    config = tmp_path / "config.toml"
    config.write_text(there.settings(tmp_path / "notifier.db", subscriptions=["telegram:-1001", "slack:C0TRADING"]))
    return load(config, {"NOTIFIER_STATUS_PAGE__FEED_POLL_SECONDS": "60"})


@pytest.mark.fault("F1")
async def test_a_hanging_page_and_a_hanging_send_do_not_keep_it_from_stopping(
    there: Town, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "STOP_SECONDS", 0.5)
    loop = asyncio.get_running_loop()
    [update] = there.simulator.script.incidents[0].updates
    [fault] = there.simulator.script.faults
    async with service(settings, lambda _: None) as running:
        async with asyncio.TaskGroup() as tasks:
            result = tasks.create_task(running.run())
            await there.slack.until(lambda: len(there.slack.messages) == 1)
            await there.telegram.until(lambda: len(there.telegram.messages) == 1)
            there.telegram.next(silence())
            there.time.set(update.at)
            await there.telegram.until(lambda: len(there.telegram.messages) == 2)
            await there.slack.until(lambda: len(there.slack.messages) == 2)
            there.time.set(fault.since)
            hanging = there.time.asked + 3
            await there.time.until(lambda: there.time.asked >= hanging)
            began = loop.time()
            running.stop()
        assert loop.time() - began < 3
        assert result.result() == {"sent": 3, "sending": 1}

    there.time.set(update.at)
    async with service(settings, lambda _: None) as running:
        assert await running.run(once=True) == {"sent": 4}
        attempts = {each.address: each.attempt for each in await running.store.deliveries((), 2)}
    assert attempts == {"telegram:-1001": 2, "slack:C0TRADING": 1}, "what may have arrived is sent once more"
    first, second = there.telegram.messages[1:]
    assert first.text == second.text
    assert len(there.slack.messages) == 2
