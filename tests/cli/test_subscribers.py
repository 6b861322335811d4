"""`notifier subscribers`: who is told; and those who came by themselves, out of one database into another."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.store.sql import SqlStore
from notifier.subscription import Filter, Subscription
from tests.builders import NOW
from tests.cli.asking import Ask, in_json, once
from tests.running import program
from tests.town import SUBSCRIPTIONS, Town
from tests.world import to

PEOPLE = [
    to("telegram:1", origin="self", filter=Filter(components=("BTC", "a, b")), language="de", zone="Europe/Berlin"),
    to("telegram:-100/7", origin="self", muted_until=NOW + timedelta(hours=8), muted=frozenset({"wsincident01"})),
]


def database(config: Path) -> str:
    return f"sqlite:///{config.parent / 'notifier.db'}"


async def began(config: Path) -> None:
    """The database as the first run leaves it."""
    store = await SqlStore.open(database(config), token=7)
    await store.sync([to(address) for address in SUBSCRIPTIONS], welcome=False, now=NOW)
    await store.close()


async def came(config: Path, *people: Subscription) -> None:
    store = await SqlStore.open(database(config), token=7)
    for each in people:
        await store.keep(each, NOW)
    await store.close()


async def kept(config: Path) -> list[Subscription]:
    store = await SqlStore.open(database(config), token=7)
    found = await store.subscriptions()
    await store.close()
    return [each for each in found if each.origin == "self"]


async def test_everybody_who_is_told_is_listed(ask: Ask, config: Path) -> None:
    assert (await ask("subscribers")).exit_code == 1
    await began(config)
    await came(config, *PEOPLE)
    listed = in_json(await ask("subscribers", "--json"))
    assert [each["to"] for each in listed] == [*SUBSCRIPTIONS, "telegram:1", "telegram:-100/7"]
    assert (listed[-2]["origin"], listed[-2]["components"], listed[-2]["language"]) == ("self", ["BTC", "a, b"], "de")
    shown = (await ask("subscribers")).stdout
    assert "telegram:1" in shown and "BTC, a, b" in shown and "console:" in shown


@pytest.mark.parametrize("name", ["people.csv", "people.json"])
async def test_who_came_by_himself_moves_to_another_database(ask: Ask, config: Path, tmp_path: Path, name: str) -> None:
    await began(config)
    await came(config, *PEOPLE, to("telegram:66", origin="self"))
    store = await SqlStore.open(database(config), token=7)
    await store.leave("66", "blocked")
    await store.close()
    file = tmp_path / name
    assert (await ask("subscribers", "export", str(file))).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600, "it names people"
    (config.parent / "notifier.db").unlink()
    said = await ask("subscribers", "import", str(file))
    assert (said.exit_code, said.stdout) == (0, "✓ 2 read, 2 of them new or changed\n")
    assert sorted(await kept(config), key=str) == sorted(PEOPLE, key=str)
    again = await ask("subscribers", "import", str(file))
    assert "0 of them new or changed" in again.stdout


async def test_what_is_exported_is_csv_unless_it_is_asked_for_otherwise(ask: Ask, config: Path) -> None:
    await began(config)
    await came(config, *PEOPLE)
    assert (await ask("subscribers", "export")).stdout.splitlines()[0].startswith("to,components,")
    rows = json.loads((await ask("subscribers", "export", "--format", "json")).stdout)
    assert [row["to"] for row in rows] == ["telegram:1", "telegram:-100/7"]


async def test_nobody_who_is_read_in_is_greeted(ask: Ask, there: Town, config: Path, tmp_path: Path) -> None:
    await once(config)
    file = tmp_path / "people.csv"
    file.write_text("to\ntelegram:1\n")
    assert (await ask("subscribers", "import", str(file))).exit_code == 0
    before = len(there.telegram.messages)
    await once(config)
    assert len(there.telegram.messages) == before


async def test_a_file_with_anything_wrong_subscribes_nobody(ask: Ask, config: Path, tmp_path: Path) -> None:
    await began(config)
    file = tmp_path / "people.csv"
    file.write_text("to,language\ntelegram:1,de\ntelegram:2,xx\ntelegram:-1001,\n")
    said = await ask("subscribers", "import", str(file))
    assert (said.exit_code, said.stdout) == (2, "")
    assert [line.partition(": ")[0] for line in said.stderr.splitlines()] == ["line 3, language", "line 4, to"]
    assert "telegram:-1001 is in subscriptions[2].to of the settings already" in said.stderr
    assert await kept(config) == []


async def test_whoever_is_in_the_database_as_configured_is_refused_with_all_the_others(
    ask: Ask, config: Path, tmp_path: Path
) -> None:
    await began(config)
    store = await SqlStore.open(database(config), token=7)
    await store.move("-1001", "-1002")
    await store.close()
    file = tmp_path / "people.csv"
    file.write_text("to\ntelegram:1\ntelegram:-1002\n")
    said = await ask("subscribers", "import", str(file))
    assert (said.exit_code, said.stderr) == (2, "telegram:-1002 is in the configuration, where it is changed\n")
    assert await kept(config) == []


UNREADABLE = {
    "no file": (None, "cannot be read (No such file or directory)"),
    "no text": (b"\xff\xfe\x00", "is not UTF-8 text"),
}


@pytest.mark.parametrize("case", UNREADABLE)
async def test_a_file_that_cannot_be_read_is_no_traceback(ask: Ask, config: Path, tmp_path: Path, case: str) -> None:
    content, reason = UNREADABLE[case]
    file = tmp_path / "people.csv"
    if content is not None:
        file.write_bytes(content)
    said = await ask("subscribers", "import", str(file))
    assert (said.exit_code, said.stdout) == (2, "") and reason in said.stderr


async def test_a_spreadsheets_byte_order_mark_is_no_part_of_the_first_column(
    ask: Ask, config: Path, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("to\r\ntelegram:1\r\n", encoding="utf-8-sig", newline="")
    assert (await ask("subscribers", "import", str(file))).exit_code == 0
    assert await kept(config) == [replace(to("telegram:1"), origin="self")]


@pytest.mark.fault("H7")
async def test_who_is_deleted_leaves_nothing_behind_and_the_configuration_stays(ask: Ask, config: Path) -> None:
    await began(config)
    await came(config, *PEOPLE)
    assert (await ask("subscribers", "delete", "telegram:1")).exit_code == 0
    assert await kept(config) == PEOPLE[1:]
    again = await ask("subscribers", "delete", "telegram:1")
    assert (again.exit_code, again.stderr) == (1, "✗ nobody is subscribed as telegram:1\n")
    configured = await ask("subscribers", "delete", "console:")
    assert configured.exit_code == 2 and "subscriptions[4].to of the settings" in configured.stderr
    assert (await ask("subscribers", "delete", "nobody")).exit_code == 2


async def test_people_are_read_in_while_the_service_runs(ask: Ask, there: Town, config: Path, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("to\n" + "".join(f"telegram:{number}\n" for number in range(1, 200)))
    async with program("-m", "notifier", "run", "--config", str(config), cwd=config.parent) as running:
        await there.polled(2)
        assert (await ask("subscribers", "import", str(file))).exit_code == 0
        assert len(await kept(config)) == 199
        assert await running.stop() == 0
