"""Who wants a change: every rule of a filter, by a table of sentences."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from notifier.model import Affected, Change, Kind, Phase, Topic
from notifier.route import Verdict, route, verdict
from notifier.subscription import Filter, QuietHours
from tests.builders import NOW

WEBSOCKET = Affected(name="Websocket", group="Kraken API")
BITCOIN = Affected(name="Bitcoin (BTC) - Bitcoin", group="Digital Currency Funding")
STAKING = Affected(name="Ethereum (ETH) - Staking", group="Earn")


def change(*components: Affected, **more: Any) -> Change:
    given: dict[str, Any] = {
        "key": "posted/wsincident01/u1",
        "kind": Kind.UPDATE_POSTED,
        "phase": Phase.OPENED,
        "topic": Topic.INCIDENT,
        "subject": "wsincident01",
        "reason": "a test",
        "at": NOW,
        "detected_at": NOW,
        "title": "WebSocket API connection errors",
        "impact": "minor",
    }
    return Change(components=components, **{**given, **more})


def wanting(*components: str, **more: Any) -> Filter:
    return Filter(components=components, **more)


COMPONENTS: dict[str, tuple[Filter, Change, bool]] = {
    "no components at all want everything": (wanting(), change(WEBSOCKET), True),
    "a name": (wanting("Websocket"), change(WEBSOCKET), True),
    "a name in any case": (wanting("WEBSOCKET"), change(WEBSOCKET), True),
    "a name with space around it": (wanting("  websocket "), change(WEBSOCKET), True),
    "another name": (wanting("REST API"), change(WEBSOCKET), False),
    "a group": (wanting("kraken api"), change(WEBSOCKET), True),
    "a name as the page writes it": (wanting("Kraken API (Websocket)"), change(WEBSOCKET), True),
    "one of several": (wanting("REST API", "Websocket"), change(WEBSOCKET), True),
    "any of those affected": (wanting("BTC"), change(WEBSOCKET, STAKING, BITCOIN), True),
    "a ticker in a name": (wanting("BTC"), change(BITCOIN), True),
    "a ticker in small letters, in a name": (wanting("btc"), change(BITCOIN), True),
    "a ticker that is only a part of another": (
        wanting("BTC"),
        change(Affected(name="Bitcoin (kBTC) - Ink")),
        False,
    ),
    "a ticker of which the name's is a part": (wanting("USDT0"), change(Affected(name="Tether USD (USDT)")), False),
    "a ticker with a currency sign": (wanting("USAT"), change(Affected(name="USA₮ (USAT)")), True),
    "a name with a dot": (wanting("USD.AI"), change(Affected(name="USD.AI (CHIP)")), True),
    "a dot that is no wildcard": (wanting("USD.AI"), change(Affected(name="USDXAI")), False),
    "a slash in a name": (wanting("Debit / Credit Cards"), change(Affected(name="Debit / Credit Cards")), True),
    "a ticker in the title": (wanting("MON"), change(WEBSOCKET, title="Monad (MON) Funding Delays"), True),
    "a ticker in the title, in small letters": (wanting("MON"), change(WEBSOCKET, title="A mon in it"), False),
    "a word in the title that is no ticker": (wanting("Monad"), change(WEBSOCKET, title="Monad Funding Delays"), False),
    "a ticker inside a word of the title": (wanting("MON"), change(WEBSOCKET, title="MONEY transfers"), False),
    "a glob over names": (wanting("*(ETH)*"), change(STAKING), True),
    "a glob over groups": (wanting("Digital*"), change(BITCOIN), True),
    "a glob over what is written of both": (wanting("Earn (*"), change(STAKING), True),
    "a glob is for the whole name": (wanting("Stak*"), change(STAKING), False),
    "a glob says nothing of the title": (wanting("Web*"), change(BITCOIN), False),
    "a glob with a choice": (wanting("*([EB]T[HC])*"), change(STAKING), True),
    "brackets that are no regular expression": (wanting("(ETH"), change(STAKING), True),
    "no component named": (wanting("Websocket"), change(), True),
    "no component named, strictly": (wanting("REST API", strict_components=True), change(), False),
    "no component named, strictly, but a ticker in the title": (
        wanting("MON", strict_components=True),
        change(title="Monad (MON) Funding Delays"),
        True,
    ),
    "the exchange, whatever services it names": (
        wanting("BTC"),
        change(Affected(name="spot trading"), topic=Topic.EXCHANGE),
        True,
    ),
    "the exchange, strictly": (
        wanting("BTC", strict_components=True),
        change(Affected(name="spot trading"), topic=Topic.EXCHANGE),
        False,
    ),
}


@pytest.mark.parametrize("case", COMPONENTS)
def test_components(case: str) -> None:
    wish, news, expected = COMPONENTS[case]
    assert verdict(wish, news) is (Verdict.WANTED if expected else Verdict.OTHER_COMPONENTS)


IMPACTS: dict[str, tuple[str, str | None, bool]] = {
    "as severe as wanted": ("major", "major", True),
    "more severe": ("major", "critical", True),
    "milder": ("major", "minor", False),
    "none, for who wants everything": ("none", "none", True),
    "none, for who wants something": ("minor", "none", False),
    "maintenance counts as minor": ("minor", "maintenance", True),
    "maintenance is not major": ("major", "maintenance", False),
    "not stated passes, for the feed states none": ("critical", None, True),
    "a word nobody knows counts as major": ("major", "apocalyptic", True),
    "a word nobody knows is not critical": ("critical", "apocalyptic", False),
}


@pytest.mark.parametrize("case", IMPACTS)
def test_impacts(case: str) -> None:
    least, impact, expected = IMPACTS[case]
    assert verdict(Filter(min_impact=least), change(impact=impact)) is (
        Verdict.WANTED if expected else Verdict.TOO_MILD
    )


KINDS: dict[str, tuple[tuple[Topic, ...] | None, Topic, bool]] = {
    "incidents by default": (None, Topic.INCIDENT, True),
    "maintenance by default": (None, Topic.MAINTENANCE, True),
    "the exchange by default": (None, Topic.EXCHANGE, True),
    "components only on demand": (None, Topic.COMPONENT, False),
    "components on demand": ((Topic.COMPONENT,), Topic.COMPONENT, True),
    "nothing but what was asked for": ((Topic.MAINTENANCE,), Topic.INCIDENT, False),
    "the bot itself, always": ((), Topic.BOT, True),
}


@pytest.mark.parametrize("case", KINDS)
def test_kinds(case: str) -> None:
    kinds, topic, expected = KINDS[case]
    wish = Filter() if kinds is None else Filter(kinds=kinds)
    assert verdict(wish, change(topic=topic)) is (Verdict.WANTED if expected else Verdict.WRONG_KIND)


MILESTONES: dict[Phase, bool] = {
    Phase.OPENED: True,
    Phase.PROGRESS: False,
    Phase.WORSENED: True,
    Phase.RESOLVED: True,
    Phase.REOPENED: True,
    Phase.POSTMORTEM: False,
    Phase.SCHEDULED: True,
    Phase.RESCHEDULED: True,
    Phase.STARTED: True,
    Phase.VERIFYING: False,
    Phase.COMPLETED: True,
    Phase.OVERDUE: True,
}


@pytest.mark.parametrize("phase", Phase)
def test_milestones(phase: Phase) -> None:
    said = verdict(Filter(milestones_only=True), change(phase=phase))
    assert said is (Verdict.WANTED if MILESTONES[phase] else Verdict.NO_MILESTONE)


OTHER_MILESTONES: dict[str, tuple[Change, bool]] = {
    "a new name": (change(kind=Kind.INCIDENT_RETITLED, phase=None), False),
    "a worse impact": (change(kind=Kind.INCIDENT_RETITLED, phase=Phase.WORSENED, loud=True), True),
    "a withdrawal": (change(kind=Kind.INCIDENT_WITHDRAWN, phase=None), True),
    "a maintenance that is due": (change(kind=Kind.MAINTENANCE_DUE, phase=None), True),
    "the exchange": (change(kind=Kind.EXCHANGE_CHANGED, phase=None), True),
    "the edit of a milestone, which corrects a message already sent": (
        change(kind=Kind.UPDATE_EDITED, phase=None),
        True,
    ),
}


@pytest.mark.parametrize("case", OTHER_MILESTONES)
def test_milestones_that_are_no_updates(case: str) -> None:
    news, expected = OTHER_MILESTONES[case]
    assert verdict(Filter(milestones_only=True), news) is (Verdict.WANTED if expected else Verdict.NO_MILESTONE)


def test_filters_are_sorted_into_those_that_want_it_and_those_that_follow_what_they_were_told() -> None:
    filters = {
        1: Filter(),
        2: Filter(min_impact="critical"),
        3: wanting("BTC"),
        4: Filter(kinds=(Topic.MAINTENANCE,)),
        5: Filter(milestones_only=True),
    }
    want = route(change(WEBSOCKET, phase=Phase.PROGRESS), filters)
    assert [number for number, _ in want.matching] == [1]
    assert sorted(number for number, _ in want.following) == [1, 2, 3]
    assert {wait for _, wait in want.following} == {None}


# quiet hours


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHT = QuietHours(start=time(22), end=time(7))
BERLIN = QuietHours(start=time(22), end=time(7), zone="Europe/Berlin")
NOON = QuietHours(start=time(12), end=time(13))

QUIET: dict[str, tuple[QuietHours, str, str | None]] = {
    "by day": (NIGHT, "2026-02-24T12:00", None),
    "the minute before": (NIGHT, "2026-02-24T21:59", None),
    "the first minute": (NIGHT, "2026-02-24T22:00", "2026-02-25T07:00"),
    "before midnight": (NIGHT, "2026-02-24T23:30", "2026-02-25T07:00"),
    "after midnight": (NIGHT, "2026-02-25T03:00", "2026-02-25T07:00"),
    "the last minute": (NIGHT, "2026-02-25T06:59", "2026-02-25T07:00"),
    "the end": (NIGHT, "2026-02-25T07:00", None),
    "over the end of a year": (NIGHT, "2026-12-31T23:00", "2027-01-01T07:00"),
    "within one day": (NOON, "2026-02-24T12:30", "2026-02-24T13:00"),
    "within one day, at night": (NOON, "2026-02-24T23:30", None),
    "in Berlin, by day in London": (BERLIN, "2026-02-24T21:30", "2026-02-25T06:00"),
    "in Berlin, already awake": (BERLIN, "2026-02-25T06:30", None),
    "the night when Berlin's clock goes forward": (BERLIN, "2026-03-28T22:00", "2026-03-29T05:00"),
    "the night when Berlin's clock goes back": (BERLIN, "2026-10-24T21:00", "2026-10-25T06:00"),
    "the hour that comes twice": (BERLIN, "2026-10-25T01:30", "2026-10-25T06:00"),
    "an end within the hour that comes twice, the first time": (
        QuietHours(start=time(22), end=time(2, 30), zone="Europe/Berlin"),
        "2026-10-25T00:15",
        "2026-10-25T00:30",
    ),
    "a start within the hour that does not exist": (
        QuietHours(start=time(2, 30), end=time(7), zone="Europe/Berlin"),
        "2026-03-29T01:45",
        "2026-03-29T05:00",
    ),
    "all day, if it starts when it ends": (
        QuietHours(start=time(8), end=time(8)),
        "2026-02-24T12:00",
        "2026-02-25T08:00",
    ),
}


@pytest.mark.fault("H5")
@pytest.mark.parametrize("case", QUIET)
def test_quiet_hours(case: str) -> None:
    quiet, moment, until = QUIET[case]
    news = change(detected_at=utc(moment))
    wait = utc(until) if until else None
    assert route(news, {1: Filter(quiet_hours=quiet)}).matching == ((1, wait),)


def test_what_is_critical_waits_for_no_morning() -> None:
    news = change(detected_at=utc("2026-02-24T23:00"), impact="critical")
    assert route(news, {1: Filter(quiet_hours=NIGHT)}).matching == ((1, None),)


def test_no_news_waits_longer_than_a_day_and_the_wait_ends_outside_the_quiet_hours() -> None:
    for quarter in range(4 * 24 * 8):
        now = utc("2026-10-20T00:00") + timedelta(minutes=15 * quarter)
        [(_, wait)] = route(change(detected_at=now), {1: Filter(quiet_hours=BERLIN)}).matching
        if wait is not None:
            assert now < wait <= now + timedelta(hours=11)
            [(_, after)] = route(change(detected_at=wait), {1: Filter(quiet_hours=BERLIN)}).matching
            assert after is None
