"""`preview` shows what would be sent, and sends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier import wiring
from notifier.simulator import shipped
from tests.cli.asking import Ask, in_json, moved_to
from tests.town import Town


async def test_preview_renders_a_script_a_payload_and_an_incident(ask: Ask, there: Town, tmp_path: Path) -> None:
    moved_to(there, 1)
    incident = there.simulator.script.incidents[0].id
    script = in_json(await ask("preview", str(shipped()["websocket-2026-02-24"]), "--json"))
    by_id = in_json(await ask("preview", incident, "--json"))
    assert [each["phase"] for each in script] == ["opened", "progress", "resolved"]
    assert [each["phase"] for each in by_id] == ["opened", "resolved"]
    for each in (*script, *by_id):
        assert each["texts"].keys() == {"console", "slack", "slack-webhook", "telegram", "mailto"}
        assert all(each["title"] in text for text in each["texts"].values())
    assert all("Affected: Kraken API (Websocket)" in each["texts"]["mailto"] for each in by_id)
    drawn = tmp_path / "page.html"
    text = await ask("preview", "websocket-2026-02-24", "--output", str(drawn))
    assert str(drawn) in "".join(text.stdout.split("\n"))
    html = drawn.read_text()
    for words in (
        "Resolved: WebSocket API connection errors",
        "2 replies",
        "Details on the status page",
        "[Kraken] Monitoring:",
    ):
        assert words in html
    for channel in ("Terminal", "Slack", "Slack webhook", "Telegram", "Mail"):
        assert text.stdout.count(f"─ {channel} ─") == 3
    assert not (there.slack.messages or there.telegram.messages or there.mail.received), "and nothing is sent"


async def test_preview_of_a_saved_answer(ask: Ask, there: Town, tmp_path: Path) -> None:
    moved_to(there, 1)
    status = in_json(await ask("status", "--json"))
    assert status["incidents"] == [], "it is over"
    saved = tmp_path / "incidents.json"
    async with wiring.http_clients() as (reader, _):
        saved.write_bytes((await reader.get(f"{there.simulator.url}/api/v2/incidents.json")).content)
    found = in_json(await ask("preview", str(saved), "--json"))
    assert [each["phase"] for each in found if each["title"].startswith("WebSocket")] == ["opened", "resolved"]


PREVIEWS = {
    "neither a file nor an incident": ("nothing-like-it", "is no file, no shipped script, and no incident"),
    "a file of something else": (__file__, "is neither a script"),
    "a script that is not there": ("missing.toml", "is neither a file nor one of"),
}


@pytest.mark.parametrize("case", PREVIEWS)
async def test_preview_of_what_is_no_incident_is_refused(ask: Ask, case: str) -> None:
    what, reason = PREVIEWS[case]
    said = await ask("preview", what)
    assert said.exit_code == 2
    assert reason in " ".join(said.stderr.split())


async def test_a_page_that_cannot_be_written_is_said_with_the_cure(ask: Ask, tmp_path: Path) -> None:
    said = await ask("preview", "maintenance", "--output", str(tmp_path / "missing" / "page.html"))
    assert said.exit_code == 2
    assert "cannot be written" in said.stderr and "--output" in said.stderr
