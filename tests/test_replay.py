"""The diff on what real pages served: 900 feeds of one page in a row, and 320 incidents update by update."""

from __future__ import annotations

import json
import lzma
import tarfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from notifier.diff import diff_page
from notifier.known import Known, KnownPage
from notifier.model import TERMINAL, Change, Kind, Phase, Snapshot
from notifier.sources.feed import parse_feed
from notifier.sources.statuspage import parse_incident
from tests.builders import NOW, after

DATA = Path(__file__).parents[2] / "shared" / "data"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the captures of real pages are not beside the checkout")

LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def feeds() -> Iterator[tuple[dict[str, Any], Snapshot]]:
    """Each of the 900 copies with what was worked out, by other means, of its difference to the one before.

    One whose entries are byte for byte those of the one before is not parsed again: that takes most of the time.
    """
    rows = (DATA / "github-atom" / "transitions.jsonl").read_text().splitlines()
    with tarfile.open(DATA / "github-atom" / "snapshots-0001-0900.tar.xz") as archive:
        copies = {member.name: body.read() for member in archive if (body := archive.extractfile(member))}
    entries, seen = b"", Snapshot(source="feed")
    for row, (_, copy) in zip(map(json.loads, rows), sorted(copies.items()), strict=True):
        if copy.partition(b"<entry>")[2] != entries:
            entries, seen = copy.partition(b"<entry>")[2], parse_feed(copy)
        yield row, seen


def counted(changes: tuple[Change, ...], kind: Kind) -> Counter[str]:
    """How often each incident is in the news of this kind."""
    return Counter(change.incident_id or "" for change in changes if change.kind is kind)


def test_900_feeds_in_a_row_give_the_news_that_there_was_and_no_other() -> None:
    known = Known()
    announced = Counter[str]()
    for number, (row, seen) in enumerate(feeds()):
        news = diff_page(known, seen, NOW, baseline=number == 0)
        new = {each.id: len(each.updates) for each in seen.incidents if each.id in row.get("new", ())}
        posted = new | row.get("appended", {})
        renamed = Counter(key for key in row.get("title_changed", ()) if key not in posted)

        assert counted(news.changes, Kind.UPDATE_POSTED) == posted, row["file"]
        assert counted(news.changes, Kind.UPDATE_EDITED) == row.get("body_edited", {}), row["file"]
        assert counted(news.changes, Kind.INCIDENT_RETITLED) == renamed, row["file"]
        assert {change.kind for change in news.changes} <= TOLD, row["file"]

        known = after(known, news)
        announced += Counter(change.key for change in news.changes)
    assert number == 899
    assert set(announced.values()) == {1}
    assert len(announced) > 2000


TOLD = {Kind.UPDATE_POSTED, Kind.UPDATE_EDITED, Kind.INCIDENT_RETITLED}


def incidents() -> list[dict[str, Any]]:
    with lzma.open(DATA / "github-incidents" / "320-incidents.jsonl.xz") as lines:
        return [json.loads(line) for line in lines]


def time_lapse(answer: dict[str, Any]) -> Iterator[Snapshot]:
    """The incident as it must have been served after each of its updates."""
    incident = answer["incident"]
    updates = sorted(incident["incident_updates"], key=lambda update: update["created_at"])
    for count, newest in enumerate(updates, 1):
        then = {"status": newest["status"], "updated_at": newest["created_at"], "resolved_at": None}
        shown = {**incident, "incident_updates": updates[count - 1 :: -1], **(then if count < len(updates) else {})}
        yield parse_incident(json.dumps({"page": answer["page"], "incident": shown}).encode())


def test_320_incidents_update_by_update_tell_each_once_and_in_order() -> None:
    told = 0
    for answer in incidents():
        page = KnownPage(id=answer["page"]["id"], watched_since=LONG_AGO, sources=("lookup",))
        known, changes = Known(page=page), list[Change]()
        for seen in time_lapse(answer):
            news = diff_page(known, seen, NOW, baseline=False)
            known = after(known, news)
            changes += news.changes
            assert diff_page(known, seen, NOW, baseline=False).changes == ()
        updates = sorted(answer["incident"]["incident_updates"], key=lambda update: update["created_at"])

        assert [change.update_id for change in changes] == [update["id"] for update in updates]
        assert {change.kind for change in changes} == {Kind.UPDATE_POSTED}
        phases = [change.phase for change in changes]
        assert phases.count(Phase.OPENED) == (updates[0]["status"] not in TERMINAL)
        assert phases.count(Phase.RESOLVED) == 1 + phases.count(Phase.REOPENED)
        assert not known.incidents[answer["incident"]["id"]].open
        told += len(changes)
    assert told > 700
