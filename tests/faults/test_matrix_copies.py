"""Copies that contradict each other: older and newer ones, page and feed, lists that leave something out."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifier.simulator import load
from tests.faults.deposits import STORY, TEXTS, clock, story, texts_in
from tests.faults.rawpage import Document, RawPage
from tests.faults.stage import Stage, stage
from tests.sources.wire import breaking_off, saying

SCRIPT = story()
NAME = SCRIPT.incidents[0].id
BY_NAME = f"/api/v2/*/{NAME}.json"
EDITED = (
    STORY
    + """
  [[incidents.edits]]
  at = 09:30:00
  update = 2
  text = "We found it, and it is small."
"""
)
REOPENED = load(
    STORY
    + """
  [[incidents.updates]]
  at = 10:30:00
  status = "investigating"
  text = "It is back."
"""
)


def unlisted(document: Document) -> None:
    """The incident is in no list; at its own URL it still stands."""
    for key in ("incidents", "scheduled_maintenances"):
        document[key] = [each for each in document.get(key, ()) if each["id"] != NAME]


async def told_in_full(there: Stage) -> None:
    """Each update by itself, each once, in order."""
    for told in there.told(NAME).values():
        assert texts_in(told) == [[text] for text in TEXTS]
        assert [("Resolved" in text) for text in told] == [False, False, False, True]


@pytest.mark.fault("A14")
@pytest.mark.parametrize("target", ["api", "feed", "*"])
async def test_an_older_copy_takes_back_no_edit(target: str, tmp_path: Path) -> None:
    stale = f'[[faults]]\nfrom = 09:31:00\nto = 09:39:00\ntarget = "{target}"\nanswer = "stale"\nbehind = 600\n'
    script = load(EDITED + stale)
    async with stage(script, tmp_path) as there:
        await there.at(clock("09:01"), clock("09:21"), clock("09:30:30"))
        shown = [each.shown for each in there.slack.messages], [each.shown for each in there.telegram.messages]
        assert any("it is small" in text for text in shown[0]) and any("it is small" in text for text in shown[1])
        calls = len(there.slack.calls), len(there.telegram.calls)
        await there.at(clock("09:32"), clock("09:36"), clock("09:40:30"))
        assert (
            [each.shown for each in there.slack.messages],
            [each.shown for each in there.telegram.messages],
        ) == shown
        assert (len(there.slack.calls), len(there.telegram.calls)) == calls, "nobody was bothered"


@pytest.mark.fault("A15")
async def test_nothing_flaps_over_a_thousand_polls_of_two_copies_that_differ(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"), clock("09:21"), clock("09:41"))
        told, calls = there.told(), len(there.slack.calls)
        for number in range(1_000):
            page.lead = timedelta(minutes=number % 2 * 35 + number % 3)
            await there.running.poll.page(there.running.page_sources[number % 3 % 2])
        page.lead = timedelta()
        await there.at(clock("09:42"))
        assert (there.told(), len(there.slack.calls)) == (told, calls)
        await there.at(clock("10:11"))
        await told_in_full(there)


@pytest.mark.fault("A16")
@pytest.mark.parametrize("own_url", ["answers", "fails", "is denied without a list that can be believed"])
async def test_an_incident_that_no_list_shows_stays_open(own_url: str, tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"), clock("09:21"), clock("09:41"))
        page.edit("/api/v2/*s.json", unlisted)
        page.edit("/api/v2/summary.json", unlisted)
        page.answer("feed", breaking_off(b""))
        if own_url == "fails":
            page.answer(BY_NAME, saying(b"", "503 Service Unavailable"))
        elif own_url != "answers":
            page.answer(BY_NAME, saying(b"<html>", "404 Not Found", content_type="text/html"))
            page.answer("/api/v2/summary.json", saying(b"{}"))
        for minute in range(12):
            await there.at(clock("09:45") + timedelta(minutes=minute))
        assert [len(told) for told in there.told(NAME).values()] == [3, 3], "nothing was withdrawn"
        page.heal()
        await there.at(clock("10:11"))
        await told_in_full(there)


@pytest.mark.fault("A17")
async def test_what_slides_out_of_the_list_of_the_newest_is_followed_in_the_summary(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    page.edit("/api/v2/incidents.json", unlisted)
    page.rewrite("feed", lambda body: body.replace(NAME.encode(), b"another00000"))
    page.answer("feed", breaking_off(b""))
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"), clock("09:21"), clock("09:41"))
        for minute in range(12):
            await there.at(clock("09:45") + timedelta(minutes=minute))
        page.heal()
        await there.at(clock("10:11"))
        await told_in_full(there)


@pytest.mark.fault("A17")
async def test_the_end_of_what_no_list_shows_is_found_under_its_own_url(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    page.edit("/api/v2/incidents.json", unlisted)
    page.answer("feed", breaking_off(b""))
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"), clock("09:21"), clock("09:41"))
        await there.at(*(clock("10:11") + timedelta(minutes=minute) for minute in range(5)))
        await told_in_full(there)


@pytest.mark.fault("A18")
async def test_what_comes_back_after_its_end_goes_on_in_its_thread_and_makes_a_sound(tmp_path: Path) -> None:
    async with stage(REOPENED, tmp_path) as there:
        await there.at(clock("09:01"), clock("09:21"), clock("09:41"), clock("10:11"), clock("10:31"))
        posts = [each for each in there.slack.messages if NAME in str(each.arguments)]
        bubbles = [each for each in there.telegram.messages if NAME in str(each.arguments)]
        for heads in ([each.text for each in posts], [each.text for each in bubbles]):
            assert len(heads) == 5 and "Reopened" in heads[-1] and "It is back" in heads[-1]
        assert {each.thread_ts for each in posts[1:]} == {posts[0].ts}
        assert {each.reply_to for each in bubbles[1:]} == {bubbles[0].message_id}
        assert not bubbles[-1].silent and posts[-1].broadcast


@pytest.mark.fault("A33")
async def test_where_page_and_feed_differ_the_page_s_words_stand(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    page.rewrite(
        "feed", lambda body: body.replace(b"We found it.", b"We lost it.").replace(b"Deposits are", b"Gone are")
    )
    async with stage(SCRIPT, tmp_path, page) as there:
        for moment in (clock("09:01"), clock("09:21"), clock("09:41"), clock("10:11")):
            await there.at(moment, moment + timedelta(minutes=1))
        await told_in_full(there)
        shown = [*(each.shown for each in there.slack.messages), *(each.shown for each in there.telegram.messages)]
        assert not any("We lost it" in text or "Gone are" in text for text in shown)


@pytest.mark.fault("A33")
async def test_what_the_feed_says_first_in_other_words_becomes_what_the_page_says(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    page.rewrite("feed", lambda body: body.replace(b"We found it.", b"We lost it."))
    async with stage(SCRIPT, tmp_path, page) as there:
        await there.at(clock("09:01"))
        page.answer("api", breaking_off(b""))
        await there.at(clock("09:21"))
        assert [("We lost it." in told[-1]) for told in there.told(NAME).values()] == [True, True]
        page.heal()
        await there.at(clock("09:25"), clock("09:26"), clock("09:41"), clock("10:11"))
        for messages in (there.slack.messages, there.telegram.messages):
            [found] = [each for each in messages if "We lost it." in each.text]
            assert "found" in found.shown and "Edited by Kraken" in found.shown
            assert sum("We found it." in each.text for each in messages) == 0, "nobody was told twice"


CLOCKS = {
    "a day ahead": [timedelta(days=1)] * 4,
    "a day behind": [timedelta(days=-1)] * 4,
    "jumping ahead": [timedelta(), timedelta(days=1), timedelta(days=1), timedelta(days=1)],
    "jumping back": [timedelta(), timedelta(), timedelta(days=-1), timedelta(days=-1)],
    "jumping to and fro": [timedelta(), timedelta(days=1), timedelta(days=-1), timedelta()],
}


@pytest.mark.fault("A21")
@pytest.mark.parametrize("wrong", CLOCKS.values(), ids=CLOCKS)
async def test_a_wrong_clock_of_ours_loses_and_repeats_nothing(wrong: list[timedelta], tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    moments: list[datetime] = [clock("09:01"), clock("09:21"), clock("09:41"), clock("10:11")]
    async with stage(SCRIPT, tmp_path, page) as there:
        for moment, lead in zip(moments, wrong, strict=True):
            page.lead = lead
            await there.at(moment + lead)
            await there.at(moment + lead + timedelta(minutes=2))
        await told_in_full(there)
        assert len(there.slack.messages) == len(there.telegram.messages) == 5, "the welcome is the fifth"


@pytest.mark.fault("A20")
async def test_an_edit_makes_no_sound_and_no_message(tmp_path: Path) -> None:
    async with stage(load(EDITED), tmp_path) as there:
        await there.at(clock("09:01"), clock("09:21"))
        posts = len(there.slack.messages), len(there.telegram.messages)
        await there.at(clock("09:31"), clock("09:33"))
        assert (len(there.slack.messages), len(there.telegram.messages)) == posts
        for messages in (there.slack.messages, there.telegram.messages):
            [found] = [each for each in messages if "We found it" in each.text and each.edits]
            assert "it is small" in found.shown
        assert {method for method, _ in there.telegram.calls if method != "sendMessage"} == {"editMessageText"}
