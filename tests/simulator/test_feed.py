from __future__ import annotations

import html
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from notifier.simulator import Script, feed, load, shipped
from tests.simulator.telling import OUTAGE, UPGRADE, at, body, script

ATOM = "{http://www.w3.org/2005/Atom}"
SEGMENT = re.compile(
    r"<p>\s*<small>(.*?)</small>\s*<br\s*/?>\s*<strong>(.*?)</strong>\s*-\s?(.*?)\s*</p>\s*(?=<p>\s*<small>|\Z)",
    re.DOTALL,
)
REAL_RSS = Path(__file__).parents[3] / "shared" / "data" / "kraken" / "history-20261008T070112Z.rss"


def entries(told: Script, moment: datetime) -> list[ET.Element]:
    return ET.fromstring(feed.atom(told, moment)).findall(f"{ATOM}entry")


def text(element: ET.Element, tag: str) -> str:
    found = element.findtext(tag)
    assert found is not None
    return found


def content(told: Script, moment: datetime) -> str:
    (entry,) = entries(told, moment)
    return text(entry, f"{ATOM}content")


def in_the_api(told: Script, moment: datetime) -> dict[str, dict[str, Any]]:
    """The newest incidents and maintenances by id."""
    incidents = body(told, "incidents", moment)["incidents"]
    maintenances = body(told, "scheduled-maintenances", moment)["scheduled_maintenances"]
    return {incident["id"]: incident for incident in [*incidents, *maintenances]}


def visible(words: str) -> str:
    return " ".join(html.unescape(re.sub(r"<br ?/?>", "\n", words)).split())


@pytest.mark.parametrize("name", shipped())
def test_feed_and_api_say_the_same_at_every_moment(name: str) -> None:
    told = load(shipped()[name])
    for moment in (told.page.start, *told.turns[-25:]):
        api = in_the_api(told, moment)
        listed = entries(told, moment)
        assert len(listed) == 25
        for entry in listed:
            link = entry.find(f"{ATOM}link")
            assert link is not None
            incident = api[link.attrib["href"].rsplit("/", 1)[1]]
            _same(entry, incident)


def _same(entry: ET.Element, incident: dict[str, Any]) -> None:
    updates = [update for update in incident["incident_updates"] if update["display_at"]]
    newest = max(update["display_at"] for update in updates)
    published = incident["scheduled_for"] if incident["status"] == "scheduled" else newest
    assert text(entry, f"{ATOM}title") == incident["name"]
    assert text(entry, f"{ATOM}published")[:19] == published[:19]
    assert text(entry, f"{ATOM}updated")[:19] == incident["updated_at"][:19]
    told = re.sub(r"<p><strong>THIS IS A SCHEDULED EVENT .*?</p>", "", text(entry, f"{ATOM}content"))
    before = [*(update["status"] for update in updates[1:]), None]
    for (when, label, words), update, status in zip(SEGMENT.findall(told), updates, before, strict=True):
        shown = datetime.fromisoformat(update["display_at"])
        assert re.sub("<.*?>", "", when) == f"{shown:%b} {shown.day:2}, {shown:%H:%M} UTC"
        assert label == ("Update" if update["status"] == status else update["status"].replace("_", " ").capitalize())
        assert visible(words) == visible(update["body"])


def test_a_segment_is_written_as_since_may_2026() -> None:
    early = script(
        OUTAGE.replace("09:30:00.500", "2026-06-02T09:30:00.500Z").replace("It is over.", "It is\\n\\nover.")
    )
    assert content(early, at("09:00:00", day=31).replace(month=6, day=3)) == (
        "<p> <small>Jun <var data-var='date'> 2</var>, <var data-var='time'>09:30</var> UTC</small><br> "
        "<strong>Resolved</strong> - It is<br /><br />over. </p> "
        "<p> <small>May <var data-var='date'>12</var>, <var data-var='time'>09:00</var> UTC</small><br> "
        "<strong>Investigating</strong> - We look into it. </p>"
    )


def test_a_maintenance_ahead_says_so_first_and_no_longer_once_it_runs() -> None:
    same_day = UPGRADE.replace("2026-05-15T13", "2026-05-14T23").replace("2026-05-15T12:30", "2026-05-14T22:30")
    banner = "<p><strong>THIS IS A SCHEDULED EVENT May <var data-var='date'>14</var>, <var data-var='time'>22:00</var> "
    over_days = "UTC &nbsp;-&nbsp; May <var data-var='date'>15</var>, <var data-var='time'>13:00</var>"
    for told, end in ((UPGRADE, over_days), (same_day, "- <var data-var='time'>23:00</var>")):
        assert content(script(told), at("10:00:00")).startswith(f"{banner}{end} UTC</strong></p> <p> <small>")
    assert "SCHEDULED EVENT" not in content(script(UPGRADE), at("22:30:00", day=14))


def test_a_maintenance_ahead_stands_first_in_the_feed_by_its_planned_start() -> None:
    told = script(UPGRADE, OUTAGE)
    upgrade, outage = entries(told, at("09:40:00"))
    assert text(upgrade, f"{ATOM}published") == "2026-05-14T22:00:00Z"
    assert text(upgrade, f"{ATOM}updated") == "2026-05-12T09:00:00Z"
    assert text(outage, f"{ATOM}published") == text(outage, f"{ATOM}updated") == "2026-05-12T09:30:00Z"


def test_the_tag_is_a_number_that_stays_and_the_host_is_the_pages() -> None:
    told = script(OUTAGE)
    tags = {text(entry, f"{ATOM}id") for moment in ("09:10:00", "09:40:00") for entry in entries(told, at(moment))}
    (tag,) = tags
    assert re.fullmatch(r"tag:status\.kraken\.com,2005:Incident/\d{8}", tag)


def test_atom_and_rss_hold_the_same() -> None:
    told = load(shipped()["rough-day"])
    for moment in told.moments:
        items = ET.fromstring(feed.rss(told, moment)).findall("channel/item")
        for entry, item in zip(entries(told, moment), items, strict=True):
            assert text(item, "title") == text(entry, f"{ATOM}title")
            assert text(item, "description").strip() == text(entry, f"{ATOM}content")
            assert text(item, "guid") == text(item, "link")
            published = datetime.fromisoformat(text(entry, f"{ATOM}published"))
            assert parsedate_to_datetime(text(item, "pubDate")) == published


def test_the_rss_is_built_like_krakens() -> None:
    if not REAL_RSS.exists():
        pytest.skip(f"the capture of the real feed is not here ({REAL_RSS})")
    told = load(shipped()["rough-day"])
    real, ours = REAL_RSS.read_text(encoding="utf-8"), feed.rss(told, at("14:00:00"))
    for line in real.splitlines()[:6]:
        assert line in ours
    for written in (
        r"^    <item>$", r"^<item>$", r"^    </item>$", r"^      <description>$", r"&lt;/p&gt;      </description>$",
        r"^      <pubDate>\w{3}, \d\d \w{3} 2026 \d\d:\d\d:\d\d \+0000</pubDate>$",
        r"^      <maintenanceEndDate>\w{3}, \d\d \w{3} 2026 \d\d:\d\d:00 \+0000</maintenanceEndDate>$",
        r"^      <link>https://status\.kraken\.com/incidents/\w{12}</link>$",
        r"data-var=&apos;date&apos;&gt;",
    ):  # fmt: skip
        assert re.search(written, real, re.MULTILINE)
        assert re.search(written, ours, re.MULTILINE)
    tags = [{child.tag for child in item} for feed_ in (real, ours) for item in ET.fromstring(feed_).iter("item")]
    assert {frozenset(tag) for tag in tags[:6]} == {frozenset(tag) for tag in tags[6:]}
