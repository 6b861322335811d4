"""The text of a Slack message, the same for the Web API and for webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from notifier.fitting import fit
from notifier.markup import slack_mrkdwn, slack_plain
from notifier.message import Line, Message

TEXT_LIMIT = 4_000
"""Bytes after escaping. chat.update refuses more, and what is posted must stay editable."""


def text_of(message: Message) -> dict[str, Any]:
    """`text` with the operator's mention in front, and how Slack is to read it.

    `parse: none` leaves addresses, #names and @names in the text alone and formats the rest:
    https://docs.slack.dev/reference/methods/chat.postMessage#formatting.
    """
    write = slack_plain if message.plain else slack_mrkdwn
    mention = f"{message.mention} " if message.mention else ""

    def size(lines: Sequence[Line]) -> int:
        return len(f"{mention}{write(lines)}".encode())

    text = f"{mention}{write(fit(message.lines, size, TEXT_LIMIT, message.wording.rest))}"
    return {"text": text, "mrkdwn": not message.plain, "parse": "none"}
