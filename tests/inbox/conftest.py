"""Telegram's double, and somebody who talks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.receivers.telegram import FakeTelegram
from tests.receivers.telegram_people import Person


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as made:
        yield made


@pytest.fixture
def ada(telegram: FakeTelegram) -> Person:
    return telegram.person(7, "Ada", language="de")
