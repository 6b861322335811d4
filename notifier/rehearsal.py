"""The product without accounts: the demonstration, the preview, and the simulator to try one's own settings against."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from notifier.app import StoryClock, http_clients, open_store, page_of, service, sources_of
from notifier.channels import console, email, slack, slack_webhook, telegram
from notifier.config import Settings
from notifier.diff import EPOCH, diff_page
from notifier.known import Known, KnownComponent, KnownIncident, KnownPage
from notifier.model import Address, Change, Component, Incident, Kind, Message, Receipt, Snapshot, Update
from notifier.ports import Part, SourceFailed, StoreRefused
from notifier.render import Page, render
from notifier.simulator import Script, ScriptError, Simulator, load, shipped
from notifier.simulator.page import answer
from notifier.sources.fetch import PageLookup
from notifier.sources.statuspage import parse_incident, parse_incidents, parse_maintenances, parse_summary

__all__ = ["ScriptError", "demo", "preview", "script_named", "simulate"]

DEMO_SPEED = 60
DEMO_SCRIPT = "websocket-2026-02-24"
DEMO_ADDRESSES = ("slack:C0TRADING", "slack-webhook:ops", "telegram:-1001234567890", "mailto:ops@example.com")
DEMO_SENDER = "Kraken status <status@example.com>"


def written(to: Address, message: Message) -> str:
    """What a channel would send, as text: the very request or mail that its `compose` makes."""
    match to.channel:
        case "slack":
            return str(slack.compose(to, message)["text"])
        case "slack-webhook":
            return str(slack_webhook.compose(message)["text"])
        case "telegram":
            return str(telegram.compose(to, message)["text"])
        case "mailto":
            mail = email.compose(to, message, DEMO_SENDER)
            text = mail.get_body(("plain",))
            names = ("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To")
            heads = "\n".join(f"{name}: {mail[name]}" for name in names if mail[name])
            return f"{heads}\n\n{text.get_content().strip() if text else ''}"
    return console.compose(message)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A message of the demonstration, and when it would have arrived."""

    to: Address
    message: Message
    text: str
    at: datetime


class _Showing:
    """Stands in for a channel: shows what would be sent, and answers as the provider would."""

    can_find = False

    def __init__(self, name: str, clock: StoryClock, show: Callable[[Shown], None]) -> None:
        self.name = name
        self.can_edit = name in ("slack", "telegram")
        self._clock = clock
        self._show = show
        self._count = 0
        self.notes: list[str] = []

    async def send(self, to: Address, message: Message) -> Receipt:
        self._count += 1
        self._show(Shown(to=to, message=message, text=written(to, message), at=self._clock.now()))
        ref = email.compose(to, message, DEMO_SENDER)["Message-ID"] if self.name == "mailto" else str(self._count)
        return Receipt(to.target, ref, root=message.thread is None and self.name != "slack-webhook")

    async def edit(self, receipt: Receipt, message: Message) -> None:
        return None

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return None

    async def check(self) -> str:
        return "a stand-in"

    async def close(self) -> None:
        return None


async def demo(show: Callable[[Shown], None], *, speed: float = DEMO_SPEED) -> dict[str, int]:
    """Plays the incident of 24 February 2026 through the whole pipeline; deliveries by state."""
    script = load(shipped()[DEMO_SCRIPT])
    clock = StoryClock(script.page.start, speed)
    with TemporaryDirectory(prefix="notifier-demo-") as folder:
        async with Simulator(script, clock.now) as simulator:
            settings = demo_settings(simulator.url, Path(folder) / "demo.db", speed)
            channels = {
                subscription.address.channel: _Showing(subscription.address.channel, clock, show)
                for subscription in settings.subscriptions
            }
            async with service(
                settings, lambda _: None, clock=clock, channels=dict(channels), page=Page(url=script.page.url)
            ) as running:
                async with asyncio.TaskGroup() as tasks:
                    result = tasks.create_task(running.run())
                    await asyncio.sleep(clock.seconds(script.page.end - clock.now()))
                    running.stop()
                return result.result()


def demo_settings(url: str, database: Path, speed: float) -> Settings:
    """The defaults, with the intervals of a story that runs `speed` times as fast, and four imaginary recipients."""
    return Settings.model_validate(
        {
            "status_page": {
                "url": url,
                "poll_seconds": 20 / speed,
                "active_poll_seconds": 10 / speed,
                "feed_poll_seconds": 60 / speed,
            },
            "exchange": {"api_url": url, "poll_seconds": 20 / speed},
            "store": {"url": f"sqlite:///{database}"},
            "subscriptions": [{"to": address} for address in DEMO_ADDRESSES],
        }
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Previewed:
    """One change as every channel would tell it."""

    change: Change
    texts: Mapping[str, str]


async def preview(settings: Settings, what: str) -> list[Previewed]:
    """What each channel would have sent for a script, an API payload in a file, or an incident of the page.

    Raises ValueError if it is none of these.
    """
    changes = _changes_in(Path(what))
    if changes is None:
        incident, called = await _incident_named(settings, what)
        changes = _retold([incident], called)
    return [Previewed(change=change, texts=_texts(change, page_of(settings))) for change in changes]


def _changes_in(path: Path) -> list[Change] | None:
    """The changes of a script or of an API payload; None if there is no such file."""
    if path.suffix == ".toml" or str(path) in shipped():
        return _changes_of_script(script_named(str(path)))
    return _retold(_incidents_in(path.read_bytes(), path)) if path.is_file() else None


def _texts(change: Change, page: Page) -> dict[str, str]:
    thread = Receipt("preview", "<the-first-message@example.com>") if len(change.timeline) > 1 else None
    addresses = [Address.parse(address) for address in ("console:", *DEMO_ADDRESSES)]
    part = Part(delivery_id=1, change=change)
    return {
        to.channel: written(to, render([part], page, origin="preview", date=change.detected_at, thread=thread))
        for to in addresses
    }


def _changes_of_script(script: Script) -> list[Change]:
    known, changes = Known(), list[Change]()
    for moment in (script.page.start, *script.moments):
        for endpoint, parse in (
            ("summary", parse_summary),
            ("incidents", parse_incidents),
            ("scheduled-maintenances", parse_maintenances),
        ):
            snapshot = parse(json.dumps(answer(script, endpoint, moment)).encode())
            known, new = _step(known, snapshot, moment)
            changes += new
    return changes


def _step(known: Known, snapshot: Snapshot, now: datetime) -> tuple[Known, tuple[Change, ...]]:
    baseline = snapshot.source not in known.page.sources and len(known.page.sources) < 3
    news = diff_page(known, snapshot, now, baseline=baseline)
    return (
        Known(
            page=news.known.page,
            incidents={**known.incidents, **news.known.incidents},
            components=news.known.components if news.known.components is not None else known.components,
        ),
        news.changes,
    )


def _incidents_in(body: bytes, path: Path) -> Sequence[Incident]:
    for parse in (parse_incident, parse_summary, parse_incidents, parse_maintenances):
        try:
            return parse(body).incidents
        except ValueError:
            continue
    raise ValueError(f"{path} is neither a script (.toml) nor an answer of the status page's API (JSON)")


async def _incident_named(settings: Settings, incident_id: str) -> tuple[Incident, dict[str, KnownComponent]]:
    """The incident as far as it is known here, or else as the page has it, and what its components are called."""
    with suppress(StoreRefused):
        async with open_store(settings, existing=True) as store:
            for known in await store.incidents():
                if known.id == incident_id:
                    return _as_seen(known), {
                        str(each): KnownComponent(name=each.name, group=each.group, status="", updated_at=None)
                        for each in known.components
                    }
    async with http_clients() as (reader, _):
        try:
            snapshot = await PageLookup(reader, settings.status_page.url).look_up(incident_id)
            summary = await sources_of(settings, reader)[0][0].read() if snapshot else None
        except SourceFailed as failed:
            url = settings.status_page.url
            raise SourceFailed(f"{incident_id!r} is no file and no shipped script; {url}: {failed.reason}") from failed
    if snapshot is None or not snapshot.incidents:
        raise ValueError(
            f"{incident_id!r} is no file, no shipped script, and no incident of {settings.status_page.url}"
        )
    named, _ = _step(Known(), summary, EPOCH) if summary else (Known(), ())
    return snapshot.incidents[0], dict(named.components or {})


def _as_seen(known: KnownIncident) -> Incident:
    return Incident(
        id=known.id,
        topic=known.topic,
        name=known.name,
        status=known.status,
        impact=known.impact,
        updates=tuple(
            Update(id=each.id, status=each.status, text=each.text, at=each.at, created_at=each.created_at)
            for each in known.updates
        ),
        updated_at=known.updated_at,
        resolved_at=known.resolved_at,
        window=known.window,
        components=tuple(Component(id=str(each), name=each.name) for each in known.components),
    )


def _retold(incidents: Sequence[Incident], called: Mapping[str, KnownComponent] | None = None) -> list[Change]:
    """The changes of incidents as if they had been watched update by update."""
    changes: list[Change] = []
    for incident in incidents:
        known = Known(page=KnownPage(watched_since=EPOCH, sources=("preview",)), components=called)
        for so_far in _revealed(incident):
            now = so_far.updates[-1].created_at or so_far.updates[-1].at
            known, new = _step(known, Snapshot(source="preview", incidents=(so_far,)), now + timedelta(seconds=5))
            changes += [change for change in new if change.kind is Kind.UPDATE_POSTED]
    return changes


def _revealed(incident: Incident) -> Iterator[Incident]:
    for count in range(1, len(incident.updates)):
        updates = incident.updates[:count]
        newest = updates[-1]
        yield replace(
            incident,
            updates=updates,
            status=newest.status,
            resolved_at=None,
            updated_at=newest.created_at or newest.at,
        )
    if incident.updates:
        yield incident


async def simulate(script: Script, *, speed: float, port: int, started: Callable[[str, datetime], None]) -> None:
    """Serves a script on loopback, for ever. The story begins when it is first asked; its last state stays."""
    clocks: list[StoryClock] = []

    def now() -> datetime:
        if not clocks:
            clocks.append(StoryClock(script.page.start, speed))
        return clocks[0].now()

    async with Simulator(script, now, port=port) as simulator:
        started(simulator.url, script.page.start)
        await asyncio.Event().wait()


def script_named(name: str) -> Script:
    """A shipped script by name, or one in a file. Raises ValueError; ScriptError for what is wrong in it."""
    path = shipped().get(name, Path(name))
    if not path.is_file():
        raise ValueError(f"{name!r} is neither a file nor one of {', '.join(shipped())}")
    return load(path)
