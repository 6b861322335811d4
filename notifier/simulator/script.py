"""A script: what happens on the page, on the exchange and to the answers, read from TOML."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from notifier.simulator.catalogue import find
from notifier.simulator.history import background
from notifier.simulator.story import Advisory, Engine, Fault, Flap, Incident, Maintenance, Noun, Page, Reschedule
from notifier.simulator.vocabulary import IncidentStatus, MaintenanceStatus


class ScriptError(ValueError):
    """A script that cannot be played: every problem in it, each with its place and its cure."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Script(Noun):
    page: Page
    incidents: tuple[Incident, ...] = ()
    maintenances: tuple[Maintenance, ...] = ()
    components: tuple[Flap, ...] = ()
    exchange: tuple[Engine, ...] = ()
    faults: tuple[Fault, ...] = ()

    @cached_property
    def everything(self) -> tuple[Incident, ...]:
        """Incidents and maintenances of the story, and those that were over before it."""
        return (*self.incidents, *self.maintenances, *background(self.page))

    @cached_property
    def turns(self) -> tuple[datetime, ...]:
        """Every instant at which the page (not the exchange) looks different from before, in order."""
        steps = {instant for incident in self.everything for instant in incident.instants}
        return tuple(sorted(steps | {flap.at for flap in self.components}))

    @cached_property
    def moments(self) -> tuple[datetime, ...]:
        """Every instant of the story at which any answer changes, in order; the background left out."""
        story = {instant for incident in (*self.incidents, *self.maintenances) for instant in incident.instants}
        story |= {flap.at for flap in self.components} | {engine.at for engine in self.exchange}
        story |= {edge for fault in self.faults for edge in (fault.since, fault.until)}
        return tuple(sorted(story))


def load(source: Path | str) -> Script:
    """Reads a script: a Path is a file, a str is the TOML itself. Raises ScriptError, or OSError for the file."""
    try:
        data = tomllib.loads(source.read_text(encoding="utf-8") if isinstance(source, Path) else source)
    except tomllib.TOMLDecodeError as error:
        raise ScriptError((f"not TOML: {error}",)) from error
    try:
        script: Script = TypeAdapter(Script).validate_python(data, context={"start": _first_day(data)})
    except ValidationError as error:
        raise ScriptError(tuple(_told(detail) for detail in error.errors())) from None
    if problems := tuple(_contradictions(script)):
        raise ScriptError(problems)
    return script


def _first_day(data: dict[str, object]) -> date:
    page = data.get("page")
    start = page.get("start") if isinstance(page, dict) else None
    return start.astimezone(UTC).date() if isinstance(start, datetime) else date.min


def _told(detail: ErrorDetails) -> str:
    place = ""
    for step in detail["loc"]:
        place += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if place else step
    match detail["type"]:
        case "missing":
            return f"{place}: missing; add it"
        case "unexpected_keyword_argument":
            return f"{place}: not a key of a script; remove it"
        case _:
            return f"{place}: {detail['msg']}; got {detail['input']!r}"


def _contradictions(script: Script) -> Iterator[str]:
    if script.page.end <= script.page.start:
        yield "page.end: not after page.start; write a later one"
    names = Counter(incident.name for incident in (*script.incidents, *script.maintenances))
    for name in (name for name, times in names.items() if times > 1):
        yield f"{name!r}: the name of {names[name]} incidents or maintenances; give each its own"
    for place, incident in enumerate(script.incidents, 1):
        yield from _misfits(f"incidents[{place}]", incident, get_args(IncidentStatus))
    for place, maintenance in enumerate(script.maintenances, 1):
        yield from _misfits(f"maintenances[{place}]", maintenance, get_args(MaintenanceStatus))
    for place, flap in enumerate(script.components, 1):
        yield from _unknown(f"components[{place}].name", flap.name)
    for place, engine in enumerate(script.exchange, 1):
        advisories: tuple[Advisory, ...] = (*engine.upcoming, *engine.emergency)
        for advisory in advisories:
            if advisory.of not in names:
                yield f"exchange[{place}]: no incident or maintenance is named {advisory.of!r}; write the name of one"
        for upcoming in engine.upcoming:
            if upcoming.of in {incident.name for incident in script.incidents}:
                yield f"exchange[{place}].upcoming: {upcoming.of!r} is no maintenance; move it to emergency"
    yield from _disorder("exchange", [engine.at for engine in script.exchange])
    for place, fault in enumerate(script.faults, 1):
        if fault.until <= fault.since:
            yield f"faults[{place}].to: not after from; write a later one"
        if (fault.answer == "stale") != (fault.behind > 0):
            yield f'faults[{place}].behind: goes with answer = "stale", and only with it; give the seconds there'


def _misfits(place: str, incident: Incident, statuses: tuple[str, ...]) -> Iterator[str]:
    for number, update in enumerate(incident.updates, 1):
        if update.status not in statuses:
            yield f"{place}.updates[{number}].status: {update.status!r} is not for this; use {', '.join(statuses)}"
        if isinstance(update.components, dict):
            for name in update.components:
                if name not in incident.components:
                    yield f"{place}.updates[{number}].components: {name!r} is not in {place}.components; add it there"
    yield from _disorder(f"{place}.updates", [update.at for update in incident.updates])
    for name in incident.components:
        yield from _unknown(f"{place}.components", name)
    for number, edit in enumerate(incident.edits, 1):
        if edit.update > len(incident.updates):
            yield f"{place}.edits[{number}].update: there are only {len(incident.updates)}; count from the oldest"
        elif edit.at < incident.updates[edit.update - 1].at:
            yield f"{place}.edits[{number}].at: before the update that it edits; write a later one"
    if incident.deleted_at and incident.deleted_at <= incident.updates[0].at:
        yield f"{place}.deleted_at: not after the first update; write a later one"
    if isinstance(incident, Maintenance):
        windows: tuple[Maintenance | Reschedule, ...] = (incident, *incident.reschedules)
        for window in windows:
            if window.scheduled_until <= window.scheduled_for:
                yield f"{place}.scheduled_until: not after scheduled_for; write a later one"


def _unknown(place: str, name: str) -> Iterator[str]:
    try:
        find(name)
    except LookupError as error:
        yield f"{place}: {error.args[0]}"


def _disorder(place: str, instants: list[datetime]) -> Iterator[str]:
    for number, (before, after) in enumerate(pairwise(instants), 2):
        if after < before:
            yield f"{place}[{number}].at: before the one above it; put them in order"
