from __future__ import annotations

import gzip
import threading
from datetime import timedelta

import pytest

from notifier.model import Snapshot
from notifier.ports import SourceFailed
from notifier.sources.fetch import exchange_source, feed_source, page_sources
from tests.sources.pages import page
from tests.sources.polling import AGENT, LIMIT, client, heard, polling
from tests.sources.wire import breaking_off, response, saying, serving, unchanged


async def test_the_first_question_is_unconditional_and_says_who_asks() -> None:
    async with polling(saying(b"news")) as (source, wire):
        assert await source.read() == heard(b"news")
    asked = wire.requests[0]
    assert asked[""] == "GET /page.json HTTP/1.1"
    assert (asked["user-agent"], asked["accept"], asked["accept-encoding"]) == (AGENT, "application/json", "gzip")
    assert not {"if-none-match", "if-modified-since"} & asked.keys()


async def test_the_next_question_names_what_is_known() -> None:
    modified = "Tue, 24 Feb 2026 12:10:00 GMT"
    async with polling(saying(b"news", etag='W/"1"', last_modified=modified), unchanged()) as (source, wire):
        await source.read()
        assert await source.read() is None
    assert (wire.requests[1]["if-none-match"], wire.requests[1]["if-modified-since"]) == ('W/"1"', modified)


async def test_unchanged_answers_are_not_parsed_and_leave_the_connection_open() -> None:
    async with polling(saying(b"news", etag='"1"'), unchanged()) as (source, wire):
        readings = [await source.read() for _ in range(4)]
    assert readings == [heard(b"news"), None, None, None]
    assert (len(wire.requests), wire.connections) == (4, 1)


async def test_a_body_seen_before_is_not_parsed_again_but_its_new_etag_counts() -> None:
    parsed: list[bytes] = []

    def parse(body: bytes) -> Snapshot:
        parsed.append(body)
        return heard(body)

    async with polling(saying(b"news", etag='"1"'), saying(b"news", etag='"2"'), unchanged(), parse=parse) as (
        source,
        wire,
    ):
        readings = [await source.read() for _ in range(3)]
    assert (readings, parsed) == ([heard(b"news"), None, None], [b"news"])
    assert wire.requests[2]["if-none-match"] == '"2"'


async def test_another_body_is_news_whatever_its_etag() -> None:
    async with polling(saying(b"news", etag='"1"'), saying(b"more", etag='"1"')) as (source, _):
        assert [await source.read(), await source.read()] == [heard(b"news"), heard(b"more")]


async def test_an_answer_without_etag_is_asked_for_again_in_full() -> None:
    async with polling(saying(b"news", etag='"1"'), saying(b"more"), saying(b"last")) as (source, wire):
        assert [await source.read() for _ in range(3)] == [heard(b"news"), heard(b"more"), heard(b"last")]
    assert "if-none-match" not in wire.requests[2]


async def test_what_was_forgotten_is_news_again() -> None:
    async with polling(saying(b"news", etag='"1"')) as (source, wire):
        await source.read()
        source.forget()
        assert await source.read() == heard(b"news")
    assert "if-none-match" not in wire.requests[1]


async def test_gzip_is_understood() -> None:
    body = b"news " * 10_000
    async with polling(saying(gzip.compress(body), content_encoding="gzip")) as (source, _):
        assert await source.read() == heard(body)


async def test_gzip_in_small_chunks_is_understood() -> None:
    packed = gzip.compress(b"news " * 1000)
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in packed) + b"0\r\n\r\n"
    head = response(content_length="", content_encoding="gzip", transfer_encoding="chunked")
    async with polling(breaking_off(head + chunks)) as (source, _):
        assert await source.read() == heard(b"news " * 1000)


async def test_a_body_of_exactly_the_limit_is_read() -> None:
    async with polling(saying(gzip.compress(b"x" * LIMIT), content_encoding="gzip")) as (source, _):
        assert await source.read() == heard(b"x" * LIMIT)


async def test_slow_parsers_run_beside_the_event_loop() -> None:
    def parse(body: bytes) -> Snapshot:
        return heard(str(threading.get_ident()).encode())

    async with polling(saying(b"news"), parse=parse, in_thread=True) as (source, _):
        snapshot = await source.read()
    assert snapshot is not None
    assert snapshot.page_id != str(threading.get_ident())


@pytest.mark.parametrize("slash", ["", "/"])
async def test_every_source_asks_at_its_own_place(slash: str) -> None:
    atom = saying(page("history.atom"), content_type="application/atom+xml")
    answers = [*map(page, ("summary.json", "incidents.json", "scheduled-maintenances.json", "SystemStatus.json"))]
    async with serving(*map(saying, answers), atom) as wire, client() as made:
        base = wire.url + slash
        sources = [*page_sources(made, base), exchange_source(made, base), feed_source(made, base)]
        snapshots = [await source.read() for source in sources]
    names = ["summary", "incidents", "maintenances", "exchange", "feed"]
    assert [source.name for source in sources] == names
    assert [snapshot.source for snapshot in snapshots if snapshot] == names
    assert wire.paths == [
        "/api/v2/summary.json",
        "/api/v2/incidents.json",
        "/api/v2/scheduled-maintenances.json",
        "/0/public/SystemStatus",
        "/history.atom",
    ]


async def test_the_feed_is_cut_at_one_megabyte() -> None:
    padded = page("history.atom").replace(b"<entry>", b" " * 2**20 + b"<entry>", 1)
    async with serving(saying(padded, content_type="application/atom+xml")) as wire, client() as made:
        with pytest.raises(SourceFailed, match="more than 1048576 bytes"):
            await feed_source(made, wire.url).read()


async def test_a_body_without_a_content_type_is_judged_by_its_content_alone() -> None:
    async with polling(saying(b"news", content_type="")) as (source, _):
        assert await source.read() == heard(b"news")


AGES = {"7": 7, "0": 0, "86400": 86400, "-5": None, "soon": None, "": None, "1e3": None, "9" * 40: 10**8, "²": None}


@pytest.mark.parametrize("stated", AGES)
async def test_the_age_of_the_last_answer_is_kept_whatever_it_said(stated: str) -> None:
    expected = AGES[stated]
    age = timedelta(seconds=expected) if expected is not None else None
    async with polling(saying(b"news", age=stated.encode().decode("latin-1"))) as (source, _):
        assert source.age is None
        await source.read()
        assert source.age == age


async def test_the_same_answer_again_has_an_age_of_its_own() -> None:
    not_modified = saying(status="304 Not Modified", content_type="", content_length="", age="900")
    async with polling(saying(b"news", etag='"1"', age="3"), not_modified, unchanged()) as (source, _):
        ages = []
        for _ in range(3):
            await source.read()
            ages.append(source.age)
    assert ages == [timedelta(seconds=3), timedelta(seconds=900), None]
