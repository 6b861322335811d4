"""No secret is printed by a command, whatever it finds and however it ends; none is in a recording."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from notifier import cli
from tests.faults.canaries import DATABASE, TO, Aviary, aviary, traces
from tests.receivers import answer
from tests.receivers.mail import refuses_login
from tests.running import program
from tests.test_logs import restored
from tests.town import outage

SCRIPT = outage(("investigating", "We look into it."))
POSTGRESQL = f"postgresql://bot:{quote(DATABASE, safe='')}@127.0.0.1:1/news"
COMMANDS = [
    *(["check"], ["check", "--json"], ["run", "--once"], ["deliveries"], ["deliveries", "--json"]),
    *(["incidents"], ["status"], *(["test", to] for to in TO)),
]

EXPECTED = {
    "nothing": "✓ telegram",
    "credentials": "Telegram refuses the bot's token",
    "connections": "Telegram cannot be reached",
    "database": "see store.url",
}

BUGS = {
    "check": """
async def broken(channel):
    secret = channel._client.token
    raise RuntimeError(f"no luck with {secret}")
Slack.check = broken
""",
    "run": """
def broken(settings, *_):
    raise RuntimeError(f"no luck with {settings.slack.webhooks['ops'].get_secret_value()}")
app.make_channels = broken
""",
}


async def printed(there: Aviary, *command: str, **more: str) -> str:
    """What a command says, on whatever stream, with the exception that it ends with, if it does."""
    with restored():
        result = await asyncio.to_thread(
            lambda: CliRunner().invoke(cli.app, command, env=there.environment(LOG__LEVEL="debug", **more))
        )
    return f"{result.output}\n{result.exception!r}"


@pytest.mark.parametrize("fails", ["nothing", "credentials", "connections", "database"])
async def test_no_command_prints_a_secret_if_what_fails_is(fails: str, tmp_path: Path) -> None:
    more = {}
    async with aviary(tmp_path, SCRIPT) as there:
        if fails == "credentials":
            for receiver in (there.slack, there.hooks, there.telegram):
                receiver.breaks(
                    answer(401, {"ok": False, "error": "invalid_auth", "error_code": 401, "description": ""})
                )
            there.mail.breaks(refuses_login("535 5.7.8 Authentication failed"))
        if fails == "connections":
            more = {
                **dict.fromkeys(("SLACK__API_URL", "TELEGRAM__API_URL"), "http://127.0.0.1:1/api/"),
                "SLACK__WEBHOOKS__OPS": there.hooks.webhook("ops").replace(there.hooks.origin, "http://127.0.0.1:1"),
                "EMAIL__SMTP_URL": there.mail.url.replace(f":{there.mail.port}", ":1"),
            }
        if fails == "database":
            more = {"STORE__URL": POSTGRESQL}
        said = {" ".join(command): await printed(there, *command, **more) for command in COMMANDS}
    assert EXPECTED[fails] in said["check"] and '"name"' in said["check --json"]
    assert {command: found for command, text in said.items() if (found := traces(text))} == {}


@pytest.mark.parametrize("command", BUGS)
async def test_a_bug_that_ends_the_program_ends_it_without_a_secret_in_its_last_words(
    command: str, tmp_path: Path
) -> None:
    code = f"from notifier import app, cli\nfrom notifier.channels import Slack\n{BUGS[command]}\ncli.main()"
    async with (
        aviary(tmp_path, SCRIPT) as there,
        program("-c", code, command, env=there.environment()) as ended,
    ):
        assert await ended.ended() == 1
    assert "RuntimeError: no luck with ***" in ended.printed
    assert traces(ended.printed) == []


def test_no_recording_holds_a_token() -> None:
    cassettes = Path(__file__).parents[1] / "cassettes"
    texts = {path.name: path.read_text() for path in cassettes.iterdir()}
    assert len(texts) > 4
    assert [name for name, text in texts.items() if traces(text) or "canary" in text or "xoxb-" in text] == []
