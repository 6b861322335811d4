"""The diff on any history of a page, read in any way: nothing twice, nothing lost, nothing resolved by itself."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from notifier.diff import diff_page
from notifier.known import Known, KnownIncident
from notifier.model import TERMINAL, Change, Incident, Kind, Phase, Snapshot, Topic, Update, Window
from notifier.phase import has_ended
from tests.builders import NOW, after, at, from_feed, page, watched

quick = settings(max_examples=150, deadline=None, derandomize=bool(os.environ.get("CI")))

START = at("11:30")
TEXTS = ("We are looking into it.", "A fix is in.", "It is slow.", "Only some are affected.")
ON_THE_WAY = {
    Topic.INCIDENT: ("investigating", "identified", "monitoring"),
    Topic.MAINTENANCE: ("scheduled", "in_progress", "verifying"),
}
ENDS = {Topic.INCIDENT: "resolved", Topic.MAINTENANCE: "completed"}

Page = dict[str, Incident]


def story_of(draw: st.DrawFn) -> list[Page]:
    """The states of a page, one after the other, each with one thing more that somebody did to it."""
    ids = draw(st.lists(st.sampled_from(("first0000001", "second000001", "planned00001")), min_size=1, unique=True))
    seconds, states, now = 0, [], dict[str, Incident]()
    for number in range(draw(st.integers(1, 9))):
        seconds += draw(st.sampled_from((1, 30, 61, 3600)))
        key = draw(st.sampled_from(ids))
        acts = [post, end, edit, rename, worsen, reschedule, note, end_without_a_word] if key in now else [appear]
        act = draw(st.sampled_from(acts))
        then = START + timedelta(seconds=seconds)
        changed = act(draw, now[key] if key in now else bare(key), f"u{number}", then)
        now = {**now, key: replace(changed, updated_at=then)}
        states.append(now)
    return states


def bare(key: str) -> Incident:
    topic = Topic.MAINTENANCE if key.startswith("planned") else Topic.INCIDENT
    return Incident(id=key, topic=topic, name="Trouble", status="", impact="minor", updates=())


def said(draw: st.DrawFn, here: Incident, number: str, status: str, then: datetime) -> Incident:
    text = draw(st.sampled_from(TEXTS))
    new = Update(id=f"{here.id}-{number}", status=status, text=text, at=then, created_at=then)
    return replace(here, updates=(*here.updates, new))


def appear(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    return post(draw, here, number, then)


def post(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    status = draw(st.sampled_from(ON_THE_WAY[here.topic]))
    return replace(said(draw, here, number, status, then), status=status, resolved_at=None)


def end(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    status = ENDS[here.topic]
    return replace(said(draw, here, number, status, then), status=status, resolved_at=then)


def end_without_a_word(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    return replace(here, status=ENDS[here.topic], resolved_at=then)


def note(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    return said(draw, here, number, draw(st.sampled_from(ON_THE_WAY[here.topic])), then) if has_ended(here) else here


def edit(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    place = draw(st.integers(0, len(here.updates) - 1))
    edited = replace(here.updates[place], text=f"Corrected {number}.")
    return replace(here, updates=(*here.updates[:place], edited, *here.updates[place + 1 :]))


def rename(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    return replace(here, name=f"Trouble, called {number}")


def worsen(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    return replace(here, impact=draw(st.sampled_from(("none", "minor", "major", "critical"))))


def reschedule(draw: st.DrawFn, here: Incident, number: str, then: datetime) -> Incident:
    return replace(here, window=Window(start=at("15:00") + timedelta(hours=draw(st.integers(0, 3)))))


@dataclass(frozen=True, kw_only=True)
class Told:
    """What came of reading a page: its true states, what was read of them, the changes and what is known by now."""

    states: list[Page]
    readings: list[Snapshot]
    changes: list[list[Change]]
    known: list[Known]

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """How Hypothesis shows it: one line for each reading and for each change that came of it."""
        lines = []
        for reading, changes in zip(self.readings, self.changes, strict=True):
            for each in reading.incidents:
                story = ", ".join(f"{u.id or 'update'} {u.status} at {u.at:%H:%M:%S}: {u.text}" for u in each.updates)
                lines.append(f"{reading.source} at {each.updated_at:%H:%M:%S}: {each.id} {each.status} ({story})")
            lines += [f"    {change.key}: {change.phase}" for change in changes]
        printer.text("\n".join(["", *lines]))


SHAPES: dict[str, Callable[..., Snapshot]] = {
    "incidents": lambda *these: page(*these, source="incidents"),
    "summary": lambda *these: page(*(each for each in these if not has_ended(each)), source="summary", complete=True),
    "feed": from_feed,
}


@st.composite
def told(draw: st.DrawFn) -> Told:
    """Readings of any state in any order, of any source, cut off anywhere; the newest state is read last, whole."""
    states = story_of(draw)
    readings = []
    for _ in range(draw(st.integers(0, 9))):
        state = list(draw(st.sampled_from(states)).values())
        window = state[draw(st.integers(0, len(state) - 1)) :]
        readings.append(SHAPES[draw(st.sampled_from(sorted(SHAPES)))](*window))
    readings.append(page(*states[-1].values()))
    known, knowns, changes = watched(), [], []
    for reading in readings:
        news = diff_page(known, reading, NOW, baseline=False)
        known = after(known, news)
        knowns.append(known)
        changes.append(list(news.changes))
    return Told(states=states, readings=readings, changes=changes, known=knowns)


@quick
@given(told())
def test_a_reading_said_again_is_no_news(story: Told) -> None:
    for reading, known in zip(story.readings, story.known, strict=True):
        again = diff_page(known, reading, NOW, baseline=False)
        assert again.changes == () and again.known.incidents == {}


@quick
@given(told())
def test_every_update_is_told_exactly_once_by_whichever_source_it_came_first(story: Told) -> None:
    in_the_end = story.known[-1].incidents
    heard = Counter(
        true_id(in_the_end[change.incident_id or ""], change.update_id)
        for changes in story.changes
        for change in changes
        if change.kind is Kind.UPDATE_POSTED
    )
    posted = {update.id for incident in story.states[-1].values() for update in incident.updates}
    assert {key: count for key, count in heard.items() if not key.startswith("implied:")} == dict.fromkeys(posted, 1)
    keys = Counter(change.key for changes in story.changes for change in changes)
    assert [key for key, count in keys.items() if count > 1] == []


def true_id(incident: KnownIncident, born: str | None) -> str:
    return next(update.id for update in incident.updates if update.born == born)


@quick
@given(told())
def test_nothing_ends_before_a_reading_says_so(story: Told) -> None:
    ended, said_over = set[str](), set[str]()
    for reading, changes, known in zip(story.readings, story.changes, story.known, strict=True):
        ended |= {incident.id for incident in reading.incidents if has_ended(incident)}
        said_over |= ended | {i.id for i in reading.incidents for u in i.updates if u.status in TERMINAL}
        assert {each.incident_id for each in changes if each.phase in (Phase.RESOLVED, Phase.COMPLETED)} <= said_over
        assert {incident.id for incident in known.incidents.values() if not incident.open} <= ended


@quick
@given(told())
def test_the_newest_reading_read_last_is_what_is_known(story: Told) -> None:
    true, known = story.states[-1], story.known[-1].incidents
    assert {key: (each.status, each.name, each.impact) for key, each in known.items()} == {
        key: (each.status, each.name, each.impact) for key, each in true.items()
    }
    assert {key: each.open for key, each in known.items()} == {key: not has_ended(each) for key, each in true.items()}
    for key, each in true.items():
        assert [u.text for u in known[key].updates if not u.id.startswith("implied:")] == [u.text for u in each.updates]


@quick
@given(told())
def test_what_is_told_of_one_incident_is_told_in_the_order_in_which_it_was_posted_within_a_reading(story: Told) -> None:
    for changes in story.changes:
        for key in {change.incident_id for change in changes}:
            moments = [each.at for each in changes if each.incident_id == key and each.kind is Kind.UPDATE_POSTED]
            assert moments == sorted(moments)
