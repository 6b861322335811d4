"""Behind pgbouncer, which hands out a connection for one transaction: whatever is left on it meets somebody else."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from notifier.message import Receipt
from notifier.model import State
from notifier.parcel import Settlement
from notifier.store.engine import migrate, open_engine
from notifier.store.schema import REVISION
from notifier.store.sql import SqlStore
from tests.builders import NOW, incident, page, update
from tests.postgres import Server, new_folder
from tests.running import free_port
from tests.store.telling import LOCKS, ask, owed, read, watch
from tests.world import ON_POSTGRESQL

pytestmark = [
    ON_POSTGRESQL,
    pytest.mark.skipif(not Path("/usr/sbin/pgbouncer").exists(), reason="needs the package pgbouncer"),
]


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """The URL that leads through it, over two connections for everybody."""
    there, port, folder = sa.make_url(url), free_port(), new_folder()
    (folder / "pgbouncer.ini").write_text(
        f"""
[databases]
{there.database} = host={there.host} port={there.port} user={there.username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
"""
    )
    command = ["/usr/sbin/pgbouncer", "-q", str(folder / "pgbouncer.ini")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, **Server(folder).identity) as process:
        assert process.stderr is not None
        try:
            through = there.set(port=port).render_as_string(hide_password=False)
            while True:
                assert process.poll() is None, process.stderr.read().decode()
                try:
                    psycopg.connect(through).close()
                    break
                except psycopg.OperationalError:
                    continue
            yield through
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder)


async def test_everything_works_behind_a_pooler(empty: str) -> None:
    with pgbouncer(empty) as through:
        engines = [open_engine(through) for _ in range(2)]
        assert sorted(await asyncio.gather(*map(migrate, engines)), key=str) == [
            (REVISION, REVISION),
            (None, REVISION),
        ]
        for engine in engines:
            await engine.dispose()
        first, second = [await SqlStore.open(through, token=token) for token in (1, 2)]
        await watch(first, *(f"telegram:{number}" for number in range(20)))
        reading = page(incident(update("11:29", "investigating")))
        await asyncio.gather(*(read(store, reading) for store in (first, second) * 4))
        assert len(await owed(first)) == 20
        held = [await store.hold(name, ["poll"]) for store, name in ((first, "one"), (second, "other"))]
        assert held == [{"poll": 1}, {}]

        async def deliver(store: SqlStore) -> int:
            sent = 0
            while parcels := await store.claim("telegram", 3, NOW):
                results = [
                    Settlement(parcel=each, state=State.SENT, receipt=Receipt("1", "7", root=True)) for each in parcels
                ]
                await asyncio.gather(*map(store.settle, results), *(store.counts() for _ in range(3)))
                sent += len(parcels)
            return sent

        assert sum(await asyncio.gather(deliver(first), deliver(second))) == 20
        assert await second.counts() == {"sent": 20}
        for store in (first, second):
            await store.close()
    assert ask(empty, LOCKS) == [(0,)]
