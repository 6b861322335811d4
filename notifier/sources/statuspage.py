"""The status page's JSON, https://status.kraken.com/api/v2, read with tolerance for all but ids and lists.

What cannot be read is left out and named in `Snapshot.broken`; the rest of the document lives. Every parser raises
Unreadable if the document is not what its URL promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from notifier.model import Component, Incident, Snapshot, Topic, Update, Window
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
    string,
    unique,
    visible_text,
    words,
)


def parse_summary(body: bytes) -> Snapshot:
    """`summary.json`: all components, the unresolved incidents, the maintenances that are planned or running."""
    page = _Page(body)
    components = page.components()
    incidents = [
        *page.incidents("incidents", Topic.INCIDENT),
        *page.incidents("scheduled_maintenances", Topic.MAINTENANCE),
    ]
    return page.snapshot("summary", incidents, components)


def parse_incidents(body: bytes) -> Snapshot:
    """`incidents.json`: the newest 50 incidents, whatever became of them, and no maintenance."""
    page = _Page(body)
    return page.snapshot("incidents", page.incidents("incidents", Topic.INCIDENT))


def parse_maintenances(body: bytes) -> Snapshot:
    """`scheduled-maintenances.json`: the newest 50 maintenances, completed ones too."""
    page = _Page(body)
    return page.snapshot("maintenances", page.incidents("scheduled_maintenances", Topic.MAINTENANCE))


def parse_incident(body: bytes) -> Snapshot:
    """`incidents/<id>.json` or `scheduled-maintenances/<id>.json`: one, and Unreadable if that one is broken."""
    page = _Page(body)
    planned = "scheduled_maintenance" in page.answer
    key, topic = ("scheduled_maintenance", Topic.MAINTENANCE) if planned else ("incident", Topic.INCIDENT)
    try:
        incident = page.incident(topic, required(page.answer, key, record))
    except ValueError as error:
        raise Unreadable(str(error)) from None
    return page.snapshot("lookup", [incident])


class _Page:
    """One document while it is read: the notes on what could not be, and the components met so far."""

    def __init__(self, body: bytes) -> None:
        self.answer = document(body)
        self._notes: list[str] = []
        self._met: dict[str, tuple[Record, Component]] = {}

    def snapshot(
        self, source: str, incidents: Sequence[Incident], components: Sequence[Component] | None = None
    ) -> Snapshot:
        try:
            page = required(self.answer, "page", record)
            page_id = required(page, "id", identifier)
        except ValueError as error:
            raise Unreadable(f"not a status page: {error}") from None
        clock = optional(page, "updated_at", instant, self._notes)
        return Snapshot(
            source=source,
            incidents=tuple(unique(incidents)),
            complete=source == "summary" and not self._notes,
            components=None if components is None else tuple(components),
            page_id=page_id,
            clock=clock,
            broken=shortened(self._notes),
        )

    def components(self) -> list[Component] | None:
        stated = self.answer.get("components") is not None
        return each(self.answer, "components", self._component, self._notes) if stated else None

    def incidents(self, key: str, topic: Topic) -> list[Incident]:
        return each(self.answer, key, partial(self.incident, topic), self._notes)

    def incident(self, topic: Topic, item: Record) -> Incident:
        updates = each(item, "incident_updates", self._update, self._notes)
        start = optional(item, "scheduled_for", instant, self._notes)
        end = optional(item, "scheduled_until", instant, self._notes)
        return Incident(
            id=required(item, "id", identifier),
            topic=topic if item.get("scheduled_for") is None else Topic.MAINTENANCE,
            name=required(item, "name", words),
            status=required(item, "status", words),
            updates=_oldest_first(updates),
            impact=optional(item, "impact", words, self._notes),
            updated_at=optional(item, "updated_at", instant, self._notes),
            started_at=optional(item, "started_at", instant, self._notes),
            resolved_at=optional(item, "resolved_at", instant, self._notes),
            window=Window(start=start, end=end) if start else None,
            components=self._named(item),
            shortlink=optional(item, "shortlink", words, self._notes),
        )

    def _update(self, item: Record) -> Update:
        created_at = optional(item, "created_at", instant, self._notes)
        displayed_at = optional(item, "display_at", instant, self._notes)
        return Update(
            id=required(item, "id", identifier),
            status=required(item, "status", words),
            text=visible_text(required(item, "body", string)),
            at=displayed_at or created_at or required(item, "created_at", instant),
            created_at=created_at,
        )

    def _named(self, item: Record) -> tuple[Component, ...] | None:
        """The embedded components, which are today's objects, and those that only an update names; None if unstated.

        `affected_components` may be null; in 2019 it held mere names, which state nothing either.
        """
        stated = isinstance(item.get("components"), list)
        embedded = each(item, "components", self._component, self._notes) if stated else []
        known = {component.id for component in embedded}
        newest: dict[str, Record] = {}
        for update in _objects(item["incident_updates"]):
            for entry in _objects(update.get("affected_components")):
                if entry.get("code") is not None and str(entry["code"]) not in known:
                    newest.setdefault(str(entry["code"]), entry)
        named = each({"affected_components": [*newest.values()]}, "affected_components", _affected, self._notes)
        return (*embedded, *named) if stated or named else None

    def _component(self, item: Record) -> Component:
        """Incidents embed copies of the page's components: each is read once."""
        copy, component = self._met.get(str(item.get("id")), (None, None))
        if component is None or copy != item:
            component = Component(
                id=required(item, "id", identifier),
                name=required(item, "name", words),
                status=required(item, "status", words),
                group_id=optional(item, "group_id", identifier, self._notes),
                is_group=item.get("group") is True,
                updated_at=optional(item, "updated_at", instant, self._notes),
            )
            self._met[component.id] = (item, component)
        return component


def _affected(item: Record) -> Component:
    return Component(
        id=required(item, "code", identifier),
        name=required(item, "name", words),
        status=required(item, "new_status", words),
    )


def _oldest_first(served: Sequence[Update]) -> tuple[Update, ...]:
    """In the order of posting; the page serves the newest first, and that decides between equal times."""
    oldest_first = unique(served)[::-1]
    return tuple(sorted(oldest_first, key=lambda update: update.created_at or update.at))


def _objects(value: object) -> list[Record]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
