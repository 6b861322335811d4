"""What the settings name, made: channels and their senders, sources, and the clients that they share."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import httpx
import structlog

from notifier.bot_api import TelegramHttp
from notifier.channels import Console, Email, Slack, SlackWebhook, Telegram
from notifier.config import Settings
from notifier.deliver import Sender
from notifier.duty import Duties
from notifier.hosting import why_forgotten
from notifier.inbox.commands import language_of
from notifier.inbox.desk import Desk
from notifier.inbox.ports import Way
from notifier.inbox.profile import Profile
from notifier.inbox.reading import Reading
from notifier.inbox.telegram import TelegramInbox
from notifier.known import Holding
from notifier.pace import LIMITS
from notifier.poll import Poll
from notifier.ports import Channel, Clock, Outbox, StoreRefused, sending
from notifier.readers import Readers
from notifier.render import Page
from notifier.retry import POLICIES
from notifier.settings import MOST_IN_FLIGHT
from notifier.sources.fetch import Polled, exchange_source, feed_source, page_sources
from notifier.store import copying
from notifier.store.engine import exists, only_process
from notifier.store.sql import SqlStore
from notifier.tongue import ENGLISH, Tongue
from notifier.transport import TIMEOUT
from notifier.urls import unsubscribe_url
from notifier.watch import Watch

if TYPE_CHECKING:
    from notifier.inbox.webhook import Webhook

USER_AGENT = "kraken-status-notifier (+https://pypi.org/project/kraken-status-notifier)"


TAKEOVER_SECONDS = 15
"""How long a new process waits for the one before it to let go of a SQLite file."""

WEBHOOK_PORT = 8080
"""Where a webhook listens, unless the host says otherwise by PORT."""

log = structlog.get_logger("app")


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
    settings: Settings,
    channel: Channel,
    outbox: Outbox,
    page: Page,
    clock: Clock,
    tongues: Mapping[str, Tongue],
    duties: Duties | None = None,
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
        trusted=partial(duties.trusted, sending(channel.name)) if duties else lambda: True,
    )


def forgotten(settings: Settings) -> str:
    """Why the database does not outlive this process, with the cure; empty if it does."""
    if not settings.store.file:
        return ""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        mounts = ""  # not Linux: not a container either
    path = str(Path(settings.store.file).resolve())
    return why_forgotten(path, mounts, heroku=bool(settings.dyno), fly=bool(settings.fly_machine))


@asynccontextmanager
async def open_store(settings: Settings, *, existing: bool = False) -> AsyncIterator[SqlStore]:
    """The database, brought up to date; with `existing`, only if it is there already. Raises StoreRefused."""
    if existing and not exists(settings.store.url):
        raise StoreRefused("there is no database yet; `notifier run` makes it, in the place that store.url names")
    store = await SqlStore.open(settings.store.url, token=secrets.randbits(62))
    try:
        yield store
    finally:
        await store.close()


async def copy_store(source_url: str, target_url: str) -> Sequence[Holding]:
    """Moves all into a new database. Raises StoreRefused, or StoreFailed."""
    return await copying.copy(source_url, target_url)


async def back_up(settings: Settings, file: Path, now: datetime) -> Sequence[Holding]:
    """Writes all into a new SQLite file. Raises StoreRefused, or StoreFailed."""
    return await copying.back_up(settings.store.url, file, now)


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[None]:
    """Holds the database for this process, as soon as the one before it lets go."""
    async with AsyncExitStack() as stack:
        for waited in range(TAKEOVER_SECONDS + 1):
            try:
                stack.enter_context(only_process(settings.store.url))
                break
            except BlockingIOError:
                if waited == TAKEOVER_SECONDS:
                    raise StoreRefused(
                        "another notifier is running on this database; stop it first, or name another one in store.url"
                    ) from None
                if not waited:
                    log.info("waiting for the process before this one to stop")
                await asyncio.sleep(1)
        yield


def make_desk(
    readers: Readers,
    page: Page,
    tongues: Mapping[str, Tongue],
    clock: Clock,
    poll: Poll,
    watch: Watch,
    owing: Callable[[], None],
    ended: Callable[[int], None],
) -> Desk:
    """Who answers what people say."""

    def read_at() -> datetime | None:
        return next((each.ok_at for each in poll.health() if each.name == "summary"), None)

    return Desk(readers, page, tongues, clock, troubles=watch.troubles, read_at=read_at, owing=owing, ended=ended)


def make_inbox(
    settings: Settings,
    session: aiohttp.ClientSession,
    desk: Desk,
    way: Way,
    readers: Readers,
    tongues: Mapping[str, Tongue],
    clock: Clock,
    key: str,
) -> Reading | Webhook:
    """What reads what people say: by asking Telegram, or by a webhook. `key` is this database's own secret."""
    telegram, operators = settings.telegram, settings.operators.telegram_ids
    token = telegram.bot_token.get_secret_value() if telegram.bot_token else ""
    http = TelegramHttp(token, telegram.api_url, session)
    bot = http.bot()

    def tongue(code: str | None) -> Tongue:
        return tongues.get(language_of(code), ENGLISH)

    profile = Profile(bot, desk, readers, operators)
    inbox = TelegramInbox(bot, desk, way, profile, clock, operators=operators, tongue=tongue)
    if telegram.webhook_url is None:
        return Reading(http, bot, inbox, readers, clock)
    from notifier.inbox.webhook import Webhook  # a web server's memory, only where it is needed

    return Webhook(bot, inbox, readers, clock, url=telegram.webhook_url, port=settings.port or WEBHOOK_PORT, key=key)
