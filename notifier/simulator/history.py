"""What was over before the story began: incidents in Kraken's manner, always the same for the same page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from notifier.simulator.catalogue import GROUPS, number
from notifier.simulator.story import Incident, Maintenance, Page, Update

_EVERY = timedelta(hours=22)
"""Kraken has about 1.1 incidents a day."""
_FUNDING = GROUPS["Digital Currency Funding"]
_RESOLVED = "This incident has been resolved."
_WORKING = "We are continuing to work on a fix for this issue."
_FIXED = "A fix has been implemented and we are monitoring the results."


def background(page: Page) -> Iterator[Incident]:
    """`page.history` incidents, newest first, and a maintenance for every tenth of them; all ended before the start."""
    for place in range(page.history):
        ended = page.start - _EVERY * (place + 1) - timedelta(minutes=_draw("end", place, 600), milliseconds=457)
        yield _incident(place, ended)
        if place % 10 == 9:
            yield _maintenance(place, ended.replace(minute=0, second=0, microsecond=0))


def _draw(what: str, place: int, below: int) -> int:
    return number("history", what, place, below=below)


def _incident(place: int, ended: datetime) -> Incident:
    component = _FUNDING[_draw("asset", place, len(_FUNDING))]
    asset = component.split(" - ")[0]
    began = ended - timedelta(minutes=10 + _draw("minutes", place, 680), milliseconds=_draw("ms", place, 1000))
    middle = began + (ended - began) / 2
    between = [
        Update(at=began + (middle - began) / 6 * step, status="identified", text=_WORKING)
        for step in range(1, (0, 1, 1, 2, 5)[_draw("updates", place, 5)])
    ]
    return Incident(
        name=f"history {place}",
        title=f"{asset} Funding Delays",
        impact="none" if _draw("impact", place, 10) == 0 else "minor",
        components=(f"Digital Currency Funding ({component})",),
        updates=(
            Update(
                at=began,
                status="investigating",
                text=f"We're investigating an issue with the {asset} funding gateway. Deposits and withdrawals may be "
                "delayed at this time. All other funding methods are operating normally.",
            ),
            *between,
            Update(at=middle, status="monitoring", text=_FIXED),
            Update(at=ended, status="resolved", text=_RESOLVED),
        ),
    )


def _maintenance(place: int, start: datetime) -> Maintenance:
    end = start + timedelta(minutes=30)
    return Maintenance(
        name=f"history maintenance {place}",
        title="Scheduled FIX API Maintenance",
        scheduled_for=start,
        scheduled_until=end,
        components=("Kraken API (FIX API)",),
        updates=(
            Update(
                at=start - timedelta(days=3, milliseconds=_draw("notice", place, 1000)),
                status="scheduled",
                text=f"The FIX API gateways will be restarted between {start:%H:%M} and {end:%H:%M} UTC.\n\n"
                "Sessions will be disconnected and may log on again at once.",
            ),
            Update(
                at=start + timedelta(seconds=12, milliseconds=416),
                status="in_progress",
                text="Scheduled maintenance is currently in progress. We will provide updates as necessary.",
            ),
            Update(
                at=end + timedelta(seconds=11, milliseconds=277),
                status="completed",
                text="The scheduled maintenance has been completed.",
            ),
        ),
    )
