"""The API's formats over HTTP, played back: an answer in full, then the conditional question and its 304.

The cassettes were recorded from a loopback server that served tests/data/page with the headers that status pages are
reported to send. They are no recordings of Kraken's own servers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import vcr  # type: ignore[import-untyped]

from notifier.sources.exchange import parse_exchange
from notifier.sources.feed import parse_feed
from notifier.sources.fetch import Polled, exchange_source, feed_source, page_sources
from notifier.sources.statuspage import parse_incidents, parse_summary
from tests.sources.pages import page

CASSETTES = Path(__file__).parents[1] / "cassettes"
BASE = "http://127.0.0.1"


def same_question(asked: Any, recorded: Any) -> None:
    """A matcher of vcrpy: what the answer depends on is asked alike."""
    names = ("accept", "accept-encoding", "if-none-match", "if-modified-since", "user-agent")
    assert [asked.headers.get(name) for name in names] == [recorded.headers.get(name) for name in names]


player = vcr.VCR(cassette_library_dir=str(CASSETTES), record_mode="none", match_on=["method", "uri", "question"])
player.register_matcher("question", same_question)

PAGES: dict[str, tuple[Callable[[httpx.AsyncClient], Polled], object]] = {
    "summary": (lambda client: page_sources(client, BASE)[0], parse_summary(page("summary.json"))),
    "incidents": (lambda client: page_sources(client, BASE)[1], parse_incidents(page("incidents.json"))),
    "feed": (lambda client: feed_source(client, BASE), parse_feed(page("history.atom"))),
}
"""Cassette: the source that it was recorded with, and what it must understand."""


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=False, trust_env=False, headers={"User-Agent": "kraken-status-notifier"})


@pytest.mark.parametrize(("name", "make", "expected"), [(name, *each) for name, each in PAGES.items()], ids=PAGES)
async def test_a_page_is_told_once_and_then_unchanged(
    name: str, make: Callable[[httpx.AsyncClient], Polled], expected: object
) -> None:
    with player.use_cassette(f"{name}.yaml") as cassette:
        async with client() as made:
            source = make(made)
            assert [await source.read(), await source.read()] == [expected, None]
    assert cassette.all_played
    assert [answer["status"]["code"] for answer in cassette.responses] == [200, 304]


async def test_the_exchange_has_no_etag_but_says_the_same() -> None:
    with player.use_cassette("exchange.yaml") as cassette:
        async with client() as made:
            source = exchange_source(made, BASE)
            assert [await source.read(), await source.read()] == [parse_exchange(page("SystemStatus.json")), None]
    assert cassette.all_played
    assert [answer["status"]["code"] for answer in cassette.responses] == [200, 200]


def test_cassettes_hold_no_credentials() -> None:
    texts = [path.read_text().lower() for path in sorted(CASSETTES.glob("*.yaml"))]
    assert len(texts) >= 4
    assert not [word for word in ("authorization", "cookie", "token", "secret") for text in texts if word in text]
