"""The database that several processes share is restarted, gone for a while, or drops their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.crowd import steps
from tests.postgres import Databases, Server
from tests.several.fleet import IN_FLIGHT, SHORT, fleet
from tests.store.wire import wire

EVERYBODY_ELSE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@pytest.mark.fault("B11", "B12")
async def test_a_database_that_is_cut_off_restarted_and_gone_for_long_changes_nothing_for_readers(
    own_server: Server, tmp_path: Path
) -> None:
    url = own_server.url("migrated")
    async with fleet(tmp_path, url, steps(4), lease=SHORT) as told:
        await told.go_to_work(*"abcd")
        told.comes(0)
        await told.is_told(20)
        with own_server.admin("migrated") as admin:
            admin.execute(EVERYBODY_ELSE)
        await told.hears(0)
        told.comes(1)
        await told.is_told(40)
        own_server.stop()
        own_server.start()
        await told.hears(1)
        told.comes(2)
        await told.is_told(60)
        own_server.stop()
        await told.tells("trouble")
        own_server.start()
        await told.hears(2)
        told.comes(3)
        await told.hears(3)
        await told.tells("trouble over")
        assert {await told.ends(name) for name in "abcd"} == {0}
    told.everybody_has(4, repeated=IN_FLIGHT)
    title = "The notifier's database cannot be written"
    assert told.alarms() == {f"🟠 Trouble: {title}": 1, f"🟢 Over: {title}": 1}


@pytest.mark.fault("B11", "B12")
async def test_a_commit_whose_answer_is_lost_is_no_message_twice(postgresql: Databases, tmp_path: Path) -> None:
    with postgresql.one() as url:
        async with wire(url) as (line, over_it), fleet(tmp_path, over_it, steps(1), lease=SHORT) as told:
            await told.go_to_work("a", "b")
            for step in range(2):
                told.comes(step)
                for _ in range(5):
                    await told.is_told(12)
                    line.lose_commit = True
                await told.hears(step)
            assert await told.ends("a") == await told.ends("b") == 0
        told.everybody_has(2)
