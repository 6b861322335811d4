"""Slack through incoming webhooks: one URL per channel, no thread, no edit, no way to ask what arrived.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks. The URL is the secret: it is never named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

import aiohttp

from notifier.channels.slack_text import text_of
from notifier.message import Message, Receipt
from notifier.ports import Ambiguous, BadMessage, ChannelFailure, Gone, Throttled, Throttles
from notifier.subscription import Address
from notifier.transport import TIMEOUT, only_failures, proxy_of, seconds

GONE = (
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "posting_to_general_channel_denied",
    "team_disabled",
    "user_not_found",
)


def compose(message: Message) -> dict[str, object]:
    """The JSON body."""
    return {**text_of(message), "unfurl_links": False, "unfurl_media": False}


def explain(status: int, body: str, retry_after: str | None) -> ChannelFailure | None:
    """None if the message was taken. Slack answers in single words; anything else came from something in between."""
    word = body.strip() if re.fullmatch(r"\s*[a-z_]{2,60}\s*", body) else ""
    if status == 200 and word == "ok":
        return None
    if status == 429:
        return Throttled("Slack wants a pause", seconds(retry_after))
    if word in GONE or (word and status in (403, 404, 410)):
        return Gone(f"the Slack webhook refuses: {word}")
    if word and 400 <= status < 500:
        return BadMessage(f"the Slack webhook refuses the message: {word}")
    return Ambiguous(f"unclear answer from the Slack webhook: status {status}")


class SlackWebhook:
    """`urls` by the names that addresses use. The session is shared and stays open."""

    name = "slack-webhook"
    throttles: Throttles = "recipient"
    can_edit = False
    keeps_root = False
    can_find = False

    def __init__(self, urls: Mapping[str, str], session: aiohttp.ClientSession) -> None:
        self.notes: list[str] = []
        self._urls = urls
        self._proxies = {name: proxy_of(url) for name, url in urls.items()}
        self._session = session

    async def send(self, to: Address, message: Message) -> Receipt:
        if to.target not in self._urls:
            raise Gone(f"no Slack webhook is called {to.target}")
        if failure := await self._post(to.target, compose(message)):
            raise failure
        return Receipt(to=to.target, ref="")

    async def edit(self, receipt: Receipt, message: Message) -> None:
        raise BadMessage("what a Slack webhook posted cannot be edited")

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return None

    async def check(self) -> str:
        """Offers each webhook an empty message, which a working one refuses for that. Raises Gone for one that is."""
        for name in self._urls:
            failure = await self._post(name, {})
            if isinstance(failure, Gone):
                raise Gone(f"webhook {name}: {failure.reason}")
            if failure is not None and not isinstance(failure, BadMessage):
                raise failure
        return f"webhooks {', '.join(self._urls)}"

    async def close(self) -> None:
        """Nothing to do: the session belongs to the caller."""

    async def _post(self, name: str, body: dict[str, object]) -> ChannelFailure | None:
        with only_failures("the Slack webhook"):
            url = self._urls[name]
            post = self._session.post(
                url, json=body, timeout=TIMEOUT, allow_redirects=False, proxy=self._proxies.get(name)
            )
            async with post as response:
                return explain(response.status, await response.text(), response.headers.get("Retry-After"))
