"""The page's feeds at an instant of the story, Atom and RSS, in the markup that Statuspage writes since May 2026."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from notifier.simulator.script import Script
from notifier.simulator.shown import Shown, ShownUpdate, shown, turn

WINDOW = 25
"""How many entries a feed holds, incidents and maintenances together."""


def atom(script: Script, at: datetime) -> str:
    """The body of `/history.atom`; the same from one `turn` of the script to the next."""
    page, host = script.page, urlsplit(script.page.url).netloc
    entries = "".join(
        f"""  <entry>
    <id>tag:{host},2005:Incident/{seen.incident.feed_number}</id>
    <published>{_stamp(published(seen))}</published>
    <updated>{_stamp(seen.updated_at)}</updated>
    <link rel="alternate" type="text/html" href="{page.url}/incidents/{seen.incident.id}"/>
    <title>{escape(seen.title)}</title>
    <content type="html">{escape(_html(seen))}</content>
  </entry>
"""
        for seen in _entries(script, at)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xml:lang="en-US" xmlns="http://www.w3.org/2005/Atom">
  <id>tag:{host},2005:/history</id>
  <link rel="alternate" type="text/html" href="{page.url}"/>
  <link rel="self" type="application/atom+xml" href="{page.url}/history.atom"/>
  <title>{escape(page.name)} Status - Incident History</title>
  <updated>{_stamp(turn(script, at))}</updated>
  <author>
    <name>{escape(page.name)}</name>
  </author>
{entries}</feed>
"""


def rss(script: Script, at: datetime) -> str:
    """The body of `/history.rss`; the same from one `turn` of the script to the next."""
    page = script.page
    items = "\n".join(
        f"""<item>
      <title>{escape(seen.title)}</title>
      <description>
{escape(_html(seen), {"'": "&apos;"})}      </description>
      <pubDate>{_date(published(seen))}</pubDate>
{_end(seen)}      <link>{page.url}/incidents/{seen.incident.id}</link>
      <guid>{page.url}/incidents/{seen.incident.id}</guid>
    </item>"""
        for seen in _entries(script, at)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <channel>
    <title>{escape(page.name)} Status - Incident History</title>
    <link>{page.url}</link>
    <description>Statuspage</description>
    <pubDate>{_date(turn(script, at))}</pubDate>
    {items}
  </channel>
</rss>
"""


def published(seen: Shown) -> datetime:
    """Where an entry stands in the order: its newest update, or the planned start while that lies ahead."""
    return seen.window.scheduled_for if seen.window and seen.status == "scheduled" else seen.rank


def _entries(script: Script, at: datetime) -> list[Shown]:
    return sorted(shown(script, at), key=published, reverse=True)[:WINDOW]


def _html(seen: Shown) -> str:
    updates = [update for update in seen.updates if update.timed]
    before = [*(update.status for update in updates[1:]), None]
    segments = [_segment(update, status) for update, status in zip(updates, before, strict=True)]
    return " ".join([*_banner(seen), *segments])


def _segment(update: ShownUpdate, before: str | None) -> str:
    at = update.display_at
    label = "Update" if update.status == before else update.status.replace("_", " ").capitalize()
    body = update.text.replace("\n", "<br />")
    when = f"{at:%b} <var data-var='date'>{at.day:2}</var>, {_time(at)} UTC"
    return f"<p> <small>{when}</small><br> <strong>{label}</strong> - {body} </p>"


def _banner(seen: Shown) -> list[str]:
    """A maintenance that has not begun says so first; unlike elsewhere, the day is not padded."""
    if not seen.window or seen.status != "scheduled":
        return []
    start, end = seen.window.scheduled_for, seen.window.scheduled_until
    between = "- " if start.date() == end.date() else f"UTC &nbsp;-&nbsp; {_day(end)}, "
    return [
        f"<p><strong>THIS IS A SCHEDULED EVENT {_day(start)}, {_time(start)} {between}{_time(end)} UTC</strong></p>"
    ]


def _day(at: datetime) -> str:
    return f"{at:%b} <var data-var='date'>{at.day}</var>"


def _time(at: datetime) -> str:
    return f"<var data-var='time'>{at:%H:%M}</var>"


def _end(seen: Shown) -> str:
    if not seen.window:
        return ""
    return f"      <maintenanceEndDate>{_date(seen.window.scheduled_until.replace(second=0))}</maintenanceEndDate>\n"


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _date(at: datetime) -> str:
    return f"{at:%a, %d %b %Y %H:%M:%S} +0000"
