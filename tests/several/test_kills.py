"""The process that tells is killed in the middle of it, and another goes on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random

import pytest

from notifier.ports import POLL, sending
from tests.faults.crowd import steps
from tests.postgres import Databases
from tests.several.fleet import DUTIES, IN_FLIGHT, SHORT, fleet

TAKEOVER = 30
"""Seconds within which another goes on."""

KILLS = int(os.environ.get("TAKEOVERS", "4"))
SEED = int(os.environ.get("KILLS_SEED", "20260224"))


@pytest.mark.fault("B12", "H9")
async def test_after_a_kill_in_mid_fan_out_another_goes_on_within_half_a_minute(
    postgresql: Databases, tmp_path: Path
) -> None:
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(1)) as told:
            await told.go_to_work(*"abc")
            told.comes(0)
            await told.is_told(30)
            killed = told.holder(sending("telegram"))
            moment = told.kill(killed)
            took = await told.next_of(told.there.telegram, moment, killed, 2 * TAKEOVER)
            told.comes(1)
            await told.hears(1)
            await told.is_held(*DUTIES, but=killed)
        told.everybody_has(2, repeated=IN_FLIGHT)
    sys.stdout.write(f"taken over after {took:.1f} s\n")
    assert took < TAKEOVER


@pytest.mark.fault("B3", "B4", "B5", "F3")
async def test_killed_again_and_again_whoever_it_is_they_tell_everything(postgresql: Databases, tmp_path: Path) -> None:
    dice, gaps = Random(SEED), []
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(KILLS), lease=SHORT) as told:
            await told.go_to_work(*"abc")
            for kill in range(KILLS):
                told.comes(kill)
                await told.is_told(dice.randint(1, 60))
                killed = told.holder(dice.choice((POLL, sending("telegram"), sending("slack"), sending("mailto"))))
                moment = told.kill(killed)
                gaps.append(await told.next_of(told.there.telegram, moment, killed))
                await told.start(f"next{kill}")
                await told.is_held(*DUTIES, but=killed)
            told.comes(KILLS)
            await told.hears(KILLS)
        told.everybody_has(KILLS + 1, repeated=KILLS * IN_FLIGHT)
    sys.stdout.write(f"taken over after {', '.join(f'{gap:.1f}' for gap in sorted(gaps))} s; ")
    sys.stdout.write(f"repeated by kill: {sorted(told.repeated_after().values())}\n")
