"""What Kraken says and what is known of it, for a person and as JSON; who watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from notifier.doctor import Look
from notifier.known import KnownIncident, SourceState
from notifier.model import Incident
from notifier.states import words
from notifier.tongue import ENGLISH
from notifier.words import components


def look(now: Look) -> RenderableType:
    parts: list[RenderableType] = []
    for name, reason in now.failed.items():
        parts.append(f"[red]✗[/] {name}: {escape(reason)}")
    if now.engine is not None:
        colour = "green" if now.engine == "online" else "red"
        parts.append(f"[{colour}]●[/] the exchange is [bold]{escape(words(now.engine, ENGLISH))}[/]")
    if "summary" not in now.failed:
        parts.append(_incident_table(now.incidents) if now.incidents else "[green]●[/] nothing is open")
        if now.degraded:
            parts.append(f"{len(now.degraded)} components are not operational: {escape(', '.join(now.degraded[:8]))}")
    parts.append(_duties(now))
    return Group(*parts)


def _duties(now: Look) -> RenderableType:
    if now.unknown:
        return f"[red]✗[/] who watches is not known: {escape(now.unknown)}"
    if not any(each.held for each in now.duties):
        return "[yellow]●[/] no notifier is running on this database"
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("duty", "process", "since (UTC)"):
        table.add_column(heading, overflow="fold")
    for each in now.duties:
        who = (escape(each.holder), f"{each.since:%Y-%m-%d %H:%M:%S}") if each.held else ("[yellow]nobody[/]", "–")
        table.add_row(each.name, *who)
    return table


def _incident_table(found: Sequence[Incident | KnownIncident]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("id", "kind", "status", "impact", "title", "affected", "last update (UTC)"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("id", "status", "last update (UTC)"))
    for each in found:
        table.add_row(
            each.id,
            str(each.topic),
            words(each.status, ENGLISH),
            each.impact or "–",
            escape(each.name),
            escape(_affected(each)),
            f"{each.updates[-1].at:%Y-%m-%d %H:%M}" if each.updates else "–",
        )
    return table


def _affected(each: Incident | KnownIncident) -> str:
    if isinstance(each, KnownIncident):
        return components(each.components, ENGLISH)
    names = [component.name for component in each.components or ()]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def look_json(now: Look) -> Any:
    return {
        "exchange": now.engine,
        "incidents": [_incident_json(each) for each in now.incidents],
        "degraded_components": list(now.degraded),
        "failed": dict(now.failed),
        "duties": [
            {
                "duty": each.name,
                "process": each.holder if each.held else None,
                "since": each.since if each.held else None,
            }
            for each in now.duties
        ],
        "database": now.unknown or None,
    }


def incidents(found: Sequence[KnownIncident], sources: Sequence[SourceState]) -> RenderableType:
    known = _incident_table(found) if found else "nothing is open, as far as the notifier knows"
    return Group(known, *(_freshness(each) for each in sources))


def _freshness(each: SourceState) -> str:
    read = f"last read {each.ok_at:%Y-%m-%d %H:%M:%S} UTC" if each.ok_at else "never read"
    return f"[red]✗[/] {each.name}: {read}; {escape(each.reason)}" if each.failures else f"[dim]{each.name}: {read}[/]"


def incidents_json(found: Sequence[KnownIncident]) -> Any:
    return [_incident_json(each) for each in found]


def _incident_json(each: Incident | KnownIncident) -> Any:
    return {
        "id": each.id,
        "kind": str(each.topic),
        "title": each.name,
        "status": each.status,
        "impact": each.impact,
        "affected": [str(part) if isinstance(each, KnownIncident) else part.name for part in each.components or ()],
        "resolved_at": each.resolved_at,
        "updates": [
            {"id": update.id, "status": update.status, "at": update.at, "text": update.text} for update in each.updates
        ],
    }
