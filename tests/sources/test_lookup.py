from __future__ import annotations

import pytest

from notifier.model import Snapshot
from notifier.ports import SourceFailed
from notifier.sources.fetch import PageLookup
from tests.sources.pages import page
from tests.sources.polling import client
from tests.sources.wire import Answer, breaking_off, saying, serving

MISSING = saying(b'{"errors":["Could not find an item with that id."]}', "404 Not Found")
INCIDENT, PLANNED = "nb4wq0x7ht2k", "f3q8y5t1n7vk"


async def look_up(incident_id: str, *answers: Answer) -> tuple[Snapshot | None, list[str]]:
    """What was found, and where it was looked for."""
    async with serving(*answers) as wire, client() as made:
        return await PageLookup(made, wire.url).look_up(incident_id), wire.paths


async def test_an_incident_is_found_by_its_id() -> None:
    found, paths = await look_up(INCIDENT, saying(page("incident.json")))
    assert found is not None
    assert [incident.id for incident in found.incidents] == [INCIDENT]
    assert paths == [f"/api/v2/incidents/{INCIDENT}.json"]


async def test_a_maintenance_is_found_by_its_id() -> None:
    found, paths = await look_up(PLANNED, MISSING, saying(page("scheduled-maintenance.json")))
    assert found is not None
    assert [incident.id for incident in found.incidents] == [PLANNED]
    assert paths == [f"/api/v2/incidents/{PLANNED}.json", f"/api/v2/scheduled-maintenances/{PLANNED}.json"]


async def test_only_two_404s_prove_that_an_incident_is_gone() -> None:
    found, paths = await look_up(INCIDENT, MISSING, MISSING)
    assert found is None
    assert len(paths) == 2


UNPROVEN: dict[str, tuple[Answer, ...]] = {
    "an error first": (saying(b"", "500 Internal Server Error"), MISSING),
    "an error last": (MISSING, saying(b"", "503 Service Unavailable")),
    "an error page": (MISSING, saying(b"<html>", content_type="text/html")),
    "half an answer": (saying(page("incident.json")[:200]),),
    "another incident": (saying(page("scheduled-maintenance.json")),),
    "a line cut": (breaking_off(b""),),
}


@pytest.mark.parametrize("answers", UNPROVEN.values(), ids=UNPROVEN)
async def test_anything_else_proves_nothing(answers: tuple[Answer, ...]) -> None:
    with pytest.raises(SourceFailed):
        await look_up(INCIDENT, *answers)


@pytest.mark.parametrize("incident_id", ["", "../summary", "a/b", "a?b", "a\r\nHost: x", "a%2e", "ä"])
async def test_what_is_no_id_is_not_asked_for(incident_id: str) -> None:
    async with serving(MISSING) as wire, client() as made:
        with pytest.raises(SourceFailed, match="not the id of an incident"):
            await PageLookup(made, wire.url).look_up(incident_id)
    assert wire.requests == []
