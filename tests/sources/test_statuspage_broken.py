from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.model import Snapshot
from notifier.sources.statuspage import parse_incident, parse_incidents, parse_summary
from notifier.sources.text import Unreadable
from tests.sources.pages import Document, changed, dropped, page
from tests.sources.parsers import PARSERS, updates

BROKEN: dict[str, tuple[Callable[[Document], Any], int, str]] = {
    "an incident without id": (
        lambda page: dropped(page, "incidents", 0, "id"),
        2,
        "incidents[0] None: id: not an id: None",
    ),
    "an incident without name": (
        lambda page: dropped(page, "incidents", 0, "name"),
        2,
        "incidents[0] 'nb4wq0x7ht2k': name: not a text: None",
    ),
    "an incident with a list for a status": (
        lambda page: page["incidents"][1].update(status=["investigating"]),
        2,
        "incidents[1] 'w7k2d9s4j6fp': status: not a text: a list",
    ),
    "an incident without updates": (
        lambda page: dropped(page, "incidents", 0, "incident_updates"),
        2,
        "incidents[0] 'nb4wq0x7ht2k': incident_updates: not a list: None",
    ),
    "an incident that is a number": (
        lambda page: page["incidents"].insert(0, 7),
        3,
        "incidents[0]: not an object: 7",
    ),
    "an id that is a path": (
        lambda page: page["incidents"][0].update(id="../../x"),
        2,
        "incidents[0] '../../x': id: not an id: '../../x'",
    ),
    "an id that is true": (
        lambda page: page["incidents"][0].update(id=True),
        2,
        "incidents[0] True: id: not an id: True",
    ),
    "an update without body": (
        lambda page: dropped(page, "incidents", 0, "incident_updates", 2, "body"),
        3,
        "incidents[0] 'nb4wq0x7ht2k': incident_updates[2] '1qz9k4t6w8bj': body: not a text: None",
    ),
    "an update of no time": (
        lambda page: updates(page)[0].update(created_at=None, display_at=None),
        3,
        "incidents[0] 'nb4wq0x7ht2k': incident_updates[0] '2m8h5c1k9vqs': created_at: not an instant with a zone: None",
    ),
    "a time that is none": (
        lambda page: page["incidents"][0].update(resolved_at="soon"),
        3,
        "incidents[0] 'nb4wq0x7ht2k': resolved_at: not an instant with a zone: 'soon'",
    ),
    "a component without name": (
        lambda page: dropped(page, "incidents", 0, "components", 0, "name"),
        3,
        "incidents[0] 'nb4wq0x7ht2k': components[0] 'z1kq8v5h3mxd': name: not a text: None",
    ),
}


@pytest.mark.parametrize(("change", "left", "note"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_named_and_the_rest_lives(change: Callable[[Document], Any], left: int, note: str) -> None:
    snapshot = parse_summary(changed("summary.json", change))
    assert (len(snapshot.incidents), snapshot.broken, snapshot.complete) == (left, (note,), False)


def test_a_broken_update_leaves_the_others_of_its_incident() -> None:
    body = changed("incidents.json", lambda page: dropped(page, "incidents", 0, "incident_updates", 2, "id"))
    assert [update.id for update in parse_incidents(body).incidents[0].updates] == [
        "8fd3s7n2m5vx",
        "6xr0y3p7d2fn",
        "2m8h5c1k9vqs",
    ]


def test_a_broken_component_leaves_the_others() -> None:
    snapshot = parse_summary(changed("summary.json", lambda page: page["components"][3].update(status=None)))
    assert snapshot.components is not None
    assert (len(snapshot.components), snapshot.complete) == (6, False)


def test_a_flood_of_notes_is_told_in_short() -> None:
    snapshot = parse_incidents(changed("incidents.json", lambda page: page["incidents"].extend([None] * 100_000)))
    assert len(snapshot.incidents) == 3
    assert snapshot.broken[-2:] == ("incidents[22]: not an object: None", "and 99980 more")


def test_notes_are_single_lines() -> None:
    snapshot = parse_incidents(changed("incidents.json", lambda page: page["incidents"][0].update(id="a\nb\x1b")))
    assert snapshot.broken == ("incidents[0] 'a\\nb\\x1b': id: not an id: 'a\\nb\\x1b'",)


REFUSED = {
    "an empty object": (b"{}", "incidents: not a list: None"),
    "an empty list": (b"[]", "not a JSON object"),
    "an error": (b'{"errors": ["Could not find an item with that id."]}', "incidents: not a list: None"),
    "a page without incidents": (b'{"page": {"id": "lfz25gyhcpjf"}}', "incidents: not a list: None"),
    "incidents without a page": (b'{"incidents": []}', "not a status page: page: not an object: None"),
    "a page without id": (b'{"page": {}, "incidents": []}', "not a status page: id: not an id: None"),
    "a page with an empty id": (b'{"page": {"id": ""}, "incidents": []}', "not a status page: id: not an id: ''"),
    "HTML": (b"<html><body>Bad gateway</body></html>", "not JSON"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_the_page_s_list_is_refused_as_a_whole(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        parse_incidents(body)
    assert reason in str(refusal.value)


def test_a_summary_without_maintenances_is_refused_because_absence_must_mean_something() -> None:
    with pytest.raises(Unreadable, match="scheduled_maintenances: not a list"):
        parse_summary(changed("summary.json", lambda page: dropped(page, "scheduled_maintenances")))


def test_a_broken_incident_that_was_asked_for_by_id_is_refused() -> None:
    with pytest.raises(Unreadable, match="name: not a text: None"):
        parse_incident(changed("incident.json", lambda page: dropped(page, "incident", "name")))


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
@given(data=st.data())
def test_no_half_of_a_document_is_believed(
    parser: tuple[Callable[[bytes], Snapshot], str], data: st.DataObject
) -> None:
    parse, name = parser
    whole = page(name).strip()
    with pytest.raises(Unreadable):
        parse(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
@given(data=st.data())
def test_one_wrong_value_anywhere_never_ends_or_invents_anything(
    parser: tuple[Callable[[bytes], Snapshot], str], data: st.DataObject
) -> None:
    parse, name = parser
    whole = parse(page(name))
    document = json.loads(page(name))
    parent, key = data.draw(st.sampled_from(_places(document)))
    parent[key] = data.draw(st.sampled_from([None, -1.5, True, "", [], {}, [None], {"id": {}}]))
    try:
        mutated = parse(json.dumps(document).encode())
    except Unreadable:
        return
    stated = {incident.id: incident for incident in whole.incidents}
    for incident in mutated.incidents:
        assert incident.status == stated[incident.id].status
        assert {update.id for update in incident.updates} <= {update.id for update in stated[incident.id].updates}
    assert len(mutated.incidents) == len(stated) or mutated.broken or parent[key] == []


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document where a value stands."""
    items: list[tuple[Any, Any]] = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in items] + [place for _, child in items for place in _places(child)]
