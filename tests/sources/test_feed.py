from __future__ import annotations

import pytest

from notifier.model import Topic, Window, fingerprint
from notifier.sources.feed import parse_feed
from notifier.sources.statuspage import parse_incidents, parse_maintenances
from tests.sources.feeds import ATOM, DONE, FORMATS, PLANNED, RSS, WEBSOCKET, at, atom, one, segment, times
from tests.sources.pages import page


@FORMATS
def test_every_entry_is_read(name: str) -> None:
    snapshot = parse_feed(page(name))
    assert [incident.id for incident in snapshot.incidents] == [
        PLANNED,
        WEBSOCKET,
        "w7k2d9s4j6fp",
        DONE,
        "t5m1z8r3c0yh",
    ]
    assert (snapshot.source, snapshot.complete, snapshot.page_id, snapshot.broken) == ("feed", False, None, ())
    assert snapshot.clock == at("2026-02-24T17:20:31")


@FORMATS
def test_the_feed_tells_what_the_api_tells(name: str) -> None:
    api = (
        parse_incidents(page("incidents.json")).incidents[:2]
        + parse_maintenances(page("scheduled-maintenances.json")).incidents
    )
    feed = parse_feed(page(name))
    for told in api:
        same = one(feed, told.id)
        assert (same.name, same.status, same.topic) == (told.name, told.status, told.topic)
        assert [fingerprint(u.status, u.at, u.text) for u in same.updates] == [
            fingerprint(u.status, u.at, u.text) for u in told.updates
        ]


@FORMATS
def test_what_the_feed_does_not_state_is_not_stated(name: str) -> None:
    incident = one(parse_feed(page(name)), WEBSOCKET)
    assert (incident.impact, incident.components, incident.resolved_at, incident.shortlink) == (None, None, None, None)
    assert {(update.id, update.created_at) for update in incident.updates} == {(None, None)}


def test_only_atom_says_when_an_entry_was_last_touched() -> None:
    assert one(parse_feed(page(ATOM)), WEBSOCKET).updated_at == at("2026-02-24T13:02:11")
    assert one(parse_feed(page(RSS)), WEBSOCKET).updated_at is None


@FORMATS
def test_a_maintenance_over_midnight_has_its_window(name: str) -> None:
    window = one(parse_feed(page(name)), PLANNED).window
    assert window == Window(start=at("2026-03-01T22:00:00"), end=at("2026-03-02T01:30:00"))


@FORMATS
def test_a_maintenance_that_is_over_is_still_one(name: str) -> None:
    done = one(parse_feed(page(name)), DONE)
    assert (done.topic, done.status, done.window) == (Topic.MAINTENANCE, "completed", None)


def test_an_end_date_alone_makes_a_maintenance() -> None:
    title = b"<title>WebSocket API connection errors</title>"
    end = b"<maintenanceEndDate>Tue, 24 Feb 2026 18:00:00 +0000</maintenanceEndDate>"
    body = page(RSS).replace(title, title + end)
    assert one(parse_feed(body), WEBSOCKET).topic is Topic.MAINTENANCE


BANNERS = {
    "on one day": ("Mar 1, 18:00 - 18:30 UTC", "2026-03-01T18:00:00", "2026-03-01T18:30:00"),
    "on a Pacific day": (
        "Mar <var data-var='date'>1</var>, 18:00 - 18:30 PST",
        "2026-03-02T02:00:00",
        "2026-03-02T02:30:00",
    ),
    "over days": ("Mar 1, 22:00 UTC &nbsp;-&nbsp; Mar 3, 13:00 UTC", "2026-03-01T22:00:00", "2026-03-03T13:00:00"),
    "over midnight with one date": ("Mar 1, 23:00 - 01:00 UTC", "2026-03-01T23:00:00", "2026-03-02T01:00:00"),
    "over the end of the year": ("Dec 31, 22:00 UTC - Jan 1, 02:00 UTC", "2026-12-31T22:00:00", "2027-01-01T02:00:00"),
}


@pytest.mark.parametrize(("banner", "start", "end"), BANNERS.values(), ids=BANNERS)
def test_the_banner_of_a_planned_maintenance_gives_its_window(banner: str, start: str, end: str) -> None:
    html = f"<p><strong>THIS IS A SCHEDULED EVENT {banner}</strong></p> {segment('Feb 19, 09:22 UTC', 'Scheduled')}"
    snapshot = parse_feed(atom(html, published=f"{start}Z", updated="2026-02-19T09:22:31Z"))
    assert snapshot.broken == ()
    assert snapshot.incidents[0].window == Window(start=at(start), end=at(end))
    assert snapshot.incidents[0].updates[0].at == at("2026-02-19T09:22:00")


def test_the_end_date_of_rss_is_better_than_the_banner_s() -> None:
    body = page(RSS).replace(b"02 Mar 2026 01:30:00", b"02 Mar 2026 01:45:10")
    assert one(parse_feed(body), PLANNED).window == Window(
        start=at("2026-03-01T22:00:00"), end=at("2026-03-02T01:45:10")
    )


def test_update_means_the_status_as_it_was() -> None:
    labels = ["Resolved", "Update", "Monitoring", "Update", "Update", "Investigating"]
    html = " ".join(segment(f"Feb 24, 11:{50 - n} UTC", label) for n, label in enumerate(labels))
    incident = parse_feed(atom(html)).incidents[0]
    assert [update.status for update in incident.updates] == [
        *["investigating"] * 3,
        *["monitoring"] * 2,
        "resolved",
    ]
    assert (incident.status, incident.topic) == ("resolved", Topic.INCIDENT)


@pytest.mark.parametrize("label", ["Scheduled", "In progress", "Verifying", "Completed"])
def test_the_words_of_a_maintenance_make_one(label: str) -> None:
    incident = parse_feed(atom(segment("Feb 24, 11:50 UTC", label))).incidents[0]
    assert (incident.topic, incident.status) == (Topic.MAINTENANCE, label.lower().replace(" ", "_"))


ZONES = {
    "UTC": ("UTC", "12:00"),
    "GMT": ("GMT", "12:00"),
    "BST": ("BST", "13:00"),
    "CET": ("CET", "13:00"),
    "CEST": ("CEST", "14:00"),
    "EST": ("EST", "07:00"),
    "EDT": ("EDT", "08:00"),
    "CST": ("CST", "06:00"),
    "CDT": ("CDT", "07:00"),
    "MST": ("MST", "05:00"),
    "MDT": ("MDT", "06:00"),
    "PST": ("PST", "04:00"),
    "PDT": ("PDT", "05:00"),
    "an offset of whole hours": ("-03", "09:00"),
    "an offset with minutes": ("+0530", "17:30"),
}


@pytest.mark.parametrize(("zone", "clock"), ZONES.values(), ids=ZONES)
def test_every_zone_is_brought_to_utc(zone: str, clock: str) -> None:
    assert times(atom(segment(f"Feb 24, {clock} {zone}"))) == [at("2026-02-24T12:00:00")]


@pytest.mark.parametrize(
    "stamp",
    [
        "Feb <var data-var='date'> 8</var>, <var data-var='time'>20:01</var> UTC",
        "Feb  8, 20:01 UTC",
        'Feb <var data-var="date">8</var>,\n <var>20:01</var> UTC',
    ],
)
def test_a_day_may_be_padded_and_marked_up(stamp: str) -> None:
    assert times(atom(segment(stamp), published="2026-02-08T20:01:59Z")) == [at("2026-02-08T20:01:00")]


def test_the_year_goes_back_with_the_updates() -> None:
    stamps = [
        "Jan 2, 10:00 UTC",
        "Dec 30, 10:00 UTC",
        "Nov 1, 10:00 UTC",
        "Jun 3, 10:00 UTC",
        "Jan 20, 10:00 UTC",
        "Dec 31, 23:59 UTC",
    ]
    html = " ".join(map(segment, stamps))
    assert [moment.year for moment in times(atom(html, published="2026-01-02T10:00:09Z"))] == [2024, *[2025] * 4, 2026]


def test_a_maintenance_planned_for_next_year_was_announced_in_this() -> None:
    banner = "<p><strong>THIS IS A SCHEDULED EVENT Oct 1, 10:00 - 11:00 UTC</strong></p>"
    html = banner + segment("Nov 3, 10:00 UTC", "Scheduled")
    assert times(atom(html, published="2027-10-01T10:00:00Z", updated="2026-11-03T10:00:20Z")) == [
        at("2026-11-03T10:00:00")
    ]


def test_a_leap_day_finds_its_year() -> None:
    assert times(atom(segment("Feb 29, 10:00 UTC"), published="2025-01-04T10:00:00Z")) == [at("2024-02-29T10:00:00")]


BODIES = {
    "line breaks": ("one<br />two<br /><br />three", "one\ntwo\n\nthree"),
    "paragraphs": ("<p>one</p><p>two</p>", "one\n\ntwo"),
    "small print": ("one</p><p><small>two</small><br>three", "one\n\ntwo\nthree"),
    "bare comparisons": ("less than <1% of <SOME/ALL>, a < b &amp; c", "less than <1% of <SOME/ALL>, a < b & c"),
    "dashes": ("- one - two", "- one - two"),
    "nothing but a picture": ("<img src='https://tracker.test/x.gif'>", ""),
}


@pytest.mark.parametrize(("html", "text"), BODIES.values(), ids=BODIES)
def test_a_body_keeps_its_words(html: str, text: str) -> None:
    content = segment("Feb 24, 11:50 UTC", "Resolved", html) + segment("Feb 24, 11:40 UTC", body="before")
    assert [update.text for update in parse_feed(atom(content)).incidents[0].updates] == ["before", text]


@pytest.mark.parametrize("title", ["A & B <C>", "R&amp;D", "<b>x</b>", "1 < 2", "USA₮ — “x”", "a\r\nb\u202e"])
def test_a_title_is_what_was_typed(title: str) -> None:
    snapshot = parse_feed(atom(segment("Feb 24, 11:50 UTC"), title=title))
    assert snapshot.incidents[0].name == " ".join(title.replace("\u202e", "").split())
