"""A town whose people are told by a host's environment alone, as on Heroku: no settings file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.town import SUBSCRIPTIONS, Town, outage, town


@pytest.fixture
async def there() -> AsyncIterator[Town]:
    """An incident of two updates is about to begin."""
    async with town(outage(("investigating", "We are investigating."), ("resolved", "It is over."))) as made:
        yield made


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A URL as hosts set it."""
    return f"sqlite:///{tmp_path / 'notifier.db'}"


@pytest.fixture
def environment(there: Town, database: str) -> Mapping[str, str]:
    """Every variable that is set."""
    return {
        "DATABASE_URL": database,
        "NOTIFIER_SUBSCRIPTIONS": ",".join(SUBSCRIPTIONS),
        "NOTIFIER_STATUS_PAGE__URL": there.simulator.url,
        "NOTIFIER_STATUS_PAGE__POLL_SECONDS": "0.1",
        "NOTIFIER_STATUS_PAGE__ACTIVE_POLL_SECONDS": "0.1",
        "NOTIFIER_STATUS_PAGE__FEED_POLL_SECONDS": "0.2",
        "NOTIFIER_EXCHANGE__API_URL": there.simulator.url,
        "NOTIFIER_EXCHANGE__POLL_SECONDS": "0.2",
        "SLACK_BOT_TOKEN": there.slack.token,
        "NOTIFIER_SLACK__API_URL": there.slack.url,
        "NOTIFIER_SLACK__WEBHOOKS__OPS": there.slack.webhook("ops"),
        "TELEGRAM_BOT_TOKEN": there.telegram.token,
        "NOTIFIER_TELEGRAM__API_URL": there.telegram.url,
        "SMTP_URL": there.mail.url,
        "NOTIFIER_EMAIL__SENDER": "Kraken status <status@example.com>",
    }
