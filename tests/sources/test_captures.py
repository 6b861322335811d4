"""Every page that was really captured is read whole. The captures stand beside the checkout and are no part of it."""

from __future__ import annotations

import lzma
import re
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from notifier.model import Incident, Snapshot, Topic, Window, fingerprint
from notifier.sources.exchange import parse_exchange
from notifier.sources.feed import parse_feed
from notifier.sources.statuspage import parse_incident, parse_incidents, parse_maintenances, parse_summary

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the captures of real pages are not beside the checkout")

PAGES: dict[str, Callable[[bytes], Snapshot]] = {
    "anthropic/scheduled-maintenances-20260915.json": parse_maintenances,
    "anthropic/summary-1-20260915.json": parse_summary,
    "anthropic/summary-2-20260922T0101.json": parse_summary,
    "anthropic/summary-3-20260922T0601.json": parse_summary,
    "anthropic/summary-4-20261008T0110.json": parse_summary,
    "coinbase/history-20261008T071507Z.rss": parse_feed,
    "discord/incidents.json": parse_incidents,
    "discord/incidents_unresolved.json": parse_incidents,
    "discord/scheduled-maintenances.json": parse_maintenances,
    "discord/scheduled-maintenances_active.json": parse_maintenances,
    "discord/scheduled-maintenances_upcoming.json": parse_maintenances,
    "discord/summary.json": parse_summary,
    "emma/incidents-20190221.json": parse_incidents,
    "github-incidents-50/1091-2025-06-18T043514Z.atom": parse_feed,
    "github-incidents-50/1092-2025-06-19T043437Z.atom": parse_feed,
    "github-incidents-50/incidents-20250618T220145Z.json": parse_incidents,
    "kraken/history-20261008T070112Z.rss": parse_feed,
}

ENTRY = re.compile(rb"<entry>.*?</entry>", re.DOTALL)


def captured(name: str) -> bytes:
    return (DATA / name).read_bytes()


def told(incident: Incident) -> tuple[str, str, list[str]]:
    """What both the API and the feed show of an incident."""
    return incident.name, incident.status, [fingerprint(u.status, u.at, u.text) for u in incident.updates]


def edited_later(name: str) -> set[str]:
    """The incidents that the feed tells otherwise than the API did."""
    api = {
        each.id: each
        for each in parse_incidents(captured("github-incidents-50/incidents-20250618T220145Z.json")).incidents
    }
    feed = [each for each in parse_feed(captured(name)).incidents if each.id in api]
    assert len(feed) > 20
    return {each.id for each in feed if told(each) != told(api[each.id])}


@pytest.mark.parametrize(("name", "parse"), PAGES.items(), ids=PAGES)
def test_nothing_on_a_real_page_is_broken(name: str, parse: Callable[[bytes], Snapshot]) -> None:
    snapshot = parse(captured(name))
    assert snapshot.broken == ()
    assert snapshot.clock is not None


def test_nothing_in_320_real_incidents_is_broken() -> None:
    with lzma.open(DATA / "github-incidents" / "320-incidents.jsonl.xz") as lines:
        snapshots = [parse_incident(line) for line in lines]
    assert len(snapshots) == 320
    assert [snapshot.broken for snapshot in snapshots if snapshot.broken] == []


def test_the_feed_tells_what_the_api_told_hours_before() -> None:
    assert edited_later("github-incidents-50/1092-2025-06-19T043437Z.atom") == set()


def test_the_api_tells_what_the_feed_told_the_day_before_but_for_two_bodies_edited_since() -> None:
    assert edited_later("github-incidents-50/1091-2025-06-18T043514Z.atom") == {"y7lb2rg4btd7", "6nxmxxqcgmh7"}


def test_every_update_of_900_days_of_feeds_is_read_and_nothing_is_left_over() -> None:
    """Each version of an entry once, in feeds of a hundred."""
    versions = dict.fromkeys(entry for body in _daily_feeds() for entry in ENTRY.findall(body))
    entries = list(versions)
    assert len(entries) > 500
    read = updates = 0
    for start in range(0, len(entries), 100):
        body = b'<feed xmlns="http://www.w3.org/2005/Atom"><title>History</title>%s</feed>'
        # One incident may come in several versions: each gets a link of its own.
        some = [
            re.sub(rb"(/incidents/\w+)", rb"\1-%d" % n, entry) for n, entry in enumerate(entries[start : start + 100])
        ]
        snapshot = parse_feed(body % b"".join(some))
        assert snapshot.broken == ()
        read += len(snapshot.incidents)
        updates += sum(len(incident.updates) for incident in snapshot.incidents)
        assert [i.id for i in snapshot.incidents if i.updates != tuple(sorted(i.updates, key=lambda u: u.at))] == []
    assert read == len(entries)
    assert updates == sum(entry.count(b"&lt;small&gt;") for entry in entries)


def _daily_feeds() -> Iterator[bytes]:
    with tarfile.open(DATA / "github-atom" / "snapshots-0001-0900.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                yield file.read()


def test_kraken_s_own_feed_is_understood() -> None:
    found = {each.id: each for each in parse_feed(captured("kraken/history-20261008T070112Z.rss")).incidents}
    planned, minute, long = found["3kr7d2c1hhj6"], found["g1sdgt3y4dtj"], found["074rbtn08wzw"]
    assert (planned.topic, planned.status) == (Topic.MAINTENANCE, "scheduled")
    assert planned.window == Window(
        start=datetime(2026, 10, 12, 18, tzinfo=UTC), end=datetime(2026, 10, 12, 18, 30, tzinfo=UTC)
    )
    assert [update.status for update in minute.updates] == ["scheduled", "in_progress", "completed"]
    assert [len(long.updates), long.topic, long.status] == [20, Topic.INCIDENT, "resolved"]
    assert [str(update.at.date()) for update in (long.updates[0], long.updates[-1])] == ["2026-09-04", "2026-10-07"]


def test_a_page_on_pacific_time_is_understood() -> None:
    found = {each.id: each for each in parse_feed(captured("coinbase/history-20261008T071507Z.rss")).incidents}
    updates = found["wrw9dc78yfcn"].updates
    assert [update.at for update in updates] == [
        datetime(2026, 10, 8, 3, minute, tzinfo=UTC) for minute in (18, 26, 26)
    ]


def test_both_offsets_of_a_page_with_summer_time_are_honoured() -> None:
    body = captured("emma/incidents-20190221.json")
    raw = set(re.findall(rb'"created_at": "[^"]+(-0\d:00)"', body))
    assert raw == {b"-05:00", b"-06:00"}
    starts = [incident.updates[0].at for incident in parse_incidents(body).incidents]
    assert {moment.utcoffset() for moment in starts} == {UTC.utcoffset(None)}


@pytest.mark.parametrize("name", ["rest-SystemStatus.captured.jsonl", "rest-SystemStatus.documented-examples.jsonl"])
def test_the_engine_s_real_answers_are_understood(name: str) -> None:
    lines = [line for line in captured(f"kraken/{name}").splitlines() if b'"result"' in line]
    snapshots = [parse_exchange(line) for line in lines]
    assert len(snapshots) >= 3
    assert [snapshot.broken for snapshot in snapshots if snapshot.broken] == []
    assert {snapshot.exchange.status for snapshot in snapshots if snapshot.exchange} <= {
        "online",
        "maintenance",
        "cancel_only",
    }
