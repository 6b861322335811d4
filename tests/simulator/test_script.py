from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta

import pytest

import notifier.simulator
from notifier.simulator import ScriptError, load, shipped, story
from tests.simulator.telling import BARE, OUTAGE, UPGRADE, at, script


def test_the_shipped_scripts_are_found_and_can_be_played() -> None:
    found = shipped()
    assert set(found) == {"websocket-2026-02-24", "maintenance", "rough-day"}
    for path in found.values():
        played = load(path)
        assert played.moments
        assert played.moments == tuple(sorted(set(played.moments)))
        assert played.page.start <= played.moments[0]
        assert played.moments[-1] <= played.page.end


def test_the_websocket_script_tells_what_happened_on_that_day() -> None:
    (incident,) = load(shipped()["websocket-2026-02-24"]).incidents
    assert incident.components == ("Kraken API (Websocket)",)
    assert [(f"{update.at:%F %H:%M}", update.status) for update in incident.updates] == [
        ("2026-02-24 11:29", "investigating"),
        ("2026-02-24 11:35", "monitoring"),
        ("2026-02-24 11:41", "resolved"),
    ]


def test_every_key_of_a_script_is_explained_in_the_package_docstring() -> None:
    nouns = (
        story.Page, story.Incident, story.Maintenance, story.Update, story.Edit, story.Retitle, story.Reschedule,
        story.Flap, story.Engine, story.Upcoming, story.Emergency, story.Fault,
    )  # fmt: skip
    keys = {{"since": "from", "until": "to"}.get(field.name, field.name) for noun in nouns for field in fields(noun)}
    explained = set(re.findall(r"\w+", notifier.simulator.__doc__ or ""))
    assert keys <= explained


def test_the_moments_hold_all_that_changes_and_nothing_of_the_background() -> None:
    told = load(
        BARE.replace("history = 0", "history = 20")
        + OUTAGE
        + '[[exchange]]\nat = 10:00:00\nstatus = "post_only"\n'
        + '[[components]]\nat = 10:01:00\nname = "Website"\nstatus = "partial_outage"\n'
        + '[[faults]]\nfrom = 10:02:00\nto = 10:03:00\ntarget = "api"\nanswer = 503\n'
    )
    clocks = ("09:00:00.250", "09:30:00.500", "10:00:00", "10:01:00", "10:02:00", "10:03:00")
    assert told.moments == tuple(at(clock) for clock in clocks)
    assert at("10:00:00") not in told.turns, "the exchange does not move the page"


def test_the_background_is_over_before_the_story_and_always_the_same() -> None:
    first, second = (load(BARE.replace("history = 0", "history = 60")) for _ in range(2))
    assert first.everything == second.everything
    assert len(first.everything) == 66
    assert all(max(incident.instants) < first.page.start - timedelta(hours=1) for incident in first.everything)
    assert all(list(i.instants) == sorted(i.instants) for i in first.everything), "its updates are in order"


def test_a_time_of_day_is_one_of_the_first_day_in_utc() -> None:
    told = load(BARE.replace("2026-05-12T08:00:00Z", "2026-05-12T23:30:00-04:00").replace("20:00:00", "05:00:00"))
    assert told.page.start == at("03:30:00", day=13)
    assert told.page.end == at("05:00:00", day=13)


BAD = {
    "no TOML at all": ("[page", "not TOML: "),
    "no page": (OUTAGE, "page: missing; add it"),
    "an unknown key": (BARE + "colour = 1", "page.colour: not a key of a script; remove it"),
    "a start without a zone": (BARE.replace("Z", ""), "page.start: not an instant; write it like 2026-02-24T11:28:00Z"),
    "a naive date": (
        BARE + OUTAGE.replace("09:30:00.500", "2026-05-12T09:30:00"),
        "incidents[1].updates[2].at: not an instant; write 11:28:00",
    ),
    "an end before the start": (BARE.replace("20:00", "07:00"), "page.end: not after page.start"),
    "a status nobody knows": (
        BARE + OUTAGE.replace("resolved", "fixed"),
        "incidents[1].updates[2].status: Input should be 'investigating', 'identified', ",
    ),
    "a maintenance's status on an incident": (
        BARE + OUTAGE.replace("resolved", "completed"),
        "incidents[1].updates[2].status: 'completed' is not for this; use investigating, ",
    ),
    "an unknown impact": (
        BARE + OUTAGE.replace("title =", 'impact = "huge"\ntitle ='),
        "incidents[1].impact: Input should be 'none', 'minor', 'major', 'critical' or 'maintenance'; got 'huge'",
    ),
    "no updates": (
        BARE + '[[incidents]]\nname = "a"\ntitle = "A"\nupdates = []\n',
        "incidents[1].updates: Tuple should have at least 1 item",
    ),
    "updates out of order": (
        BARE + OUTAGE.replace("09:30:00.500", "08:30:00"),
        "incidents[1].updates[2].at: before the one above it; put them in order",
    ),
    "a component that is not there": (
        BARE + OUTAGE.replace("Websocket", "Telegraph"),
        "incidents[1].components: no component is called 'Kraken API (Telegraph)'",
    ),
    "a component that is there three times": (
        BARE + OUTAGE.replace("Kraken API (Websocket)", "REST API"),
        "incidents[1].components: 'REST API' is more than one; write 'Kraken API (REST API)' or ",
    ),
    "an update of a component not named": (
        BARE + OUTAGE.replace('"We look', '"x"\n  components = { "Website" = "major_outage" }\n#'),
        "incidents[1].updates[1].components: 'Website' is not in incidents[1].components; add it there",
    ),
    "a level nobody knows": (
        BARE + OUTAGE.replace('"We look', '"x"\n  components = "broken"\n#'),
        "incidents[1].updates[1].components: neither the level of a component, such as partial_outage, nor a table",
    ),
    "an answer nobody knows": (
        BARE + '[[faults]]\nfrom = 09:00:00\nto = 09:30:00\ntarget = "api"\nanswer = "rude"\n',
        "faults[1].answer: neither an HTTP status (200 to 599) nor one of empty, truncated, ",
    ),
    "an edit of an update that is not there": (
        BARE + OUTAGE + '[[incidents.edits]]\nat = 10:00:00\nupdate = 3\ntext = "x"\n',
        "incidents[1].edits[1].update: there are only 2; count from the oldest",
    ),
    "an edit before its update": (
        BARE + OUTAGE + '[[incidents.edits]]\nat = 09:10:00\nupdate = 2\ntext = "x"\n',
        "incidents[1].edits[1].at: before the update that it edits; write a later one",
    ),
    "deleted before it was there": (
        BARE + OUTAGE.replace("title =", "deleted_at = 08:30:00\ntitle ="),
        "incidents[1].deleted_at: not after the first update; write a later one",
    ),
    "one name twice": (BARE + OUTAGE + OUTAGE, "'outage': the name of 2 incidents or maintenances; give each its own"),
    "a window that ends before it starts": (
        BARE + UPGRADE.replace("2026-05-15T13", "2026-05-13T13"),
        "maintenances[1].scheduled_until: not after scheduled_for; write a later one",
    ),
    "an advisory of nothing": (
        BARE + '[[exchange]]\nat = 09:00:00\nstatus = "online"\nemergency = [{ of = "it" }]\n',
        "exchange[1]: no incident or maintenance is named 'it'; write the name of one",
    ),
    "an upcoming incident": (
        BARE + OUTAGE + '[[exchange]]\nat = 09:00:00\nstatus = "online"\nupcoming = [{ of = "outage" }]\n',
        "exchange[1].upcoming: 'outage' is no maintenance; move it to emergency",
    ),
    "a fault that ends before it starts": (
        BARE + '[[faults]]\nfrom = 09:00:00\nto = 08:30:00\ntarget = "api"\nanswer = 503\n',
        "faults[1].to: not after from; write a later one",
    ),
    "a stale copy of no age": (
        BARE + '[[faults]]\nfrom = 09:00:00\nto = 09:30:00\ntarget = "api"\nanswer = "stale"\n',
        'faults[1].behind: goes with answer = "stale", and only with it; give the seconds there',
    ),
}


@pytest.mark.parametrize(("toml", "problem"), BAD.values(), ids=BAD.keys())
def test_a_bad_script_is_refused_with_place_and_cure(toml: str, problem: str) -> None:
    with pytest.raises(ScriptError) as refused:
        load(toml)
    (told,) = refused.value.problems
    assert told.startswith(problem)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ScriptError) as refused:
        script(
            OUTAGE.replace("Websocket", "Telegraph").replace("resolved", "completed"), UPGRADE.replace("Trading", "X")
        )
    assert len(refused.value.problems) == 3
    assert str(refused.value) == "\n".join(refused.value.problems)
