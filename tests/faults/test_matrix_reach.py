"""A page that does not change, cannot be reached, or is not the one that was asked."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from notifier.simulator import Simulator
from tests.faults.deposits import clock, story
from tests.faults.rawpage import RawPage
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.faults.test_matrix_source import ATOM, FEED, SUMMARY, external, shorten, tell_the_rest
from tests.sources.wire import breaking_off, saying, serving

SCRIPT = story()


def lead_to(there: Stage, origin: str) -> None:
    """From now on the page's name leads to another place."""
    for source in there.running.page_sources:
        source._url = f"{origin}{urlsplit(source._url).path}"


def written(folder: Path) -> list[str]:
    """All that the database holds but how polling goes."""
    with closing(sqlite3.connect(folder / "notifier.db")) as database:
        return [line for line in database.iterdump() if not line.startswith('INSERT INTO "sources"')]


@pytest.mark.fault("A1")
async def test_not_modified_is_a_good_reading(tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        await there.at(clock("09:01"))
        assert isinstance(there.site, Simulator)
        told, calls, served = there.told(), len(there.slack.calls), sum(there.site.served.values())
        await there.at(clock("09:03"), clock("09:05"))
        unchanged = {path: count for (path, status), count in there.site.served.items() if status == 304}
        assert unchanged.keys() >= {"/api/v2/summary.json", "/api/v2/incidents.json", "/history.atom"}
        assert sum(there.site.served.values()) == served + 2 * 5
        assert (there.told(), len(there.slack.calls)) == (told, calls), "nobody was bothered"
        for source in await there.running.store.sources():
            assert (source.ok_at, source.failures) == (clock("09:05"), 0)


@pytest.mark.fault("A2")
async def test_the_same_bytes_again_write_nothing_but_when_they_were_read(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"), clock("09:02"))
        told, before, asked = there.told(), written(tmp_path), len(page.asked)
        await there.at(clock("09:04"), clock("09:06"))
        assert len(page.asked) == asked + 2 * 5
        assert written(tmp_path) == before
        assert there.told() == told


@pytest.mark.fault("A5")
async def test_a_host_that_refuses_every_connection_hides_nothing_for_good(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        lead_to(there, "http://127.0.0.1:1")
        await there.at(clock("09:45"))
        assert there.running.poll.is_failing("summary")
        lead_to(there, page.url)
        await tell_the_rest(there)


@pytest.mark.fault("A6")
async def test_a_name_that_is_not_found_hides_nothing_for_good(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        lead_to(there, "http://status.invalid")
        await there.at(clock("09:45"))
        assert there.running.poll.is_failing("summary")
        lead_to(there, page.url)
        await tell_the_rest(there)


@contextmanager
def hanging_resolver() -> Iterator[threading.Event]:
    """Whoever looks up `hanging.invalid` waits until the end; set while somebody does."""
    asked, over, proper = threading.Event(), threading.Event(), socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **more: Any) -> Any:
        if host in ("hanging.invalid", b"hanging.invalid"):
            asked.set()
            over.wait(30)
        return proper(host, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", look_up)
        yield asked
        over.set()


@pytest.mark.fault("A6")
async def test_while_a_resolver_hangs_everybody_is_told_what_is_known(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        there.clock.move(clock("09:01") - there.clock.now())
        summary, incidents = there.running.page_sources[:2]
        await there.running.poll.page(incidents)
        lead_to(there, "http://hanging.invalid")
        with hanging_resolver() as asked:
            async with asyncio.TaskGroup() as tasks:
                polling = tasks.create_task(there.running.poll.page(summary))
                await asyncio.to_thread(asked.wait, 10)
                for sender in there.running.senders:
                    await sender.run(until_empty=True)
                assert [len(told) for told in there.told(SCRIPT.incidents[0].id).values()] == [1, 1]
                assert not polling.done(), "it still waits"
                polling.cancel()
        lead_to(there, page.url)
        await tell_the_rest(there)


FORGED: dict[str, Callable[[trustme.CA], trustme.LeafCert]] = {
    "expired": lambda ca: ca.issue_cert("127.0.0.1", not_after=clock("09:00").replace(year=2020)),
    "of another host": lambda ca: ca.issue_cert("status.kraken.com"),
    "of an authority that nobody knows": lambda _: trustme.CA().issue_cert("127.0.0.1"),
}


@pytest.mark.fault("A7")
@pytest.mark.parametrize("issue", FORGED.values(), ids=FORGED)
async def test_nobody_is_believed_whose_certificate_is(
    issue: Callable[[trustme.CA], trustme.LeafCert], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    forged, honest = (ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) for _ in range(2))
    issue(authority).configure_cert(forged)
    authority.issue_cert("127.0.0.1").configure_cert(honest)
    page = RawPage(SCRIPT)
    async with (
        serving(saying(SUMMARY), tls=forged) as thief,
        serving(saying(SUMMARY), tls=honest) as trusted,
        stage(SCRIPT, tmp_path, page) as there,
    ):
        await there.at(clock("09:01"))
        lead_to(there, thief.url)
        await there.at(clock("10:15"))
        assert there.running.poll.is_failing("summary") and thief.requests == [], "it was not even asked"
        assert [len(told) for told in there.told(SCRIPT.incidents[0].id).values()] == [1, 1]
        lead_to(there, trusted.url)
        assert not (await there.running.poll.page(there.running.page_sources[0])).reason, "a good one is believed"
        lead_to(there, page.url)
        await tell_the_rest(there)


@pytest.mark.fault("A13")
@pytest.mark.parametrize("status", ["301 Moved Permanently", "307 Temporary Redirect"])
async def test_a_redirect_is_not_followed(status: str, tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with serving(saying(SUMMARY)) as elsewhere, stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        shorten(there)
        page.answer("api", saying(SUMMARY, status, location=f"{elsewhere.url}/summary.json"))
        page.answer("feed", saying(FEED, status, location=f"{elsewhere.url}/feed", content_type=ATOM))
        await there.at(clock("09:45"), clock("10:15"))
        assert elsewhere.connections == 0
        assert [len(there.told(SCRIPT.incidents[0].id)[each]) for each in (SLACK, TELEGRAM)] == [1, 1]
        page.heal()
        shorten(there, 20)
        await tell_the_rest(there)


@pytest.mark.fault("A30")
async def test_no_host_is_asked_that_a_feed_names(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with serving(saying(b"Gone")) as elsewhere, stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        page.answer("api", breaking_off(b""))
        page.answer("feed", saying(external(f"{elsewhere.url}/entity"), content_type=ATOM))
        await there.at(clock("10:15"))
        assert elsewhere.connections == 0
        page.heal()
        await tell_the_rest(there)
