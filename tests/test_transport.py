"""Which proxy a provider is reached through, and that it is."""

from __future__ import annotations

import aiohttp
import pytest

from notifier.channels import Telegram
from notifier.ports import ChannelFailure
from notifier.transport import proxy_of
from tests.receivers.telegram import FakeTelegram

PROXY = "http://user:word@proxy.example:3128"

CASES = {
    "https goes through the proxy of https": ("https://slack.com/api/", {"https_proxy": PROXY}, PROXY),
    "http has one of its own": ("http://127.0.0.1:80", {"https_proxy": PROXY}, None),
    "a host that is left out goes without": (
        "https://api.telegram.org",
        {"https_proxy": PROXY, "no_proxy": "localhost,telegram.org"},
        None,
    ),
    "without a word in the environment nothing does": ("https://slack.com/api/", {}, None),
}


@pytest.mark.parametrize("case", CASES)
def test_the_environment_names_the_proxy(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url, environment, expected = CASES[case]
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(url) == expected


async def test_a_provider_is_reached_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy here is the fake provider itself, which answers whatever host is asked for."""
    async with FakeTelegram() as proxy, aiohttp.ClientSession() as session:
        monkeypatch.setenv("http_proxy", proxy.origin)
        monkeypatch.delenv("no_proxy", raising=False)
        telegram = Telegram(proxy.token, "http://telegram.example", session)
        try:
            assert await telegram.check() == "@kraken_status_bot"
        except ChannelFailure as failure:
            pytest.fail(failure.reason)
