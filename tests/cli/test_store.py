"""`notifier store`: the database in another place, and its backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.store import schema as t
from tests.cli.asking import Ask, moved_to, once
from tests.places import Places
from tests.running import notifier
from tests.store.furnished import counted, run_sql
from tests.town import Town


@pytest.fixture
def old(config: Path) -> str:
    return f"sqlite:///{config.parent}/notifier.db"


def _served(config: Path, url: str) -> None:
    text = config.read_text()
    config.write_text(text.replace(f'url = "sqlite:///{config.parent}/notifier.db"', f'url = "{url}"'))
    assert url in config.read_text()


async def test_a_copy_goes_on_where_the_old_one_stopped(
    ask: Ask, there: Town, config: Path, old: str, places: Places
) -> None:
    await once(config)
    moved_to(there, 0)
    await once(config)
    new = places.new("postgresql")
    copied = await ask("store", "copy", old, new)
    assert copied.exit_code == 0, copied.output
    rows = dict(line.split()[:2] for line in copied.stdout.splitlines() if len(line.split()) == 3)
    assert rows["deliveries"] == str(counted(old, t.deliveries)) == "10"
    assert "✓ every table of the copy has the same rows; name it in store.url" in copied.stdout
    _served(config, new)
    posts = len(there.slack.messages)
    moved_to(there, 1)
    await once(config)
    [news] = [each for each in there.slack.messages[posts:] if each.channel == "C0TRADING"]
    assert "has been resolved" in news.text and news.thread_ts is not None, "it is in the thread of the first one"


async def test_an_unfinished_copy_is_refused_by_every_command(ask: Ask, config: Path, old: str) -> None:
    await once(config)
    run_sql(old, "INSERT INTO meta VALUES ('copying', 'x')")
    said = "✗ the database holds an unfinished copy; run the same `notifier store copy` again"
    for command in (["incidents"], ["deliveries"], ["subscribers"], ["migrate"]):
        refused = await ask(*command)
        assert (refused.exit_code, refused.stdout) == (1, ""), command
        assert said in refused.stderr
    service = await notifier("run", "--once", "--config", str(config), cwd=config.parent)
    assert (service.process.returncode, service.out) == (1, [])
    assert any(said in line for line in service.err)


async def test_what_cannot_be_copied_is_said_with_its_cure(ask: Ask, old: str, tmp_path: Path) -> None:
    refused = await ask("store", "copy", old, f"sqlite:///{tmp_path}/new.db")
    assert refused.exit_code == 1 and "✗ there is no database to copy from" in refused.stderr


async def test_a_backup_is_a_file_that_a_service_starts_from(
    ask: Ask, there: Town, config: Path, tmp_path: Path
) -> None:
    await once(config)
    file = tmp_path / "backup.db"
    kept = await ask("store", "backup", str(file))
    assert kept.exit_code == 0, kept.output
    assert f"✓ {file} holds the same rows; it also holds who reads" in kept.stdout
    again = await ask("store", "backup", str(file))
    assert again.exit_code == 1 and "is there already; name another file, or move it away" in again.stderr
    _served(config, f"sqlite:///{file}")
    moved_to(there, 0)
    restored = await once(config)
    assert '"news_told": "younger than 24 h"' in restored.printed, restored.printed
    assert "a backup was restored" not in (await once(config)).printed


async def test_a_replay_is_asked_for_when_it_is_started(ask: Ask, config: Path, tmp_path: Path) -> None:
    await once(config)
    await ask("store", "backup", str(tmp_path / "backup.db"))
    _served(config, f"sqlite:///{tmp_path}/backup.db")
    replayed = await notifier("run", "--once", "--replay", "--config", str(config), cwd=tmp_path)
    assert '"news_told": "all"' in replayed.printed, replayed.printed


WRONG = {
    "no URL": ("nonsense", "FROM: must be sqlite"),
    "a password with an @": ("postgresql://me:pw@topsecret@h/d", "FROM: must have one @"),
    "a variable that is not there": ("${GONE_FOR_GOOD}", "GONE_FOR_GOOD is not set"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_no_url_is_said_to_be_none_and_not_repeated(case: str, ask: Ask, tmp_path: Path) -> None:
    url, said = WRONG[case]
    refused = await ask("store", "copy", url, f"sqlite:///{tmp_path}/new.db")
    assert refused.exit_code == 2 and said in refused.stderr and "topsecret" not in refused.stderr
