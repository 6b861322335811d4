from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import pytest

from notifier.simulator import Simulator, load, shipped
from tests.simulator.telling import BARE, OUTAGE, UPGRADE, at


@dataclass
class StoryClock:
    """Tells the time that it was set to."""

    now: datetime = field(default_factory=lambda: at("09:10:00"))

    def __call__(self) -> datetime:
        return self.now


class Visitor:
    """A client of one simulator, with its clock in hand."""

    def __init__(self, simulator: Simulator, clock: StoryClock, http: httpx.AsyncClient) -> None:
        self.simulator, self.clock, self._http = simulator, clock, http

    async def get(self, path: str, **headers: str) -> httpx.Response:
        sent = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._http.get(self.simulator.url + path, headers=sent)


@pytest.fixture
async def visit(request: pytest.FixtureRequest) -> AsyncIterator[Visitor]:
    clock = StoryClock()
    told = load(BARE + OUTAGE + UPGRADE + getattr(request, "param", ""))
    async with Simulator(told, clock) as simulator, httpx.AsyncClient(timeout=5, trust_env=False) as http:
        yield Visitor(simulator, clock, http)


def during_a_fault(target: str, answer: str, *more: str) -> pytest.MarkDecorator:
    """From 10:00 to 10:10."""
    fault = ["[[faults]]", "from = 10:00:00", "to = 10:10:00", f'target = "{target}"', f"answer = {answer}", *more]
    return pytest.mark.parametrize("visit", ["\n".join(fault)], indirect=True, ids=[answer])


TYPES = {
    "/api/v2/summary.json": "application/json; charset=utf-8",
    "/api/v2/incidents/unresolved.json": "application/json; charset=utf-8",
    "/0/public/SystemStatus": "application/json; charset=utf-8",
    "/history.atom": "application/atom+xml; charset=utf-8",
    "/history.rss": "application/rss+xml; charset=utf-8",
}


@pytest.mark.parametrize(("path", "content_type"), TYPES.items())
async def test_every_answer_states_what_it_is(visit: Visitor, path: str, content_type: str) -> None:
    answer = await visit.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert "Something is wrong" in answer.text or path.startswith("/0/")


async def test_the_page_answers_like_a_cdn(visit: Visitor) -> None:
    answer = await visit.get("/api/v2/summary.json")
    assert answer.headers["cache-control"].startswith("max-age=10, public, s-maxage=10")
    assert answer.headers["etag"].startswith('W/"')
    assert answer.headers["vary"] == "Accept,Accept-Encoding"
    assert answer.headers["age"] == "10"
    visit.clock.now = at("09:30:04")
    assert (await visit.get("/api/v2/summary.json")).headers["age"] == "3", "no copy is older than what it says"
    assert "etag" not in (await visit.get("/0/public/SystemStatus")).headers


@pytest.mark.parametrize("path", ["/api/v2/summary.json", "/api/v2/incidents.json", "/history.atom", "/history.rss"])
async def test_a_quiet_page_is_not_sent_twice(visit: Visitor, path: str) -> None:
    first = await visit.get(path)
    visit.clock.now = at("09:29:59")
    again = await visit.get(path, If_None_Match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    visit.clock.now = at("09:30:00.500")
    changed = await visit.get(path, If_None_Match=first.headers["etag"])
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]
    assert visit.simulator.served == {(path, 200): 2, (path, 304): 1}


async def test_gzip_is_sent_to_those_who_ask(visit: Visitor) -> None:
    plain = await visit.get("/api/v2/components.json")
    zipped = await visit.get("/api/v2/components.json", Accept_Encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert zipped.headers["content-encoding"] == "gzip"
    assert zipped.content == plain.content
    assert int(zipped.headers["content-length"]) < len(plain.content) / 4


async def test_what_is_not_there_is_told_as_the_page_tells_it(visit: Visitor) -> None:
    answer = await visit.get("/api/v2/incidents/000000000000.json")
    assert answer.status_code == 404
    assert answer.json() == {"errors": ["Could not find an item with that id."]}
    assert (await visit.get("/elsewhere")).status_code == 404


async def test_an_incident_has_a_web_page_that_holds_no_markup_of_its_author() -> None:
    clock = StoryClock(at("12:41:00"))
    told = load(shipped()["rough-day"])
    hostile = next(incident for incident in told.incidents if incident.name == "hostile")
    async with Simulator(told, clock) as simulator, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{simulator.url}/incidents/{hostile.id}")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "&lt;script&gt;alert(1)" in answer.text
    assert "<script" not in answer.text


async def test_without_a_start_there_is_no_url() -> None:
    simulator = Simulator(load(BARE), StoryClock())
    with pytest.raises(RuntimeError, match="start it first"):
        _ = simulator.url
    async with simulator:
        assert simulator.url.startswith("http://127.0.0.1:")
    await simulator.stop()


async def test_it_listens_where_it_is_told_to() -> None:
    async with Simulator(load(BARE), StoryClock()) as simulator:
        url = simulator.url
    async with Simulator(load(BARE), StoryClock(), port=int(url.rsplit(":", 1)[1])) as simulator:
        assert simulator.url == url


DURING, AFTER = at("10:05:00"), at("10:10:00")


@during_a_fault("api", "503", "retry_after = 30")
async def test_the_api_may_fail_while_feed_and_exchange_carry_on(visit: Visitor) -> None:
    visit.clock.now = DURING
    failed = await visit.get("/api/v2/summary.json")
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "30")
    assert failed.headers["content-type"].startswith("text/html")
    assert (await visit.get("/history.atom")).status_code == 200
    assert (await visit.get("/0/public/SystemStatus")).status_code == 200
    visit.clock.now = AFTER
    assert (await visit.get("/api/v2/summary.json")).status_code == 200


@during_a_fault("/history.*", '"empty"')
async def test_an_answer_may_be_empty(visit: Visitor) -> None:
    visit.clock.now = DURING
    answer = await visit.get("/history.atom")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert (await visit.get("/api/v2/summary.json")).content


@during_a_fault("*", '"html"')
async def test_an_answer_may_be_some_other_page(visit: Visitor) -> None:
    visit.clock.now = DURING
    for path in TYPES:
        answer = await visit.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@during_a_fault("api", '"truncated"')
async def test_an_answer_may_be_half_and_seem_whole(visit: Visitor) -> None:
    visit.clock.now = at("09:59:59")
    whole = await visit.get("/api/v2/components.json")
    visit.clock.now = DURING
    half = await visit.get("/api/v2/components.json")
    assert half.status_code == 200
    assert half.content == whole.content[: len(whole.content) // 2]


@during_a_fault("api", '"cut"')
async def test_an_answer_may_end_before_its_promised_length(visit: Visitor) -> None:
    visit.clock.now = DURING
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        await visit.get("/api/v2/components.json")


@during_a_fault("exchange", '"drop"')
async def test_there_may_be_no_answer(visit: Visitor) -> None:
    visit.clock.now = DURING
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await visit.get("/0/public/SystemStatus")


@during_a_fault("exchange", '"hang"')
async def test_an_answer_may_never_come_and_does_not_keep_the_simulator_from_stopping(visit: Visitor) -> None:
    visit.clock.now = DURING
    async with httpx.AsyncClient(timeout=0.05, trust_env=False) as impatient:
        with pytest.raises(httpx.ReadTimeout):
            await impatient.get(visit.simulator.url + "/0/public/SystemStatus")


ENGINE_ERROR = '{"error":["EService:Unavailable"]}'


@during_a_fault("exchange", "200", f"body = '{ENGINE_ERROR}'")
async def test_a_body_may_be_given(visit: Visitor) -> None:
    visit.clock.now = DURING
    answer = await visit.get("/0/public/SystemStatus")
    assert answer.json() == {"error": ["EService:Unavailable"]}
    assert answer.headers["content-type"].startswith("application/json")


@during_a_fault("api", '"stale"', "behind = 3000", "alternate = true")
async def test_every_second_copy_may_be_old(visit: Visitor) -> None:
    visit.clock.now = at("10:00:00")
    answers = [await visit.get("/api/v2/incidents.json") for _ in range(4)]
    statuses = [answer.json()["incidents"][0]["status"] for answer in answers]
    assert statuses == ["resolved", "investigating", "resolved", "investigating"]
    assert [answer.headers["age"] for answer in answers] == ["10", "3000", "10", "3000"]
