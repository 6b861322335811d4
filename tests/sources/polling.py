"""A client and a source at a server of raw bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from notifier.model import Snapshot
from notifier.sources.fetch import JSON, Polled
from tests.sources.wire import Answer, Wire, response, serving

AGENT = "kraken-status-notifier (+https://example.com)"
LIMIT = 2**20
HEAD = response(content_length="")


def heard(body: bytes) -> Snapshot:
    """A parser that believes everything."""
    return Snapshot(source="heard", page_id=body.decode())


@asynccontextmanager
async def client(**more: Any) -> AsyncIterator[httpx.AsyncClient]:
    settings = {"verify": False, "trust_env": False, "timeout": 5.0, "headers": {"User-Agent": AGENT}, **more}
    async with httpx.AsyncClient(**settings) as made:
        yield made


@asynccontextmanager
async def polling(
    *answers: Answer, parse: Callable[[bytes], Snapshot] = heard, **more: Any
) -> AsyncIterator[tuple[Polled, Wire]]:
    """A source at a server that gives these answers in turn."""
    settings = {"max_bytes": LIMIT, "accept": JSON, **more}
    async with serving(*answers) as wire, client() as made:
        yield Polled("heard", made, f"{wire.url}/page.json", parse, **settings), wire
