"""The program as it is measured: its settings, its subscriptions, and itself, wired by `app` as in real life."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa

from bench.peer import Peer
from notifier.app import Service, service
from notifier.config import Settings, load
from notifier.deliver import Sender
from notifier.logs import logging_to
from notifier.store import codec
from notifier.store import schema as t
from notifier.store.sql import SqlStore
from notifier.subscription import Filter

CHANNELS = ("slack", "slack-webhook", "telegram", "mailto", "console")

TEN = (
    *("slack:C0000000001", "slack:C0000000002", "slack:C0000000003", "slack-webhook:a", "slack-webhook:b"),
    *("telegram:1", "telegram:2", "mailto:a@example.com", "mailto:b@example.com", "console:"),
)
"""Ten subscriptions, on every channel."""


def write_settings(folder: Path, peer: Peer, *, seconds: float = 0.02, welcome: bool = False) -> Path:
    """A settings file with every channel on, ten subscriptions, and this interval between polls."""
    ports = peer.ports
    subscriptions = "\n".join(f'[[subscriptions]]\nto = "{to}"' for to in TEN)
    path = folder / "config.toml"
    path.write_text(
        f"""
        [status_page]
        url = "{ports.page}"
        poll_seconds = {seconds}
        active_poll_seconds = {seconds}
        feed_poll_seconds = {seconds}
        [exchange]
        api_url = "{ports.page}"
        poll_seconds = {seconds}
        [store]
        url = "sqlite:///{folder}/notifier.db"
        [slack]
        bot_token = "xoxb-bench"
        api_url = "{ports.sinks}/slack/"
        [slack.webhooks]
        a = "{ports.sinks}/webhook/a"
        b = "{ports.sinks}/webhook/b"
        [telegram]
        bot_token = "1:bench"
        api_url = "{ports.telegram}"
        [email]
        smtp_url = "smtp://127.0.0.1:{ports.smtp}"
        [announce]
        welcome = {str(welcome).lower()}
        {subscriptions}
        """,
        encoding="utf-8",
    )
    return path


@asynccontextmanager
async def wired(settings: Settings, write: Callable[[str], None] = lambda _: None) -> AsyncIterator[Service]:
    """The service, not yet running, logging to a file as a production process would."""
    folder = Path(settings.store.url.removeprefix("sqlite:///")).parent
    with (folder / "log").open("w") as log, logging_to(log, level="info", as_json=True, secrets=()):
        async with service(settings, write) as program:
            yield program


@asynccontextmanager
async def running(settings: Settings, write: Callable[[str], None] = lambda _: None) -> AsyncIterator[Service]:
    """The service with its first round polled and nothing left to tell."""
    async with wired(settings, write) as program:
        await program.run(once=True)
        yield program


@asynccontextmanager
async def outbox_filled(settings: Settings, peer: Peer, count: int) -> AsyncIterator[Service]:
    """The service with one change to tell so many people on Telegram, beside the TEN."""
    peer.show(0)
    async with running(settings) as program:
        await subscribe(program.store, people(count))
        peer.show(1)
        outcome = await program.poll.page(program.page_sources[0])
        assert len(outcome.changes) == 1
        yield program


def settings(folder: Path, peer: Peer, **telegram: float | None) -> Settings:
    folder.mkdir(exist_ok=True)
    return loaded(write_settings(folder, peer), **telegram)


def loaded(path: Path, **telegram: float | None) -> Settings:
    """With `telegram`'s values even where a file may not have them: None messages a second are as many as go."""
    found = load(path, {})
    return found.model_copy(update={"telegram": found.telegram.model_copy(update=telegram)})


def telegram_of(program: Service) -> Sender:
    return next(sender for sender in program.senders if sender.channel.name == "telegram")


def people(count: int) -> list[str]:
    """So many private chats on Telegram."""
    return [f"telegram:{1_000_000_000 + number}" for number in range(count)]


async def subscribe(store: SqlStore, addresses: Sequence[str], filters: Sequence[Filter] = (Filter(),)) -> None:
    """Subscriptions that share these filters."""
    async with store.engine.begin() as connection:
        known = set((await connection.execute(sa.select(t.filters.c.doc))).scalars())
        docs = [codec.FILTER.dump(each) for each in filters]
        new = [{"doc": doc} for doc in docs if doc not in known]
        if new:
            await connection.execute(sa.insert(t.filters), new)
        ids = {doc: number for number, doc in await connection.execute(sa.select(t.filters.c.id, t.filters.c.doc))}
        await connection.execute(
            sa.insert(t.subscriptions).values(
                origin="self",
                name="",
                active=True,
                reason="",
                welcomed=True,
                created_at=t.AT_ONCE,
            ),
            [
                {
                    "address": address,
                    "written": address,
                    "channel": address.partition(":")[0],
                    "filter_id": ids[docs[number % len(docs)]],
                }
                for number, address in enumerate(addresses)
            ],
        )
