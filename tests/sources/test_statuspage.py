from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from notifier.model import Component, Snapshot, Topic, Update, Window
from notifier.sources.statuspage import parse_incident, parse_incidents, parse_maintenances, parse_summary
from tests.sources.pages import Document, changed, dropped, page
from tests.sources.parsers import FUNDING, PARSERS, PLANNED, POSTMORTEM, WEBSOCKET, at, updates


@pytest.mark.parametrize(("source", "parser"), PARSERS.items(), ids=PARSERS)
def test_a_reading_says_which_source_and_page_it_is_of(
    source: str, parser: tuple[Callable[[bytes], Snapshot], str]
) -> None:
    parse, name = parser
    snapshot = parse(page(name))
    assert (snapshot.source, snapshot.page_id, snapshot.clock) == (source, "lfz25gyhcpjf", at("02-24T17:20:31.204"))
    assert snapshot.broken == ()


def test_only_the_summary_is_complete() -> None:
    assert [parse(page(name)).complete for parse, name in PARSERS.values()] == [True, False, False, False]


def test_the_summary_holds_what_is_open_and_what_is_planned() -> None:
    found = {
        incident.id: (incident.topic, incident.status) for incident in parse_summary(page("summary.json")).incidents
    }
    assert found == {
        WEBSOCKET: (Topic.INCIDENT, "monitoring"),
        FUNDING: (Topic.INCIDENT, "investigating"),
        PLANNED: (Topic.MAINTENANCE, "scheduled"),
    }


def test_the_summary_holds_every_component_and_group() -> None:
    components = parse_summary(page("summary.json")).components
    assert components is not None
    assert len(components) == 7
    assert components[:2] == (
        Component(
            id="7cn4p9dyb2jq",
            name="Kraken API",
            status="partial_outage",
            is_group=True,
            updated_at=at("02-24T13:02:11.417"),
        ),
        Component(
            id="z1kq8v5h3mxd",
            name="Websocket",
            status="partial_outage",
            group_id="7cn4p9dyb2jq",
            updated_at=at("02-24T13:02:11.417"),
        ),
    )


def test_updates_come_oldest_first_with_visible_text_and_displayed_time() -> None:
    incident = parse_incidents(page("incidents.json")).incidents[0]
    assert [update.status for update in incident.updates] == ["investigating", "identified", "identified", "monitoring"]
    assert incident.updates[1] == Update(
        id="1qz9k4t6w8bj",
        status="identified",
        text=(
            "Between 11:29 and 11:54 UTC less than <1% of orders were rejected.\n\n"
            "Affected: <SOME/ALL> spot pairs & WebSocket v2."
        ),
        at=at("02-24T12:10:00"),
        created_at=at("02-24T12:10:02.774"),
    )


def test_an_incident_carries_its_own_words() -> None:
    incident = parse_incidents(page("incidents.json")).incidents[2]
    assert (incident.id, incident.name, incident.impact) == (POSTMORTEM, "Elevated API error rates", "critical")
    assert (incident.status, incident.resolved_at) == ("postmortem", at("02-17T08:33:19.642"))
    assert (incident.started_at, incident.updated_at) == (at("02-17T08:01:55.018"), at("02-20T16:00:00.009"))
    assert (incident.window, incident.shortlink) == (None, "https://stspg.io/t5m1z8r3")


def test_a_postmortem_without_displayed_time_has_its_posting_time() -> None:
    assert parse_incidents(page("incidents.json")).incidents[2].updates[-1].at == at("02-20T16:00:00")


def test_a_maintenance_has_its_window() -> None:
    planned, done = parse_maintenances(page("scheduled-maintenances.json")).incidents
    assert (planned.id, planned.window) == (PLANNED, Window(start=at("03-01T22:00:00"), end=at("03-02T01:30:00")))
    assert [update.status for update in done.updates] == ["scheduled", "in_progress", "completed"]


def test_one_found_by_its_id_is_of_the_kind_that_its_key_says() -> None:
    found = [parse_incident(page(name)).incidents[0] for name in ("incident.json", "scheduled-maintenance.json")]
    assert [(each.id, each.topic) for each in found] == [(WEBSOCKET, Topic.INCIDENT), (PLANNED, Topic.MAINTENANCE)]


def test_embedded_components_come_before_those_that_only_an_update_names() -> None:
    components = parse_incidents(page("incidents.json")).incidents[0].components
    assert [(each.id, each.name, each.status) for each in components or ()] == [
        ("z1kq8v5h3mxd", "Websocket", "partial_outage"),
        ("h93mxk2vtq0b", "Kraken API - REST API", "operational"),
    ]


TOLERATED: dict[str, Callable[[Document], Any]] = {
    "unknown fields": lambda page: page["incidents"][0].update(mood="grim", page_id=None),
    "no time at which it started": lambda page: dropped(page, "incidents", 0, "started_at"),
    "no impact": lambda page: dropped(page, "incidents", 0, "impact"),
    "no shortlink": lambda page: page["incidents"][0].update(shortlink=None),
    "no page clock": lambda page: dropped(page, "page", "updated_at"),
    "no embedded components": lambda page: dropped(page, "incidents", 0, "components"),
    "null for components": lambda page: page["incidents"][0].update(components=None),
    "an object for components": lambda page: page["incidents"][0].update(components={}),
    "reminders as a string": lambda page: page["incidents"][0].update(reminder_intervals="[]"),
    "a mere name for the affected": lambda page: updates(page)[0].update(affected_components=[{"name": "Websocket"}]),
    "no posting time": lambda page: dropped(page, "incidents", 0, "incident_updates", 1, "created_at"),
    "no status line": lambda page: dropped(page, "status"),
    "no components at all": lambda page: dropped(page, "components"),
    "integer ids": lambda page: [page["incidents"][0].update(id=4821), updates(page)[0].update(id=2**60)],
    "words never seen": lambda page: page["incidents"][0].update(status="paused", impact="cosmic"),
    "no update yet": lambda page: updates(page).clear(),
}


@pytest.mark.parametrize("change", TOLERATED.values(), ids=TOLERATED)
def test_a_page_is_read_whole_with(change: Callable[[Document], Any]) -> None:
    snapshot = parse_summary(changed("summary.json", change))
    assert (len(snapshot.incidents), snapshot.complete, snapshot.broken) == (3, True, ())


def test_components_that_nobody_states_are_not_stated() -> None:
    def silenced(document: Document) -> None:
        for update in updates(document):
            update["affected_components"] = None
        dropped(document, "incidents", 0, "components")

    assert parse_incidents(changed("incidents.json", silenced)).incidents[0].components is None


def test_no_components_is_stated_by_an_empty_list() -> None:
    assert parse_summary(page("summary.json")).incidents[2].components == ()


def test_an_incident_with_a_planned_time_is_a_maintenance_wherever_it_is_listed() -> None:
    body = changed("incidents.json", lambda page: page["incidents"][1].update(scheduled_for="2026-03-01T22:00:00.000Z"))
    assert [each.topic for each in parse_incidents(body).incidents] == [
        Topic.INCIDENT,
        Topic.MAINTENANCE,
        Topic.INCIDENT,
    ]


def test_updates_posted_at_one_moment_keep_the_page_s_order() -> None:
    def simultaneous(document: Document) -> None:
        for update in updates(document):
            update["created_at"] = "2026-02-24T12:10:02.774Z"

    incident = parse_incidents(changed("incidents.json", simultaneous)).incidents[0]
    assert [update.status for update in incident.updates] == ["investigating", "identified", "identified", "monitoring"]


def test_posting_decides_the_order_and_not_the_displayed_time() -> None:
    body = changed("incidents.json", lambda page: updates(page)[0].update(display_at="2026-02-24T10:00:00.000Z"))
    assert parse_incidents(body).incidents[0].updates[-1].status == "monitoring"


def test_offsets_are_honoured() -> None:
    body = changed("incidents.json", lambda page: updates(page)[0].update(display_at="2026-02-24T07:02:11.380-06:00"))
    assert parse_incidents(body).incidents[0].updates[-1].at == at("02-24T13:02:11.380")


def test_one_update_listed_twice_is_one() -> None:
    body = changed("incidents.json", lambda page: updates(page).append(updates(page)[0]))
    assert parse_incidents(body) == parse_incidents(page("incidents.json"))


def test_one_incident_listed_twice_is_one() -> None:
    body = changed("incidents.json", lambda page: page["incidents"].append(page["incidents"][0]))
    assert parse_incidents(body) == parse_incidents(page("incidents.json"))


def test_hostile_text_is_cleaned() -> None:
    def poisoned(document: Document) -> None:
        document["incidents"][0].update(name="Web\u202eSocket\r\nBcc: x\ud800\x00", impact="ma\u200bjor")
        updates(document)[0].update(body="a\x1b[31m\u2066b<script>alert(1)</script>" + "\u0301" * 10_000)

    incident = parse_incidents(changed("incidents.json", poisoned)).incidents[0]
    assert (incident.name, incident.impact) == ("WebSocket Bcc: x", "major")
    assert incident.updates[-1].text == "a[31mb" + "\u0301" * 4
