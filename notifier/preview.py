"""What every channel would say of an incident or a script, without sending it: as text, and as the clients draw it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from functools import partial
from pathlib import Path

from notifier import facsimile
from notifier.channels import email, slack, telegram
from notifier.config import Settings
from notifier.diff import diff_page
from notifier.facsimile import Conversation, Mail, SlackPost, TelegramPost
from notifier.known import EPOCH, Known, KnownComponent, KnownIncident, KnownPage
from notifier.message import Message, Receipt
from notifier.model import Change, Component, Incident, Kind, Snapshot, Update
from notifier.parcel import Part
from notifier.ports import SourceFailed, StoreRefused
from notifier.rehearsal import DEMO_ADDRESSES, DEMO_SENDER, script_named, written
from notifier.render import Page, render
from notifier.simulator import Script, shipped
from notifier.simulator.page import answer
from notifier.sources.fetch import PageLookup
from notifier.sources.statuspage import parse_incident, parse_incidents, parse_maintenances, parse_summary
from notifier.subscription import Address
from notifier.wiring import http_clients, open_store, page_of, sources_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Previewed:
    """One change as every channel would tell it."""

    change: Change
    texts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """Every change in its words, and all of them together on a page."""

    changes: Sequence[Previewed]
    html: str


async def preview(settings: Settings, what: str) -> Preview:
    """What each channel would have sent for a script, an API payload in a file, or an incident of the page.

    Raises ValueError if it is none of these.
    """
    changes = _changes_in(Path(what))
    if changes is None:
        incident, called = await _incident_named(settings, what)
        changes = _retold([incident], called)
    page = page_of(settings)
    return Preview(
        changes=[Previewed(change=change, texts=_texts(change, changes, page)) for change in changes],
        html=facsimile.page(f"Preview of {Path(what).name}", conversations(changes, page)),
    )


def _changes_in(path: Path) -> list[Change] | None:
    """The changes of a script or of an API payload; None if there is no such file."""
    if path.suffix == ".toml" or str(path) in shipped():
        return _changes_of_script(script_named(str(path)))
    if not path.is_file():
        return None
    snapshot = _answer_in(path)
    named, _ = _step(Known(), replace(snapshot, incidents=()), EPOCH)
    return _retold(snapshot.incidents, named.components)


def _texts(change: Change, changes: Sequence[Change], page: Page) -> dict[str, str]:
    """What each channel says of a change. An edit is no message: it shows in the one that it is about, where it can."""
    addresses = [Address.parse(address) for address in ("console:", *DEMO_ADDRESSES)]
    told, since = change, list[Change]()
    if change.kind is Kind.UPDATE_EDITED:
        addresses = [to for to in addresses if to.channel in ("slack", "telegram")]
        originals = [each for each in changes if each.kind is Kind.UPDATE_POSTED and _edits(change, each)]
        told, since = (originals[0], [change]) if originals else (change, [])
    thread = Receipt("preview", "<the-first-message@example.com>") if len(told.timeline) > 1 else None
    part = Part(delivery_id=1, change=told)
    message = render([part], page, origin="preview", date=told.detected_at, since=since, thread=thread)
    return {to.channel: written(to, message) for to in addresses}


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


def _answer_in(path: Path) -> Snapshot:
    body = path.read_bytes()
    for parse in (parse_incident, parse_summary, parse_incidents, parse_maintenances):
        try:
            return parse(body)
        except ValueError:
            continue
    raise ValueError(
        f"{path} is neither a script (.toml) nor one of the page's answers summary.json, incidents.json, "
        "scheduled-maintenances.json, incidents/<id>.json"
    )


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


def conversations(changes: Sequence[Change], page: Page) -> list[Conversation]:
    """Each subject as its readers have it in the end, with every edit made."""
    subjects = dict.fromkeys(change.subject for change in changes)
    return [_conversation([change for change in changes if change.subject == subject], page) for subject in subjects]


def _conversation(changes: Sequence[Change], page: Page) -> Conversation:
    slack_chat, _, telegram_chat, mailbox = (Address.parse(address) for address in DEMO_ADDRESSES)
    posts, bubbles, mails = list[SlackPost](), list[TelegramPost](), list[Mail]()
    edits = list[Change]()
    for place, change in enumerate(changes):
        if change.kind is Kind.UPDATE_EDITED:
            edits.append(change)
            continue
        since = [each for each in changes[place + 1 :] if not posts or _edits(each, change)]
        told = partial(_message, place, change, page, since=since)
        at, edited = change.detected_at, bool(since)
        root = Receipt(slack_chat.target, posts[0].ts) if posts else None
        payload = slack.compose(slack_chat, told(thread=root))
        posts.append(SlackPost(payload=payload, ts=f"{at.timestamp():.6f}", at=at, edited=edited))
        root = Receipt(telegram_chat.target, str(bubbles[0].message_id)) if bubbles else None
        payload = telegram.compose(telegram_chat, told(thread=root))
        bubbles.append(TelegramPost(payload=payload, message_id=place + 1, at=at, edited=edited))
        root = Receipt(mailbox.target, _message_id(mails[0])) if mails else None
        message = _message(place, change, page, before=edits, thread=root)
        mails.append(Mail(raw=email.compose(mailbox, message, DEMO_SENDER).as_bytes(), at=at))
        edits = []
    return Conversation(title=changes[-1].title, slack=posts, telegram=bubbles, mails=mails)


def _edits(change: Change, update: Change) -> bool:
    return change.kind is Kind.UPDATE_EDITED and change.update_id == update.update_id


def _message(
    place: int,
    change: Change,
    page: Page,
    *,
    before: Sequence[Change] = (),
    since: Sequence[Change] = (),
    thread: Receipt | None,
) -> Message:
    parts = [Part(delivery_id=place, change=each) for each in (*before, change)]
    return render(parts, page, origin="preview", date=change.detected_at, since=since, thread=thread)


def _message_id(mail: Mail) -> str:
    return str(message_from_bytes(mail.raw)["Message-ID"])
