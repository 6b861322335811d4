"""What news is called, and what it names: labels, titles, components. The same on every channel. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from string import Formatter

from notifier.known import WITHDRAWN
from notifier.message import Span, Tone, Wording
from notifier.model import TERMINAL, Affected, Change, Kind, Moment, Phase, Topic, impact_rank
from notifier.states import heading, impact_words, words
from notifier.times import clock, duration, form
from notifier.tongue import N_, Tongue

_COMPONENTS_SHOWN = 8
_STEPS_SHOWN = 8

ICONS = {
    Tone.CALM: "⚪",
    Tone.MINOR: "🟡",
    Tone.MAJOR: "🟠",
    Tone.CRITICAL: "🔴",
    Tone.WORK: "🔧",
    Tone.GOOD: "🟢",
}
_TONES = {"none": Tone.CALM, "minor": Tone.MINOR, "major": Tone.MAJOR, "critical": Tone.CRITICAL}

_LABELS = {
    Phase.WORSENED: N_("Worsened"),
    Phase.RESOLVED: N_("Resolved"),
    Phase.REOPENED: N_("Reopened"),
    Phase.POSTMORTEM: N_("Postmortem"),
    Phase.SCHEDULED: N_("Maintenance scheduled"),
    Phase.RESCHEDULED: N_("Maintenance rescheduled"),
    Phase.STARTED: N_("Maintenance started"),
    Phase.VERIFYING: N_("Maintenance being verified"),
    Phase.COMPLETED: N_("Maintenance completed"),
    Phase.OVERDUE: N_("Maintenance overdue"),
}
_STANDING = {
    "scheduled": N_("Maintenance scheduled"),
    "in_progress": N_("Maintenance in progress"),
    "verifying": N_("Maintenance being verified"),
    "completed": N_("Maintenance completed"),
    "postmortem": N_("Resolved"),
}


def label(change: Change, now: datetime, tongue: Tongue) -> str:
    """What happened, in front of the title."""
    match change.kind:
        case Kind.UPDATE_EDITED:
            return tongue.gettext("Edited")
        case Kind.INCIDENT_RETITLED:
            return _retitled(change, tongue)
        case Kind.INCIDENT_WITHDRAWN:
            return tongue.gettext("Withdrawn")
        case Kind.MAINTENANCE_DUE if change.window:
            length = duration(change.window.start - now, tongue)
            return tongue.gettext("Maintenance in {length}").format(length=length)
        case Kind.COMPONENT_CHANGED:
            return heading(change.status, tongue)
        case Kind.EXCHANGE_CHANGED:
            return tongue.gettext("Exchange advisory") if _is_advisory(change) else heading(change.status, tongue)
    if change.topic is Topic.MAINTENANCE and change.phase is Phase.PROGRESS and change.status == "scheduled":
        return tongue.gettext("Maintenance update")
    if change.phase in _LABELS:
        said = tongue.gettext(_LABELS[change.phase])
        moved = change.phase in (Phase.REOPENED, Phase.WORSENED)
        return f"{said} ({words(change.status, tongue)})" if moved else said
    return heading(change.status, tongue) or tongue.gettext("Update")


def _is_advisory(change: Change) -> bool:
    """Whether the exchange announced something, and its engine did not move."""
    return change.kind is Kind.EXCHANGE_CHANGED and not change.subject.startswith("exchange/")


def _retitled(change: Change, tongue: Tongue) -> str:
    if change.stood.status == WITHDRAWN:
        return tongue.gettext("Back on the page")
    if change.loud and change.stood.impact is None:
        return tongue.gettext("Rated {impact}").format(impact=impact_words(str(change.impact), tongue))
    if change.loud:
        return tongue.gettext("Worsened")
    return tongue.gettext("Renamed") if change.stood.title else tongue.gettext("Changed")


def standing(change: Change, now: datetime, tongue: Tongue) -> str:
    """How the subject stands after a change: `label` without what was only news at its moment."""
    if change.topic not in (Topic.INCIDENT, Topic.MAINTENANCE) or change.kind is Kind.INCIDENT_WITHDRAWN:
        return label(change, now, tongue)
    if change.phase is Phase.OVERDUE:
        return tongue.gettext(_LABELS[Phase.OVERDUE])
    if change.ended_at is not None and change.topic is Topic.INCIDENT:
        return tongue.gettext("Resolved")
    if change.status in _STANDING:
        return tongue.gettext(_STANDING[change.status])
    return heading(change.status, tongue) or tongue.gettext("Open")


def title_of(change: Change, tongue: Tongue) -> str:
    """Kraken's own, but where it has none: for its engine, and for a word of the operators."""
    engine = change.kind is Kind.EXCHANGE_CHANGED and not _is_advisory(change)
    return tongue.gettext(change.title) if engine or change.kind is Kind.BROADCAST else change.title


def text_of(change: Change, tongue: Tongue) -> str:
    """Kraken's words, or ours for an advisory, which has none."""
    if not change.engine:
        return change.text
    engine = words(change.engine, tongue)
    said = tongue.gettext("Announced by the exchange API; the engine is {status}.").format(status=engine)
    if not change.action:
        return said
    action = tongue.gettext("Recommended action: {action}.").format(action=change.action)
    return f"{said} {action}"


def tone(change: Change) -> Tone:
    """The colour of the state after a change."""
    if change.kind is Kind.WELCOME or change.kind is Kind.INCIDENT_WITHDRAWN:
        return Tone.CALM
    if change.ended_at is not None or change.status in {*TERMINAL, "operational"}:
        return Tone.GOOD
    if change.topic is Topic.MAINTENANCE or change.impact == "maintenance":
        return Tone.WORK
    return _TONES.get(change.impact or "none", Tone.MAJOR)


def is_severe(change: Change) -> bool:
    """Whether its impact is major, critical, or one that nobody knows."""
    return impact_rank(change.impact) >= impact_rank("major")


def components(affected: Sequence[Affected], tongue: Tongue) -> str:
    """Names by group, the first few of each and a count of the rest: 826 components exist."""
    groups: dict[str | None, list[str]] = {}
    for each in affected:
        groups.setdefault(each.group, []).append(each.name)
    shown = list(groups.items())[:_COMPONENTS_SHOWN]
    most = max(1, _COMPONENTS_SHOWN // max(1, len(shown)))
    some = [(group, _and_more(names[:most], len(names) - most, tongue)) for group, names in shown]
    listed = [f"{group} ({names})" if group else names for group, names in some]
    rest = len(affected) - sum(len(names) for _, names in shown)
    return _and_more(listed, rest, tongue)


def _and_more(names: Sequence[str], rest: int, tongue: Tongue) -> str:
    listed = ", ".join(names)
    if rest <= 0:
        return listed
    said = tongue.ngettext("{names} and {count} more", "{names} and {count} more", rest)
    return said.format(names=listed, count=rest)


def steps(taken: Sequence[Moment], now: datetime, tongue: Tongue) -> tuple[Span, ...]:
    """`11:29 UTC investigating · 11:35 monitoring · 11:41 resolved`; a date where the day changes.

    Of many, the first and the newest ones.
    """
    left_out = len(taken) - _STEPS_SHOWN if len(taken) > _STEPS_SHOWN + 1 else 0
    spans: list[Span] = []
    day = now
    for place, step in enumerate(taken):
        if left_out and place == 1:
            more = tongue.ngettext("… {count} more …", "… {count} more …", left_out).format(count=left_out)
            spans.append(Span(text=f" · {more}"))
        if 0 < place <= left_out:
            continue
        spans += [Span(text=" · ")] if spans else []
        zone = "" if place else " UTC"
        spans += [Span(text=f"{clock(step.at, day, tongue)}{zone}", at=step.at, form=form(step.at, day))]
        spans += [Span(text=f" {words(step.status, tongue)}")]
        day = step.at
    return tuple(spans)


def sentence(translated: str, **given: Span | tuple[Span, ...]) -> tuple[Span, ...]:
    """A sentence, with spans in the places of their names: `Kraken, {when}:`."""
    spans: list[Span] = []
    for text, name, _, _ in Formatter().parse(translated):
        spans += [Span(text=text)] if text else []
        if name is not None:
            found = given[name]
            spans += found if isinstance(found, tuple) else [found]
    return tuple(spans)


def wording(tongue: Tongue) -> Wording:
    """What channels say around a message."""
    said = Wording()
    return Wording(
        language=tongue.info().get("language", said.language),
        page=tongue.gettext(said.page),
        rest=tongue.gettext(said.rest),
        news=tongue.gettext(said.news),
        why=tongue.gettext(said.why),
        leave=tongue.gettext(said.leave),
    )
