"""The heartbeat's one request, and what it never says."""

from __future__ import annotations

import aiohttp
import pytest

from notifier.channels.heartbeat import Heartbeat
from notifier.ports import ChannelFailure, NotSent
from tests.sources.wire import breaking_off, saying, serving

SECRET = "/ping/canary-7c1e"


async def test_it_asks_once() -> None:
    async with serving(saying(b"OK")) as wire, aiohttp.ClientSession() as session:
        await Heartbeat(wire.url + SECRET, session).ping()
    assert wire.paths == [SECRET]


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "500 Internal Server Error"])
async def test_any_other_answer_is_a_failure_and_no_redirect_is_followed(status: str) -> None:
    async with serving(saying(status=status, location="/elsewhere")) as wire, aiohttp.ClientSession() as session:
        with pytest.raises(NotSent, match=f"answered {status[:3]}"):
            await Heartbeat(wire.url + SECRET, session).ping()
    assert wire.paths == [SECRET]


async def test_no_failure_and_no_name_shows_where_it_goes() -> None:
    async with serving(breaking_off(b"")) as wire, aiohttp.ClientSession() as session:
        heartbeat = Heartbeat(wire.url + SECRET, session)
        with pytest.raises(ChannelFailure) as cut:
            await heartbeat.ping()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(NotSent) as refused:
            await Heartbeat(f"http://127.0.0.1:1{SECRET}", session).ping()
    for said in (repr(heartbeat), repr(cut.value), str(cut.value), str(refused.value)):
        assert "canary" not in said
