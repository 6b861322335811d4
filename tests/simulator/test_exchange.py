from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from notifier.simulator import Script, load, shipped
from notifier.simulator.exchange import system_status
from tests.simulator.telling import OUTAGE, UPGRADE, at, script

EXAMPLES = Path(__file__).parents[3] / "shared" / "data" / "kraken" / "rest-SystemStatus.documented-examples.jsonl"

AHEAD = """
[[exchange]]
at = 10:00:00
status = "online"
upcoming = [{ of = "upgrade", action = "disconnect_and_wait", cancel_before = 2026-05-14T21:55:00Z }]
"""
HALTED = """
[[exchange]]
at = 08:55:00
status = "cancel_only"
emergency = [{ of = "outage", services = ["spot_ws"], restart = 09:20:00 }]
[[exchange]]
at = 09:25:00
status = "online"
"""


def result(told: Script, moment: datetime) -> dict[str, Any]:
    answer = system_status(told, moment)
    assert answer["error"] == []
    found = answer["result"]
    assert isinstance(found, dict)
    return found


def test_without_a_word_in_the_script_the_exchange_is_online() -> None:
    assert result(script(OUTAGE), at("09:10:00")) == {
        "status": "online",
        "timestamp": "2026-05-12T09:10:00Z",
        "upcoming_maintenance": [],
        "emergency": [],
    }


def test_the_exchange_goes_from_online_through_maintenance_and_post_only_back_to_online() -> None:
    told = load(shipped()["maintenance"])
    statuses = [result(told, moment)["status"] for moment in told.moments]
    assert list(dict.fromkeys(statuses)) == ["online", "maintenance", "post_only"]
    assert statuses[-1] == "online"


PHASES = {
    "days before": (at("10:00:00"), "announced"),
    "a day before": (at("22:00:00", day=13), "reminder_24h"),
    "half an hour before": (at("21:30:00", day=14), "approaching_30m"),
    "five minutes before": (at("21:55:00", day=14), "imminent_5m"),
    "half a minute before": (at("21:59:30", day=14), "final_warning_30s"),
}


@pytest.mark.parametrize(("moment", "phase"), PHASES.values(), ids=PHASES.keys())
def test_an_upcoming_maintenance_is_counted_down(moment: datetime, phase: str) -> None:
    told = script(UPGRADE, AHEAD)
    (advisory,) = result(told, moment)["upcoming_maintenance"]
    assert advisory["phase"] == phase
    assert advisory["time_to_start_s"] == (at("22:00:00", day=14) - moment).total_seconds()
    assert advisory["source_url"] == f"https://status.kraken.com/incidents/{told.maintenances[0].id}"


def test_an_upcoming_maintenance_is_dropped_at_its_start() -> None:
    assert result(script(UPGRADE, AHEAD), at("22:00:00", day=14))["upcoming_maintenance"] == []


def test_an_emergency_may_be_told_before_the_page_shows_it_and_keeps_its_start() -> None:
    told = script(OUTAGE, HALTED)
    before, after = (result(told, at(clock))["emergency"] for clock in ("08:56:00", "09:10:00"))
    assert before == after
    assert before[0]["started_at_utc"] == "2026-05-12T08:55:00Z"
    assert before[0]["incident_status"] == "investigating"
    assert before[0]["source_url"].endswith(f"/incidents/{told.incidents[0].id}")
    assert result(told, at("09:26:00"))["emergency"] == []


def test_advisories_have_the_documented_keys() -> None:
    if not EXAMPLES.exists():
        pytest.skip(f"the documented examples are not here ({EXAMPLES})")
    documented = [json.loads(line)["result"] for line in EXAMPLES.read_text(encoding="utf-8").splitlines()]
    told = script(OUTAGE, UPGRADE, AHEAD, HALTED.replace("08:55", "10:55").replace("09:25", "11:25"))
    for moment, kind in ((at("10:01:00"), "upcoming_maintenance"), (at("10:56:00"), "emergency")):
        (advisory,) = result(told, moment)[kind]
        (example,) = next(found[kind] for found in documented if found[kind])
        assert list(advisory) == list(example)
        assert [type(value) for value in advisory.values()] == [type(value) for value in example.values()]
