"""The facts of a message: what is affected, since when, what changed, how long it lasted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from notifier.message import Line, Role, Span
from notifier.model import Affected, Change, Kind, Moment, Topic
from notifier.states import impact_words, meaning, words
from notifier.times import ahead, duration, moment, window
from notifier.tongue import Tongue
from notifier.words import components, sentence, steps

_MINUTE = timedelta(minutes=1)
"""The feed tells no seconds: what it ended in the minute of its start lasted less than one."""


def facts(change: Change, day: datetime, now: datetime, tongue: Tongue, *, kept: Sequence[Change]) -> Iterable[Line]:
    """`kept`: what came later, in a message that is kept current, where the state counts and not what moved it.

    `day` is when the message was sent, under which its reader finds it; `now` is when it was last edited.
    """
    ended = change.ended_at is not None
    if change.kind is Kind.INCIDENT_WITHDRAWN:
        yield text_line(tongue.gettext("Kraken took this off its status page without saying that it is resolved."))
    if change.subject.startswith("exchange/") and (meant := meaning(change.status, tongue)):
        yield text_line(meant)
    if change.window and change.ended_at and change.ended_at < change.window.start:
        yield text_line(tongue.gettext("It is over before its planned start."))
    if not kept and (differences := moved(change, day, tongue)):
        yield Line(spans=differences, role=Role.FACT, label=tongue.gettext("Changed"), past=True)
    if change.components and change.kind is not Kind.COMPONENT_CHANGED:
        yield _fact(tongue.gettext("Affected"), components(change.components, tongue))
    if change.impact and change.topic is Topic.INCIDENT:
        yield _fact(tongue.gettext("Impact"), impact_words(change.impact, tongue))
    begun = change.status != "scheduled" and not (change.window and change.started_at and change.started_at > now)
    if change.window and not ended:
        waiting = () if begun else ahead(change.window, now, tongue)
        planned = (*window(change.window, day, tongue), *waiting)
        yield Line(spans=planned, role=Role.FACT, label=tongue.gettext("Planned"))
    if change.started_at and begun and (kept or not ended):
        since = tongue.gettext("Started") if ended else tongue.gettext("Since")
        yield Line(spans=(moment(change.started_at, day, tongue),), role=Role.FACT, label=since)
    posted = [each for each in kept if each.kind is Kind.UPDATE_POSTED]
    if posted:
        newest = newest_update(posted)
        status = Span(text=f", {words(newest.status, tongue)}")
        label = tongue.gettext("Last update")
        yield Line(spans=(moment(newest.at, day, tongue), status), role=Role.FACT, label=label)
    yield from _course(change, day, kept, tongue)


def newest_update(posted: Sequence[Change]) -> Change:
    """The last one told, but for one that Kraken posted after it. The feed tells no posting times to compare."""
    last = posted[-1]
    after = [each for each in posted if each.posted_at and last.posted_at and each.posted_at > last.posted_at]
    return max(after, key=lambda each: each.posted_at or each.at, default=last)


def _course(change: Change, day: datetime, kept: Sequence[Change], tongue: Tongue) -> Iterable[Line]:
    """How long it lasted, and through which states it went."""
    engine = change.topic is Topic.EXCHANGE
    taken = change.timeline
    if engine and kept:
        before = [Moment(status=kept[0].before, at=change.started_at)] if kept[0].before and change.started_at else []
        taken = (*before, *(Moment(status=each.status, at=each.at) for each in kept if each.before))
    story = steps(taken, day, tongue) if len(taken) > 1 else ()
    if change.ended_at and change.started_at and change.started_at < change.ended_at + _MINUTE:
        lasted = duration(change.ended_at - change.started_at, tongue)
        if kept or not story:
            yield _fact(tongue.gettext("Interrupted for") if engine else tongue.gettext("Lasted"), lasted)
        if story and not kept:
            story = (*story, Span(text=f" · {lasted}"))
    elif not kept:
        return
    if story:
        yield Line(spans=story, role=Role.FACT, label=tongue.gettext("Timeline"), past=True)


def moved(change: Change, day: datetime, tongue: Tongue) -> tuple[Span, ...]:
    """What is different since the news before this one."""
    stood, found = change.stood, list[tuple[Span, ...]]()
    before = change.before if change.kind in (Kind.COMPONENT_CHANGED, Kind.EXCHANGE_CHANGED) else stood.status
    if before:
        found.append((Span(text=f"{words(before, tongue)} → {words(change.status, tongue)}"),))
    if stood.impact:
        old, new = impact_words(stood.impact, tongue), impact_words(str(change.impact), tongue)
        found.append((Span(text=tongue.gettext("impact {old} → {new}").format(old=old, new=new)),))
    if stood.title:
        found.append((Span(text=tongue.gettext("title, which was “{title}”").format(title=stood.title)),))
    if stood.window and change.window:
        found.append(sentence(tongue.gettext("plan, which was {window}"), window=window(stood.window, day, tongue)))
    if stood.components is not None:
        for which, names in (
            (tongue.gettext("also affects {names}"), _without(change.components, stood.components)),
            (tongue.gettext("no longer affects {names}"), _without(stood.components, change.components)),
        ):
            if names:
                found.append((Span(text=which.format(names=components(names, tongue))),))
    return tuple(span for each in found for span in (Span(text=" · "), *each))[1:]


def _without(these: Sequence[Affected], those: Sequence[Affected]) -> list[Affected]:
    known = set(those)
    return [each for each in these if each not in known]


def _fact(name: str, value: str) -> Line:
    return Line(spans=(Span(text=value),), role=Role.FACT, label=name)


def text_line(text: str, role: Role = Role.TEXT, *, style: str = "", url: str | None = None) -> Line:
    return Line(spans=(Span(text=text, style=style, url=url),), role=role)
