"""The four parsers of the page's API, with a fixture for each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from notifier.model import Snapshot
from notifier.sources.statuspage import parse_incident, parse_incidents, parse_maintenances, parse_summary
from tests.sources.pages import Document

WEBSOCKET, FUNDING, POSTMORTEM = "nb4wq0x7ht2k", "w7k2d9s4j6fp", "t5m1z8r3c0yh"
PLANNED, DONE = "f3q8y5t1n7vk", "d0x4j7p2w9bm"

PARSERS: dict[str, tuple[Callable[[bytes], Snapshot], str]] = {
    "summary": (parse_summary, "summary.json"),
    "incidents": (parse_incidents, "incidents.json"),
    "maintenances": (parse_maintenances, "scheduled-maintenances.json"),
    "lookup": (parse_incident, "incident.json"),
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def updates(document: Document) -> list[Document]:
    """The updates of the document's first incident."""
    found: list[Document] = document["incidents"][0]["incident_updates"]
    return found
