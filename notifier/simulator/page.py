"""The page's JSON API at an instant of the story, in the shapes of Statuspage's v2.

See https://metastatuspage.com/api/v2 for the endpoints; the fields are those that real pages serve.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache, cached_property
from typing import Any

from notifier.simulator.catalogue import Component, code, components
from notifier.simulator.levels import WORST, Standing, standings
from notifier.simulator.script import Script
from notifier.simulator.shown import Shown, ShownUpdate, shown, turn

Json = dict[str, Any]

WINDOW = 50
"""How many incidents, or maintenances, a list holds."""
NOT_FOUND: Json = {"errors": ["Could not find an item with that id."]}
_INDICATORS = {
    "operational": ("none", "All Systems Operational"),
    "under_maintenance": ("maintenance", "Service Under Maintenance"),
    "degraded_performance": ("minor", "Partially Degraded Service"),
    "partial_outage": ("minor", "Minor Service Outage"),
    "major_outage": ("major", "Partial System Outage"),
}


def answer(script: Script, endpoint: str, at: datetime) -> Json | None:
    """The body of `/api/v2/{endpoint}.json`; None where the page says 404 (its body is NOT_FOUND).

    The same from one `turn` of the script to the next.
    """
    return _Page(script, at).answer(endpoint)


def instant(at: datetime | None) -> str | None:
    """As the page writes it: milliseconds, and Z."""
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z" if at else None


class _Page:
    """What all endpoints of one instant share."""

    def __init__(self, script: Script, at: datetime) -> None:
        self.script = script
        self.at = turn(script, at)
        everything = shown(script, at)
        self.incidents = [seen for seen in everything if not seen.window]
        self.maintenances = [seen for seen in everything if seen.window]

    @cached_property
    def standings(self) -> dict[str, Standing]:
        return standings(self.script, self.at)

    def answer(self, endpoint: str) -> Json | None:
        unresolved = [seen for seen in self.incidents if not seen.over]
        upcoming = [seen for seen in self.maintenances if seen.status == "scheduled"]
        active = [seen for seen in self.maintenances if not seen.over and seen.status != "scheduled"]
        match endpoint.split("/"):
            case ["summary"]:
                return (
                    self._envelope(components=self._components())
                    | {"incidents": self._told(unresolved), "scheduled_maintenances": self._told([*active, *upcoming])}
                    | {"status": self._status()}
                )
            case ["status"]:
                return self._envelope(status=self._status())
            case ["components"]:
                return self._envelope(components=self._components())
            case ["incidents"]:
                return self._envelope(incidents=self._told(self.incidents[:WINDOW]))
            case ["incidents", "unresolved"]:
                return self._envelope(incidents=self._told(unresolved))
            case ["scheduled-maintenances"]:
                return self._envelope(scheduled_maintenances=self._told(self.maintenances[:WINDOW]))
            case ["scheduled-maintenances", "upcoming"]:
                return self._envelope(scheduled_maintenances=self._told(upcoming))
            case ["scheduled-maintenances", "active"]:
                return self._envelope(scheduled_maintenances=self._told(active))
            case ["incidents", wanted]:
                return self._one("incident", self.incidents, wanted)
            case ["scheduled-maintenances", wanted]:
                return self._one("scheduled_maintenance", self.maintenances, wanted)
        return None

    def _envelope(self, **parts: Any) -> Json:
        page = self.script.page
        stamp = instant(self.at)
        return {
            "page": {"id": page.id, "name": page.name, "url": page.url, "time_zone": "Etc/UTC", "updated_at": stamp}
        } | parts

    def _one(self, kind: str, among: list[Shown], wanted: str) -> Json | None:
        for seen in among:
            if seen.incident.id == wanted:
                return self._envelope(**{kind: self._incident(seen)})
        return None

    def _told(self, several: Iterable[Shown]) -> list[Json]:
        return [self._incident(seen) for seen in several]

    def _incident(self, seen: Shown) -> Json:
        incident = seen.incident
        told: Json = {
            "id": incident.id,
            "name": seen.title,
            "status": seen.status,
            "created_at": instant(seen.created_at),
            "updated_at": instant(seen.updated_at),
            "monitoring_at": instant(seen.monitoring_at),
            "resolved_at": instant(seen.resolved_at),
            "impact": seen.impact,
            "shortlink": f"https://stspg.io/{code('shortlink', incident.name)}",
            "started_at": instant(seen.started_at),
            "page_id": self.script.page.id,
            "incident_updates": [_update(incident.id, update) for update in seen.updates],
            "components": [self._component(component) for component in seen.components],
        }
        if seen.window is None:
            return told | {"reminder_intervals": None}
        return told | {
            "scheduled_for": instant(seen.window.scheduled_for),
            "scheduled_until": instant(seen.window.scheduled_until),
        }

    def _components(self) -> list[Json]:
        return [self._component(component) for component in components()]

    def _component(self, component: Component) -> Json:
        standing = self.standings[component.id]
        told = _calm(component) | {"status": standing.level, "page_id": self.script.page.id}
        if standing.since != component.created_at:
            told["updated_at"] = instant(standing.since)
        return told

    def _status(self) -> Json:
        worst = max((standing.level for standing in self.standings.values()), key=WORST.index)
        indicator, description = _INDICATORS[worst]
        return {"indicator": indicator, "description": description}


@cache
def _calm(component: Component) -> Json:
    """As it is until something happens to it: so are nearly all of the 826, in every answer."""
    built = instant(component.created_at)
    told = {
        "id": component.id,
        "name": component.name,
        "status": "operational",
        "created_at": built,
        "updated_at": built,
        "position": component.position,
        "description": None,
        "showcase": False,
        "start_date": f"{component.created_at:%Y-%m-%d}",
        "group_id": component.group_id,
        "page_id": "",
        "group": bool(component.members),
        "only_show_if_degraded": False,
    }
    return told | ({"components": list(component.members)} if component.members else {})


def _update(incident_id: str, update: ShownUpdate) -> Json:
    return {
        "id": update.id,
        "status": update.status,
        "body": update.text,
        "incident_id": incident_id,
        "created_at": instant(update.created_at),
        "updated_at": instant(update.updated_at),
        "display_at": instant(update.display_at) if update.timed else None,
        "affected_components": [
            {"code": component.id, "name": component.update_name, "old_status": before, "new_status": after}
            for component, before, after in update.moved
        ]
        or None,
        "deliver_notifications": True,
        "custom_tweet": None,
        "tweet_id": None,
    }
