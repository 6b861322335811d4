"""Telegram's double, judged by aiogram, with the other library on its line and somebody who talks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from telegram import Bot

from tests.peers.talk import judged, library
from tests.receivers.telegram import FakeTelegram
from tests.receivers.telegram_people import Person


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with judged() as there:
        yield there


@pytest.fixture
async def bot(telegram: FakeTelegram) -> AsyncIterator[Bot]:
    async with library(telegram) as made:
        yield made


@pytest.fixture
def ada(telegram: FakeTelegram) -> Person:
    return telegram.person(7, "Ada", language="de")
