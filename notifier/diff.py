"""What is new, purely from (known, observed). By ids only: no cursor on any timestamp, no guess from absence.

Nothing here reads a clock: `now` is an argument. What becomes of one incident is decided in `story`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from notifier.known import EPOCH, Known, KnownComponent, KnownExchange, KnownIncident, KnownPage
from notifier.model import (
    TERMINAL,
    Advisory,
    Affected,
    Change,
    Component,
    Exchange,
    Incident,
    Kind,
    Snapshot,
    Topic,
    Window,
    impact_rank,
)
from notifier.parcel import News
from notifier.phase import has_ended
from notifier.ports import SourceFailed
from notifier.story import follow, posted_at
from notifier.tongue import N_


def diff_page(known: Known, seen: Snapshot, now: datetime, *, baseline: bool) -> News:
    """News of a page's or a feed's snapshot.

    `baseline`: nothing was known when this reading was asked for, so it is recorded and not announced.
    Raises SourceFailed if the snapshot is of another page than the one known.
    """
    page = known.page
    if page.id and seen.page_id and page.id != seen.page_id:
        raise SourceFailed(
            f"this is page {seen.page_id}, but the database belongs to page {page.id}; use another store.url for it"
        )
    watched = KnownPage(
        id=page.id or seen.page_id,
        watched_since=page.watched_since or seen.clock or now,
        sources=page.sources if seen.source in page.sources else (*page.sources, seen.source),
    )
    catalogue = _catalogue(known, seen.components)
    changes: list[Change] = []
    incidents: dict[str, KnownIncident] = {}
    for incident in reversed(seen.incidents):
        before = incidents.get(incident.id) or known.incidents.get(incident.id)
        told_since = before.told_since if before else _told_since(known, seen, incident, now, baseline)
        after, news = follow(
            known, before, incident, catalogue, told_since, now, silent=before is None and told_since != now
        )
        changes += news
        if after != before:
            incidents[incident.id] = after
    components = None
    if seen.components is not None:
        still_open = {**known.incidents, **incidents}.values()
        named = {affected.name for incident in still_open if incident.open for affected in incident.components}
        components, moved = _component_news(known, seen.components, catalogue, named, now)
        if known.components is not None:
            changes += moved
        if components == known.components:
            components = None
    return News(
        changes=tuple(changes),
        known=Known(page=watched, incidents=incidents, components=components),
        notes=seen.broken,
    )


def _told_since(known: Known, seen: Snapshot, incident: Incident, now: datetime, baseline: bool) -> datetime | None:
    """For an incident never seen: `now` if it is news, the epoch if it was open before, None if it was over before."""
    ended = has_ended(incident)
    watched_since = known.page.watched_since
    if baseline or watched_since is None:
        return None if ended else EPOCH
    if seen.source not in known.page.sources and all(posted_at(u) <= watched_since for u in incident.updates):
        return None if ended else EPOCH
    ends = [u.at for u in incident.updates if u.status in TERMINAL]
    ended_at = incident.resolved_at or (max(ends) if ends else None)
    if ended and ended_at is not None and ended_at <= watched_since:
        return None
    return now


def _catalogue(known: Known, components: Iterable[Component] | None) -> Mapping[str, Affected]:
    """Every component by id, as it is called now: one that is named elsewhere may be spelt in another way."""
    if components is None:
        return {key: Affected(name=each.name, group=each.group) for key, each in (known.components or {}).items()}
    components = list(components)
    groups = {component.id: component.name for component in components if component.is_group}
    return {each.id: Affected(name=each.name, group=groups.get(each.group_id or "")) for each in components}


def _component_news(
    known: Known, components: Iterable[Component], catalogue: Mapping[str, Affected], named: set[str], now: datetime
) -> tuple[dict[str, KnownComponent], list[Change]]:
    """Status moves of components that no open incident names. Groups only echo their worst member."""
    before = known.components or {}
    after: dict[str, KnownComponent] = {}
    changes: list[Change] = []
    for component in components:
        group = catalogue[component.id].group
        old = before.get(component.id)
        if old is not None and old.updated_at and component.updated_at and component.updated_at < old.updated_at:
            after[component.id] = replace(old, name=component.name, group=group)
            continue
        since = old.since if old else None
        if old is not None and old.status != component.status and not component.is_group:
            moved_at = component.updated_at or now
            broke = old.status == "operational" and component.name not in named
            since = since or (moved_at if broke else None)
            if since is not None and component.name not in named:
                changes.append(_component_moved(component, group, old, since, moved_at, now))
            if component.status == "operational":
                since = None
        after[component.id] = KnownComponent(
            name=component.name,
            group=group,
            status=component.status,
            updated_at=component.updated_at,
            is_group=component.is_group,
            since=since,
        )
    return after, changes


_IMPACT_OF_STATUS = {
    "operational": "none",
    "under_maintenance": "maintenance",
    "degraded_performance": "minor",
    "partial_outage": "major",
    "major_outage": "critical",
}


def _component_moved(
    component: Component, group: str | None, old: KnownComponent, since: datetime, moved_at: datetime, now: datetime
) -> Change:
    over = component.status == "operational"
    impact = _IMPACT_OF_STATUS.get(old.status if over else component.status, "major")
    return Change(
        key=f"component/{component.id}/{component.status}/{moved_at:%Y%m%dT%H%M%S}",
        kind=Kind.COMPONENT_CHANGED,
        topic=Topic.COMPONENT,
        subject=f"component/{component.id}/{since:%Y%m%dT%H%M%S}",
        reason=f"component {component.id} went from {old.status} to {component.status}, and no open incident names it",
        at=moved_at,
        detected_at=now,
        title=component.name,
        status=component.status,
        impact=impact,
        before=old.status,
        loud=impact_rank(impact) >= impact_rank("major"),
        introduces=not over,
        components=(Affected(name=component.name, group=group),),
        started_at=since,
        ended_at=moved_at if over else None,
    )


def diff_exchange(known: Known, seen: Snapshot, now: datetime, *, baseline: bool) -> News:
    """News of the engine: its status moved, or an advisory joins, by its URL only, no incident already told."""
    exchange = seen.exchange
    if exchange is None:
        return News(notes=seen.broken)
    before = known.exchange
    after, changes = _engine_moved(before, exchange, now)
    told = dict(after.advisories)
    for advisory in exchange.advisories:
        key = advisory.source_url or f"event/{advisory.event_id}"
        if key in told:
            continue
        incident = _joined(known, advisory)
        told[key] = incident.subject if incident else _advisory_subject(advisory)
        if not baseline and before is not None and incident is None:
            changes.append(_advisory_appeared(advisory, key, told[key], exchange.status, now))
    after = replace(after, advisories=told)
    return News(changes=tuple(changes), known=Known(exchange=after if after != before else None), notes=seen.broken)


def _engine_moved(before: KnownExchange | None, seen: Exchange, now: datetime) -> tuple[KnownExchange, list[Change]]:
    if before is None:
        return KnownExchange(status=seen.status, told_since=None if seen.status == "online" else EPOCH), []
    if before.status == seen.status:
        return before, []
    leaves, returns = before.status == "online", seen.status == "online"
    after = replace(
        before,
        status=seen.status,
        episode=before.episode + leaves,
        moves=before.moves + 1,
        told_since=now if leaves else before.told_since,
    )
    change = Change(
        key=f"exchange/{after.moves}",
        kind=Kind.EXCHANGE_CHANGED,
        topic=Topic.EXCHANGE,
        subject=f"exchange/{after.episode}",
        reason=f"SystemStatus went from {before.status} to {seen.status}",
        at=now,
        detected_at=now,
        title=N_("Kraken exchange"),
        status=seen.status,
        impact="major",
        before=before.status,
        loud=True,
        introduces=not returns,
        told_since=after.told_since,
        started_at=now if leaves else (None if after.told_since == EPOCH else after.told_since),
        ended_at=now if returns else None,
    )
    return after, [change]


def _joined(known: Known, advisory: Advisory) -> KnownIncident | None:
    """The incident that the advisory's source_url names, by id or by shortlink."""
    url = advisory.source_url or ""
    by_id = known.incidents.get(url.rstrip("/").rpartition("/")[2]) if "/incidents/" in url else None
    return by_id or next((each for each in known.incidents.values() if url and each.shortlink == url), None)


def _advisory_subject(advisory: Advisory) -> str:
    """The incident's own subject where the URL holds its id, so that the page's news joins the conversation."""
    url = advisory.source_url or ""
    return url.rstrip("/").rpartition("/")[2] if "/incidents/" in url else f"advisory/{url or advisory.event_id}"


def _advisory_appeared(advisory: Advisory, key: str, subject: str, status: str, now: datetime) -> Change:
    window = (
        Window(start=advisory.starts_at, end=advisory.ends_at)
        if advisory.starts_at and not advisory.emergency
        else None
    )
    return Change(
        key=f"advisory/{key}",
        kind=Kind.EXCHANGE_CHANGED,
        topic=Topic.EXCHANGE,
        subject=subject,
        reason="SystemStatus carries an advisory that joins no incident already told",
        at=advisory.starts_at if advisory.emergency and advisory.starts_at else now,
        detected_at=now,
        title=advisory.title,
        status=advisory.status or ("emergency" if advisory.emergency else "announced"),
        impact=advisory.impact or ("major" if advisory.emergency else "maintenance"),
        loud=True,
        components=tuple(Affected(name=service.replace("_", " ")) for service in advisory.services),
        started_at=advisory.starts_at,
        window=window,
        engine=status,
        action=(advisory.action or "").replace("_", " "),
    )
