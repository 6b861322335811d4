"""The commands about what is remembered: `incidents`, `deliveries` and `migrate`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from notifier.model import State
from tests.cli.asking import Ask, in_json, moved_to, once
from tests.town import SUBSCRIPTIONS, Town


async def test_incidents_and_deliveries_show_the_ledger(ask: Ask, there: Town, config: Path) -> None:
    await once(config)
    assert "nothing is open" in (await ask("incidents")).stdout
    moved_to(there, 0)
    await once(config)
    assert "major" in (await ask("incidents")).stdout
    [incident] = in_json(await ask("incidents", "--json"))
    assert [update["text"] for update in incident["updates"]] == ["We are investigating errors on connect."]
    entries = in_json(await ask("deliveries", "--json"))
    assert [each["state"] for each in entries] == ["sent"] * 10
    assert {each["address"] for each in entries} == set(SUBSCRIPTIONS)
    assert len(in_json(await ask("deliveries", "--json", "--limit", "3"))) == 3
    assert in_json(await ask("deliveries", "--json", "--failed")) == []
    assert "mailto:ops@example.com" in (await ask("deliveries")).stdout


async def test_who_only_asks_makes_no_database(ask: Ask, config: Path) -> None:
    for command in (["incidents"], ["deliveries"], ["deliveries", "drop", "1"]):
        said = await ask(*command)
        assert (said.exit_code, said.stdout) == (1, "")
        assert "there is no database yet" in said.stderr
    assert not (config.parent / "notifier.db").exists()


async def test_what_was_given_up_can_be_tried_again_or_dropped(ask: Ask, there: Town, config: Path) -> None:
    await once(config)
    there.slack.refusals = {"C0TRADING": "is_archived", "ops": "no_service"}
    moved_to(there, 0)
    await once(config)
    failed = {each["address"]: each for each in in_json(await ask("deliveries", "--failed", "--json"))}
    assert failed.keys() == {"slack:C0TRADING", "slack-webhook:ops"}
    assert {each["state"] for each in failed.values()} == {State.FAILED}
    assert "is_archived" in failed["slack:C0TRADING"]["reason"]

    there.slack.refusals = {}
    numbers = {address: str(each["id"]) for address, each in failed.items()}
    assert (await ask("deliveries", "retry", numbers["slack:C0TRADING"])).exit_code == 0
    assert (await ask("deliveries", "drop", numbers["slack-webhook:ops"])).exit_code == 0
    await once(config)
    posts = [(each.channel, "Investigating" in each.text) for each in there.slack.messages]
    assert posts == [("C0TRADING", False), ("ops", False), ("C0TRADING", True)]
    again = await ask("deliveries", "retry", numbers["slack:C0TRADING"])
    assert (again.exit_code, again.stdout) == (1, "")
    assert "nothing to retry" in again.stderr
    assert (await ask("deliveries", "drop", "4711")).exit_code == 1


async def test_migrate_makes_a_database_and_may_be_repeated(ask: Ask, config: Path) -> None:
    for _ in range(2):
        said = await ask("migrate")
        assert (said.exit_code, said.stdout) == (0, "✓ the database is up to date\n")
    assert (config.parent / "notifier.db").stat().st_size > 0


def newer_schema(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()


def something_else(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE customers (name TEXT)")
    database.close()


BAD_DATABASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database at all": (lambda path: path.write_bytes(b"what is this?" * 100), "is not a database"),
    "one of a newer version": (newer_schema, "run the newer version"),
    "one of another program": (something_else, "tables of something else"),
    "a folder": (lambda path: path.mkdir(), "cannot be opened"),
}


@pytest.mark.parametrize("command", ["migrate", "run", "deliveries", "incidents"])
@pytest.mark.parametrize("bad", BAD_DATABASES)
async def test_a_database_that_cannot_be_used_is_left_alone(ask: Ask, config: Path, bad: str, command: str) -> None:
    database = config.parent / "notifier.db"
    make, reason = BAD_DATABASES[bad]
    make(database)
    before = database.read_bytes() if database.is_file() else None
    said = await ask(command)
    assert said.exit_code == 1
    assert reason in " ".join(said.stderr.split())
    assert said.stdout == ""
    assert "Traceback" not in said.stderr
    assert (database.read_bytes() if database.is_file() else None) == before
