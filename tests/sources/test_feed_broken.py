from __future__ import annotations

from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sources.feed import parse_feed
from notifier.sources.text import Unreadable
from tests.sources.feeds import ATOM, DONE, FORMATS, PLANNED, atom, segment
from tests.sources.pages import page

CLOCK = "<var data-var='date'>24</var>, <var data-var='time'>13:02</var> UTC"

QUARANTINED = {
    "an unknown zone": (CLOCK, CLOCK.replace("UTC", "XYZ"), "not a time: 'Feb 24, 13:02 XYZ'"),
    "no zone": (CLOCK, CLOCK.replace(" UTC", ""), "not a time: 'Feb 24, 13:02'"),
    "an impossible time": (CLOCK, CLOCK.replace("13:02", "25:02"), "not a time: 'Feb 24, 25:02 UTC'"),
    "an unknown month": (f"Feb {CLOCK}", f"Mai {CLOCK}", "not a time: 'Mai 24, 13:02 UTC'"),
    "no time at all": (CLOCK, "early on", "not a time: 'Feb early on'"),
    "two times": (CLOCK, f"{CLOCK} - {CLOCK}", "not a time: "),
    "words before the first update": (f"<p> <small>Feb {CLOCK}", f"Hello <p> <small>Feb {CLOCK}", "begins with 'Hello"),
    "an end within an update": ("errors on the WebSocket API. </p>", "errors on the WebSo", "not a list of updates"),
    "no publication": ("<published>2026-02-24T13:02:11Z", "<published>soon", "published: not an instant"),
    "no link to an incident": ("com/incidents/nb4wq0x7ht2k", "com/", "link: not an id: ''"),
    "a title that is nothing": ("WebSocket API connection errors", " ", "title: an empty text"),
}


@pytest.mark.parametrize(("old", "new", "note"), QUARANTINED.values(), ids=QUARANTINED)
def test_a_broken_entry_is_named_and_the_rest_lives(old: str, new: str, note: str) -> None:
    text = page(ATOM).decode()
    typed = old if old.startswith("<published>") else escape(old, quote=False)
    assert text.count(typed) == 1
    snapshot = parse_feed(text.replace(typed, new if typed == old else escape(new, quote=False)).encode())
    assert [incident.id for incident in snapshot.incidents] == [PLANNED, "w7k2d9s4j6fp", DONE, "t5m1z8r3c0yh"]
    assert len(snapshot.broken) == 1
    assert snapshot.broken[0].startswith("entry[1] 'tag:status.kraken.com,2005:Incident/31233561': ")
    assert note in snapshot.broken[0]


def test_a_broken_banner_is_a_broken_entry() -> None:
    html = f"<p><strong>THIS IS A SCHEDULED EVENT some day</strong></p>{segment('Feb 24, 11:50 UTC', 'Scheduled')}"
    snapshot = parse_feed(atom(html))
    assert snapshot.incidents == ()
    assert "not a time: 'some day'" in snapshot.broken[0]


LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
    <feed xmlns="http://www.w3.org/2005/Atom"><title>&b;</title></feed>"""

REFUSED = {
    "nothing": (b"", "not XML: no element found"),
    "HTML": (b"<!doctype html><html><body><p>Bad gateway<br></body></html>", "not XML"),
    "well-formed HTML": (b"<html><body><p>Bad gateway</p></body></html>", "neither Atom nor RSS"),
    "JSON": (b'{"page": {}}', "not XML"),
    "a path": (b"/etc/hostname", "not XML"),
    "an URL": (b"http://127.0.0.1:1/history.atom", "not XML"),
    "an entity bomb": (LAUGHS, "XML with a document type"),
    "a document type in UTF-16": (
        LAUGHS.decode().replace('"1.0"', '"1.0" encoding="utf-16"').encode("utf-16"),
        "document type",
    ),
    "bytes that are no text": (page(ATOM).replace(b"WebSocket", b"Web\xffSocket"), "not XML"),
    "a null byte": (page(ATOM).replace(b"WebSocket", b"Web\0Socket"), "not XML"),
    "an unknown encoding": (b'<?xml version="1.0" encoding="kraken"?><feed/>', "not XML"),
    "an endless element": (b"<feed><" + b"a" * 2**20, "not XML"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_feed_is_refused_in_one_line(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse_feed(body)
    assert reason in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_path_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "feed").write_bytes(page(ATOM))
    with pytest.raises(Unreadable):
        parse_feed(str(tmp_path / "feed").encode())


@FORMATS
@given(data=st.data())
def test_no_half_of_a_feed_is_believed(name: str, data: st.DataObject) -> None:
    whole = page(name).strip()
    with pytest.raises(Unreadable):
        parse_feed(whole[: data.draw(st.integers(0, len(whole) - 1))])


def test_a_page_without_history_has_an_empty_feed() -> None:
    head, _, rest = page(ATOM).partition(b"<entry>")
    snapshot = parse_feed(head + rest[rest.rindex(b"</entry>") + len(b"</entry>") :])
    assert (snapshot.incidents, snapshot.broken) == ((), ())


@pytest.mark.parametrize("piece", ["<p> <small>", "</p><p> <small>Feb ", "<var ", "</p>", " ", "<", "Feb 24, "])
def test_a_megabyte_of_headings_that_never_end_is_one_broken_entry(piece: str) -> None:
    snapshot = parse_feed(atom(piece * (2**18 // len(piece))))
    assert (snapshot.incidents, len(snapshot.broken)) == ((), 1)
