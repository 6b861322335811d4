"""Feeds as text: the two fixtures, and feeds of one entry."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

import pytest

from notifier.model import Incident, Snapshot
from notifier.sources.feed import parse_feed

ATOM, RSS = "history.atom", "history.rss"
FORMATS = pytest.mark.parametrize("name", [ATOM, RSS])
WEBSOCKET, PLANNED, DONE = "nb4wq0x7ht2k", "f3q8y5t1n7vk", "d0x4j7p2w9bm"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def one(snapshot: Snapshot, incident_id: str) -> Incident:
    return next(each for each in snapshot.incidents if each.id == incident_id)


def segment(stamp: str, label: str = "Investigating", body: str = "We look.") -> str:
    return f"<p> <small>{stamp}</small><br> <strong>{label}</strong> - {body} </p>"


def atom(content: str, *, published: str = "2026-02-24T12:00:00Z", updated: str = "", title: str = "Trouble") -> bytes:
    """A feed of one entry, made by the page at its `updated`."""
    updated = updated or published
    return f"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">
        <id>tag:status.kraken.com,2005:/history</id><title>History</title><updated>{updated}</updated><entry>
        <id>tag:status.kraken.com,2005:Incident/1</id><published>{published}</published><updated>{updated}</updated>
        <link rel="alternate" type="text/html" href="https://status.kraken.com/incidents/abc123def456"/>
        <title>{escape(title)}</title><content type="html">{escape(content)}</content></entry></feed>""".encode()


def times(body: bytes) -> list[datetime]:
    """Of the updates of the one entry, oldest first."""
    snapshot = parse_feed(body)
    assert snapshot.broken == ()
    return [update.at for update in snapshot.incidents[0].updates]
