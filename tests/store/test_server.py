"""A PostgreSQL that cannot be used is refused with the cure; one that can is shared by several processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from notifier.ports import StoreRefused
from notifier.store.engine import migrate, open_engine
from notifier.store.sql import SqlStore
from tests.postgres import Databases
from tests.store.conftest import Opened
from tests.store.telling import LOCKS, ask, dump
from tests.world import ON_POSTGRESQL

pytestmark = ON_POSTGRESQL

SECRET = "hunter2-and-more"


def user(name: str) -> Callable[[sa.URL], sa.URL]:
    return lambda url: url.set(username=name)


def option(**wish: str) -> Callable[[sa.URL], sa.URL]:
    return lambda url: url.update_query_dict(wish)


class Refused(NamedTuple):
    instead: Callable[[sa.URL], sa.URL]
    cure: str


REFUSED = {
    "a wrong password": Refused(user("wary"), "it refuses this user and password; correct them in store.url"),
    "a user it does not know": Refused(user("stranger"), "it knows no such user; correct it in store.url"),
    "a database that is not there": Refused(
        lambda url: url.set(database="missing"), "there is no such database; make it, or name another one"
    ),
    "a port that nobody listens on": Refused(lambda url: url.set(port=1), "nothing answers there; start the server"),
    "a host that is not there": Refused(lambda url: url.set(host="db.invalid"), "there is no such host; correct it"),
    "TLS where it speaks none": Refused(option(sslmode="require"), "it speaks no TLS; take sslmode=require out"),
    "an option nobody knows": Refused(option(nonsense="1"), "an option in store.url is none that PostgreSQL knows"),
}


@pytest.mark.fault("B10")
@pytest.mark.parametrize("case", REFUSED)
async def test_what_cannot_be_reached_is_refused_with_its_place_and_the_cure_and_without_its_password(
    empty: str, case: str
) -> None:
    url = REFUSED[case].instead(sa.make_url(empty).set(password=SECRET))
    with pytest.raises(StoreRefused) as refused:
        await SqlStore.open(url.render_as_string(hide_password=False), token=1)
    said = str(refused.value)
    assert said.startswith(f"the database {url.database} at {url.host}:{url.port}: {REFUSED[case].cure}")
    assert SECRET not in said and "\n" not in said
    assert dump(empty) == []


STRANGE = {
    "a schema of a newer version": (
        "CREATE TABLE alembic_version AS SELECT '9999' AS version_num",
        "newer than 0006.*; run the newer version",
    ),
    "tables of something else": ("CREATE TABLE customers (name TEXT)", "tables of something else; name another one"),
}


@pytest.mark.fault("B10")
@pytest.mark.parametrize("case", STRANGE)
async def test_what_is_not_ours_is_refused_with_the_cure_and_left_as_it_is(empty: str, case: str) -> None:
    made, why = STRANGE[case]
    ask(empty, made)
    for _ in range(2):
        with pytest.raises(StoreRefused, match=why):
            await SqlStore.open(empty, token=1)
    assert len(ask(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")) == 1


async def test_who_may_make_no_tables_hears_so(empty: str) -> None:
    url = sa.make_url(empty).set(username="wary", password="right")
    with pytest.raises(StoreRefused, match="its user may not make tables; GRANT him CREATE on the schema"):
        await SqlStore.open(url.render_as_string(hide_password=False), token=1)


CLOSED = {
    "SET default_transaction_read_only = on": "name the one that writes",
    "CONNECTION LIMIT 0": "it has no connection left",
    "ALLOW_CONNECTIONS false": "it is closed to everybody",
}


@pytest.mark.fault("B12", "B13")
@pytest.mark.parametrize("case", CLOSED)
async def test_what_only_reads_or_lets_nobody_in_is_refused(empty: str, postgresql: Databases, case: str) -> None:
    postgresql.order(f"ALTER DATABASE {sa.make_url(empty).database} {case}")
    with pytest.raises(StoreRefused, match=CLOSED[case]):
        await SqlStore.open(empty, token=1)


@pytest.mark.fault("B16")
@pytest.mark.parametrize("processes", [2, 4])
async def test_of_several_that_lay_it_out_at_once_one_does_and_the_others_wait(empty: str, processes: int) -> None:
    engines = [open_engine(empty) for _ in range(processes)]
    outcomes = await asyncio.gather(*map(migrate, engines))
    assert sorted(outcomes, key=str) == [("0006", "0006")] * (processes - 1) + [(None, "0006")]
    for engine in engines:
        await engine.dispose()


async def test_a_connection_says_whose_it_is_and_prepares_nothing(opened: Opened) -> None:
    store = await opened()
    async with store.engine.connect() as connection:
        for _ in range(10):
            named = (await connection.execute(sa.text("SELECT current_setting('application_name')"))).scalar()
        prepared = (await connection.execute(sa.text("SELECT count(*) FROM pg_prepared_statements"))).scalar()
    assert (named, prepared) == ("kraken-status-notifier", 0)


async def test_what_a_transaction_sets_ends_with_it(opened: Opened) -> None:
    """A pooler hands the connection to somebody else next."""
    store = await opened()
    await store.touch()
    async with store.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
        left = [(await connection.execute(sa.text(f"SHOW {name}"))).scalar() for name in names]
        locks = (await connection.execute(sa.text(LOCKS))).scalar()
    assert (left, locks) == (["0"] * 3, 0)
