"""A new process starts, and then the old one is told to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier.ports import sending
from tests.faults.crowd import steps
from tests.postgres import Databases
from tests.several.fleet import DUTIES, FEW, fleet

GAP = 2
"""Seconds."""


@pytest.mark.fault("F1", "F2", "F4", "F5")
async def test_in_a_rolling_deploy_the_new_process_goes_on_at_once(postgresql: Databases, tmp_path: Path) -> None:
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(1)) as told:
            telegram, page = told.there.telegram, told.there.simulator
            await told.go_to_work("old")
            await told.start("new")
            told.comes(0)
            await told.is_told(30)
            assert await told.ends("old") == 0
            await told.is_held(*DUTIES, by="new")
            left = max(at for at, name in zip(telegram.times, telegram.callers, strict=True) if name == "old")
            assert await told.next_of(telegram, left, "old") < GAP
            asked = [at for at, name in page.askers if name == "old"][-1]
            assert next(at for at, name in page.askers if name == "new") - asked < GAP
            told.comes(1)
            await told.hears(1)
            assert await told.ends("new") == 0
        told.everybody_has(2)


async def test_a_run_by_the_clock_beside_the_service_does_no_harm(postgresql: Databases, tmp_path: Path) -> None:
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(1), addresses=FEW) as told:
            await told.go_to_work("service")
            told.comes(0)
            await told.begin("cron", "run", "--once")
            assert await told.ended("cron") == 0
            await told.hears(0)
            assert told.holder(sending("telegram")) == "service"
            assert await told.ends("service") == 0
            await told.begin("alone", "run", "--once")
            assert await told.ended("alone") == 0
            told.comes(1)
            await told.begin("later", "run", "--once")
            assert await told.ended("later", 60) == 0
        told.everybody_has(2)
