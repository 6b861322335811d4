"""The status page's history as Atom or RSS: a second opinion, and the fallback when the API fails.

An entry is an incident or a maintenance, its content the updates, newest first, each under a heading such as
`<p><small>Feb 8, 20:01 UTC</small><br><strong>Update</strong> - `: neither an id nor a year, and no seconds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import NoReturn
from urllib.parse import urlsplit
from xml.parsers import expat

import feedparser

from notifier.model import Incident, Snapshot, Topic, Update, Window
from notifier.sources.text import (
    Record,
    Unreadable,
    each,
    identifier,
    instant,
    one_line,
    optional,
    required,
    shortened,
    shown,
    string,
    unique,
    visible_text,
    words,
)

MAINTENANCE = frozenset(("scheduled", "in_progress", "verifying", "completed"))
"""Statuses that only a maintenance has."""

_STAMP = r"(?:[^<>]|</?var\b[^<>]{0,60}>){5,200}"
_HEADING = re.compile(
    rf"(?:\A|</p>)\s*<p>\s*<small>(?P<stamp>{_STAMP})</small>\s*<br\s*/?>\s*"
    r"<strong>(?P<label>[^<>]{1,60})</strong>\s*-\s?"
)
_BANNER = re.compile(rf"<p>\s*<strong>\s*THIS IS A SCHEDULED EVENT(?P<stamps>{_STAMP})</strong>\s*")
_MOMENT = re.compile(
    r"(?:(?P<month>[A-Z][a-z]{2}) (?P<day>\d{1,2}), )?(?P<time>\d\d:\d\d)(?: (?P<zone>[A-Z]{2,5}|[+-]\d\d(?:\d\d)?))?"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ZONES = {
    zone: f"{hours:+03}"
    for hours, zones in {
        -10: "HST", -9: "AKST", -8: "PST AKDT", -7: "MST PDT", -6: "CST MDT", -5: "EST CDT", -4: "AST EDT", -3: "ADT",
        0: "UTC GMT WET", 1: "BST CET WEST", 2: "CEST EET", 3: "EEST MSK", 8: "HKT SGT", 9: "JST KST", 10: "AEST",
        11: "AEDT", 12: "NZST", 13: "NZDT",
    }.items()
    for zone in zones.split()
}  # fmt: skip


def parse_feed(body: bytes) -> Snapshot:
    """`history.atom` or `history.rss`: the newest entries of both kinds. Raises Unreadable.

    An incident's impact, components and ids of updates are not in it, and its times are those displayed, to the minute.
    """
    _refuse_unsafe(body)
    feed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    if feed.bozo or not feed.version:
        raise Unreadable("neither Atom nor RSS")
    notes: list[str] = []
    head = dict(feed.feed)
    clock = optional(head, "updated" if "updated" in head else "published", instant, notes)
    read = partial(_incident, clock=clock, notes=notes)
    incidents = each({"entry": [dict(entry) for entry in feed.entries]}, "entry", read, notes)
    return Snapshot(source="feed", incidents=tuple(unique(incidents)), clock=clock, broken=shortened(notes))


def _refuse_unsafe(body: bytes) -> None:
    """feedparser repairs ill-formed XML slowly and wrongly, a truncated entry included; expat refuses it in no time."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise Unreadable(f"not XML: {error}") from None
    except (ValueError, LookupError) as error:
        raise Unreadable(f"not XML: {one_line(str(error))}") from None


def _no_doctype(*_: object) -> NoReturn:
    raise Unreadable("XML with a document type")


def _incident(entry: Record, *, clock: datetime | None, notes: list[str]) -> Incident:
    published = required(entry, "published", instant)
    updated = optional(entry, "updated", instant, notes)
    ends = optional(entry, "maintenanceenddate", instant, notes)
    html = _content(entry)
    headings = list(_HEADING.finditer(html))
    if not headings or not html.endswith("</p>"):
        raise ValueError("content: not a list of updates")
    banner = _BANNER.fullmatch(html[: headings[0].start()])
    if banner is None and headings[0].start():
        raise ValueError(f"content: begins with {shown(html)}")
    # While a maintenance is scheduled, it is dated to its start; nothing was posted after the feed was made.
    posted_before = min(moment for moment in (published, updated, clock) if moment)
    updates = _updates(html, headings, posted_before)
    planned = banner is not None or ends is not None or any(update.status in MAINTENANCE for update in updates)
    return Incident(
        id=required(entry, "link", _last_segment),
        topic=Topic.MAINTENANCE if planned else Topic.INCIDENT,
        name=required(entry, "title", words),
        status=updates[-1].status,
        updates=updates,
        updated_at=updated,
        window=_window(one_line(visible_text(banner["stamps"])), published, ends) if banner else None,
    )


def _content(entry: Record) -> str:
    """Atom has it in `content`, RSS in `description`, which feedparser calls `summary`."""
    content = entry.get("content")
    stated = content[0] if isinstance(content, list) else {"value": entry.get("summary")}
    return required(stated, "value", string).strip()


def _last_segment(link: object) -> str:
    return identifier(urlsplit(string(link)).path.rstrip("/").rpartition("/")[2])


def _updates(html: str, headings: Sequence[re.Match[str]], posted_before: datetime) -> tuple[Update, ...]:
    """Oldest first. Each year is the one nearest to the newer neighbour; "Update" means the status as it was before."""
    ends = [*(heading.start() for heading in headings[1:]), len(html) - len("</p>")]
    at = posted_before
    found: list[tuple[str, datetime, str]] = []
    for heading, end in zip(headings, ends, strict=True):
        at = _moments(one_line(visible_text(heading["stamp"])), 1, at)[0]
        found.append((one_line(heading["label"]), at, visible_text(html[heading.end() : end])))
    updates: list[Update] = []
    for label, at, text in reversed(found):
        status = updates[-1].status if label == "Update" and updates else label.lower().replace(" ", "_")
        updates.append(Update(id=None, status=status, text=text, at=at))
    return tuple(updates)


def _window(stamps: str, published: datetime, ends: datetime | None) -> Window:
    start, end = _moments(stamps, 2, published)
    return Window(start=start, end=ends or (end if end >= start else end + timedelta(days=1)))


def _moments(text: str, count: int, near: datetime) -> list[datetime]:
    """`Oct 12, 18:00 - 18:30 UTC`: a date holds until the next one, the last zone for all that have none.

    Each is taken in the year that brings it nearest to `near`.
    """
    found = list(_MOMENT.finditer(text))
    moments: list[datetime] = []
    date: tuple[str, str] | None = None
    for match in found:
        date = (match["month"], match["day"]) if match["month"] else date
        candidates = _candidates(date, match["time"], match["zone"] or found[-1]["zone"], near.year)
        moments += sorted(candidates, key=lambda candidate: abs(candidate - near))[:1]
    if len(moments) != count or " - ".join(match[0] for match in found) != text:
        raise ValueError(f"not a time: {shown(text)}")
    return moments


def _candidates(date: tuple[str, str] | None, time: str, zone: str | None, year: int) -> list[datetime]:
    """The moment in this year and its neighbours, where it exists in them."""
    candidates = []
    if date and zone and date[0] in _MONTHS:
        for near in (year - 1, year, year + 1):
            with suppress(ValueError, OverflowError):
                day = f"{near:04}-{_MONTHS.index(date[0]) + 1:02}-{date[1]:0>2}"
                candidates.append(datetime.fromisoformat(f"{day}T{time}{_ZONES.get(zone, zone)}").astimezone(UTC))
    return candidates
