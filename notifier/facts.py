"""The facts of a message: what is affected, since when, what changed, how long it lasted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from notifier.message import Line, Role, Span
from notifier.model import Affected, Change, Kind, Moment, Topic
from notifier.words import ahead, components, duration, meaning, moment, steps, window, words

_MINUTE = timedelta(minutes=1)
"""The feed tells no seconds: what it ended in the minute of its start lasted less than one."""


def facts(change: Change, day: datetime, now: datetime, *, kept: Sequence[Change]) -> Iterable[Line]:
    """`kept`: what came later, in a message that is kept current, where the state counts and not what moved it.

    `day` is when the message was sent, under which its reader finds it; `now` is when it was last edited.
    """
    ended = change.ended_at is not None
    if change.kind is Kind.INCIDENT_WITHDRAWN:
        yield text_line("Kraken took this off its status page without saying that it is resolved.")
    if change.subject.startswith("exchange/") and (meant := meaning(change.status)):
        yield text_line(meant)
    if change.window and change.ended_at and change.ended_at < change.window.start:
        yield text_line("It is over before its planned start.")
    if not kept and (differences := moved(change, day)):
        yield Line(spans=differences, role=Role.FACT, label="Changed")
    if change.components and change.kind is not Kind.COMPONENT_CHANGED:
        yield _fact("Affected", components(change.components))
    if change.impact and change.topic is Topic.INCIDENT:
        yield _fact("Impact", change.impact)
    begun = change.status != "scheduled" and not (change.window and change.started_at and change.started_at > now)
    if change.window and not ended:
        waiting = () if begun else ahead(change.window, now)
        yield Line(spans=(*window(change.window, day), *waiting), role=Role.FACT, label="Planned")
    if change.started_at and begun and (kept or not ended):
        yield Line(spans=(moment(change.started_at, day),), role=Role.FACT, label="Since" if not ended else "Started")
    posted = [each for each in kept if each.kind is Kind.UPDATE_POSTED]
    if posted:
        newest = newest_update(posted)
        status = Span(text=f", {words(newest.status)}")
        yield Line(spans=(moment(newest.at, day), status), role=Role.FACT, label="Last update")
    yield from _course(change, day, kept)


def newest_update(posted: Sequence[Change]) -> Change:
    """The last one told, but for one that Kraken posted after it. The feed tells no posting times to compare."""
    last = posted[-1]
    after = [each for each in posted if each.posted_at and last.posted_at and each.posted_at > last.posted_at]
    return max(after, key=lambda each: each.posted_at or each.at, default=last)


def _course(change: Change, day: datetime, kept: Sequence[Change]) -> Iterable[Line]:
    """How long it lasted, and through which states it went."""
    engine = change.topic is Topic.EXCHANGE
    taken = change.timeline
    if engine and kept:
        before = [Moment(status=kept[0].before, at=change.started_at)] if kept[0].before and change.started_at else []
        taken = (*before, *(Moment(status=each.status, at=each.at) for each in kept if each.before))
    story = steps(taken, day) if len(taken) > 1 else ()
    if change.ended_at and change.started_at and change.started_at < change.ended_at + _MINUTE:
        lasted = duration(change.ended_at - change.started_at)
        if kept or not story:
            yield _fact("Interrupted for" if engine else "Lasted", lasted)
        if story and not kept:
            story = (*story, Span(text=f" · {lasted}"))
    elif not kept:
        return
    if story:
        yield Line(spans=story, role=Role.FACT, label="Timeline")


def moved(change: Change, day: datetime) -> tuple[Span, ...]:
    """What is different since the news before this one."""
    stood, found = change.stood, list[tuple[Span, ...]]()
    before = change.before if change.kind in (Kind.COMPONENT_CHANGED, Kind.EXCHANGE_CHANGED) else stood.status
    if before:
        found.append((Span(text=f"{words(before)} → {words(change.status)}"),))
    if stood.impact:
        found.append((Span(text=f"impact {stood.impact} → {change.impact}"),))
    if stood.title:
        found.append((Span(text=f"title, which was “{stood.title}”"),))
    if stood.window and change.window:
        found.append((Span(text="plan, which was "), *window(stood.window, day)))
    if stood.components is not None:
        for which, names in (
            ("also affects", _without(change.components, stood.components)),
            ("no longer affects", _without(stood.components, change.components)),
        ):
            if names:
                found.append((Span(text=f"{which} {components(names)}"),))
    return tuple(span for each in found for span in (Span(text=" · "), *each))[1:]


def _without(these: Sequence[Affected], those: Sequence[Affected]) -> list[Affected]:
    known = set(those)
    return [each for each in these if each not in known]


def _fact(name: str, value: str) -> Line:
    return Line(spans=(Span(text=value),), role=Role.FACT, label=name)


def text_line(text: str, role: Role = Role.TEXT, *, style: str = "", url: str | None = None) -> Line:
    return Line(spans=(Span(text=text, style=style, url=url),), role=role)
