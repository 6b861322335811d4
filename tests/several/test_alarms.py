"""What operators and whoever asks `status` are told of several processes."""

from __future__ import annotations

from pathlib import Path

from notifier.ports import POLL, sending
from tests.faults.crowd import steps
from tests.postgres import Databases
from tests.receivers.mail import refuses_login
from tests.several.fleet import DUTIES, FEW, IN_FLIGHT, SHORT, fleet


async def test_each_trouble_is_told_once_and_its_end_once_though_who_knows_of_it_is_killed_twice(
    postgresql: Databases, tmp_path: Path
) -> None:
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(1), addresses=FEW, lease=SHORT) as told:
            mail, page = told.there.mail, told.there.simulator
            await told.go_to_work(*"abcd")
            mail.breaks(refuses_login("535 5.7.8 Authentication failed"))
            told.comes(0)
            await told.tells("trouble")
            page.down = True
            await told.until_alarmed(3)
            killed = told.holder(POLL)
            told.kill(killed)
            await told.is_held(*DUTIES, but=killed)
            heir = told.holder(sending("mailto"))
            await told.logs(heir, "channel broken")
            await told.logs(heir, "source failed")
            mail.mends()
            page.down = False
            told.kill(heir)
            await told.is_held(*DUTIES, but=heir)
            await told.until_alarmed(6)
            told.comes(1)
            await told.hears(1)
        told.everybody_has(2, repeated=2 * IN_FLIGHT)
        titles = (
            "The mail server refuses the bot's credentials",
            "Kraken's status page cannot be read",
            "Kraken's exchange API cannot be read",
        )
        assert told.alarms() == {f"{head}: {title}": 1 for head in ("🟠 Trouble", "🟢 Over") for title in titles}


async def test_status_shows_who_does_what_and_nobody_once_that_ones_lease_is_over(
    postgresql: Databases, tmp_path: Path
) -> None:
    with postgresql.one() as url:
        async with fleet(tmp_path, url, steps(1), addresses=FEW, lease=SHORT) as told:
            await told.go_to_work("a", "b")
            busy = told.holder(POLL)
            process = {line["process"] for line in told.logged(busy, "on duty")}
            assert set((await told.status("first")).values()) == process and len(process) == 1
            told.kill(busy)
            await told.is_held(*DUTIES, but=busy)
            heir = {line["process"] for line in told.log if line["event"] == "on duty"} - process
            assert set((await told.status("second")).values()) == heir and len(heir) == 1
            told.kill(told.holder(POLL))
            number = 3
            while set((await told.status(f"then{number}")).values()) == heir:
                number += 1
            assert await told.status("last") == dict.fromkeys(DUTIES)
