"""A status page that grows in the test's hand, and the readings of it: as it is, as it was, empty, broken.

It answers like the real one, in JSON and Atom, to the real sources.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import httpx

from notifier.simulator.feed import atom
from notifier.simulator.page import instant
from notifier.simulator.script import Script
from notifier.simulator.shown import Shown, shown, turn
from notifier.simulator.story import Edit, Incident, Page, Retitle, Update
from notifier.sources.feed import parse_feed
from notifier.sources.fetch import FEED, FEED_BYTES, PageLookup, Polled, page_sources

URL = "https://status.kraken.com"
ENDS = ("resolved", "postmortem")


class Reading(StrEnum):
    """How a reading comes off."""

    WHOLE = "whole"
    EMPTY = "empty"
    CUT = "cut"
    REFUSED = "refused"


@dataclass
class ModelPage:
    """Every update says `u7e1`, its number and edition on the whole page, so that it is found again anywhere."""

    now: Callable[[], datetime]
    script: Script = field(init=False)
    posted: dict[int, str] = field(default_factory=dict)
    """Number of an update → id of its incident."""
    editions: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        start = self._instant()
        self.script = Script(page=Page(start=start, end=start + timedelta(days=999), history=0))
        self._reading, self._at = Reading.WHOLE, start
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self._client = client

    def sources(self) -> dict[str, Polled]:
        summary, incidents, _ = page_sources(self._client, URL)
        feed = Polled("feed", self._client, f"{URL}/history.atom", parse_feed, max_bytes=FEED_BYTES, accept=FEED)
        return {"summary": summary, "incidents": incidents, "feed": feed}

    def lookup(self) -> PageLookup:
        return PageLookup(self._client, URL)

    def will_be_read(self, reading: Reading = Reading.WHOLE, changes_ago: int = 0) -> None:
        """How the next readings come off, and how many changes of the page they lack."""
        turns = [self.script.page.start, *self.script.turns]
        self._reading = reading
        self._at = turns[max(0, len(turns) - 1 - changes_ago)]

    # What Kraken does.

    def incident(self, name: str) -> Incident | None:
        return next((each for each in self.script.incidents if each.name == name), None)

    def post(self, name: str, status: str, impact: str | None = None) -> str:
        """The next update of an incident, or its first; what was posted, in words."""
        number = len(self.posted) + 1
        here = self.incident(name)
        update = Update(at=self._instant(), status=status, text=f"Words u{number}e1 here.", impact=impact)  # type: ignore[arg-type]
        here = (
            replace(here, updates=(*here.updates, update))
            if here
            else Incident(name=name, title=f"Trouble {name}", updates=(update,))
        )
        self._put(here)
        self.posted[number], self.editions[number] = here.id, 1
        return f"u{number}"

    def edit(self, name: str, place: int) -> str:
        here = self._there(name)
        place = place % len(here.updates) + 1
        number = [number for number, incident in self.posted.items() if incident == here.id][place - 1]
        self.editions[number] += 1
        text = f"Words u{number}e{self.editions[number]} here."
        self._put(replace(here, edits=(*here.edits, Edit(at=self._instant(), update=place, text=text))))
        return f"u{number}e{self.editions[number]}"

    def retitle(self, name: str, title: str | None, impact: str | None) -> None:
        here = self._there(name)
        step = Retitle(at=self._instant(), title=title, impact=impact)  # type: ignore[arg-type]
        self._put(replace(here, retitles=(*here.retitles, step)))

    def _there(self, name: str) -> Incident:
        here = self.incident(name)
        assert here is not None
        return here

    def _put(self, incident: Incident) -> None:
        others = [each for each in self.script.incidents if each.name != incident.name]
        self.script = replace(self.script, incidents=(*others, incident))

    def _instant(self) -> datetime:
        """The page's clock knows milliseconds."""
        now = self.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    # What is true of it.

    def is_over(self, incident_id: str) -> bool:
        return any(seen.over for seen in shown(self.script, self._instant()) if seen.incident.id == incident_id)

    def was_ever_over(self, incident_id: str) -> bool:
        return any(
            update.status in ENDS for each in self.script.incidents for update in each.updates if each.id == incident_id
        )

    # What is answered.

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if self._reading is Reading.REFUSED:
            return httpx.Response(503)
        body = self._feed() if path == "/history.atom" else self._json(path.removeprefix("/api/v2/"))
        if body is None:
            return httpx.Response(404)
        if self._reading is Reading.CUT:
            body = body[: len(body) // 2]
        kind = "application/atom+xml" if path == "/history.atom" else "application/json"
        return httpx.Response(200, stream=httpx.ByteStream(body), headers={"content-type": kind})

    def _feed(self) -> bytes:
        script = replace(self.script, incidents=()) if self._reading is Reading.EMPTY else self.script
        return atom(script, self._at).encode()

    def _json(self, path: str) -> bytes | None:
        seen = shown(self.script, self._at)
        envelope: dict[str, Any] = {"page": {"id": "lfz25gyhcpjf", "updated_at": instant(turn(self.script, self._at))}}
        if path in ("summary.json", "incidents.json"):
            listed = [each for each in seen if path == "incidents.json" or not each.over]
            listed = [] if self._reading is Reading.EMPTY else listed
            lists = {"incidents": [_told(each) for each in listed], "scheduled_maintenances": []}
            return json.dumps(envelope | lists).encode()
        one = next((each for each in seen if path == f"incidents/{each.incident.id}.json"), None)
        return json.dumps(envelope | {"incident": _told(one)}).encode() if one else None


def _told(seen: Shown) -> dict[str, Any]:
    return {
        "id": seen.incident.id,
        "name": seen.title,
        "status": seen.status,
        "impact": seen.impact,
        "created_at": instant(seen.created_at),
        "updated_at": instant(seen.updated_at),
        "started_at": instant(seen.started_at),
        "resolved_at": instant(seen.resolved_at),
        "components": [],
        "incident_updates": [
            {
                "id": update.id,
                "status": update.status,
                "body": update.text,
                "created_at": instant(update.created_at),
                "updated_at": instant(update.updated_at),
                "display_at": instant(update.display_at),
            }
            for update in seen.updates
        ],
    }
