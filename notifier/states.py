"""What statuses and impacts are called, in the reader's language, and what the engine's mean. Pure."""

from __future__ import annotations

from notifier.tongue import N_, Tongue

_STATUSES = {
    "investigating": N_("investigating"),
    "identified": N_("identified"),
    "monitoring": N_("monitoring"),
    "resolved": N_("resolved"),
    "postmortem": N_("postmortem"),
    "scheduled": N_("scheduled"),
    "in_progress": N_("in progress"),
    "verifying": N_("verifying"),
    "completed": N_("completed"),
    "withdrawn": N_("withdrawn"),
    "operational": N_("operational"),
    "under_maintenance": N_("under maintenance"),
    "degraded_performance": N_("degraded performance"),
    "partial_outage": N_("partial outage"),
    "major_outage": N_("major outage"),
    "online": N_("online"),
    "maintenance": N_("maintenance"),
    "cancel_only": N_("cancel only"),
    "post_only": N_("post only"),
    "limit_only": N_("limit only"),
    "emergency": N_("emergency"),
    "announced": N_("announced"),
}
_IMPACTS = {
    "none": N_("none"),
    "minor": N_("minor"),
    "major": N_("major"),
    "critical": N_("critical"),
    "maintenance": N_("maintenance"),
}
_ENGINE = {
    "online": N_("Trading is open."),
    "maintenance": N_("Nothing can be traded: orders can neither be placed nor cancelled."),
    "cancel_only": N_("Orders can be cancelled but not placed; nothing is traded."),
    "post_only": N_("Only post-only orders can be placed, and orders cancelled; nothing is traded."),
    "limit_only": N_("Only limit orders can be placed."),
}


def words(status: str, tongue: Tongue) -> str:
    """A status as a reader would write it: `in_progress` → `in progress`; one that nobody knows stays as it is."""
    known = _STATUSES.get(status)
    return tongue.gettext(known) if known else status.replace("_", " ")


def heading(status: str, tongue: Tongue) -> str:
    """A status in front of a title."""
    said = words(status, tongue)
    return said[:1].upper() + said[1:] if status in _STATUSES else said.capitalize()


def impact_words(impact: str, tongue: Tongue) -> str:
    """An impact as a reader would write it; one that nobody knows stays as it is."""
    known = _IMPACTS.get(impact)
    return tongue.gettext(known) if known else impact


def meaning(engine: str, tongue: Tongue) -> str | None:
    """What an engine status of https://docs.kraken.com/api/docs/rest-api/get-system-status means for orders."""
    known = _ENGINE.get(engine)
    return tongue.gettext(known) if known else None
