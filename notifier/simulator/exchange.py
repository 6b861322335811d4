"""Kraken's SystemStatus at an instant of the story.

See https://docs.kraken.com/api/docs/rest-api/get-system-status for the two lists of advisories.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from notifier.simulator.script import Script
from notifier.simulator.shown import view, window
from notifier.simulator.story import Emergency, Engine, Upcoming

_PHASES = (
    (30, "final_warning_30s"),
    (300, "imminent_5m"),
    (1800, "approaching_30m"),
    (86_400, "reminder_24h"),
)
"""Seconds to the start, and what it is called from then on."""


def system_status(script: Script, at: datetime) -> dict[str, Any]:
    """The body of `/0/public/SystemStatus`. Its clock and its countdowns run, so no two are the same."""
    engine = max((step for step in script.exchange if step.at <= at), key=lambda step: step.at, default=None)
    engine = engine or Engine(at=at, status="online")
    return {
        "error": [],
        "result": {
            "status": engine.status,
            "timestamp": _stamp(at),
            "upcoming_maintenance": [told for step in engine.upcoming for told in _upcoming(script, step, at)],
            "emergency": [_emergency(script, step, at) for step in engine.emergency],
        },
    }


def _upcoming(script: Script, advisory: Upcoming, at: datetime) -> list[dict[str, Any]]:
    """Dropped at the start."""
    maintenance = next(step for step in script.maintenances if step.name == advisory.of)
    planned = window(maintenance, at)
    left = int((planned.scheduled_for - at).total_seconds())
    if left <= 0:
        return []
    told: dict[str, Any] = {
        "event_id": maintenance.feed_number,
        "title": maintenance.title,
        "expected_start_utc": _stamp(planned.scheduled_for),
        "expected_end_utc": _stamp(planned.scheduled_until),
        "time_to_start_s": left,
        "phase": next((phase for limit, phase in _PHASES if left <= limit), "announced"),
        "affected_services": list(advisory.services),
        "order_submission": advisory.orders,
        "recommended_action": advisory.action,
    }
    if advisory.cancel_before:
        told["cancel_before_utc"] = _stamp(advisory.cancel_before)
    return [told | {"source_url": f"{script.page.url}/incidents/{maintenance.id}"}]


def _emergency(script: Script, advisory: Emergency, at: datetime) -> dict[str, Any]:
    incident = next(step for step in script.everything if step.name == advisory.of)
    seen = view(incident, at)
    told_at = (step.at for step in script.exchange for said in step.emergency if said.of == advisory.of)
    return {
        "event_id": incident.feed_number,
        "title": seen.title if seen else incident.title,
        "incident_status": seen.status if seen else incident.updates[0].status,
        "impact": seen.impact if seen else incident.impact,
        "affected_services": list(advisory.services),
        "started_at_utc": _stamp(min(incident.updates[0].at, *told_at)),
        "next_steps": [
            {"applies_to": list(advisory.services), "type": "expected_restart", "expected_at_utc": _stamp(restart)}
            for restart in [advisory.restart]
            if restart
        ],
        "source_url": f"{script.page.url}/incidents/{incident.id}",
    }


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
