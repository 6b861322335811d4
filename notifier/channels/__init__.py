"""Channels: each carries messages to one provider and turns every answer into a Receipt or one of the seven failures.

Adding a channel:

1. a module here with a pure `compose(…)`, the exact request, and a class that keeps `ports.Channel`; text comes from
   `markup`, errors leave through `transport.only_failures`;
2. its line in `CHANNELS`, its section in `settings.py`, its `if` in `app.make_channels`;
3. its address in `model.Address` and its patience in `retry.POLICIES`;
4. a fake provider in `tests/receivers/` and tests that inherit `tests.channels.contract.ChannelContract`.
"""

from __future__ import annotations

from collections.abc import Mapping

from notifier.channels.console import Console
from notifier.channels.email import Email
from notifier.channels.slack import Slack
from notifier.channels.slack_webhook import SlackWebhook
from notifier.channels.telegram import Telegram
from notifier.ports import Channel

__all__ = ["CHANNELS", "Console", "Email", "Slack", "SlackWebhook", "Telegram"]

CHANNELS: Mapping[str, type[Channel]] = {
    "slack": Slack,
    "slack-webhook": SlackWebhook,
    "telegram": Telegram,
    "mailto": Email,
    "console": Console,
}
"""By the scheme of their addresses."""
