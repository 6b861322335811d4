"""The commands that ask the world: `check`, `status` and `test`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from notifier import __version__
from notifier.doctor import SILENT
from tests.cli.asking import Ask, in_json, moved_to, once
from tests.receivers import reply_lost
from tests.town import SUBSCRIPTIONS, Town

ASKED = [
    *("database", "summary", "incidents", "maintenances", "feed", "exchange"),
    *("console", "slack", "slack-webhook", "telegram", "mailto"),
]


async def test_check_asks_everything(ask: Ask) -> None:
    said = await ask("check")
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["✓", name] for name in ASKED]
    assert {each["name"]: each["ok"] for each in in_json(await ask("check", "--json"))} == dict.fromkeys(ASKED, True)


async def test_check_names_the_cure_of_what_does_not_answer(ask: Ask, there: Town) -> None:
    there.slack.token = "another"
    said = await ask(
        "check",
        NOTIFIER_TELEGRAM__BOT_TOKEN="1:wrong",
        NOTIFIER_EMAIL__SMTP_URL=f"smtp://bot:wrong-word@127.0.0.1:{there.mail.port}?tls=none",
        NOTIFIER_EXCHANGE__API_URL="http://127.0.0.1:9",
    )
    assert said.exit_code == 1
    wrong = {line.split()[1]: place for place, line in enumerate(said.stdout.splitlines()) if line.startswith("✗")}
    assert wrong.keys() >= {"exchange", "slack", "telegram", "mailto"}
    for place in wrong.values():
        assert said.stdout.splitlines()[place + 1].strip().startswith("→ ")
    assert "wrong-word" not in said.output
    assert "1:wrong" not in said.output


async def test_a_service_lives_as_long_as_it_polls(ask: Ask, config: Path, there: Town) -> None:
    none_yet = await ask("check", "--alive")
    assert (none_yet.exit_code, "there is no database yet" in none_yet.stderr) == (1, True)
    await ask("migrate")
    idle = await ask("check", "--alive")
    assert (idle.exit_code, idle.stdout.splitlines()[0]) == (1, "✗ alive          nothing was polled yet")
    await once(config)
    asked = dict(there.simulator.served)
    assert (await ask("check", "--alive")).stdout == "✓ alive          polled less than a minute ago\n"
    for ago, lives in ((SILENT - timedelta(minutes=1), True), (SILENT + timedelta(minutes=1), False)):
        with closing(sqlite3.connect(config.parent / "notifier.db")) as database, database:
            polled = "cast((julianday('now') - 2440587.5) * 86400000 as integer) - ?"
            database.execute(f"UPDATE sources SET polled_at = {polled}", (ago // timedelta(milliseconds=1),))
        said = await ask("check", "--alive", "--json")
        assert (said.exit_code, "polled" in said.stdout) == (0 if lives else 1, True)
    assert there.simulator.served == asked, "only the database was asked"


async def test_a_dyno_without_a_database_of_its_own_is_warned(ask: Ask) -> None:
    usual, on_heroku = await ask("migrate"), await ask("migrate", DYNO="release.1")
    assert usual.exit_code == on_heroku.exit_code == 0
    assert "lost" not in usual.stderr
    assert "Heroku empties at every restart" in on_heroku.stderr
    assert "heroku addons:create heroku-postgresql:essential-0" in on_heroku.stderr
    said = await ask("check", "--json", DYNO="run.1")
    assert "it will be lost" in in_json(said)[0]["said"]


async def test_the_version_is_known_although_nothing_is_installed(ask: Ask) -> None:
    assert (await ask("--version")).stdout == f"kraken-status-notifier {__version__}\n"


async def test_status_says_what_kraken_says_now(ask: Ask, there: Town) -> None:
    assert "nothing is open" in (await ask("status")).stdout
    moved_to(there, 0)
    said = await ask("status")
    assert said.exit_code == 0
    assert "the exchange is online" in said.stdout
    assert "WebSocket API connection errors" in said.stdout
    now = in_json(await ask("status", "--json"))
    assert (now["exchange"], now["failed"]) == ("online", {})
    assert [(each["status"], each["impact"]) for each in now["incidents"]] == [("investigating", "major")]


async def test_status_says_who_cannot_be_reached(ask: Ask) -> None:
    said = await ask("status", NOTIFIER_STATUS_PAGE__URL="http://127.0.0.1:9")
    assert said.exit_code == 1
    assert "✗ summary: " in said.stdout
    assert "the exchange is online" in said.stdout
    assert "nothing is open" not in said.stdout


async def test_a_test_message_arrives_on_every_channel(ask: Ask, there: Town) -> None:
    for address in SUBSCRIPTIONS:
        said = await ask("test", address)
        assert said.exit_code == 0, said.output
        assert said.stdout.endswith(f"✓ sent to {address}\n")
    assert [(each.channel, "Test message" in each.text) for each in there.slack.messages] == [
        ("C0TRADING", True),
        ("ops", True),
    ]
    assert "Test message" in there.telegram.messages[0].text
    assert there.mail.received[0].message["Subject"] == "[Kraken] Test message"


async def test_a_test_message_that_does_not_arrive_says_why(ask: Ask, there: Town) -> None:
    there.slack.refusals = {"C0TRADING": "not_in_channel"}
    refused = await ask("test", "slack:C0TRADING")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "not_in_channel" in refused.stderr
    there.telegram.next(reply_lost())
    lost = await ask("test", "telegram:-1001")
    assert lost.exit_code == 1
    assert "no answer from Telegram" in lost.stderr
    assert there.telegram.token not in lost.output


async def test_a_test_message_to_nowhere_is_refused(ask: Ask, there: Town) -> None:
    elsewhere = await ask("test", "slack-webhook:elsewhere")
    assert (elsewhere.exit_code, elsewhere.stdout) == (2, "")
    assert "slack-webhook:elsewhere is not defined" in elsewhere.stderr
    pigeon = await ask("test", "carrier-pigeon:1")
    assert (pigeon.exit_code, pigeon.stdout) == (2, "")
    assert "use one of slack:C0123456789" in pigeon.stderr
    assert there.slack.messages == []
