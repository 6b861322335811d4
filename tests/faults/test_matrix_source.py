"""What comes instead of an answer changes nothing, and what it hid is told once as soon as the page can be read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from notifier.simulator.site import copy
from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.rawpage import RawPage
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.sources.wire import Answer, bomb, breaking_off, endless, response, saying, stalling

SCRIPT = story()
ATOM = "application/atom+xml"
SUMMARY = copy(SCRIPT, "/api/v2/summary.json", clock("10:20")).body
FEED = copy(SCRIPT, "/history.atom", clock("10:20")).body
"""Both as they stand after the end: whoever believes them would tell of it."""
PACKED, PACKED_FEED = gzip.compress(SUMMARY), gzip.compress(FEED)
HTML = b"<!DOCTYPE html><html><body>Log in to use this network</body></html>"
BOMB = bomb(200)
HEAD = response(content_length="")
ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@dataclass(frozen=True, kw_only=True)
class Instead:
    """What the API and the feed answer, and the rows of the matrix that this is."""

    rows: str
    api: Answer
    feed: Answer


def both(rows: str, answer: Answer) -> Instead:
    return Instead(rows=rows, api=answer, feed=answer)


def packed(rows: str, api: bytes, feed: bytes) -> Instead:
    return Instead(
        rows=rows,
        api=saying(api, content_encoding="gzip"),
        feed=saying(feed, content_encoding="gzip", content_type=ATOM),
    )


def as_feed(rows: str, feed: bytes, **headers: str) -> Instead:
    """The API says nothing at all."""
    return Instead(rows=rows, api=breaking_off(b""), feed=saying(feed, content_type=ATOM, **headers))


def external(host: str) -> bytes:
    return FEED.replace(b"<feed", f'<!DOCTYPE f [<!ENTITY x SYSTEM "{host}">]><feed'.encode(), 1).replace(
        b"<title>Deposits", b"<title>&x; Deposits"
    )


INSTEAD: Mapping[str, Instead] = {
    "500": both("A4", saying(HTML, "500 Internal Server Error", content_type="text/html")),
    "502": both("A4", saying(SUMMARY, "502 Bad Gateway")),
    "503": both("A4", saying(b"", "503 Service Unavailable", retry_after="5")),
    "504": both("A4", saying(b"upstream", "504 Gateway Timeout", content_type="text/plain")),
    "a connection that is cut": both("A5", breaking_off(b"")),
    "no answer": both("A5", stalling(b"")),
    "headers, then silence": both("A5", stalling(HEAD)),
    "half a body, then silence": both("A5", stalling(HEAD + SUMMARY[:5_000])),
    "one byte after the other": both("A5", endless(response(content_length=str(2**20)), b" ")),
    "JSON and a feed that end in the middle": Instead(
        rows="A8", api=saying(SUMMARY[: len(SUMMARY) // 2]), feed=saying(FEED[: len(FEED) // 2], content_type=ATOM)
    ),
    "fewer bytes than announced": both("A9", breaking_off(response(SUMMARY, content_length=str(len(SUMMARY) + 1)))),
    "half of the gzip": packed("A10", PACKED[: len(PACKED) // 2], PACKED_FEED[: len(PACKED_FEED) // 2]),
    "the first ten bytes of the gzip": packed("A10", PACKED[:10], PACKED_FEED[:10]),
    "gzip of nothing": packed("A10", gzip.compress(b""), gzip.compress(b"")),
    "HTML": both("A11", saying(HTML, content_type="text/html; charset=utf-8")),
    "HTML that says it is what was asked for": Instead(
        rows="A11", api=saying(HTML), feed=saying(HTML, content_type=ATOM)
    ),
    "an empty object": both("A12", saying(b"{}")),
    "an empty list": both("A12", saying(b"[]")),
    "no incidents, and not whose": both("A12", saying(b'{"incidents": [], "scheduled_maintenances": []}')),
    "no incidents of another page": both(
        "A12 H12", saying(b'{"page": {"id": "another"}, "incidents": [], "scheduled_maintenances": []}')
    ),
    "100 MB": both("A23", endless(response(content_length=str(100 * 2**20)), b" " * 2**16)),
    "a body without end": both("A23", endless(HEAD, SUMMARY)),
    "headers without end": both("A23", endless(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000)),
    "a gzip bomb": packed("A24", BOMB, BOMB),
    "bytes that are no UTF-8": Instead(
        rows="A25",
        api=saying(SUMMARY.replace(b"Deposits", b"D\xffposits")),
        feed=saying(FEED.replace(b"Deposits", b"D\xffposits"), content_type=ATOM),
    ),
    "entities that multiply": as_feed(
        "A30", FEED.replace(b"<feed", f'<!DOCTYPE f [<!ENTITY l0 "ha">{ENTITIES}]><feed'.encode(), 1)
    ),
    "an entity that is a file": as_feed("A30", external("file:///etc/hostname")),
    "an entity that is a web page": as_feed("A30", external("http://127.0.0.1:1/")),
    "a word of 8 MB": as_feed("A30", b"<feed><" + b"a" * 8 * 2**20),
    "a word of a megabyte, packed": as_feed(
        "A30", gzip.compress(b"<feed><" + b"a" * 1_000_000), content_encoding="gzip"
    ),
    "a feed that ends within an entry": as_feed("A31", FEED[: FEED.index(b"</entry>") - 9]),
    "a feed that ends within its last entry": as_feed("A31", FEED[: FEED.rindex(b"</content>")]),
    "a feed without an entry": as_feed("A32", FEED[: FEED.index(b"<entry>")] + b"</feed>"),
}


def cases() -> list[object]:
    """Each marked with the rows that it is."""
    return [pytest.param(case, id=name, marks=pytest.mark.fault(*case.rows.split())) for name, case in INSTEAD.items()]


def shorten(there: Stage, seconds: float = 0.1) -> None:
    """Nobody waits for an answer longer than that."""
    for source in there.running.page_sources:
        source._deadline = seconds


async def tell_the_rest(there: Stage) -> None:
    """The incident was seen to open; now the page can be read after its end: all that was hidden is told, in one."""
    before = there.told(SCRIPT.incidents[0].id)
    assert texts_in(before[SLACK]) == texts_in(before[TELEGRAM]) == [TEXTS[:1]], "nothing was concluded meanwhile"
    await there.at(clock("10:20"))
    for told in there.told(SCRIPT.incidents[0].id).values():
        assert texts_in(told) == [TEXTS[:1], TEXTS[1:]]
        assert "Resolved: Deposits are delayed" in told[1]
    assert len(there.slack.messages) == 3, "the welcome is the third"


@pytest.mark.parametrize("case", cases())
async def test_nothing_is_concluded_from(case: Instead, tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        shorten(there)
        page.answer("api", case.api)
        page.answer("feed", case.feed)
        await there.at(clock("09:25"), clock("10:15"))
        assert [each.id for each in await there.running.store.open_incidents()] == [SCRIPT.incidents[0].id]
        page.heal()
        shorten(there, 20)
        await tell_the_rest(there)


RETRY_AFTER = {
    "soon": ("1", 9, 11),
    "half a minute": ("30", 30, 30),
    "three hours": ("10800", 900, 900),
    "never again": ("1000000000", 900, 900),
    "before now": ("-5", 9, 11),
    "a date": ("Tue, 12 May 2026 09:47:00 GMT", 120, 120),
    "a date long ago": ("Tue, 12 May 2020 09:47:00 GMT", 9, 11),
    "nonsense": ("when it's done", 9, 11),
    "more digits than a number may have": ("9" * 5_000, 9, 11),
    "nothing": ("", 9, 11),
}


@pytest.mark.fault("A3")
async def test_too_many_questions_are_a_wait_within_reason(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        summary, date = there.running.page_sources[0], "Tue, 12 May 2026 09:45:00 GMT"
        for case, (wish, least, most) in RETRY_AFTER.items():
            page.heal()
            assert not (await there.running.poll.page(summary)).reason
            page.answer("api", saying(SUMMARY, "429 Too Many Requests", retry_after=wish, date=date))
            page.answer("feed", saying(FEED, "429 Too Many Requests", retry_after=wish, date=date, content_type=ATOM))
            assert least <= there.running.rounds._wait(summary, await there.running.poll.page(summary)) <= most, case
        await there.at(clock("09:45"))
        page.heal()
        await tell_the_rest(there)


@pytest.mark.fault("A4")
async def test_a_page_that_stays_away_is_asked_ever_less_often(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        page.answer("*", saying(b"", "503 Service Unavailable"))
        summary = there.running.page_sources[0]
        waits = [there.running.rounds._wait(summary, await there.running.poll.page(summary)) for _ in range(12)]
        assert max(waits[:2]) <= 11 and waits[5] > 100 and 270 <= max(waits) <= 330
        page.heal()
        await tell_the_rest(there)
        assert there.running.rounds._wait(summary, await there.running.poll.page(summary)) <= 22, (
            "and at once as usual again"
        )


@pytest.mark.fault("A12")
async def test_a_list_that_is_empty_by_mistake_ends_nothing(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    empty = {"page": json.loads(SUMMARY)["page"], "components": [], "incidents": [], "scheduled_maintenances": []}
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        for name in ("summary", "incidents", "scheduled-maintenances"):
            page.answer(f"/api/v2/{name}.json", saying(json.dumps(empty).encode()))
        page.answer("feed", saying(FEED[: FEED.index(b"<entry>")] + b"</feed>", content_type=ATOM))
        for minute in range(10):
            await there.at(clock(f"09:0{minute}:30"))
        told = there.told(SCRIPT.incidents[0].id)
        assert texts_in(told[SLACK]) == texts_in(told[TELEGRAM]) == [TEXTS[:1]]
        assert f"/api/v2/incidents/{SCRIPT.incidents[0].id}.json" in page.asked, "it was asked for by name"
        page.heal()
        await tell_the_rest(there)
