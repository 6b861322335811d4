from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from notifier.simulator import Script, load, page, shipped
from notifier.simulator.catalogue import find
from tests.simulator.telling import BARE, OUTAGE, UPGRADE, at, body, script

CAPTURES = Path(__file__).parents[3] / "shared" / "data"
WEBSOCKET = find("Kraken API (Websocket)")

EDITED = OUTAGE + '[[incidents.edits]]\nat = 11:00:00\nupdate = 1\ntext = "We looked into it."\n'
RETITLED = OUTAGE + '[[incidents.retitles]]\nat = 09:10:00\ntitle = "Much is wrong"\nimpact = "major"\n'
DELETED = OUTAGE.replace("title =", "deleted_at = 10:00:00\ntitle =")
RESCHEDULED = (
    UPGRADE
    + "[[maintenances.reschedules]]\nat = 10:00:00\n"
    + "scheduled_for = 2026-05-16T01:00:00Z\nscheduled_until = 2026-05-16T02:00:00Z\n"
)


def only(told: dict[str, Any], kind: str = "incidents") -> dict[str, Any]:
    (incident,) = told[kind]
    assert isinstance(incident, dict)
    return incident


def status_of(told: Script, moment: datetime, name: str) -> str:
    (component,) = (c for c in body(told, "components", moment)["components"] if c["id"] == find(name).id)
    return str(component["status"])


def captured(file: str) -> Any:
    path = CAPTURES / file
    if not path.exists():
        pytest.skip(f"the captures of real pages are not here ({path})")
    return json.loads(path.read_text(encoding="utf-8"))


def shapes(told: Any, path: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """Every object's place and keys, lists looked through."""
    if isinstance(told, dict):
        yield path, frozenset(told)
        for key, value in told.items():
            yield from shapes(value, f"{path}.{key}")
    elif isinstance(told, list):
        for value in told:
            yield from shapes(value, path)


SHAPES = {
    "incidents": ("incidents", "github-incidents-50/incidents-20250618T220145Z.json"),
    "maintenances": ("scheduled-maintenances", "anthropic/scheduled-maintenances-20260915.json"),
    "a quiet status": ("status", "discord/status.json"),
    "no unresolved incidents": ("incidents/unresolved", "discord/incidents_unresolved.json"),
    "nothing upcoming": ("scheduled-maintenances/upcoming", "discord/scheduled-maintenances_upcoming.json"),
    "nothing active": ("scheduled-maintenances/active", "discord/scheduled-maintenances_active.json"),
    "a summary with an incident": ("summary", "anthropic/summary-2-20260922T0101.json"),
}


@pytest.mark.parametrize(("endpoint", "file"), SHAPES.values(), ids=SHAPES.keys())
def test_every_object_has_exactly_the_keys_of_a_real_page(endpoint: str, file: str) -> None:
    told = load(shipped()["rough-day"])
    moment = at("09:00:00") if endpoint == "summary" else at("19:00:00")
    ours = {
        (place, keys - {"components"} if place.endswith("components") else keys)  # only groups have members
        for place, keys in shapes(body(told, endpoint, moment))
    }
    assert ours == set(shapes(captured(file)))


def test_a_group_lists_its_members_and_a_member_names_its_group() -> None:
    listed = body(script(), "components", at("09:00:00"))["components"]
    assert len(listed) == 826
    groups = [component for component in listed if component["group"]]
    assert len(groups) == 7
    for group in groups:
        assert group["components"] == [c["id"] for c in listed if c["group_id"] == group["id"]]
    assert all("components" not in component for component in listed if not component["group"])
    names = [component["name"] for component in listed]
    assert len(set(names)) < len(names), "some names are there twice"
    assert {"Tether USD (USDT) - HyperEVM (USDT0)", "USA₮ (USAT)", "DOG (Bitcoin) - Runes"} <= set(names)


@pytest.mark.parametrize("name", shipped())
def test_ids_are_in_the_pages_alphabet_and_instants_have_three_digits_and_z(name: str) -> None:
    told = load(shipped()[name])
    text = json.dumps(body(told, "summary", told.moments[0]) | body(told, "incidents", told.moments[-1]))
    ids = re.findall(r'"(?:id|code|incident_id|group_id|page_id)": "(.*?)"', text)
    assert all(re.fullmatch("[a-z0-9]{12}", found) for found in ids)
    instants = re.findall(r'"\w+_(?:at|for|until)": "(.*?)"', text)
    assert len(instants) > 1000
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found) for found in instants)


@pytest.mark.parametrize("name", shipped())
def test_any_moment_can_be_asked_in_any_order(name: str) -> None:
    path = shipped()[name]
    forwards = load(path)
    backwards = load(path)
    moments = [forwards.page.start, *forwards.moments, forwards.page.end]
    there = [body(forwards, "summary", moment)["incidents"] for moment in moments]
    back = [body(backwards, "summary", moment)["incidents"] for moment in reversed(moments)]
    assert there == back[::-1]


@pytest.mark.parametrize("name", shipped())
def test_nothing_is_stamped_later_than_now_and_the_page_clock_moves_only_at_a_turn(name: str) -> None:
    told = load(shipped()[name])
    for moment in told.moments:
        now = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
        answer = body(told, "incidents", moment)
        assert answer["page"]["updated_at"] <= now
        assert (answer["page"]["updated_at"] == now) == (moment in told.turns)
        for incident in answer["incidents"]:
            stamps = [incident["updated_at"], *(update["updated_at"] for update in incident["incident_updates"])]
            assert max(stamps) == incident["updated_at"] <= now


def test_an_incident_opens_and_ends() -> None:
    told = script(OUTAGE)
    assert body(told, "incidents", at("08:59:59"))["incidents"] == []
    opened = only(body(told, "incidents/unresolved", at("09:00:01")))
    assert (opened["status"], opened["impact"], opened["resolved_at"]) == ("investigating", "minor", None)
    assert opened["started_at"] < opened["created_at"] < opened["incident_updates"][0]["created_at"]
    assert body(told, "incidents/unresolved", at("09:31:00"))["incidents"] == []
    ended = only(body(told, "incidents", at("09:31:00")))
    assert [update["status"] for update in ended["incident_updates"]] == ["resolved", "investigating"]
    assert ended["resolved_at"] == ended["incident_updates"][0]["display_at"] == "2026-05-12T09:30:00.500Z"
    assert ended["id"] == opened["id"]


def test_an_update_names_its_components_and_the_closing_one_names_none() -> None:
    ended = only(body(script(OUTAGE), "incidents", at("10:00:00")))
    closing, opening = ended["incident_updates"]
    assert closing["affected_components"] is None
    assert opening["affected_components"] == [
        {
            "code": WEBSOCKET.id,
            "name": "Kraken API - Websocket",
            "old_status": "operational",
            "new_status": "degraded_performance",
        }
    ]


def test_the_components_of_an_incident_are_those_of_today() -> None:
    flap = '[[components]]\nat = 12:00:00\nname = "Kraken API (Websocket)"\nstatus = "major_outage"\n'
    ended = only(body(script(OUTAGE, flap), "incidents", at("13:00:00")))
    assert ended["status"] == "resolved"
    assert [(c["status"], c["updated_at"]) for c in ended["components"]] == [
        ("major_outage", "2026-05-12T12:00:00.000Z")
    ]


def test_a_component_stands_as_the_worst_open_incident_says_and_so_does_its_group() -> None:
    worse = OUTAGE.replace('"outage"', '"worse"').replace("09:00", "09:10").replace("09:30", "09:50")
    told = script(OUTAGE, worse.replace("title =", 'impact = "critical"\ntitle ='))
    statuses = [
        status_of(told, at(t), "Kraken API (Websocket)") for t in ("09:05:00", "09:20:00", "09:40:00", "10:00:00")
    ]
    assert statuses == ["degraded_performance", "major_outage", "major_outage", "operational"]
    groups = {c["name"]: c["status"] for c in body(told, "components", at("09:20:00"))["components"] if c["group"]}
    assert groups.pop("Kraken API") == "major_outage"
    assert set(groups.values()) == {"operational"}
    assert body(told, "status", at("09:20:00"))["status"]["indicator"] == "major"
    assert body(told, "status", at("10:00:00"))["status"] == {
        "indicator": "none",
        "description": "All Systems Operational",
    }


def test_an_edit_changes_the_words_and_cuts_the_milliseconds_of_the_time_shown() -> None:
    before, after = (only(body(script(EDITED), "incidents", at(t))) for t in ("10:59:59", "11:00:00"))
    old, new = before["incident_updates"][1], after["incident_updates"][1]
    assert (old["body"], old["display_at"], old["updated_at"]) == (
        "We look into it.",
        "2026-05-12T09:00:00.250Z",
        "2026-05-12T09:00:00.250Z",
    )
    assert (new["body"], new["display_at"], new["updated_at"]) == (
        "We looked into it.",
        "2026-05-12T09:00:00.000Z",
        "2026-05-12T11:00:00.000Z",
    )
    assert (new["id"], new["created_at"]) == (old["id"], old["created_at"])
    assert after["updated_at"] == "2026-05-12T11:00:00.000Z"


def test_a_retitle_changes_title_and_impact_without_an_update() -> None:
    before, after = (only(body(script(RETITLED), "incidents", at(t))) for t in ("09:09:59", "09:10:00"))
    assert (before["name"], before["impact"]) == ("Something is wrong", "minor")
    assert (after["name"], after["impact"]) == ("Much is wrong", "major")
    assert before["incident_updates"] == after["incident_updates"]


def test_a_deleted_incident_is_gone_from_everywhere() -> None:
    told = script(DELETED)
    wanted = only(body(told, "incidents", at("09:59:59")))["id"]
    assert body(told, f"incidents/{wanted}", at("09:59:59"))["incident"]["id"] == wanted
    assert body(told, "incidents", at("10:00:00"))["incidents"] == []
    assert page.answer(told, f"incidents/{wanted}", at("10:00:00")) is None


def test_a_back_filled_incident_begins_when_it_is_said_to_have_begun_and_is_not_on_top() -> None:
    late = OUTAGE.replace('"outage"', '"late"').replace("09:00:00.250", "10:00:00\n  display_at = 06:10:00")
    late = late.replace("09:30:00.500", "10:00:00\n  display_at = 06:55:00")
    listed = body(script(late, OUTAGE), "incidents", at("11:00:00"))["incidents"]
    assert [incident["name"] for incident in listed] == ["Something is wrong"] * 2
    assert [incident["created_at"] for incident in listed] == ["2026-05-12T09:00:00.209Z", "2026-05-12T06:10:00.000Z"]
    assert listed[1]["started_at"] > listed[1]["created_at"]


def test_a_postmortem_shows_no_time_and_keeps_the_end() -> None:
    told = load(shipped()["rough-day"])
    ended = next(i for i in body(told, "incidents", at("17:30:00"))["incidents"] if i["status"] == "postmortem")
    assert ended["incident_updates"][0]["display_at"] is None
    assert ended["resolved_at"] == "2026-05-12T12:15:00.000Z", "the edit cut it"


def test_a_list_holds_the_fifty_newest() -> None:
    told = load(BARE.replace("history = 0", "history = 80") + OUTAGE)
    for moment, newest in ((at("08:30:00"), "resolved"), (at("09:10:00"), "investigating")):
        listed = body(told, "incidents", moment)["incidents"]
        assert len(listed) == 50
        assert listed[0]["status"] == newest
        shown = [incident["incident_updates"][0]["display_at"] for incident in listed]
        assert shown == sorted(shown, reverse=True)


def test_a_maintenance_is_upcoming_then_active_then_over() -> None:
    told = script(UPGRADE)
    stations = {
        "summary": [1, 1, 0],
        "scheduled-maintenances": [1, 1, 1],
        "scheduled-maintenances/upcoming": [1, 0, 0],
        "scheduled-maintenances/active": [0, 1, 0],
    }
    moments = (at("09:00:00"), at("23:00:00", day=14), at("13:00:00", day=15))
    for endpoint, counts in stations.items():
        assert [len(body(told, endpoint, moment)["scheduled_maintenances"]) for moment in moments] == counts
    assert [body(told, "incidents", moment)["incidents"] for moment in moments] == [[], [], []]
    statuses = [status_of(told, moment, "Trading") for moment in moments]
    assert statuses == ["operational", "under_maintenance", "operational"]


def test_a_rescheduled_maintenance_has_another_window() -> None:
    before, after = (
        only(body(script(RESCHEDULED), "scheduled-maintenances", at(t)), "scheduled_maintenances")
        for t in ("09:59:59", "10:00:00")
    )
    assert before["scheduled_for"] == "2026-05-14T22:00:00.000Z"
    assert (after["scheduled_for"], after["scheduled_until"]) == (
        "2026-05-16T01:00:00.000Z",
        "2026-05-16T02:00:00.000Z",
    )


def test_one_is_found_at_its_own_url_and_not_as_the_other_kind() -> None:
    told = script(OUTAGE, UPGRADE)
    incident = only(body(told, "incidents", at("09:10:00")))
    maintenance = only(body(told, "scheduled-maintenances", at("09:10:00")), "scheduled_maintenances")
    assert body(told, f"incidents/{incident['id']}", at("09:10:00"))["incident"] == incident
    found = body(told, f"scheduled-maintenances/{maintenance['id']}", at("09:10:00"))
    assert found["scheduled_maintenance"] == maintenance
    assert page.answer(told, f"scheduled-maintenances/{incident['id']}", at("09:10:00")) is None
    assert page.answer(told, f"incidents/{maintenance['id']}", at("09:10:00")) is None


@pytest.mark.parametrize("endpoint", ["", "nothing", "incidents/", "incidents/a/b", "incident"])
def test_what_is_not_there_is_not_there(endpoint: str) -> None:
    assert page.answer(script(OUTAGE), endpoint, at("09:10:00")) is None
