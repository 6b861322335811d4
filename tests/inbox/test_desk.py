"""The desk on a real store: whose subscription a question is about."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from notifier.health import Trouble
from notifier.inbox.desk import Desk
from notifier.inbox.talk import Asked, Place
from notifier.markup import plain
from notifier.store.sql import SqlStore
from notifier.subscription import Address
from notifier.tongue import ENGLISH_ONLY
from tests.builders import NOW
from tests.doubles import FrozenClock
from tests.inbox.talking import PAGE
from tests.template import laid_out
from tests.world import to


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    made = await SqlStore.open(f"sqlite:///{laid_out(tmp_path / 'notifier.db')}", token=1)
    yield made
    await made.close()


def desk_of(store: SqlStore) -> Desk:
    async def well() -> Mapping[str, Trouble]:
        return {}

    return Desk(
        store,
        PAGE,
        ENGLISH_ONLY,
        FrozenClock(),
        troubles=well,
        read_at=lambda: None,
        owing=lambda: None,
        ended=lambda _: None,
    )


async def said(store: SqlStore, words: str, *, named: str) -> str:
    address, name = Address.parse("telegram:-1005"), Address.parse(named)
    answer = await desk_of(store).ask(
        Asked(number=1, address=address, named=name, place=Place.CHANNEL, at=NOW, words=words)
    )
    return plain(answer.lines) if answer else ""


@pytest.mark.parametrize("topic", ["", "/42"])
async def test_a_chat_that_the_configuration_names_is_not_subscribed_once_more(store: SqlStore, topic: str) -> None:
    await store.sync([to(f"telegram:@Kraken_News{topic}")], welcome=False, now=NOW)
    assert "configuration" in await said(store, "/start", named=f"telegram:@kraken_news{topic}")
    assert [str(each.address) for each in await store.subscriptions()] == [f"telegram:@Kraken_News{topic}"]


async def test_another_chat_may_subscribe_itself(store: SqlStore) -> None:
    await store.sync([to("telegram:@kraken_news")], welcome=False, now=NOW)
    assert "comes here from now on" in await said(store, "/start", named="telegram:@other_news")
