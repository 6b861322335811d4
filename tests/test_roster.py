"""Who came by himself, as a file and back: whatever he follows, and whatever somebody made of the file."""

from __future__ import annotations

import csv
from datetime import time, timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.model import IMPACTS, Topic
from notifier.roster import Form, read, written
from notifier.subscription import Address, Filter, QuietHours, Subscription
from notifier.tongue import LANGUAGES
from tests.builders import NOW

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text == text.strip())
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"])
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
HOURS = st.tuples(MINUTES, MINUTES, ZONES).filter(lambda drawn: drawn[0] != drawn[1])
NUMBERS = st.integers(-(10**15), 10**15)

SUBSCRIPTIONS = st.builds(
    Subscription,
    address=st.tuples(NUMBERS, st.none() | st.integers(1, 10**6)).map(
        lambda drawn: Address("telegram", f"{drawn[0]}" if drawn[1] is None else f"{drawn[0]}/{drawn[1]}")
    ),
    origin=st.just("self"),
    filter=st.builds(
        Filter,
        kinds=st.sets(st.sampled_from([topic for topic in Topic if topic is not Topic.BOT]), min_size=1).map(
            lambda kinds: tuple(topic for topic in Topic if topic in kinds)
        ),
        components=st.sets(WORDS, max_size=4).map(lambda words: tuple(sorted(words))),
        strict_components=st.booleans(),
        min_impact=st.sampled_from(IMPACTS),
        milestones_only=st.booleans(),
        reminders=st.booleans(),
        quiet_hours=st.none() | HOURS.map(lambda drawn: QuietHours(start=drawn[0], end=drawn[1], zone=drawn[2])),
    ),
    language=st.sampled_from([*LANGUAGES]),
    zone=ZONES,
    muted_until=st.none() | st.timedeltas(timedelta(), timedelta(days=365)).map(lambda length: NOW + length),
    muted=st.frozensets(WORDS, max_size=3),
)
"""As the inbox makes them."""

CROWDS = st.lists(SUBSCRIPTIONS, unique_by=lambda each: each.address, max_size=4)


@given(CROWDS, st.sampled_from(["csv", "json"]))
def test_what_is_written_is_read_as_it_was(crowd: list[Subscription], form: Form) -> None:
    assert read(written(crowd, form), form, {}) == (crowd, [])


@given(SUBSCRIPTIONS)
def test_no_cell_is_a_formula_to_a_spreadsheet(subscription: Subscription) -> None:
    [_, cells] = csv.reader(StringIO(written([subscription], "csv"), newline=""))
    assert not [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell]


def test_a_row_by_hand_needs_no_more_than_an_address() -> None:
    found, problems = read("to,components\ntelegram:1,\ntelegram:2, BTC ,\n", "csv", {})
    assert problems == [("line 3", "has more cells than the first line names columns")]
    assert found == [Subscription(address=Address("telegram", "1"), origin="self")]
    found, problems = read('components,to\n"ETH, BTC, ETH",telegram:2\n', "csv", {})
    assert (found[0].filter, problems) == (Filter(components=("BTC", "ETH")), [])


WRONG: dict[str, tuple[Form, str, list[tuple[str, str]]]] = {
    "all that is wrong at once": (
        "csv",
        """to,kinds,quiet_hours,zone,language,colour
telegram:x,news,night,Mars,xx,red
telegram:1,,,,,
telegram:9,,,,,
telegram:1,,,,,
mailto:a@example.com,,,,,
telegram:@desk,,,,,
""",
        [
            ("line 2, to", "write it like telegram:"),
            ("line 2, kinds[0]", "must be 'incident'"),
            ("line 2, quiet_hours", "22:00-07:00 Europe/Berlin"),
            ("line 2, language", "there are en, de"),
            ("line 2, zone", "Mars is no time zone"),
            ("line 2, colour", "there is no such column; there are"),
            ("line 4, to", "telegram:9 is in subscriptions[0].to already"),
            ("line 5, to", "telegram:1 is in line 3 already"),
            ("line 6, to", "mailto:a@example.com cannot subscribe by itself"),
            ("line 7, to", "telegram:@desk cannot subscribe by itself"),
        ],
    ),
    "no address": ("csv", "to,zone\n,UTC\n", [("line 2, to", "is missing; write an address like")]),
    "no heading": ("csv", "telegram:1,UTC\n", [("line 1", "names no column “to”; the columns are to, components")]),
    "nothing at all": ("csv", "", [("line 1", "names no column “to”")]),
    "a list that is cut off": (
        "csv",
        'to,muted\ntelegram:1,"[""a"""\n',
        [("line 2, muted", "write the list as a,b,c")],
    ),
    "a quotation mark that is left open": ("csv", 'to\n"telegram:1\n', [("the file", "is not CSV")]),
    "a mute without a zone": (
        "csv",
        "to,muted_until\ntelegram:1,2026-02-24T12:00:00\n",
        [("line 2, muted_until", "timezone")],
    ),
    "kinds that nothing is of": (
        "json",
        '[{"to": "telegram:1", "kinds": []}]',
        [("row 1, kinds", "must name at least one")],
    ),
    "no JSON": ("json", "to: telegram:1", [("the file", "is not JSON")]),
    "no list": ("json", '{"to": "telegram:1"}', [("the file", "is not JSON: a list of objects is wanted")]),
    "no objects": ("json", '["telegram:1", {"to": 5}]', [("row 1", "must"), ("row 2, to", "must be a string")]),
    "too deep": ("json", "[" * 100_000, [("the file", "is not JSON")]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place_and_the_cure(case: str) -> None:
    form, text, expected = WRONG[case]
    _, problems = read(text, form, {Address("telegram", "9"): "subscriptions[0].to"})
    assert [place for place, _ in problems] == [place for place, _ in expected]
    assert [said for (_, said), (_, cure) in zip(problems, expected, strict=True) if cure not in said] == []
