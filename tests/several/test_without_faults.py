"""Several processes and no fault: they tell it as one would."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.ports import POLL
from tests.faults.crowd import steps
from tests.postgres import Databases
from tests.several.fleet import DUTIES, fleet


@pytest.mark.fault("B17", "F4", "H9")
@pytest.mark.parametrize("many", [2, 4])
async def test_several_tell_an_incident_as_one_would(many: int, postgresql: Databases, tmp_path: Path) -> None:
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(1)) as told:
            names = "abcd"[:many]
            await told.go_to_work(*names)
            for step in range(2):
                told.comes(step)
                await told.hears(step)
            at_work = told.holder(POLL)
            assert {await told.ends(name) for name in sorted(names, key=at_work.__eq__)} == {0}
        told.everybody_has(2)
        assert len({name for _, name in told.there.simulator.askers}) == 1
        assert len(told.spells()) == len(DUTIES), "nothing changed hands"
