"""Quiet hours that a reader chose by talking, through a night in which the clocks change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inbox.conversations.bot import Bot, bot
from tests.inbox.conversations.test_news import news, titles
from tests.receivers.telegram_people import Person

TOLD = """
[[incidents]]
name = "{name}"
title = "{title}"
impact = "{impact}"
components = ["Website"]
  [[incidents.updates]]
  at = {opens}
  status = "investigating"
  text = "It begins."
  [[incidents.updates]]
  at = {ends}
  status = "resolved"
  text = "It is over."
"""
SPRING, AUTUMN = ("2026-03-28", "2026-03-29", "05:00"), ("2026-10-24", "2026-10-25", "06:00")
"""The day, the next one, and when it is seven o'clock in Berlin on that one, in UTC."""


async def sleeps(there: Bot, person: Person) -> None:
    await there.answers(person.says("/start"))
    await there.answers(person.says("Europe/Berlin"))
    assert "Quiet hours: 22:00–07:00 Europe/Berlin" in (await there.answers(person.says("22:00-07:00"))).shown


@pytest.mark.fault("H5")
@pytest.mark.parametrize("night", [SPRING, AUTUMN])
async def test_a_night_is_quiet_but_for_what_is_critical_and_told_in_short_in_the_morning(
    night: tuple[str, str, str], tmp_path: Path
) -> None:
    day, morrow, seven = night
    story = TOLD.format(
        name="night", title="Night", impact="major", opens=f"{day}T22:30:00Z", ends=f"{morrow}T02:30:00Z"
    ) + TOLD.format(
        name="worst", title="Worst", impact="critical", opens=f"{morrow}T01:00:00Z", ends=f"{morrow}T01:30:00Z"
    )
    async with bot(tmp_path, story, day=day) as there:
        ada, bob = there.telegram.person(7, "Ada"), there.telegram.person(8, "Bob")
        await sleeps(there, ada)
        await there.answers(bob.says("/start"))
        await there.at(f"{day} 22:30", f"{day} 22:31")
        assert (titles(news(ada)), titles(news(bob))) == ([], ["Investigating: Night"])
        await there.restart()
        await there.at(f"{morrow} 01:00")
        assert titles(news(ada)) == ["Investigating: Worst"]
        await there.at(f"{morrow} 01:30", f"{morrow} 02:30")
        await there.restart()
        hour = int(seven[:2]) - 1
        await there.at(f"{morrow} {hour:02}:59")
        assert "Resolved: Night" not in titles(news(ada)), "it is one minute to seven"
        await there.at(f"{morrow} {seven}", f"{morrow} {seven}")
        told = news(ada)
        await there.at(f"{morrow} 08:00", f"{morrow} 21:00")
        assert news(ada) == told
    [night_] = [each for each in told if "Night" in each.text]
    assert titles([night_]) == ["Resolved: Night"] and "It begins." in night_.text and "It is over." in night_.text
    assert titles([each for each in told if "Worst" in each.text]) == ["Investigating: Worst", "Resolved: Worst"]


@pytest.mark.fault("H5")
async def test_who_ends_his_quiet_hours_in_the_night_keeps_nothing_back_of_what_comes_then(tmp_path: Path) -> None:
    story = TOLD.format(
        name="night", title="Night", impact="major", opens="2026-05-12T22:30:00Z", ends="2026-05-13T02:30:00Z"
    )
    async with bot(tmp_path, story) as there:
        ada = there.telegram.person(7, "Ada")
        await sleeps(there, ada)
        await there.at("22:30")
        menu = await there.answers(ada.says("/settings"))
        await there.pressed(ada, menu, "Quiet hours")
        assert "✓ none" in (await there.pressed(ada, menu, "none") and menu.rows[0])
        await there.at("2026-05-13 02:30", "2026-05-13 02:31")
        [told] = news(ada)
        await there.at("2026-05-13 05:00", "2026-05-13 05:01")
    assert news(ada) == [told]
    assert titles([told]) == ["Resolved: Night"] and "It begins." in told.text
