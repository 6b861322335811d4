"""Odd documents: whatever a page writes into its fields, every update is told once, in order, and in clean words."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from notifier.simulator import load
from tests.faults.deposits import STORY, TEXTS, clock, story, texts_in
from tests.faults.rawpage import Document, RawPage
from tests.faults.stage import stage
from tests.sources.wire import breaking_off

SCRIPT = story()
TIMES = ("created_at", "updated_at", "display_at", "started_at", "monitoring_at", "resolved_at")
UPDATES = (clock("09:01"), clock("09:21"), clock("09:42"), clock("10:11"))
"""Soon after each of them."""


def incidents(document: Document) -> list[Document]:
    single = document.get("incident") or document.get("scheduled_maintenance")
    return [*document.get("incidents", ()), *document.get("scheduled_maintenances", ()), *([single] if single else ())]


def updates(document: Document) -> list[Document]:
    return [update for incident in incidents(document) for update in incident["incident_updates"]]


def objects(value: Any) -> Iterator[Document]:
    """Every JSON object within."""
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in [*children]:
        yield from objects(child)
    if isinstance(value, dict):
        yield value


def everywhere(change: Callable[[Document], object]) -> Callable[[Document], None]:
    def edit(document: Document) -> None:
        for each in objects(document):
            change(each)

    return edit


def times(change: Callable[[str], str | None], *keys: str) -> Callable[[Document], None]:
    """Every time under these keys becomes what `change` makes of it."""
    return everywhere(lambda each: each.update({key: change(each[key]) for key in keys if each.get(key)}))


def moved(**by: float) -> Callable[[str], str]:
    return lambda text: (datetime.fromisoformat(text) + timedelta(**by)).isoformat()


def without_times(each: Document) -> None:
    for key in TIMES:
        if key != "created_at" or "incident_updates" in each:
            each.pop(key, None)


def updates_twice(document: Document) -> None:
    for incident in incidents(document):
        incident["incident_updates"] = [deepcopy(each) for each in incident["incident_updates"] for _ in range(2)]


def numbers_as_ids(each: Document) -> None:
    each.update({key: crc32(each[key].encode()) for key in ("id", "incident_id", "page_id", "code") if each.get(key)})


def said(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda body: body.replace(old.encode(), new.encode())


def edited(change: Callable[[Document], object]) -> Callable[[bytes], bytes]:
    def rewrite(body: bytes) -> bytes:
        document = json.loads(body)
        if "errors" not in document:
            change(document)
        return json.dumps(document).encode()

    return rewrite


TOKYO = timezone(timedelta(hours=9))

ODD: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "times of 2099": ("A22", edited(times(moved(days=26_600), "display_at", "updated_at"))),
    "updates posted in 2099": ("A22", edited(times(moved(days=26_600), "display_at", "created_at"))),
    "times shown long ago": ("A22", edited(times(moved(days=-9_000), "display_at"))),
    "updates posted long ago": ("A22", edited(times(moved(days=-9_000), "display_at", "created_at", "updated_at"))),
    "times of another zone": (
        "A22",
        edited(times(lambda text: datetime.fromisoformat(text).astimezone(TOKYO).isoformat(), *TIMES)),
    ),
    "times that are null": ("A22", edited(times(lambda _: None, *set(TIMES) - {"created_at"}))),
    "times of posting that are null": ("A22", edited(times(lambda _: None, "created_at"))),
    "times without a zone": ("A22", edited(times(lambda text: text.rstrip("Z"), *set(TIMES) - {"created_at"}))),
    "times that are missing": ("A22", edited(everywhere(without_times))),
    "all updates shown at one minute": (
        "A22",
        edited(times(lambda _: "2026-05-12T09:00:00.000Z", "display_at")),
    ),
    "a byte order mark": ("A25", lambda body: b"\xef\xbb\xbf" + body),
    "NUL in all words": ("A25", said("Deposits are", "Dep\\u0000osits are")),
    "half of a surrogate pair": ("A25", said("Deposits are", "Deposits \\ud83dare")),
    "what a terminal obeys": ("A25", said("Deposits are", "\\u001bDeposits\\u0007 are\\u009b")),
    "fields that nobody knows": ("A26", edited(everywhere(lambda each: each.update({"mood": {"now": ["odd", None]}})))),
    "an impact that nobody knows": ("A27", said('"impact": "minor"', '"impact": "apocalyptic"')),
    "components affected by nothing": (
        "A29",
        edited(everywhere(lambda each: each.update({k: None for k in ("affected_components",) if k in each}))),
    ),
    "every update twice": ("A29", edited(updates_twice)),
    "every incident twice": (
        "A29",
        edited(lambda d: d.update({k: d[k] * 2 for k in ("incidents", "scheduled_maintenances") if k in d})),
    ),
    "numbers as ids": ("A29", edited(everywhere(numbers_as_ids))),
}


def rows() -> list[object]:
    return [pytest.param(rewrite, id=name, marks=pytest.mark.fault(row)) for name, (row, rewrite) in ODD.items()]


@pytest.mark.parametrize("rewrite", rows())
async def test_a_page_is_told_like_any_other_that_has(rewrite: Callable[[bytes], bytes], tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    page.rewrite("api", lambda body: rewrite(body) if b'"incident' in body or b'"scheduled' in body else body)
    page.answer("feed", breaking_off(b""))
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(*UPDATES)
        there.clock.move(timedelta(minutes=1))
        await there.at(there.clock.now())
        for told in there.told().values():
            assert texts_in(told) == [[text] for text in TEXTS]
            assert "Resolved: Deposits are delayed" in told[-1]
            assert not any("Resolved" in text for text in told[:-1])
        stored = "\n".join(incident.name for incident in await there.running.store.incidents())
        assert not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", stored.replace("\n", ""))


@pytest.mark.fault("A27")
async def test_a_status_that_nobody_knows_is_shown_and_ends_nothing(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    page.rewrite("api", said('"identified"', '"under_appeal"'))
    page.answer("feed", breaking_off(b""))
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(*UPDATES)
        for told in there.told().values():
            assert texts_in(told) == [[text] for text in TEXTS]
            assert "Under appeal: Deposits are delayed" in told[1]
            assert [("Resolved" in text) for text in told] == [False, False, False, True]


@pytest.mark.fault("A27")
async def test_an_impact_that_nobody_knows_is_shown(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    page.rewrite("api", said('"impact": "minor"', '"impact": "apocalyptic"'))
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(*UPDATES[:1])
        for told in there.told().values():
            assert "apocalyptic" in told[0].lower()


BROKEN: Mapping[str, Callable[[Document], object]] = {
    "no id": lambda incident: incident.pop("id"),
    "an id of many words": lambda incident: incident.update(id="../../etc/passwd"),
    "no name": lambda incident: incident.update(name=None),
    "a status that is a number": lambda incident: incident.update(status=7),
    "no updates": lambda incident: incident.pop("incident_updates"),
    "updates that are a word": lambda incident: incident.update(incident_updates="none"),
    "updates without ids": lambda incident: [update.pop("id") for update in incident["incident_updates"]],
    "components that are words": lambda incident: incident.update(components=["Website", 7]),
    "another form altogether": lambda incident: incident.clear(),
}


@pytest.mark.fault("A28")
@pytest.mark.parametrize("breaking", BROKEN.values(), ids=BROKEN)
async def test_beside_one_incident_that_is_broken_the_others_are_told(
    breaking: Callable[[Document], object], tmp_path: Path
) -> None:
    page = RawPage(SCRIPT)

    def add(document: Document) -> None:
        for key in ("incidents", "scheduled_maintenances"):
            for whole in document.get(key, ())[:1]:
                broken = deepcopy(whole) | {"id": "broken000000", "name": "Never to be told"}
                for update in broken["incident_updates"]:
                    update["id"] = f"x{update['id']}"
                    update["body"] = "Never to be told."
                breaking(broken)
                document[key].insert(0, broken)

    page.edit("/api/v2/*s.json", add)
    page.edit("/api/v2/summary.json", add)
    page.answer("feed", breaking_off(b""))
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(*UPDATES)
        for told in there.told().values():
            told = [text for text in told if "Never to be told" not in text]
            assert texts_in(told) == [[text] for text in TEXTS]


@pytest.mark.fault("A19")
@pytest.mark.parametrize("second", ["09:00:03.250", "09:00:41.000"])
@pytest.mark.parametrize("silent", ["api", "feed", "nobody"])
async def test_two_updates_of_one_moment_are_both_told_in_the_order_of_posting(
    second: str, silent: str, tmp_path: Path
) -> None:
    script = load(STORY.replace("09:20:05.500", second))
    page = RawPage(script)
    page.answer(silent, breaking_off(b""))
    async with stage(script, tmp_path, page) as there:
        await there.at(clock("09:00:45"), *UPDATES[2:])
        page.heal()
        await there.at(clock("10:20"))
        for told in there.told().values():
            assert [text for texts in texts_in(told) for text in texts] == [*TEXTS]
