"""How the components stand: derived from the incidents that name them, and from what they do by themselves."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from notifier.simulator.catalogue import Component, components, find
from notifier.simulator.script import Script
from notifier.simulator.story import Flap, Incident, Update
from notifier.simulator.vocabulary import Impact, Level

ENDS = frozenset({"resolved", "completed", "postmortem"})
WORST: tuple[Level, ...] = (
    "operational",
    "under_maintenance",
    "degraded_performance",
    "partial_outage",
    "major_outage",
)
"""Levels of a component, mildest first."""
_IMPLIED: dict[Impact, Level] = {
    "none": "operational",
    "maintenance": "under_maintenance",
    "minor": "degraded_performance",
    "major": "partial_outage",
    "critical": "major_outage",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a component stands, and since when."""

    level: Level
    since: datetime


def levels_after(incident: Incident, posted: tuple[Update, ...]) -> dict[Component, Level]:
    """Where the updates so far put the incident's components."""
    levels: dict[Component, Level] = {find(name): "operational" for name in incident.components}
    impact, in_force = incident.impact, False
    for update in posted:
        impact = update.impact or impact
        acting = update.status not in ENDS and update.status != "scheduled"
        if not acting:
            levels = dict.fromkeys(levels, "operational")
        elif update.impact or not in_force:
            levels = dict.fromkeys(levels, _IMPLIED[impact])
        in_force = acting
        if isinstance(update.components, dict):
            levels |= {find(name): level for name, level in update.components.items()}
        elif update.components:
            levels = dict.fromkeys(levels, update.components)
    return levels


def standings(script: Script, at: datetime) -> dict[str, Standing]:
    """Component or group id → how it stands: as the worst that any open incident, or it by itself, says of it."""
    naming: dict[Component, list[Incident]] = defaultdict(list)
    for incident in script.everything:
        for name in incident.components:
            naming[find(name)].append(incident)
    flaps: dict[Component, list[Flap]] = defaultdict(list)
    for flap in script.components:
        flaps[find(flap.name)].append(flap)
    found: dict[str, Standing] = {}
    for component in components():
        if not component.members:
            found[component.id] = _standing(component, naming.get(component, []), flaps.get(component, []), at)
    for group in components():
        if group.members:
            members = [found[member] for member in group.members]
            worst = max((member.level for member in members), key=WORST.index)
            found[group.id] = Standing(worst, max(member.since for member in members))
    return found


def _standing(component: Component, incidents: list[Incident], flaps: list[Flap], at: datetime) -> Standing:
    standing = Standing("operational", component.created_at)
    if not incidents and not flaps:
        return standing
    steps = {step for incident in incidents for step in incident.instants} | {flap.at for flap in flaps}
    for step in sorted(step for step in steps if step <= at):
        said: list[Level] = [flap.status for flap in flaps if flap.at <= step][-1:]
        said += [levels_after(incident, incident.posted(step))[component] for incident in incidents]
        level = max(said, key=WORST.index)
        if level != standing.level:
            standing = Standing(level, step)
    return standing
