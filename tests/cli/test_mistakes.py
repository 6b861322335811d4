"""What the user gets wrong is told at once, whole, and without a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.asking import Ask
from tests.running import notifier

WRONG = """
[status_page]
url = "http://status.example.com"
pol_seconds = 20
[email]
sender = "nobody"
[slack]
bot_token = "${NO_SUCH_VARIABLE}"
[[subscriptions]]
to = "telegram:@traders"
min_impact = "huge"
"""
PLACES = (
    "status_page.url",
    "status_page.pol_seconds",
    "email.sender",
    "slack.bot_token",
    "subscriptions[0].to",
    "subscriptions[0].min_impact",
)


@pytest.mark.fault("F11")
@pytest.mark.parametrize("command", [["run"], ["check"], ["status"], ["deliveries"], ["test", "console:"]])
async def test_all_that_is_wrong_in_the_file_is_told_at_once(ask: Ask, config: Path, command: list[str]) -> None:
    config.write_text(WRONG)
    said = await ask(*command)
    assert (said.exit_code, said.stdout) == (2, "")
    assert sorted(line.partition(": ")[0] for line in said.stderr.splitlines()) == sorted(PLACES)


async def test_a_bad_file_is_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[slack\n")
    said = await notifier("run", cwd=tmp_path)
    assert (said.process.returncode, said.out) == (2, [])
    assert len(said.err) == 1
    assert said.err[0].startswith("config.toml: is not TOML")
    missing = await notifier("run", "--config", "elsewhere.toml", cwd=tmp_path)
    assert (missing.process.returncode, missing.err) == (2, ["elsewhere.toml: there is no such file"])
