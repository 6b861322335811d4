"""The trading engine's own word, https://docs.kraken.com/api/docs/rest-api/get-system-status."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from notifier.model import Advisory, Exchange, Snapshot
from notifier.sources.text import (
    Record,
    Unreadable,
    document,
    each,
    identifier,
    instant,
    optional,
    record,
    required,
    shortened,
    shown,
    words,
)


def parse_exchange(body: bytes) -> Snapshot:
    """`/0/public/SystemStatus`. Raises Unreadable, also for an error, which Kraken sends with status 200.

    Its `timestamp` is the time of asking and no part of the answer.
    """
    answer = document(body)
    if answer.get("error"):
        raise Unreadable(f"the exchange answers with an error: {_reasons(answer['error'])}")
    try:
        result = required(answer, "result", record)
        status = required(result, "status", words)
    except ValueError as error:
        raise Unreadable(str(error)) from None
    notes: list[str] = []
    advisories = (
        *_advisories(result, "upcoming_maintenance", _maintenance, notes),
        *_advisories(result, "emergency", _emergency, notes),
    )
    return Snapshot(source="exchange", exchange=Exchange(status=status, advisories=advisories), broken=shortened(notes))


def _reasons(error: object) -> str:
    return ", ".join(map(shown, error[:3])) if isinstance(error, list) else shown(error)


def _advisories(
    result: Record, key: str, read: Callable[[list[str], Record], Advisory], notes: list[str]
) -> list[Advisory]:
    """Before 2026 the lists were absent."""
    return [] if result.get(key) is None else each(result, key, partial(read, notes), notes)


def _maintenance(notes: list[str], entry: Record) -> Advisory:
    return Advisory(
        event_id=required(entry, "event_id", identifier),
        title=required(entry, "title", words),
        emergency=False,
        services=_services(entry),
        starts_at=optional(entry, "expected_start_utc", instant, notes),
        ends_at=optional(entry, "expected_end_utc", instant, notes),
        action=optional(entry, "recommended_action", words, notes),
        source_url=optional(entry, "source_url", words, notes),
    )


def _emergency(notes: list[str], entry: Record) -> Advisory:
    return Advisory(
        event_id=required(entry, "event_id", identifier),
        title=required(entry, "title", words),
        emergency=True,
        impact=optional(entry, "impact", words, notes),
        status=optional(entry, "incident_status", words, notes),
        services=_services(entry),
        starts_at=optional(entry, "started_at_utc", instant, notes),
        source_url=optional(entry, "source_url", words, notes),
    )


def _services(entry: Record) -> tuple[str, ...]:
    services = entry.get("affected_services")
    return tuple(words(service) for service in services) if isinstance(services, list) else ()
