"""The words: from the changes that one recipient hears at once to one Message. Pure, and the same on every channel.

Everything told comes from the change rows; nothing is looked up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlsplit

from notifier.compare import compared
from notifier.message import Appointment, Line, Message, Receipt, Role, Span
from notifier.model import Affected, Change, Kind, Phase, Topic
from notifier.ports import Part
from notifier.stock import continues, says_little
from notifier.words import (
    ICONS,
    ahead,
    components,
    duration,
    is_severe,
    label,
    meaning,
    moment,
    ordinal,
    standing,
    steps,
    tone,
    window,
    words,
)

LATE = timedelta(minutes=10)
"""News that reaches its reader later than this after Kraken's own time says so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Whose news it is: the page's name and address; the only place that links go to."""

    url: str
    name: str = "Kraken"


def render(
    parts: Sequence[Part],
    page: Page,
    *,
    origin: str,
    date: datetime,
    since: Sequence[Change] = (),
    mention: str | None = None,
    thread: Receipt | None = None,
    plain: bool = False,
) -> Message:
    """One message for the parts of a parcel (oldest first): the newest state on top, the earlier ones below in short.

    `since` is what happened after the message was sent, oldest first: edits of its updates are marked in it, and if
    there is other news, it is the conversation's first message, which says how things stand now.
    `origin` names the database, so that delivery ids are unique across databases; `date` is that of the first try.
    """
    changes = _with_newest_texts([part.change for part in parts])
    edits = {each.update_id: each for each in since if each.kind is Kind.UPDATE_EDITED}
    own = changes[-1]
    later = [change for change in since if change.kind is not Kind.UPDATE_EDITED]
    newest = _now(later[-1] if later else own, edits)
    now = later[-1].detected_at if later else date
    loud = any(change.loud for change in changes)
    state = standing(newest, now) if later else label(newest, now)
    title = f"{state}: {newest.title}" if newest.kind is not Kind.WELCOME else newest.title
    return Message(
        delivery_ids=tuple(f"{origin}-{part.delivery_id}" for part in parts),
        subject=f"[{page.name}] {title}",
        topic=f"[{page.name}] {newest.title}",
        lines=(
            _text(f"{_icon(newest)} {title}", Role.TITLE, style="bold"),
            *_facts(newest, date, now, kept=bool(later)),
            *(_latest(newest, date) if later and newest.update_id != own.update_id else ()),
            *_said(_now(own, edits), edits.get(own.update_id), date),
            *_earlier([_now(change, edits) for change in changes[:-1]], date),
            *_notes(own, date),
            _link(newest, page),
        ),
        date=date,
        tone=tone(newest),
        loud=loud,
        mention=mention if loud and is_severe(own) else None,
        thread=thread,
        plain=plain,
        appointment=_appointment(newest, page),
    )


def _with_newest_texts(changes: Sequence[Change]) -> list[Change]:
    """Edits of updates told in the same message are taken into them; the others stay, as news of their own."""
    told = {change.update_id: place for place, change in enumerate(changes) if change.kind is Kind.UPDATE_POSTED}
    merged: list[Change] = list(changes)
    absorbed = set()
    for place, change in enumerate(changes):
        if change.kind is Kind.UPDATE_EDITED and change.update_id in told:
            original = told[change.update_id]
            merged[original] = replace(merged[original], text=change.text, status=change.status, at=change.at)
            absorbed.add(place)
    kept = [change for place, change in enumerate(merged) if place not in absorbed]
    edits = [change for change in kept if change.kind is Kind.UPDATE_EDITED]
    news = [change for change in kept if change.kind is not Kind.UPDATE_EDITED]
    return [*edits, *news] if news else edits


def _now(change: Change, edits: dict[str | None, Change]) -> Change:
    """The change with what Kraken made of its update since."""
    edit = edits.get(change.update_id)
    if edit is None or change.kind is not Kind.UPDATE_POSTED:
        return change
    return replace(change, text=edit.text, status=edit.status, at=edit.at)


def _icon(change: Change) -> str:
    return "👋" if change.kind is Kind.WELCOME else ICONS[tone(change)]


def _facts(change: Change, day: datetime, now: datetime, *, kept: bool) -> Iterable[Line]:
    """`kept`: in a message that is kept current, where only the state counts and not what moved it.

    `day` is when the message was sent, under which its reader finds it; `now` is when it was last edited.
    """
    ended = change.ended_at is not None
    if change.kind is Kind.INCIDENT_WITHDRAWN:
        yield _text("Kraken took this off its status page without saying that it is resolved.")
    if change.subject.startswith("exchange/") and (meant := meaning(change.status)):
        yield _text(meant)
    if change.window and change.ended_at and change.ended_at < change.window.start:
        yield _text("It is over before its planned start.")
    if not kept and (moved := _moved(change, day)):
        yield Line(spans=moved, role=Role.FACT, label="Changed")
    if change.components and change.kind is not Kind.COMPONENT_CHANGED:
        yield _fact("Affected", components(change.components))
    if change.impact and change.topic is Topic.INCIDENT:
        yield _fact("Impact", change.impact)
    if change.window and not ended:
        yield Line(spans=(*window(change.window, day), *ahead(change.window, now)), role=Role.FACT, label="Planned")
    begun = change.status != "scheduled" and not (change.window and change.started_at and change.started_at > now)
    if change.started_at and begun and (kept or not ended):
        yield Line(spans=(moment(change.started_at, day),), role=Role.FACT, label="Since" if not ended else "Started")
    if kept and change.kind is Kind.UPDATE_POSTED:
        status = Span(text=f", {words(change.status)}")
        yield Line(spans=(moment(change.at, day), status), role=Role.FACT, label="Last update")
    if change.ended_at and change.started_at and change.started_at < change.ended_at:
        lasted = duration(change.ended_at - change.started_at)
        story = steps(change.timeline, day) if len(change.timeline) > 1 else ()
        if kept or not story:
            yield _fact("Lasted", lasted)
        if story:
            spans = story if kept else (*story, Span(text=f" · {lasted}"))
            yield Line(spans=spans, role=Role.FACT, label="Timeline")
    elif kept and len(change.timeline) > 1:
        yield Line(spans=steps(change.timeline, day), role=Role.FACT, label="Timeline")


def _moved(change: Change, day: datetime) -> tuple[Span, ...]:
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


def _latest(change: Change, now: datetime) -> Iterable[Line]:
    """The newest words, in the conversation's first message."""
    if change.kind is Kind.UPDATE_POSTED and not says_little(change.text):
        yield Line(spans=(Span(text="Latest, "), moment(change.at, now), Span(text=":")))
        yield from _quoted(change.text)


def _said(change: Change, edit: Change | None, now: datetime) -> Iterable[Line]:
    if change.kind is Kind.WELCOME:
        yield from (_text(line) for line in change.text.split("\n"))
    elif change.text:
        who = "The exchange" if change.topic is Topic.EXCHANGE else "Kraken"
        yield Line(spans=(Span(text=f"{who}, "), moment(change.at, now), Span(text=":")))
        marked = compared(edit.before or "", edit.text) if edit else None
        yield from (Line(spans=spans, role=Role.QUOTE) for spans in marked) if marked else _quoted(change.text)
    if edit is not None:
        yield Line(spans=(Span(text="Edited by Kraken, seen "), moment(edit.detected_at, now)), role=Role.NOTE)


def _quoted(text: str) -> Iterable[Line]:
    return (_text(line.strip(), Role.QUOTE) for line in text.split("\n") if line.strip())


def _earlier(changes: Sequence[Change], now: datetime) -> Iterable[Line]:
    """What was not told yet when something newer came, newest first; a run of updates that say nothing is one line."""
    if not changes or changes[-1].kind is Kind.WELCOME:
        return
    yield _text("Before that:", style="bold")
    for idle, run in groupby(reversed(changes), key=_is_idle):
        told = list(run)
        if idle and len(told) > 1:
            newest, oldest = told[0], told[-1]
            between = (moment(oldest.at, now), Span(text=" – "), moment(newest.at, now))
            times = Span(text=f" {len(told)} × {label(newest, now)}: {' '.join(newest.text.split())}")
            yield Line(spans=(*between, times), role=Role.EARLIER)
        else:
            yield from (_short(change, now) for change in told)


def _is_idle(change: Change) -> bool:
    return change.kind is Kind.UPDATE_POSTED and change.phase is Phase.PROGRESS and continues(change.text)


def _short(change: Change, now: datetime) -> Line:
    said = [Span(text=f" {label(change, now)}")]
    if moved := _moved(change, now):
        said += [Span(text=" ("), *moved, Span(text=")")]
    marked = compared(change.before or "", change.text) if change.kind is Kind.UPDATE_EDITED else None
    if marked:
        said += [Span(text=":"), *(span for spans in marked for span in (Span(text=" "), *spans))]
    elif change.text:
        said.append(Span(text=f": {' '.join(change.text.split())}"))
    return Line(spans=(moment(change.at, now), *said), role=Role.EARLIER)


def _notes(change: Change, now: datetime) -> Iterable[Line]:
    if change.kind in (Kind.WELCOME, Kind.UPDATE_EDITED):
        return
    if change.repeats > 1:
        yield _text(f"The {ordinal(change.repeats)} update in a row that says only this.", Role.NOTE)
    posted = change.posted_at or change.at
    if posted - change.at > LATE:
        yield Line(spans=(Span(text="Published after the fact, "), moment(posted, now)), role=Role.NOTE)
    if now - posted > LATE:
        delivered = (Span(text=", delivered "), moment(now, now))
        yield Line(spans=(Span(text="Late: posted "), moment(posted, now), *delivered), role=Role.NOTE)


def _link(change: Change, page: Page) -> Line:
    if change.incident_id:
        return _text("Details on the status page", Role.LINK, url=f"{page.url}/incidents/{change.incident_id}")
    return _text("Status page", Role.LINK, url=page.url)


def _appointment(change: Change, page: Page) -> Appointment | None:
    """A planned maintenance that has not begun, or that moved, or that will not take place."""
    planned = change.window
    if change.topic is not Topic.MAINTENANCE or planned is None or change.incident_id is None:
        return None
    cancelled = change.kind is Kind.INCIDENT_WITHDRAWN or (
        change.ended_at is not None and change.ended_at < planned.start
    )
    if not cancelled and (change.status != "scheduled" and change.stood.window is None):
        return None
    host = urlsplit(page.url).hostname or "localhost"
    return Appointment(
        uid=f"{change.incident_id}@{host}",
        sequence=change.revision + cancelled,
        summary=f"{page.name}: {change.title}",
        start=planned.start,
        end=planned.end,
        description=change.text,
        url=f"{page.url}/incidents/{change.incident_id}",
        cancelled=cancelled,
    )


def _fact(name: str, value: str) -> Line:
    return Line(spans=(Span(text=value),), role=Role.FACT, label=name)


def _text(text: str, role: Role = Role.TEXT, *, style: str = "", url: str | None = None) -> Line:
    return Line(spans=(Span(text=text, style=style, url=url),), role=role)
