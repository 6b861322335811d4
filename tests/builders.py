"""Builds what sources say: sensible defaults, and only what a test is about spelt out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from notifier.known import Known, KnownPage
from notifier.model import Component, Incident, Snapshot, Topic, Update
from notifier.parcel import News

DAY = datetime(2026, 2, 24, tzinfo=UTC)
NOW = DAY + timedelta(hours=12)


def at(clock: str, day: int = 0) -> datetime:
    """`11:29` on the day of the tests, or `day` days later."""
    hours, minutes = clock.split(":")
    return DAY + timedelta(days=day, hours=int(hours), minutes=int(minutes))


def update(when: str = "11:29", status: str = "investigating", text: str = "", **more: Any) -> Update:
    moment = more.pop("at", at(when))
    given: dict[str, Any] = {
        "id": f"u{moment:%d%H%M}{status[:3]}",
        "status": status,
        "text": text or f"We are {status}.",
        "at": moment,
        "created_at": moment,
    }
    return Update(**{**given, **more})


def incident(*updates: Update, **more: Any) -> Incident:
    """Its status and times follow the updates unless given."""
    newest = updates[-1] if updates else update()
    ends = [u.at for u in updates if u.status in ("resolved", "completed")]
    given: dict[str, Any] = {
        "id": "wsincident01",
        "topic": Topic.INCIDENT,
        "name": "WebSocket API connection errors",
        "status": newest.status,
        "impact": "minor",
        "updated_at": max(((u.created_at or u.at) for u in updates), default=NOW),
        "resolved_at": ends[-1] if ends and newest.status in ("resolved", "completed") else None,
        "components": (Component(id="c-ws", name="Websocket", group_id="g-api"),),
    }
    return Incident(updates=tuple(updates), **{**given, **more})


def maintenance(*updates: Update, **more: Any) -> Incident:
    return incident(*updates, **{"id": "maintenance1", "topic": Topic.MAINTENANCE, "impact": "maintenance", **more})


def page(*incidents: Incident, **more: Any) -> Snapshot:
    given: dict[str, Any] = {"source": "incidents", "page_id": "lfz25gyhcpjf", "clock": at("11:00")}
    return Snapshot(incidents=tuple(incidents), **{**given, **more})


def from_feed(*incidents: Incident, **more: Any) -> Snapshot:
    """The same as the feed would say it: no ids, no posting times, no impact, no components, minutes only."""
    return page(*(_as_in_feed(each) for each in incidents), **{"source": "feed", "page_id": None, **more})


def _as_in_feed(said: Incident) -> Incident:
    updates = tuple(
        Update(id=None, status=u.status, text=u.text, at=u.at.replace(second=0, microsecond=0)) for u in said.updates
    )
    return Incident(
        id=said.id,
        topic=said.topic,
        name=said.name,
        status=updates[-1].status,
        updates=updates,
        updated_at=said.updated_at.replace(microsecond=0) if said.updated_at else None,
    )


def watched(since: str = "11:00", sources: Iterable[str] = ("incidents", "summary", "maintenances", "feed")) -> Known:
    """A page whose baseline was empty."""
    return Known(page=KnownPage(id="lfz25gyhcpjf", watched_since=at(since), sources=tuple(sources)))


def after(known: Known, news: News) -> Known:
    """What is known once the news are recorded."""
    return Known(
        page=news.known.page if news.known.page != KnownPage() else known.page,
        incidents={**known.incidents, **news.known.incidents},
        components=news.known.components if news.known.components is not None else known.components,
        exchange=news.known.exchange or known.exchange,
    )
