"""What the settings name, made: channels and their senders, sources, and the clients that they share."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

import aiohttp
import httpx

from notifier.channels import Console, Email, Slack, SlackWebhook, Telegram
from notifier.config import Settings
from notifier.deliver import Sender
from notifier.pace import LIMITS
from notifier.ports import Channel, Clock, Outbox
from notifier.render import Page
from notifier.retry import POLICIES
from notifier.settings import MOST_IN_FLIGHT
from notifier.sources.fetch import Polled, exchange_source, feed_source, page_sources
from notifier.tongue import Tongue
from notifier.transport import TIMEOUT
from notifier.urls import unsubscribe_url

USER_AGENT = "kraken-status-notifier (+https://pypi.org/project/kraken-status-notifier)"


def page_of(settings: Settings) -> Page:
    """The page that messages name and link to."""
    host = urlsplit(settings.status_page.url).hostname or ""
    name = "Kraken" if host.endswith("kraken.com") or host in ("127.0.0.1", "localhost", "::1") else host
    return Page(url=settings.status_page.url.rstrip("/"), name=name)


@asynccontextmanager
async def http_clients() -> AsyncIterator[tuple[httpx.AsyncClient, aiohttp.ClientSession]]:
    """One client for what is read, one session for what is sent. Redirects are refused by whoever asks."""
    headers = {"User-Agent": USER_AGENT}
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=120)
    async with (
        httpx.AsyncClient(headers=headers, timeout=10, limits=limits, follow_redirects=False) as reader,
        aiohttp.ClientSession(
            headers=headers, timeout=TIMEOUT, connector=aiohttp.TCPConnector(limit=2 * MOST_IN_FLIGHT)
        ) as session,
    ):
        yield reader, session


def make_channels(
    settings: Settings, session: aiohttp.ClientSession, write: Callable[[str], None], key: str = ""
) -> dict[str, Channel]:
    """Every channel that is configured, by the scheme of its addresses. `key` signs the links in mails."""
    channels: list[Channel] = [Console(write)]
    if token := settings.slack.bot_token:
        slack = settings.slack
        broadcast = slack.reply_broadcast
        channels.append(Slack(token.get_secret_value(), slack.api_url, session, slack.style, broadcast=broadcast))
    if hooks := settings.slack.webhooks:
        channels.append(SlackWebhook({name: url.get_secret_value() for name, url in hooks.items()}, session))
    if token := settings.telegram.bot_token:
        channels.append(Telegram(token.get_secret_value(), settings.telegram.api_url, session))
    if url := settings.email.smtp_url:
        email, public_url = settings.email, settings.web.public_url
        leave = (lambda to: unsubscribe_url(public_url, key, str(to))) if public_url and key else None
        mail = Email(url.get_secret_value(), email.sender, stable_subject=email.stable_subject, unsubscribe=leave)
        channels.append(mail)
    return {channel.name: channel for channel in channels}


def sources_of(settings: Settings, reader: httpx.AsyncClient) -> tuple[tuple[Polled, ...], Polled | None]:
    """What is polled: the page (its API in three readings, and its feed), and the exchange where that is wanted."""
    page = (*page_sources(reader, settings.status_page.url), feed_source(reader, settings.status_page.url))
    return page, exchange_source(reader, settings.exchange.api_url) if settings.exchange.enabled else None


def make_sender(
    settings: Settings, channel: Channel, outbox: Outbox, page: Page, clock: Clock, tongues: Mapping[str, Tongue]
) -> Sender:
    """One channel's way out, at the pace and with the patience that its provider wants."""
    policy, limits, in_flight = POLICIES[channel.name], LIMITS[channel.name], 8
    if channel.name == "telegram":
        telegram = settings.telegram
        policy = replace(policy, resend_ambiguous=telegram.on_ambiguous == "resend")
        limits = replace(limits, per_second=telegram.messages_per_second)
        in_flight = telegram.max_in_flight
    return Sender(
        channel,
        outbox,
        page,
        policy,
        clock,
        random.random,
        in_flight=in_flight,
        limits=limits,
        tongues=tongues,
    )
