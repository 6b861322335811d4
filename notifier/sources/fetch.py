"""One polite conditional GET, bounded in time and in memory, and the sources built on it. Nothing here tries twice."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TypeAlias

import httpx

from notifier.model import Snapshot
from notifier.ports import SourceFailed
from notifier.sources.exchange import parse_exchange
from notifier.sources.feed import parse_feed
from notifier.sources.statuspage import parse_incident, parse_incidents, parse_maintenances, parse_summary
from notifier.sources.text import Unreadable, instant, one_line

Client: TypeAlias = httpx.AsyncClient  # noqa: TID251 - named, not made

JSON = ("application/json",)
FEED = ("application/atom+xml", "application/rss+xml", "application/xml", "text/xml")
JSON_BYTES = 8 * 2**20
"""One incident may embed every component, some 0.4 MB."""
FEED_BYTES = 2**20
"""feedparser needs seconds for more."""
DEADLINE = 20.0
"""Seconds for a whole reading; httpx limits single operations only, and a slow drip outlives those."""
LONGEST_WAIT = 15 * 60
OLDEST = 10**8
"""Seconds that a cache may state as an age; some years."""


class Polled:
    """A Source behind one URL: `parse` gets a body of at most `max_bytes`, of one of the media types in `accept`.

    Whatever `parse` raises is a failed reading. With `in_thread` it runs beside the event loop.
    """

    def __init__(
        self,
        name: str,
        client: Client,
        url: str,
        parse: Callable[[bytes], Snapshot],
        *,
        max_bytes: int,
        accept: tuple[str, ...],
        deadline: float = DEADLINE,
        in_thread: bool = False,
    ) -> None:
        self.name = name
        self._client = client
        self._url = url
        self._parse = parse
        self._max_bytes = max_bytes
        self._accept = accept
        self._deadline = deadline
        self._in_thread = in_thread
        self.age: timedelta | None = None
        self.forget()

    def forget(self) -> None:
        self._validators: Mapping[str, str] = {}
        self._digest = b""
        self._said: Snapshot | None = None

    async def read(self) -> Snapshot | None:
        try:
            async with _reading(self._deadline):
                answer = await _get(self._client, self._url, self._accept, self._max_bytes, self._validators)
                digest = sha256(answer.body).digest()
                self.age = answer.age
                snapshot = self._said if digest == self._digest else await self._parsed(answer.body)
        except _NotModified as unchanged:
            self.age = unchanged.age
            return None
        same = snapshot == self._said
        self._validators, self._digest, self._said = answer.validators, digest, snapshot
        return None if same else snapshot

    async def _parsed(self, body: bytes) -> Snapshot:
        return await asyncio.to_thread(self._parse, body) if self._in_thread else self._parse(body)


class PageLookup:
    """A Lookup at a status page, which answers 404 to an id of the other kind."""

    def __init__(self, client: Client, base_url: str, *, deadline: float = DEADLINE) -> None:
        self._client = client
        self._url = f"{base_url.rstrip('/')}/api/v2"
        self._deadline = deadline

    async def look_up(self, incident_id: str) -> Snapshot | None:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", incident_id):
            raise SourceFailed(f"not the id of an incident: {one_line(repr(incident_id), 60)}")
        for kind in ("incidents", "scheduled-maintenances"):
            try:
                return await self._ask(f"{self._url}/{kind}/{incident_id}.json", incident_id)
            except _NotFound:
                continue
        return None

    async def _ask(self, url: str, incident_id: str) -> Snapshot:
        async with _reading(self._deadline):
            answer = await _get(self._client, url, JSON, JSON_BYTES, {})
            snapshot = parse_incident(answer.body)
            if snapshot.incidents[0].id != incident_id:
                raise SourceFailed(f"asked for incident {incident_id}, answered {snapshot.incidents[0].id}")
            return snapshot


def page_sources(client: Client, base_url: str) -> tuple[Polled, ...]:
    """The three readings of a status page's API, for example of https://status.kraken.com."""
    api = f"{base_url.rstrip('/')}/api/v2"
    return (
        Polled("summary", client, f"{api}/summary.json", parse_summary, max_bytes=JSON_BYTES, accept=JSON),
        Polled("incidents", client, f"{api}/incidents.json", parse_incidents, max_bytes=JSON_BYTES, accept=JSON),
        Polled(
            "maintenances",
            client,
            f"{api}/scheduled-maintenances.json",
            parse_maintenances,
            max_bytes=JSON_BYTES,
            accept=JSON,
        ),
    )


def feed_source(client: Client, base_url: str) -> Polled:
    url = f"{base_url.rstrip('/')}/history.atom"
    return Polled("feed", client, url, parse_feed, max_bytes=FEED_BYTES, accept=FEED, in_thread=True)


def exchange_source(client: Client, api_url: str) -> Polled:
    url = f"{api_url.rstrip('/')}/0/public/SystemStatus"
    return Polled("exchange", client, url, parse_exchange, max_bytes=JSON_BYTES, accept=JSON)


class _NotModified(SourceFailed):
    """Answered 304 to a conditional request."""

    def __init__(self, age: timedelta | None) -> None:
        super().__init__("not modified")
        self.age = age


class _NotFound(SourceFailed):
    """Answered 404."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    body: bytes
    validators: Mapping[str, str]
    """The headers that make the next request conditional."""
    age: timedelta | None


@asynccontextmanager
async def _reading(deadline: float) -> AsyncIterator[None]:
    """Whatever goes wrong inside, or takes longer than `deadline` seconds, becomes SourceFailed."""
    try:
        async with asyncio.timeout(deadline):
            yield
    except SourceFailed:
        raise
    except TimeoutError:
        raise SourceFailed(f"no whole answer within {deadline:g} s") from None
    except Unreadable as error:
        raise SourceFailed(one_line(f"unreadable: {error}")) from error
    except Exception as error:
        raise SourceFailed(one_line(f"{type(error).__name__}: {error}".rstrip(": "))) from error


async def _get(
    client: Client, url: str, accept: tuple[str, ...], max_bytes: int, validators: Mapping[str, str]
) -> _Answer:
    """The body travels as gzip, a tenth of its size, and is inflated here, because httpx knows no limit."""
    headers = {"Accept": ", ".join(accept), "Accept-Encoding": "gzip", **validators}
    async with client.stream("GET", url, headers=headers, follow_redirects=False) as response:
        if response.status_code == httpx.codes.NOT_MODIFIED and validators:
            await response.aread()  # there is no body, but only at its end can the connection serve again
            raise _NotModified(_age(response.headers))
        if response.status_code != httpx.codes.OK:
            failure = _NotFound if response.status_code == httpx.codes.NOT_FOUND else SourceFailed
            phrase = httpx.codes.get_reason_phrase(response.status_code)
            raise failure(
                f"answered {response.status_code} {phrase}".strip(), retry_after=_retry_after(response.headers)
            )
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type and media_type not in accept:  # where none is stated, the schema alone decides
            raise SourceFailed(f"answered with {one_line(media_type, 60)} instead of {accept[0]}")
        body = await _body(response, max_bytes)
        if not body:
            raise SourceFailed("answered with an empty body")
        return _Answer(body=body, validators=_validators(response.headers), age=_age(response.headers))


def _validators(headers: httpx.Headers) -> Mapping[str, str]:
    stated = {"If-None-Match": headers.get("etag"), "If-Modified-Since": headers.get("last-modified")}
    return {name: value for name, value in stated.items() if value}


def _age(headers: httpx.Headers) -> timedelta | None:
    """How long the answer has lain in a cache; None if unstated or garbage."""
    value = headers.get("age", "").strip()
    return timedelta(seconds=min(int(value), OLDEST)) if value.isascii() and value.isdigit() else None


async def _body(response: httpx.Response, max_bytes: int) -> bytes:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity"):
        raise SourceFailed(f"answered in the encoding {one_line(encoding, 60)}, which was not asked for")
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if encoding == "gzip" else None
    pieces: list[bytes] = []
    received = size = 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        piece = inflate.decompress(chunk, max_bytes + 1 - size) if inflate else chunk
        size += len(piece)
        if max(received, size) > max_bytes:
            raise SourceFailed(f"answered with more than {max_bytes} bytes")
        pieces.append(piece)
    if inflate and received and (inflate.unused_data or not inflate.eof):
        raise SourceFailed("answered with a broken gzip stream")
    return b"".join(pieces)


def _retry_after(headers: httpx.Headers) -> timedelta | None:
    """Seconds, or a date measured by the server's own clock; None if unstated or garbage."""
    value = headers.get("retry-after", "")
    try:
        seconds = int(value)
    except ValueError:
        try:
            seconds = int((instant(value) - instant(headers.get("date"))).total_seconds())
        except ValueError:
            return None
    return timedelta(seconds=min(max(seconds, 0), LONGEST_WAIT))
