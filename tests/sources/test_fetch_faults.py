from __future__ import annotations

import asyncio
import gzip
import ssl
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import timedelta

import pytest
import trustme

from notifier.model import Snapshot
from notifier.ports import SourceFailed
from notifier.sources.fetch import JSON, Polled
from notifier.sources.text import Unreadable
from tests.sources.polling import HEAD, LIMIT, client, heard, polling
from tests.sources.wire import Answer, bomb, breaking_off, endless, response, saying, serving, stalling, unchanged

BOMB = bomb(100)
PACKED = gzip.compress(b"news " * 100)

FAULTS: dict[str, tuple[Answer, str]] = {
    "an error of the server": (saying(b"x", "503 Service Unavailable"), "answered 503 Service Unavailable"),
    "an error of a proxy": (saying(b"x", "522 Whatever\x1b[31m"), "answered 522"),
    "a page that is not there": (saying(b"{}", "404 Not Found"), "answered 404 Not Found"),
    "too many questions": (saying(b"x", "429 Too Many Requests"), "answered 429 Too Many Requests"),
    "a redirect": (saying(b"", "302 Found", location="http://127.0.0.1:1/"), "answered 302 Found"),
    "no content": (saying(b"", "204 No Content"), "answered 204 No Content"),
    "an error page": (
        saying(b"<html>", content_type="text/html"),
        "answered with text/html instead of application/json",
    ),
    "an empty body": (saying(b""), "answered with an empty body"),
    "an empty body in gzip": (saying(gzip.compress(b""), content_encoding="gzip"), "answered with an empty body"),
    "nothing where gzip is announced": (saying(b"", content_encoding="gzip"), "answered with an empty body"),
    "half of a gzip stream": (saying(PACKED[:-12], content_encoding="gzip"), "answered with a broken gzip stream"),
    "gzip without its checksum": (saying(PACKED[:-4], content_encoding="gzip"), "answered with a broken gzip stream"),
    "more after a gzip stream": (saying(PACKED + b"x", content_encoding="gzip"), "answered with a broken gzip stream"),
    "no gzip where it is announced": (saying(b"news", content_encoding="gzip"), "error: Error -3"),
    "an encoding not asked for": (saying(zlib.compress(b"news"), content_encoding="br"), "in the encoding br"),
    "less than announced": (breaking_off(response(b"news", content_length="9")), "RemoteProtocolError"),
    "half of a chunk": (
        breaking_off(response(content_length="", transfer_encoding="chunked") + b"9\r\nne"),
        "RemoteProtocolError",
    ),
    "no answer": (breaking_off(b""), "RemoteProtocolError"),
    "no HTTP": (breaking_off(b"SSH-2.0-OpenSSH\r\n\r\n"), "RemoteProtocolError"),
    "more than the limit": (saying(b"x" * (LIMIT + 1)), "answered with more than 1048576 bytes"),
    "more than the limit in gzip": (
        saying(gzip.compress(b"x" * (LIMIT + 1)), content_encoding="gzip"),
        "more than 1048576",
    ),
    "an endless body": (endless(HEAD, b"x" * 2**16), "answered with more than 1048576 bytes"),
    "an endless body of one chunk": (
        endless(response(content_length=str(2**40)), b"x" * 2**16),
        "more than 1048576 bytes",
    ),
    "endless headers": (endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), "RemoteProtocolError"),
    "an endless tail of a gzip stream": (
        endless(response(PACKED, content_length="", content_encoding="gzip"), b"x" * 2**16),
        "answered with more than 1048576 bytes",
    ),
    "gzip that never says anything": (
        endless(response(PACKED[:10], content_length="", content_encoding="gzip"), b"\x00\x00\x00\xff\xff" * 2**13),
        "answered with more than 1048576 bytes",
    ),
    "a gzip bomb": (saying(BOMB, content_encoding="gzip"), "answered with more than 1048576 bytes"),
}


@pytest.mark.parametrize(("answer", "reason"), FAULTS.values(), ids=FAULTS)
async def test_a_faulty_answer_is_a_failure_and_changes_nothing(answer: Answer, reason: str) -> None:
    async with polling(saying(b"news", etag='"1"'), answer, unchanged()) as (source, wire):
        await source.read()
        with pytest.raises(SourceFailed) as failure:
            await source.read()
        assert await source.read() is None
    assert reason in failure.value.reason
    assert failure.value.reason == " ".join(failure.value.reason.split())
    assert "\x1b" not in failure.value.reason
    assert [request.get("if-none-match") for request in wire.requests] == [None, '"1"', '"1"']


async def test_unchanged_is_no_answer_to_who_knows_nothing() -> None:
    async with polling(unchanged()) as (source, _):
        with pytest.raises(SourceFailed, match="answered 304 Not Modified"):
            await source.read()


@pytest.mark.parametrize(
    "bomb", [saying(BOMB, content_encoding="gzip"), endless(HEAD, b"x" * 2**16)], ids=["bomb", "endless"]
)
async def test_an_oversized_body_costs_a_few_megabytes(bomb: Answer) -> None:
    async with polling(bomb) as (source, _):
        tracemalloc.start()
        try:
            with pytest.raises(SourceFailed):
                await source.read()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8 * LIMIT


STALLS = {
    "before the answer": stalling(b""),
    "within the headers": stalling(b"HTTP/1.1 200 OK\r\n"),
    "within the body": stalling(response(b"ne", content_length="4")),
    "in a drip": endless(HEAD, b"x"),
}


DEADLINE = 0.5
"""Seconds: enough for a busy machine to have the question heard, so that it is the answer that is cut off."""


@pytest.mark.parametrize("answer", STALLS.values(), ids=STALLS)
async def test_an_answer_that_does_not_end_is_cut_off_at_the_deadline(answer: Answer) -> None:
    async with polling(answer, deadline=DEADLINE, max_bytes=2**40) as (source, _):
        with pytest.raises(SourceFailed, match=f"no whole answer within {DEADLINE} s"):
            await source.read()


async def test_a_reading_can_be_cancelled() -> None:
    asked = asyncio.Event()

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    async with polling(never) as (source, wire), asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(source.read())
        await asked.wait()
        reading.cancel()
    assert reading.cancelled()
    assert len(wire.requests) == 1


async def test_a_limit_of_httpx_is_a_failure_too() -> None:
    async with serving(stalling(b"")) as wire, client(timeout=DEADLINE) as made:
        with pytest.raises(SourceFailed, match="ReadTimeout"):
            await Polled("heard", made, wire.url, heard, max_bytes=LIMIT, accept=JSON).read()


UNREACHABLE = {
    "a closed port": ("http://127.0.0.1:1/", "ConnectError: "),
    "a name that does not exist": ("https://kraken.invalid/", "ConnectError: "),
    "no URL": ("http://127.0.0.1:port/", "InvalidURL: "),
    "another protocol": ("gopher://127.0.0.1/", "UnsupportedProtocol: "),
    "a secret in the URL": ("http://me:hunter2@127.0.0.1:1/", "ConnectError: "),
}


@pytest.mark.parametrize(("url", "reason"), UNREACHABLE.values(), ids=UNREACHABLE)
async def test_an_unreachable_page_is_a_failure_that_tells_no_secret(url: str, reason: str) -> None:
    async with client() as made:
        with pytest.raises(SourceFailed) as failure:
            await Polled("heard", made, url, heard, max_bytes=LIMIT, accept=JSON).read()
    assert failure.value.reason.startswith(reason)
    assert "hunter2" not in repr((failure.value, failure.value.__cause__))


CERTIFICATES: dict[str, tuple[Callable[[trustme.CA], trustme.LeafCert], bool]] = {
    "signed by nobody known": (lambda ca: ca.issue_cert("127.0.0.1"), False),
    "of another host": (lambda ca: ca.issue_cert("status.kraken.com"), True),
}


@pytest.mark.parametrize(("issue", "trusted"), CERTIFICATES.values(), ids=CERTIFICATES)
async def test_a_wrong_certificate_is_a_failure(issue: Callable[[trustme.CA], trustme.LeafCert], trusted: bool) -> None:
    authority = trustme.CA()
    here, there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    issue(authority).configure_cert(here)
    if trusted:
        authority.configure_trust(there)
    async with serving(saying(b"news"), tls=here) as wire, client(verify=there) as made:
        with pytest.raises(SourceFailed, match="CERTIFICATE_VERIFY_FAILED"):
            await Polled("heard", made, wire.url, heard, max_bytes=LIMIT, accept=JSON).read()
    assert wire.requests == []


REFUSALS: dict[str, tuple[Exception, str]] = {
    "the document": (Unreadable("incidents: not a list: None"), "unreadable: incidents: not a list: None"),
    "a value": (ValueError("two\nlines"), "ValueError: two lines"),
    "its depth": (RecursionError(), "RecursionError"),
    "something unforeseen": (KeyError("page"), "KeyError: 'page'"),
}


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(("error", "reason"), REFUSALS.values(), ids=REFUSALS)
async def test_what_a_parser_refuses_is_asked_for_again_in_full(error: Exception, reason: str, in_thread: bool) -> None:
    moods = iter([error, None])

    def parse(body: bytes) -> Snapshot:
        mood = next(moods)
        if mood:
            raise mood
        return heard(body)

    async with polling(saying(b"news", etag='"1"'), parse=parse, in_thread=in_thread) as (source, wire):
        with pytest.raises(SourceFailed) as failure:
            await source.read()
        assert await source.read() == heard(b"news")
    assert failure.value.reason == reason
    assert "if-none-match" not in wire.requests[1]


DATE = "Tue, 24 Feb 2026 12:00:00 GMT"
WAITS: dict[str, tuple[dict[str, str], timedelta | None]] = {
    "unstated": ({}, None),
    "seconds": ({"retry_after": "30"}, timedelta(seconds=30)),
    "none": ({"retry_after": "0"}, timedelta(0)),
    "negative": ({"retry_after": "-5"}, timedelta(0)),
    "absurd": ({"retry_after": "1000000000"}, timedelta(minutes=15)),
    "beyond all numbers": ({"retry_after": "9" * 300}, timedelta(minutes=15)),
    "a date by the server's clock": (
        {"retry_after": "Tue, 24 Feb 2026 12:01:30 GMT", "date": DATE},
        timedelta(seconds=90),
    ),
    "a date in the past": ({"retry_after": "Tue, 24 Feb 2026 11:00:00 GMT", "date": DATE}, timedelta(0)),
    "a date far away": ({"retry_after": "Wed, 24 Feb 2027 12:00:00 GMT", "date": DATE}, timedelta(minutes=15)),
    "a date without a clock": ({"retry_after": "Tue, 24 Feb 2026 12:01:30 GMT"}, None),
    "a date by a broken clock": ({"retry_after": "Tue, 24 Feb 2026 12:01:30 GMT", "date": "noon"}, None),
    "garbage": ({"retry_after": "later"}, None),
    "a fraction": ({"retry_after": "1.5"}, None),
    "not a number": ({"retry_after": "nan"}, None),
}


@pytest.mark.parametrize(("headers", "wait"), WAITS.values(), ids=WAITS)
async def test_the_wait_that_a_server_asks_for_is_kept_within_reason(
    headers: dict[str, str], wait: timedelta | None
) -> None:
    async with polling(saying(b"slow down", "429 Too Many Requests", **headers)) as (source, _):
        with pytest.raises(SourceFailed) as failure:
            await source.read()
    assert failure.value.retry_after == wait
