"""What people see of the bot before they speak to it, as their clients show it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from notifier.inbox.profile import KEY
from tests.inbox.line import Party, ScriptedDesk, Shelf, line
from tests.receivers import refused
from tests.receivers.telegram import FakeTelegram, refusal

OPERATOR = 42


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as made:
        made.person(OPERATOR, "Olga")
        yield made


async def shown(telegram: FakeTelegram, shelf: Shelf, menu: str = "What is told") -> int:
    """How many requests a process makes for it."""
    before = _asks(telegram)
    desk = ScriptedDesk(menu=menu)
    async with line(telegram, desk=desk, shelf=shelf, operators=(OPERATOR,), running=False) as party:
        await _introduce(party)
    return _asks(telegram) - before


async def _introduce(party: Party) -> None:
    await party.inbox._inbox.introduce()


def _asks(telegram: FakeTelegram) -> int:
    return sum(name.startswith("setMy") for name, _ in telegram.reads)


async def test_everybody_sees_the_commands_that_are_for_him_in_his_language(telegram: FakeTelegram) -> None:
    ada, bob, olga = (
        telegram.person(7, "Ada", language="de"),
        telegram.person(8, "Bob", language="fr"),
        telegram.person(OPERATOR, "Olga"),
    )
    group = telegram.group(-1_001_230, "Desk")
    group.member(ada, admin=True)
    group.member(bob)
    await shown(telegram, Shelf())
    menus = [
        ada.menu(),
        bob.menu(),
        olga.menu(),
        ada.menu(in_=group),
        bob.menu(in_=group),
    ]
    assert [menu["status"] for menu in menus] == [
        "What is told (de, private)",
        "What is told (en, private)",
        "What is told (en, operator)",
        "What is told (de, admins)",
        "What is told (en, group)",
    ]
    assert telegram.profile.shown("description", "de") == "At length (de)"
    assert telegram.profile.shown("short_description", "fr") == "In short (en)"


async def test_it_is_set_again_only_if_it_changed(telegram: FakeTelegram) -> None:
    shelf = Shelf()
    first = await shown(telegram, shelf)
    assert first > 0 and await shown(telegram, shelf) == 0
    assert await shown(telegram, shelf, "What is new") == first


async def test_what_failed_is_tried_again_at_the_next_start(telegram: FakeTelegram) -> None:
    shelf = Shelf()
    telegram.next_read(refused(), method="setMyDescription")
    await shown(telegram, shelf)
    assert KEY not in shelf.notes
    assert await shown(telegram, shelf) > 0 and KEY in shelf.notes


async def test_an_operator_who_never_spoke_to_the_bot_keeps_nobody_from_the_rest(telegram: FakeTelegram) -> None:
    shelf = Shelf()
    telegram.breaks_reading(refusal(400, "Bad Request: chat not found"), "setMyCommands")
    await shown(telegram, shelf)
    assert telegram.profile.shown("description") == "At length (en)" and KEY not in shelf.notes


async def test_a_database_that_fails_is_no_reason_to_stop(telegram: FakeTelegram) -> None:
    await shown(telegram, Shelf(broken=True))
    assert telegram.profile.shown("description") == "At length (en)"
