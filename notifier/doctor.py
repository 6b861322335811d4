"""Asks, and really: what Kraken says now, and whether all that the settings name answers, with the cure if not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from notifier.config import Settings
from notifier.health import CREDENTIALS
from notifier.known import DutyState
from notifier.message import Line, Message, Receipt, Role, Span
from notifier.model import Incident, Snapshot
from notifier.ports import (
    BadCredentials,
    Channel,
    ChannelFailure,
    Clock,
    Gone,
    SourceFailed,
    StoreFailed,
    StoreRefused,
    Throttled,
)
from notifier.subscription import Address
from notifier.times import duration
from notifier.tongue import ENGLISH
from notifier.wiring import forgotten, http_clients, make_channels, open_store, sources_of

SILENT = timedelta(minutes=10)
"""How long a living service may write nothing of its polls: they are 5 minutes apart at most while Kraken fails, and
their time is written once a minute.
"""

_REVIVE = "see whether `notifier run` runs, and what its log says last"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """The answer of one thing that was asked; `cure` where it is not well."""

    name: str
    said: str
    cure: str = ""

    @property
    def ok(self) -> bool:
        return not self.cure


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Database, page, feed, exchange and every channel that is configured."""
    yield await _database(settings)
    async with http_clients() as (reader, session):
        page, exchange = sources_of(settings, reader)
        for source in (*page, *([exchange] if exchange else [])):
            try:
                snapshot = await source.read()
                yield Finding(name=source.name, said=_seen(snapshot) if snapshot else "unchanged")
            except SourceFailed as failed:
                yield Finding(name=source.name, said=failed.reason, cure=_reach(settings, source.name))
        for name, channel in make_channels(settings, session, lambda _: None).items():
            yield await _channel(name, channel)
            await channel.close()


async def alive(settings: Settings, clock: Clock) -> AsyncIterator[Finding]:
    """Whether a service polls for this database, whatever the answers. Asks nobody but the database, and makes none."""
    async with open_store(settings, existing=True) as store:
        asked = [each.polled_at for each in await store.sources()]
    if not asked:
        yield Finding(name="alive", said="nothing was polled yet", cure=_REVIVE)
        return
    ago = abs(clock.now() - max(asked))
    yield Finding(name="alive", said=f"polled {duration(ago, ENGLISH)} ago", cure=_REVIVE if ago > SILENT else "")


async def _database(settings: Settings) -> Finding:
    try:
        async with open_store(settings) as store:
            counts = await store.counts()
    except StoreRefused as refused:
        return Finding(name="database", said=str(refused), cure="see store.url")
    lost = forgotten(settings)
    warning = f"; but it will be lost: {lost}" if lost else ""
    return Finding(
        name="database", said=f"{store.place} is ready, {sum(counts.values())} deliveries on record{warning}"
    )


async def _channel(name: str, channel: Channel) -> Finding:
    try:
        return Finding(name=name, said=await channel.check())
    except (BadCredentials, Gone) as refused:
        return Finding(name=name, said=refused.reason, cure=CREDENTIALS.get(name, "check the credentials"))
    except Throttled as busy:
        wish = f"{busy.retry_after:.0f} s" if busy.retry_after else "a moment"
        return Finding(name=name, said=busy.reason, cure=f"nothing is wrong with the settings; ask again in {wish}")
    except ChannelFailure as failed:
        return Finding(name=name, said=failed.reason, cure="try again; if it stays, check the network and the URL")


def _seen(snapshot: Snapshot) -> str:
    if snapshot.exchange is not None:
        return f"the engine is {snapshot.exchange.status.replace('_', ' ')}"
    broken = f", {len(snapshot.broken)} not readable" if snapshot.broken else ""
    parts = f", {len(snapshot.components)} components" if snapshot.components is not None else ""
    return f"{len(snapshot.incidents)} incidents and maintenances{parts}{broken}"


def _reach(settings: Settings, name: str) -> str:
    url = settings.exchange.api_url if name == "exchange" else settings.status_page.url
    return f"open {url} from this machine; check proxy and firewall, or the URL in the settings"


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What Kraken says at one moment, and who watches; `failed` names what did not answer, with the reason."""

    incidents: tuple[Incident, ...] = ()
    engine: str | None = None
    degraded: tuple[str, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    duties: tuple[DutyState, ...] = ()
    """Who does what of the notifier's own work; empty if it never ran."""
    unknown: str = ""
    """Why nobody can say that."""

    @property
    def reached(self) -> bool:
        return not self.failed


async def look(settings: Settings) -> Look:
    """Asks the page, the exchange and the database once."""
    failed: dict[str, str] = {}
    seen: list[Snapshot] = []
    async with http_clients() as (reader, _):
        (summary, *_rest), exchange = sources_of(settings, reader)
        for source in (summary, exchange):
            try:
                snapshot = await source.read() if source else None
            except SourceFailed as failure:
                failed[source.name if source else ""] = failure.reason
            else:
                seen += [snapshot] if snapshot else []
    duties, unknown = await _who(settings)
    return Look(
        incidents=tuple(incident for snapshot in seen for incident in snapshot.incidents),
        engine=next((snapshot.exchange.status for snapshot in seen if snapshot.exchange), None),
        degraded=tuple(
            component.name
            for snapshot in seen
            for component in snapshot.components or ()
            if component.status != "operational" and not component.is_group
        ),
        failed=failed,
        duties=duties,
        unknown=unknown,
    )


async def _who(settings: Settings) -> tuple[tuple[DutyState, ...], str]:
    try:
        async with open_store(settings, existing=True) as store:
            return tuple(await store.duties()), ""
    except (StoreRefused, StoreFailed) as failed:
        return (), str(failed)


async def send_test(settings: Settings, to: Address, clock: Clock, write: Callable[[str], None]) -> Receipt:
    """Sends one marked test message. Raises ChannelFailure, and KeyError for a channel that is not configured."""
    now = clock.now()
    message = Message(
        delivery_ids=(f"test-{now:%Y%m%dT%H%M%S%f}",),
        subject="[Kraken] Test message",
        topic="[Kraken] Test message",
        lines=(
            Line(
                spans=(Span(text="🔔 Test message: this is where Kraken status news will arrive", style="bold"),),
                role=Role.TITLE,
            ),
            Line(spans=(Span(text="Status page", url=settings.status_page.url),), role=Role.LINK),
        ),
        date=now,
        loud=True,
    )
    async with http_clients() as (_, session):
        channels = make_channels(settings, session, write)
        try:
            return await channels[to.channel].send(to, message)
        finally:
            for channel in channels.values():
                await channel.close()
