"""A backup: one moment of a database that is in use, in one file that is whole or not there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from notifier.ports import StoreFailed, StoreRefused
from notifier.store import rows
from notifier.store import schema as t
from notifier.store.copying import back_up, copy
from notifier.store.engine import only_process
from notifier.store.marks import BACKUP
from notifier.store.rows import COPYING
from notifier.store.sql import SqlStore
from tests.builders import NOW
from tests.places import KINDS, Places
from tests.store.furnished import LARGE, ROWS, counted, furnish, next_number, rows_of, run_sql
from tests.template import laid_out


@pytest.fixture(params=KINDS)
async def source(request: pytest.FixtureRequest, places: Places) -> str:
    return await furnish(places.laid_out(request.param))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept" / "backup.db"


@contextmanager
def at_first_page(do: Any) -> Iterator[None]:
    """Calls it once, when the first rows are committed."""
    done: list[bool] = []

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO filters") and not done:
            done.append(True)
            do()

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)
        assert done


async def test_it_holds_everything_in_one_file_that_only_its_owner_reads(source: str, file: Path) -> None:
    held = await back_up(source, file, NOW)
    assert [each.name for each in file.parent.iterdir()] == [file.name], "and nothing lies beside it"
    assert file.stat().st_mode & 0o777 == 0o600
    assert rows_of(f"sqlite:///{file}", without=BACKUP) == rows_of(source)
    assert sum(each.rows for each in held) == sum(len(given) for given in ROWS.values())


async def test_it_is_one_moment_of_a_database_that_is_in_use(
    source: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "PAGE", 2)
    before = rows_of(source)

    def meanwhile() -> None:
        run_sql(
            source,
            "DELETE FROM mutes",
            "UPDATE deliveries SET state = 'sent' WHERE id = 23",
            "INSERT INTO filters (id, doc) VALUES (8, 'new')",
        )

    serving = await SqlStore.open(source, token=1)
    with only_process(source), at_first_page(meanwhile):
        await back_up(source, file, NOW)
    await serving.close()
    assert rows_of(f"sqlite:///{file}", without=BACKUP) == before
    assert counted(source, t.mutes) == 0


async def test_the_database_in_use_is_only_read(path: Path, file: Path) -> None:
    source = await furnish(f"sqlite:///{laid_out(path)}")
    before = path.read_bytes()
    await back_up(source, file, NOW)
    assert path.read_bytes() == before


async def test_it_says_of_itself_that_it_is_a_backup_until_it_is_in_use(source: str, file: Path) -> None:
    await back_up(source, file, NOW)
    store = await SqlStore.open(f"sqlite:///{file}", token=1)
    assert await store.restored(NOW) == NOW
    await store.in_use()
    assert await store.restored(NOW) is None
    await store.close()
    original = await SqlStore.open(source, token=1)
    assert await original.restored(NOW) is None
    await original.close()


async def test_a_backup_that_is_copied_or_backed_up_again_is_as_old_as_before(source: str, file: Path) -> None:
    await back_up(source, file, NOW)
    copied, again = file.with_name("copied.db"), file.with_name("again.db")
    await copy(f"sqlite:///{file}", f"sqlite:///{copied}")
    await back_up(f"sqlite:///{copied}", again, NOW + timedelta(days=3))
    store = await SqlStore.open(f"sqlite:///{again}", token=1)
    assert await store.restored(NOW) == NOW
    await store.close()


async def test_what_it_owes_once_it_is_in_use_has_numbers_that_the_lost_one_never_gave(source: str, file: Path) -> None:
    run_sql(source, f"DELETE FROM deliveries WHERE id = {LARGE}")
    if source.startswith("sqlite"):
        run_sql(source, "UPDATE sqlite_sequence SET seq = 24 WHERE name = 'deliveries'")
    else:
        run_sql(source, "SELECT setval('deliveries_id_seq', 24)")
    await back_up(source, file, NOW)
    owed = {key: value for key, value in ROWS[t.deliveries][0].items() if key != "id"}
    url = f"sqlite:///{file}"
    store = await SqlStore.open(url, token=1)
    later = NOW + timedelta(days=9)
    await store.restored(later)
    first = next_number(url, t.deliveries, {**owed, "change_id": 10})
    assert first == t.since_epoch(later) + 1, "as many as milliseconds passed were never owed"
    await store.close()


async def test_a_file_that_is_there_is_never_overwritten(source: str, file: Path) -> None:
    file.write_text("mine")
    with pytest.raises(StoreRefused, match="is there already; name another file, or move it away"):
        await back_up(source, file, NOW)
    assert file.read_text() == "mine"


async def test_a_folder_that_is_not_there_is_refused(source: str, tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="does not exist; make it, or name another file"):
        await back_up(source, tmp_path / "none" / "backup.db", NOW)


async def test_a_folder_that_cannot_be_written_is_told(source: str) -> None:
    with pytest.raises(StoreFailed, match="cannot be written"):
        await back_up(source, Path("/proc/backup.db"), NOW)


async def test_what_is_not_there_is_not_made(tmp_path: Path, file: Path) -> None:
    with pytest.raises(StoreRefused, match="there is no database yet"):
        await back_up(f"sqlite:///{tmp_path}/none.db", file, NOW)
    assert not (tmp_path / "none.db").exists()


async def test_a_backup_that_fails_leaves_nothing_behind(source: str, file: Path) -> None:
    def fail() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with at_first_page(fail), pytest.raises(StoreFailed, match="the disk is full; make room"):
        await back_up(source, file, NOW)
    assert list(file.parent.iterdir()) == []


async def test_a_part_that_a_kill_leaves_behind_is_taken_for_none(source: str, file: Path) -> None:
    left: list[bytes] = []

    def look() -> None:
        [part] = file.parent.glob("*.unfinished")
        with closing(sqlite3.connect(part)) as database:
            left.append(database.execute("SELECT value FROM meta WHERE key = ?", (COPYING,)).fetchone()[0])

    with at_first_page(look):
        await back_up(source, file, NOW)
    assert left and left[0]
