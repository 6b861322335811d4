"""A database moved to another place: all of it, or nothing that anybody takes for it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from notifier.ports import StoreFailed, StoreRefused
from notifier.store import rows, upgrade
from notifier.store import schema as t
from notifier.store.copying import copy
from notifier.store.engine import migrate, only_process, open_engine
from notifier.store.sql import SqlStore
from tests.places import MOVES, Places
from tests.store.furnished import LARGE, ROWS, counted, furnish, next_number, rows_of, run_sql
from tests.template import laid_out

Make = Callable[[], str]
"""The URL of one more database."""

both = pytest.mark.parametrize("kinds", MOVES, ids="-to-".join)


@pytest.fixture
def kinds() -> tuple[str, str]:
    """Of the source and the copy; what has to do with the databases themselves is tested with `both`."""
    return "sqlite", "sqlite"


@pytest.fixture
def old(kinds: tuple[str, str], places: Places) -> Make:
    """Where the source may be, as a first start leaves it."""
    return lambda: places.laid_out(kinds[0])


@pytest.fixture
def new(kinds: tuple[str, str], places: Places) -> Make:
    """Where the copy may be."""
    return lambda: places.new(kinds[1])


def test_the_example_leaves_no_table_empty() -> None:
    assert ROWS.keys() == {*t.metadata.sorted_tables} - {t.duties}


@both
async def test_every_row_arrives_as_it_was(old: Make, new: Make) -> None:
    source, target = await furnish(old()), new()
    held = await copy(source, target)
    assert rows_of(target) == rows_of(source)
    assert {each.table: each.rows for each in held} == {table.name: len(given) for table, given in ROWS.items()}
    assert len({each.checksum for each in held}) == len(held)


async def test_it_serves_as_the_old_one_did(old: Make, new: Make) -> None:
    source, target = await furnish(old()), new()
    await copy(source, target)
    store = await SqlStore.open(target, token=1)
    assert store.origin == "abcdef12"
    assert await store.counts() == {"sent": 1, "sending": 1, "pending": 1, "expired": 1, "dead": 1}
    await store.close()


@both
async def test_and_back_again_it_is_the_same(old: Make, new: Make) -> None:
    source, middle, last = await furnish(old()), new(), old()
    there, back = await copy(source, middle), await copy(middle, last)
    assert there == back and rows_of(last) == rows_of(source)


@both
async def test_new_rows_get_numbers_that_nobody_ever_had(old: Make, new: Make) -> None:
    source, target = await furnish(old()), new()
    run_sql(source, f"DELETE FROM deliveries WHERE id = {LARGE}")
    await copy(source, target)
    reader = {**ROWS[t.subscriptions][0], "address": "telegram:8"}
    owed = {**ROWS[t.deliveries][0], "change_id": 10}
    named = {**ROWS[t.filters][0], "doc": "another"}
    without_id = [{key: value for key, value in row.items() if key != "id"} for row in (reader, owed, named)]
    numbers = [
        next_number(target, table, row)
        for table, row in zip((t.subscriptions, t.deliveries, t.filters), without_id, strict=True)
    ]
    assert numbers == [31, LARGE + 1, 8]


async def test_the_source_is_only_read(path: Path, new: Make) -> None:
    source = await furnish(f"sqlite:///{laid_out(path)}")
    before = path.read_bytes()
    await copy(source, new())
    assert path.read_bytes() == before


# interrupted


async def _named(url: str) -> str:
    """A database that only has its tables and a name."""
    store = await SqlStore.open(url, token=9)
    await store.signing_key("of nobody")
    await store.close()
    return url


def _killed(write: int, source: str, target: str) -> bool:
    """Copies in a process that is killed when its so-maniest write is not yet committed; whether it came to that."""
    child = os.fork()
    if child == 0:
        writes = 0

        @event.listens_for(sa.Engine, "before_cursor_execute")
        def executes(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            nonlocal writes
            writes += statement.startswith("INSERT")

        @event.listens_for(sa.Engine, "commit")
        def commits(_connection: sa.Connection) -> None:
            if writes == write:
                os.kill(os.getpid(), signal.SIGKILL)

        asyncio.run(copy(source, target))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
    return status != 0


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PAGE", 2)


@both
@pytest.mark.usefixtures("small_pages")
def test_killed_at_every_page_it_goes_on_and_nobody_takes_a_part_for_the_whole(old: Make, new: Make) -> None:
    source, target = asyncio.run(furnish(old())), asyncio.run(_named(new()))
    kills = 0
    while _killed(min(kills + 1, 2), source, target):  # its mark, or one page further than the time before
        kills += 1
        assert kills < 50
        if kills > 1:
            with pytest.raises(StoreRefused, match="unfinished copy; run the same `notifier store copy` again"):
                asyncio.run(SqlStore.open(target, token=1))
    assert kills > len(ROWS)
    assert rows_of(target) == rows_of(source)


async def _begun(source: str, target: str) -> None:
    """Some of it is copied."""
    seen = 0

    class Stopped(Exception):
        pass

    def stop(_connection: Any) -> None:
        nonlocal seen
        seen += 1
        if seen > len(ROWS):
            raise Stopped

    event.listen(sa.Engine, "commit", stop)
    try:
        with pytest.raises(Stopped):
            await copy(source, target)
    finally:
        event.remove(sa.Engine, "commit", stop)
    assert counted(target, t.changes)


async def test_what_is_there_already_is_not_written_again(old: Make, new: Make) -> None:
    source, target = await furnish(old()), new()
    await _begun(source, target)
    written: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        written.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        await copy(source, target)
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)
    assert any(each.startswith("INSERT INTO outdated") for each in written)
    assert not any(each.startswith(("INSERT INTO subjects", "DELETE FROM subjects", "TRUNCATE")) for each in written)


CHANGED = {
    "a row is gone": ["DELETE FROM mutes"],
    "a row is new": ["INSERT INTO filters (id, doc) VALUES (1, 'x')"],
    "a row is another": ["UPDATE changes SET doc = 'x' WHERE id = 6"],
    "a reader left and came back": [
        "DELETE FROM mutes",
        "DELETE FROM subscriptions WHERE id = 6",
        """INSERT INTO subscriptions (id, address, written, channel, origin, name, filter_id, active, reason, welcomed,
           created_at) VALUES (31, 'telegram:7', 'telegram:7', 'telegram', 'self', '', 3, true, '', true, 0)""",
    ],
}


@pytest.mark.parametrize("case", CHANGED)
async def test_if_the_source_changed_meanwhile_it_begins_afresh(old: Make, new: Make, case: str) -> None:
    source, target = await furnish(old()), new()
    await _begun(source, target)
    run_sql(source, *CHANGED[case])
    await copy(source, target)
    assert rows_of(target) == rows_of(source)


async def test_what_was_changed_in_the_copy_is_noticed_and_the_next_try_mends_it(old: Make, new: Make) -> None:
    source, target = await furnish(old()), new()
    await _begun(source, target)
    run_sql(target, "UPDATE subjects SET key = 'x' WHERE id = 4")
    with pytest.raises(StoreFailed, match="differs from its source in subjects; copy it again"):
        await copy(source, target)
    with pytest.raises(StoreRefused, match="unfinished"):
        await SqlStore.open(target, token=1)
    await copy(source, target)
    assert rows_of(target) == rows_of(source)


# refused


async def _in_use(url: str) -> None:
    run_sql(await _named(url), "INSERT INTO pauses VALUES ('slack', '', 0, '')")


@both
async def test_it_is_never_mixed_with_anything_else(old: Make, new: Make) -> None:
    source, target = await furnish(old()), new()
    await _in_use(target)
    before = rows_of(target)
    with pytest.raises(StoreRefused, match="holds something already; name a new one"):
        await copy(source, target)
    assert rows_of(target) == before


async def test_nor_with_a_part_of_another_one(old: Make, new: Make) -> None:
    source, other, target = await furnish(old()), await furnish(old()), new()
    await _begun(source, target)
    run_sql(other, "UPDATE meta SET value = 'another' WHERE key = 'origin'")
    before = rows_of(target)
    with pytest.raises(StoreRefused, match="unfinished copy of another one; name a new one"):
        await copy(other, target)
    assert rows_of(target) == before


@both
async def test_one_that_only_has_its_tables_and_a_name_is_new(old: Make, new: Make) -> None:
    source, target = await furnish(old()), await _named(new())
    await copy(source, target)
    assert rows_of(target) == rows_of(source)


async def test_a_part_is_no_source(old: Make, new: Make) -> None:
    source, part, target = await furnish(old()), old(), new()
    await _begun(source, part)
    with pytest.raises(StoreRefused, match="unfinished copy"):
        await copy(part, target)


def _empty(url: str) -> None:
    run_sql(url, "SELECT 1")


def _foreign(url: str) -> None:
    run_sql(url, "CREATE TABLE theirs (id INTEGER)")


@pytest.mark.parametrize("make", [_empty, _foreign])
async def test_what_is_none_of_this_program_is_no_source(new: Make, make: Callable[[str], None]) -> None:
    source = new()
    make(source)
    with pytest.raises(StoreRefused, match="is none of this program"):
        await copy(source, new())


async def test_something_else_s_database_is_no_target(old: Make, new: Make) -> None:
    target = new()
    _foreign(target)
    with pytest.raises(StoreRefused, match="holds tables of something else"):
        await copy(await furnish(old()), target)


async def _of_version(url: str, version: str, monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as older:
        older.setattr(upgrade, "REVISION", version)
        engine = open_engine(url)
        await migrate(engine)
        await engine.dispose()
    return url


async def test_an_older_source_has_to_be_migrated_first(old: Make, new: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    source = await _of_version(new(), "0004", monkeypatch)
    with pytest.raises(StoreRefused, match=f"schema 0004, older than {t.REVISION}; run `notifier migrate` first"):
        await copy(source, new())


async def test_a_newer_source_wants_the_newer_version(old: Make, new: Make) -> None:
    source = await furnish(old())
    run_sql(source, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreRefused, match="schema 9999, newer than"):
        await copy(source, new())


async def test_an_older_database_is_no_target_and_stays_as_it_is(
    old: Make, new: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = await _of_version(new(), "0004", monkeypatch)
    with pytest.raises(StoreRefused, match="is not new; name a new one"):
        await copy(await furnish(old()), target)


@asynccontextmanager
async def _served(url: str) -> AsyncIterator[None]:
    """By a notifier: it has the lock of a file, or a duty on a server."""
    store = await SqlStore.open(url, token=1)
    with only_process(url):
        await store.hold("somebody", ["poll"])
        yield
        await store.release("somebody", ["poll"])
    await store.close()


@both
async def test_nothing_is_copied_while_a_notifier_runs_on_one_of_the_two(old: Make, new: Make) -> None:
    source, target = await furnish(old()), new()
    for url in (target, source):
        async with _served(url):
            with pytest.raises(StoreRefused, match="a notifier runs on one of the two databases; stop it first"):
                await copy(source, target)
    await copy(source, target)
    assert counted(target, t.deliveries) == counted(source, t.deliveries)


async def test_a_file_that_is_not_there_is_no_source_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="there is no database to copy from"):
        await copy(f"sqlite:///{tmp_path}/old.db", f"sqlite:///{tmp_path}/new.db")
    assert list(tmp_path.iterdir()) == []


async def test_a_database_is_not_copied_into_itself(old: Make) -> None:
    source = await furnish(old())
    with pytest.raises(StoreRefused, match="is the one to copy from; name a new one"):
        await copy(source, source)


async def test_what_is_no_url_is_refused_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="no database URL") as refused:
        await copy("postgres//user:secret@db", f"sqlite:///{tmp_path}/new.db")
    assert "secret" not in str(refused.value)
