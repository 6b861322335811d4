from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from notifier.model import Advisory, Exchange
from notifier.sources.exchange import parse_exchange
from notifier.sources.text import Unreadable
from tests.sources.pages import Document, changed, dropped, page

PLANNED = Advisory(
    event_id="21",
    title="Scheduled Maintenance - Banking provider",
    emergency=False,
    services=("spot_trading",),
    starts_at=datetime(2026, 3, 1, 22, tzinfo=UTC),
    ends_at=datetime(2026, 3, 2, 1, 30, tzinfo=UTC),
    action="continue",
    source_url="https://status.kraken.com/incidents/f3q8y5t1n7vk",
)
EMERGENCY = Advisory(
    event_id="4821",
    title="WebSocket API connection errors",
    emergency=True,
    impact="major",
    status="monitoring",
    services=("spot_ws",),
    starts_at=datetime(2026, 2, 24, 11, 29, 36, tzinfo=UTC),
    source_url="https://stspg.io/nb4wq0x7",
)


def test_the_engine_s_status_comes_with_its_advisories() -> None:
    snapshot = parse_exchange(page("SystemStatus.json"))
    assert snapshot.source == "exchange"
    assert snapshot.exchange == Exchange(status="cancel_only", advisories=(PLANNED, EMERGENCY))
    assert (snapshot.complete, snapshot.broken) == (False, ())


@pytest.mark.parametrize("status", ["online", "maintenance", "cancel_only", "post_only", "limit_only"])
def test_any_word_is_a_status_and_the_lists_may_be_absent(status: str) -> None:
    body = b'{"error":[],"result":{"status":"%s","timestamp":"2026-02-24T17:20:31Z"}}' % status.encode()
    assert parse_exchange(body).exchange == Exchange(status=status)


def test_the_time_of_asking_is_no_part_of_the_answer() -> None:
    later = changed("SystemStatus.json", lambda page: page["result"].update(timestamp="2026-02-24T17:20:51Z"))
    assert parse_exchange(later) == parse_exchange(page("SystemStatus.json"))


def test_the_countdown_is_no_part_of_the_answer() -> None:
    def counted_down(document: Document) -> None:
        document["result"]["upcoming_maintenance"][0].update(time_to_start_s=1740, phase="approaching_30m")

    assert parse_exchange(changed("SystemStatus.json", counted_down)) == parse_exchange(page("SystemStatus.json"))


def test_the_end_of_a_maintenance_may_be_unknown() -> None:
    body = changed(
        "SystemStatus.json", lambda page: dropped(page, "result", "upcoming_maintenance", 0, "expected_end_utc")
    )
    snapshot = parse_exchange(body)
    assert snapshot.exchange is not None
    assert (snapshot.exchange.advisories[0].ends_at, snapshot.broken) == (None, ())


BROKEN: dict[str, tuple[Callable[[Document], Any], str]] = {
    "no title": (
        lambda page: dropped(page, "result", "upcoming_maintenance", 0, "title"),
        "upcoming_maintenance[0] None: title: not a text: None",
    ),
    "no event": (
        lambda page: dropped(page, "result", "upcoming_maintenance", 0, "event_id"),
        "upcoming_maintenance[0] None: event_id: not an id: None",
    ),
    "services that are none": (
        lambda page: page["result"]["upcoming_maintenance"][0].update(affected_services=[None]),
        "upcoming_maintenance[0] None: not a text: None",
    ),
}


@pytest.mark.parametrize(("change", "note"), BROKEN.values(), ids=BROKEN)
def test_a_broken_advisory_is_named_and_the_rest_lives(change: Callable[[Document], Any], note: str) -> None:
    snapshot = parse_exchange(changed("SystemStatus.json", change))
    assert snapshot.exchange == Exchange(status="cancel_only", advisories=(EMERGENCY,))
    assert snapshot.broken == (note,)


REFUSED = {
    "an error": (b'{"error":["EService:Unavailable"]}', "answers with an error: 'EService:Unavailable'"),
    "an error beside a result": (b'{"error":["EGeneral:x"],"result":{"status":"online"}}', "EGeneral:x"),
    "an error that is a word": (b'{"error":"EAPI:Rate limit exceeded"}', "EAPI:Rate limit exceeded"),
    "no result": (b'{"error":[]}', "result: not an object: None"),
    "no status": (b'{"error":[],"result":{"timestamp":"2026-02-24T17:20:31Z"}}', "status: not a text: None"),
    "an empty status": (b'{"error":[],"result":{"status":" "}}', "status: an empty text"),
    "advisories that are no list": (
        b'{"error":[],"result":{"status":"online","emergency":{}}}',
        "emergency: not a list: a dict",
    ),
    "HTML": (b"<html>520</html>", "not JSON"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_states_no_status_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse_exchange(body)
    assert reason in str(refusal.value)
