"""What Kraken says now: the state of things, the incidents, one incident with its timeline. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from notifier.changes import facts as as_change
from notifier.facts import facts, text_line
from notifier.inbox.talk import Button, Reply, Talk
from notifier.inbox.wording import headed, in_rows, noted, said, short
from notifier.known import KnownIncident, KnownUpdate
from notifier.message import Line, Role, Span
from notifier.states import meaning, words
from notifier.times import moment
from notifier.tongue import Tongue
from notifier.words import ICONS, standing, tone

OLD = timedelta(minutes=5)
"""A reading older than this may not be how things are."""

_LISTED = 8


def status(talk: Talk) -> Reply:
    """`/status`: Kraken now. Who presses for it sees when it was checked, also if nothing else is new."""
    running, planned = _open(talk)
    refresh = Button(words=talk.t("Refresh"), press="status")
    details = Button(words=talk.t("Incidents"), press="incidents")
    buttons = (refresh, details) if running or planned else (refresh,)
    reply = talk.says(*_status(talk, running, planned), buttons=(buttons, (_page_button(talk),)))
    if not talk.asked.press:
        return reply
    checked = "".join(span.text for line in _freshness(talk) for span in line.spans)
    return replace(reply, answer=replace(reply.answer, toast=checked))


def overview(talk: Talk) -> Iterator[Line]:
    """What is open now, for who has just come."""
    running, planned = _open(talk)
    yield from _running(talk, running)
    yield from _planned(talk, planned)
    if not running and not planned:
        yield said(talk.t("Nothing is open at {page} now."), page=talk.page.name)


def incidents(talk: Talk) -> Reply:
    """`/incidents`: what is open, and the newest that is over."""
    running, planned = _open(talk)
    over = [each for each in talk.scene.incidents if not each.open][:5]
    lines = [headed(talk.t("Incidents of {page}"), page=talk.page.name)]
    lines += _running(talk, running)
    lines += _planned(talk, planned)
    if not running and not planned:
        lines.append(said(talk.t("Nothing is open now.")))
    if over:
        lines.append(said(talk.t("Recently over:")))
        lines += [_ended(talk, each) for each in over]
    shown = [*running, *planned, *over][:_LISTED]
    buttons = [Button(words=short(each.name), press=f"incident {each.id}") for each in shown]
    return talk.says(*lines, *_freshness(talk), buttons=in_rows(buttons, 1))


def incident(talk: Talk, words_of_it: str) -> Reply:
    """`/incident`: one with its timeline, by its id or words of its title; without any, the only open one."""
    found = list(_meant(talk, words_of_it))
    if not words_of_it:
        running, planned = _open(talk)
        found = running or planned or [each for each in talk.scene.incidents if not each.open][:1]
    if len(found) == 1:
        return _timeline(talk, found[0])
    if not found and words_of_it:
        no = talk.t("No incident that I know is called “{words}”. /incidents lists the newest.")
        return talk.says(said(no, words=words_of_it[:60]))
    if words_of_it:
        buttons = [Button(words=short(each.name), press=f"incident {each.id}") for each in found[:_LISTED]]
        title = headed(talk.t("“{words}” may mean:"), words=words_of_it[:60])
        return talk.says(title, buttons=in_rows(buttons, 1))
    return incidents(talk)


def _status(talk: Talk, running: list[KnownIncident], planned: list[KnownIncident]) -> Iterator[Line]:
    open_now = talk.tongue.ngettext("{page}: {count} incident open", "{page}: {count} incidents open", len(running))
    engine = talk.scene.exchange
    if running:
        yield headed("🟠 " + open_now, page=talk.page.name, count=str(len(running)))
    elif engine is not None and engine.status != "online":
        yield headed("🟠 " + talk.t("{page}: no incident open, but the exchange is not online"), page=talk.page.name)
    else:
        yield headed("🟢 " + talk.t("{page}: no incident open"), page=talk.page.name)
    if engine is not None:
        state = f"{words(engine.status, talk.tongue)}. {meaning(engine.status, talk.tongue) or ''}".rstrip()
        yield Line(spans=(Span(text=state),), role=Role.FACT, label=talk.t("Exchange"))
    yield from _running(talk, running)
    yield from _planned(talk, planned)
    degraded = [each for each in talk.scene.components.values() if each.status != "operational" and not each.is_group]
    if degraded:
        names = ", ".join(each.name for each in degraded[:5])
        more = talk.tongue.ngettext(
            "{count} component is not operational: {names}",
            "{count} components are not operational: {names}",
            len(degraded),
        )
        yield said(more, count=str(len(degraded)), names=names + (" …" if len(degraded) > 5 else ""))
    yield from _freshness(talk)


def _freshness(talk: Talk) -> Iterator[Line]:
    read_at, now = talk.scene.read_at, talk.asked.at
    if read_at is None:
        yield noted(talk.t("The status page was not read yet."))
    elif now - read_at > OLD:
        yield noted(
            talk.t("The status page could not be read since {time}: this may be out of date."),
            time=moment(read_at, now, talk.tongue),
        )
    else:
        yield noted(talk.t("Last checked {time}."), time=moment(read_at, now, talk.tongue))


def _running(talk: Talk, running: list[KnownIncident]) -> Iterator[Line]:
    for each in running[:_LISTED]:
        since = min((update.at for update in each.updates), default=talk.asked.at)
        yield said(
            talk.t("{icon} {title}: {status}, since {since}"),
            icon=ICONS[tone(as_change(each, talk.asked.at))],
            title=Span(text=each.name, style="bold"),
            status=words(each.status, talk.tongue),
            since=moment(since, talk.asked.at, talk.tongue),
        )


def _planned(talk: Talk, planned: list[KnownIncident]) -> Iterator[Line]:
    for each in planned[:_LISTED]:
        when = Span(text=talk.t("without a time"))
        if each.window:
            when = moment(each.window.start, talk.asked.at, talk.tongue)
        yield said(talk.t("🔧 {title}: planned, {time}"), title=Span(text=each.name, style="bold"), time=when)


def _ended(talk: Talk, each: KnownIncident) -> Line:
    last = max((update.at for update in each.updates), default=talk.asked.at)
    return said(
        "{icon} {title}: {status}, {time}",
        icon="🟢",
        title=each.name,
        status=words(each.status, talk.tongue),
        time=moment(last, talk.asked.at, talk.tongue),
    )


def _timeline(talk: Talk, each: KnownIncident) -> Reply:
    now = talk.asked.at
    change = as_change(each, now)
    lines = [
        text_line(f"{ICONS[tone(change)]} {standing(change, now, talk.tongue)}: {each.name}", Role.TITLE, style="bold")
    ]
    lines += facts(change, now, now, talk.tongue, kept=())
    for update in reversed(each.updates):
        lines += _told(update, now, talk.tongue)
    back = (Button(words=talk.t("All incidents"), press="incidents"),)
    listens = talk.mine and talk.mine.active and each.open and each.subject not in talk.mine.muted
    mute = (Button(words=talk.t("Mute this incident"), press=f"mute {each.id}"),) if listens else ()
    url = f"{talk.page.url}/incidents/{each.id}"
    link = Button(words=talk.t("Status page"), url=url)
    return talk.says(*lines, *_freshness(talk), buttons=tuple(row for row in (mute, back, (link,)) if row))


def _told(update: KnownUpdate, now: datetime, tongue: Tongue) -> Iterable[Line]:
    status = Span(text=f", {words(update.status, tongue)}:", style="bold")
    yield Line(spans=(moment(update.at, now, tongue), status))
    yield from (text_line(line.strip(), Role.QUOTE) for line in update.text.split("\n") if line.strip())


def _open(talk: Talk) -> tuple[list[KnownIncident], list[KnownIncident]]:
    """What is going on, and what is planned, the soonest first."""
    now = [each for each in talk.scene.incidents if each.open]
    planned = [each for each in now if each.status == "scheduled"]
    planned.sort(key=lambda each: each.window.start if each.window else talk.asked.at)
    return [each for each in now if each.status != "scheduled"], planned


def _meant(talk: Talk, words_of_it: str) -> Iterator[KnownIncident]:
    wanted = words_of_it.casefold()
    for each in talk.scene.incidents:
        if wanted == each.id.casefold():
            yield each
            return
    yield from (each for each in talk.scene.incidents if wanted and wanted in each.name.casefold())


def _page_button(talk: Talk) -> Button:
    return Button(words=talk.t("Status page"), url=talk.page.url)
