"""Nouns come back from their documents as they went in, and numbers from columns that hold them."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, time, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from notifier.diff import diff_exchange
from notifier.known import Known, KnownComponent, KnownExchange, KnownIncident, KnownPage, KnownUpdate
from notifier.model import Advisory, Affected, Before, Change, Exchange, Kind, Moment, Phase, Snapshot, Topic, Window
from notifier.parcel import News, Want
from notifier.route import route
from notifier.store import codec
from notifier.store.schema import Instant
from notifier.store.sql import SqlStore
from notifier.subscription import Filter, QuietHours
from tests.builders import NOW, at
from tests.store.telling import owed, watch

PRECISE = NOW + timedelta(microseconds=123456)
HOSTILE = "«Ünïcödé» 😀 \" ' \\ \n\t </b> %s ${X} ; DROP TABLE known; --"

FULL: dict[str, tuple[codec.Codec[Any], Any]] = {
    "a change": (
        codec.CHANGE,
        Change(
            key="posted/wsincident01/u1",
            kind=Kind.UPDATE_POSTED,
            topic=Topic.INCIDENT,
            subject="wsincident01",
            reason="update u1 was never seen",
            at=PRECISE,
            detected_at=PRECISE,
            title=HOSTILE,
            phase=Phase.OPENED,
            status="investigating",
            impact="minor",
            text=HOSTILE,
            before="before",
            stood=Before(
                status="monitoring",
                impact="none",
                title=HOSTILE,
                window=Window(start=PRECISE),
                components=(Affected(name=HOSTILE),),
            ),
            repeats=2,
            first_title=HOSTILE,
            revision=3,
            loud=True,
            posted_at=PRECISE,
            introduces=False,
            told_since=PRECISE,
            incident_id="wsincident01",
            update_id="u1",
            components=(Affected(name="Websocket", group="Kraken API"), Affected(name=HOSTILE)),
            started_at=PRECISE,
            ended_at=PRECISE,
            window=Window(start=PRECISE, end=PRECISE),
            timeline=(Moment(status="investigating", at=PRECISE),),
            engine="post_only",
            action=HOSTILE,
        ),
    ),
    "a filter": (
        codec.FILTER,
        Filter(
            kinds=(Topic.COMPONENT,),
            components=(HOSTILE, "BTC"),
            strict_components=True,
            min_impact="major",
            milestones_only=True,
            reminders=False,
            quiet_hours=QuietHours(start=time(22), end=time(7, 30), zone="Europe/Berlin"),
        ),
    ),
    "a want": (
        codec.WANT,
        Want(matching=((1, None), (2**62, PRECISE)), following=((1, PRECISE),), rank=1, people_only=True),
    ),
    "a page": (codec.PAGE, KnownPage(id="lfz25gyhcpjf", watched_since=PRECISE, sources=("feed", "summary"))),
    "an incident": (
        codec.INCIDENT,
        KnownIncident(
            id="wsincident01",
            topic=Topic.MAINTENANCE,
            subject="advisory/x",
            name=HOSTILE,
            status="a status nobody knows",
            impact="major",
            updated_at=PRECISE,
            started_at=PRECISE,
            resolved_at=PRECISE,
            window=Window(start=PRECISE),
            components=(Affected(name="Websocket"),),
            updates=(
                KnownUpdate(
                    id="u1",
                    born="feed:0",
                    status="investigating",
                    at=PRECISE,
                    created_at=PRECISE,
                    text=HOSTILE,
                    fingerprints=("a", "b"),
                ),
            ),
            headings=("one", "two"),
            told_since=PRECISE,
            withdrawn=True,
            reminded=PRECISE,
            shortlink="https://stspg.io/abc",
        ),
    ),
    "components": (
        codec.COMPONENTS,
        {
            "c-ws": KnownComponent(
                name="Websocket", group="API", status="down", updated_at=PRECISE, is_group=True, since=PRECISE
            )
        },
    ),
    "an exchange": (
        codec.EXCHANGE,
        KnownExchange(status="post_only", episode=3, moves=2**40, told_since=PRECISE, advisories={"url": "subject"}),
    ),
}


@pytest.mark.parametrize("case", FULL)
def test_a_noun_comes_back_as_it_went_in(case: str) -> None:
    codec, noun = FULL[case]
    assert codec.load(codec.dump(noun)) == noun


@pytest.mark.parametrize("case", [case for case in FULL if case != "components"])
def test_the_examples_leave_no_field_at_its_default(case: str) -> None:
    _, noun = FULL[case]
    defaults = {field.name: field.default for field in fields(noun) if field.default is not MISSING}
    assert [name for name, default in defaults.items() if getattr(noun, name) == default] == []


async def test_a_change_and_what_is_known_pass_through_the_database(store: SqlStore) -> None:
    await watch(store, "console:")
    said, known = replace(FULL["a change"][1], introduces=True), FULL["an incident"][1]
    await store.record((), lambda _: News(changes=(said,), known=Known(incidents={known.id: known})), route)
    [entry] = await store.deliveries((), 10)
    assert entry.change == said
    assert await store.incidents() == [known]


INSTANTS = {
    "now": NOW,
    "before 1970": datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    "beyond 2038": datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
    "the last one": datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
}


@pytest.mark.parametrize("case", INSTANTS)
def test_an_instant_is_a_number_and_back(case: str) -> None:
    kind = Instant()
    number = kind.process_bind_param(INSTANTS[case], None)
    assert number is not None and abs(number) < 2**63
    assert kind.process_result_value(number, None) == INSTANTS[case]


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    tokyo = timezone(timedelta(hours=9))
    kind = Instant()
    assert kind.process_bind_param(NOW.astimezone(tokyo), None) == kind.process_bind_param(NOW, None)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError, match="naive"):
        Instant().process_bind_param(NOW.replace(tzinfo=None), None)


def _news(seen: Snapshot, known: Known) -> News:
    return diff_exchange(known, seen, NOW, baseline=False)


async def test_numbers_of_the_outside_are_text_however_large(store: SqlStore) -> None:
    huge = str(2**64 - 1)
    await watch(store, "console:")
    for advisories in ((), (Advisory(event_id=huge, title="Elevated errors", emergency=True, starts_at=at("11:00")),)):
        seen = Snapshot(source="exchange", exchange=Exchange(status="online", advisories=advisories))
        await store.record((), partial(_news, seen), route)
    assert await owed(store) == [(f"advisory/event/{huge}", "console:")]
