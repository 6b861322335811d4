"""The words: from the changes that one recipient hears at once to one Message. Pure, and the same on every channel.

Everything told comes from the change rows; nothing is looked up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from urllib.parse import urlsplit

from notifier.compare import compared
from notifier.facts import facts, moved, newest_update, text_line
from notifier.message import Appointment, Line, Message, Receipt, Role, Span
from notifier.model import ALARMS, Change, Kind, Phase, Topic
from notifier.parcel import Part
from notifier.states import words
from notifier.stock import continues, says_little
from notifier.times import moment, ordinal
from notifier.tongue import ENGLISH, Tongue
from notifier.words import ICONS, is_severe, label, sentence, standing, text_of, title_of, tone, wording

LATE = timedelta(minutes=10)
"""News that reaches its reader later than this after Kraken's own time says so."""

_UNLABELLED = (Kind.WELCOME, Kind.BROADCAST)
"""Their titles say it all."""


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
    tongue: Tongue = ENGLISH,
) -> Message:
    """One message for the parts of a parcel (oldest first): the newest state on top, the earlier ones below in short.

    `since` is what happened after the message was sent, oldest first: edits of its updates are marked in it, and if
    there is other news, it is the conversation's first message, which says how things stand now.
    `origin` names the database, so that delivery ids are unique across databases; `date` is that of the first try.
    Alarms are in English, whatever the `tongue`: their words are made where the trouble is found.
    """
    changes = _with_newest_texts([part.change for part in parts])
    edits = {each.update_id: each for each in since if each.kind is Kind.UPDATE_EDITED}
    own = changes[-1]
    tongue = ENGLISH if own.kind in ALARMS else tongue
    later = [_now(change, edits) for change in since if change.kind is not Kind.UPDATE_EDITED]
    newest = _standing(_now(own, edits), later, since)
    now = since[-1].detected_at if later else date
    loud = any(change.loud for change in changes)
    state = standing(newest, now, tongue) if later else label(newest, now, tongue)
    name = title_of(newest, tongue)
    title = f"{state}: {name}" if newest.kind not in _UNLABELLED else name
    return Message(
        delivery_ids=tuple(f"{origin}-{part.delivery_id}" for part in parts),
        subject=f"[{_whose(newest, page, tongue)}] {title}",
        topic=f"[{_whose(newest, page, tongue)}] {newest.first_title or name}",
        lines=(
            text_line(f"{_icon(newest)} {title}", Role.TITLE, style="bold"),
            *facts(newest, date, now, tongue, kept=later),
            *_latest(later, date, tongue),
            *_said(own, edits.get(own.update_id), date, tongue),
            *_earlier([(change, edits.get(change.update_id)) for change in _unfolded(changes)], date, tongue),
            *_notes(own, date, tongue),
            _link(newest, page, tongue),
        ),
        date=date,
        tone=tone(newest),
        loud=loud,
        mention=mention if loud and is_severe(own) else None,
        thread=thread,
        plain=plain,
        appointment=_appointment(newest, page),
        wording=wording(tongue),
    )


def _standing(own: Change, later: Sequence[Change], since: Sequence[Change]) -> Change:
    """How things stand: after the newest update by Kraken's own order, with the newest facts."""
    posted = [each for each in (own, *later) if each.kind is Kind.UPDATE_POSTED]
    last = later[-1] if later else own
    if last.kind is Kind.UPDATE_POSTED:
        last = newest_update(posted)
    if not since or since[-1].kind is not Kind.UPDATE_EDITED or last.kind is not Kind.UPDATE_POSTED:
        return last
    newest = since[-1]
    return replace(
        last,
        title=newest.title,
        impact=newest.impact,
        components=newest.components,
        started_at=newest.started_at,
        ended_at=newest.ended_at if last.ended_at else None,
        window=newest.window,
        timeline=newest.timeline,
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


def _now(change: Change, edits: Mapping[str | None, Change]) -> Change:
    """The change with what Kraken made of its update since."""
    edit = edits.get(change.update_id)
    if edit is None or change.kind is not Kind.UPDATE_POSTED:
        return change
    ended = edit.at if change.ended_at == change.at else change.ended_at
    return replace(change, text=edit.text, status=edit.status, at=edit.at, ended_at=ended)


def _is_own(change: Change) -> bool:
    """Whether it is about the notifier itself, and no news of the page's."""
    return change.kind in (*ALARMS, Kind.BROADCAST)


def _whose(change: Change, page: Page, tongue: Tongue) -> str:
    return tongue.gettext("{page} notifier").format(page=page.name) if _is_own(change) else page.name


def _icon(change: Change) -> str:
    return {Kind.WELCOME: "👋", Kind.BROADCAST: "📣"}.get(change.kind) or ICONS[tone(change)]


def _latest(later: Sequence[Change], day: datetime, tongue: Tongue) -> Iterable[Line]:
    """The newest words that say something, in the conversation's first message."""
    said = [each for each in later if each.kind is Kind.UPDATE_POSTED and not says_little(each.text)]
    if said:
        yield Line(spans=sentence(tongue.gettext("Latest, {when}:"), when=moment(said[-1].at, day, tongue)))
        yield from _quoted(said[-1].text)


def _said(change: Change, edit: Change | None, now: datetime, tongue: Tongue) -> Iterable[Line]:
    text, at = (edit.text, edit.at) if edit else (text_of(change, tongue), change.at)
    if change.topic in (Topic.BOT, Topic.EXCHANGE):
        yield from (text_line(line) for line in text.split("\n") if line)
    elif text:
        yield Line(spans=sentence(tongue.gettext("Kraken, {when}:"), when=moment(at, now, tongue)))
        marked = compared(change.text, text) if edit and change.text != text else None
        yield from (Line(spans=spans, role=Role.QUOTE) for spans in marked) if marked else _quoted(text)
    if edit is not None:
        yield Line(spans=_edited(change, edit, now, tongue), role=Role.NOTE)


def _edited(change: Change, edit: Change, now: datetime, tongue: Tongue) -> tuple[Span, ...]:
    """That Kraken edited an update, when that was seen, and what of it the words do not show."""
    spans = [*sentence(tongue.gettext("Edited by Kraken, seen {when}"), when=moment(edit.detected_at, now, tongue))]
    if edit.status != change.status:
        status = words(change.status, tongue)
        spans += [Span(text="; "), Span(text=tongue.gettext("its status was {status}").format(status=status))]
    if f"{edit.at:%d %H:%M}" != f"{change.at:%d %H:%M}":
        was = sentence(tongue.gettext("its time was {when}"), when=moment(change.at, now, tongue))
        spans += [Span(text="; "), *was]
    return tuple(spans)


def _quoted(text: str) -> Iterable[Line]:
    return (text_line(line.strip(), Role.QUOTE) for line in text.split("\n") if line.strip())


def _unfolded(changes: Sequence[Change]) -> Sequence[Change]:
    """All but the newest, and but those before it that say as little: it says how many they are."""
    *earlier, newest = changes
    while earlier and _is_idle(newest, None) and _is_idle(earlier[-1], None):
        earlier.pop()
    return earlier


def _earlier(changes: Sequence[tuple[Change, Change | None]], now: datetime, tongue: Tongue) -> Iterable[Line]:
    """What was not told yet when something newer came, newest first; a run of updates that say nothing is one line.
    Beside each what Kraken made of it since.
    """
    if not changes or changes[-1][0].kind is Kind.WELCOME:
        return
    yield text_line(tongue.gettext("Before that:"), style="bold")
    for idle, run in groupby(reversed(changes), key=lambda told: _is_idle(*told)):
        told = list(run)
        if idle and len(told) > 1:
            newest, oldest = told[0][0], told[-1][0]
            between = (moment(oldest.at, now, tongue), Span(text=" – "), moment(newest.at, now, tongue))
            times = Span(text=f" {len(told)} × {label(newest, now, tongue)}: {' '.join(newest.text.split())}")
            yield Line(spans=(*between, times), role=Role.EARLIER)
        else:
            yield from (_short(change, edit, now, tongue) for change, edit in told)


def _is_idle(change: Change, edit: Change | None) -> bool:
    idle = change.kind is Kind.UPDATE_POSTED and change.phase is Phase.PROGRESS and continues(change.text)
    return idle and edit is None


def _short(change: Change, edit: Change | None, now: datetime, tongue: Tongue) -> Line:
    said = [Span(text=f" {label(change, now, tongue)}")]
    if spans := moved(change, now, tongue):
        said += [Span(text=" ("), *spans, Span(text=")")]
    old, text = (change.text, edit.text) if edit else (change.before or "", text_of(change, tongue))
    marked = compared(old, text) if edit or change.kind is Kind.UPDATE_EDITED else None
    if marked:
        said += [Span(text=":"), *(span for spans in marked for span in (Span(text=" "), *spans))]
    elif text:
        said.append(Span(text=f": {' '.join(text.split())}"))
    edited = tongue.gettext("edited")
    said += [Span(text=f" ({edited})")] if edit else []
    return Line(spans=(moment(change.at, now, tongue), *said), role=Role.EARLIER)


def _notes(change: Change, now: datetime, tongue: Tongue) -> Iterable[Line]:
    if change.kind in (Kind.WELCOME, Kind.UPDATE_EDITED):
        return
    if change.repeats > 1:
        nth = ordinal(change.repeats, tongue)
        said = tongue.gettext("The {nth} update in a row that says only this.").format(nth=nth)
        yield text_line(said, Role.NOTE)
    posted = change.posted_at or change.at
    when = moment(posted, now, tongue)
    if posted - change.at > LATE:
        yield Line(spans=sentence(tongue.gettext("Published after the fact, {when}"), when=when), role=Role.NOTE)
    if now - posted > LATE:
        late = _late(change, tongue)
        yield Line(spans=sentence(late, posted=when, delivered=moment(now, now, tongue)), role=Role.NOTE)


def _late(change: Change, tongue: Tongue) -> str:
    if change.kind is Kind.BROADCAST:
        return tongue.gettext("Late: written {posted}, delivered {delivered}")
    if change.kind in ALARMS:
        return "Late: noticed {posted}, delivered {delivered}"
    return tongue.gettext("Late: posted {posted}, delivered {delivered}")


def _link(change: Change, page: Page, tongue: Tongue) -> Line:
    if _is_own(change):
        return text_line(tongue.gettext("From the notifier itself; this is no news of Kraken's."), Role.NOTE)
    if change.incident_id:
        url = f"{page.url}/incidents/{change.incident_id}"
        return text_line(tongue.gettext("Details on the status page"), Role.LINK, url=url)
    return text_line(tongue.gettext("Status page"), Role.LINK, url=page.url)


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
        sequence=change.revision + (cancelled and change.kind is not Kind.INCIDENT_WITHDRAWN),
        summary=f"{page.name}: {change.title}",
        start=planned.start,
        end=planned.end,
        description=change.text,
        url=f"{page.url}/incidents/{change.incident_id}",
        cancelled=cancelled,
    )
