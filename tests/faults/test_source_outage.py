"""What Kraken's page does to its readers on a bad day, judged by what two of them were told."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from notifier.simulator import Script, load
from tests.faults.deposits import STORY, TEXTS, clock, texts_in
from tests.faults.stage import SLACK, TELEGRAM, stage

TEN = timedelta(minutes=10)

FAULTS = {
    "503": "answer = 503\nretry_after = 30",
    "a page of HTML": 'answer = "html"',
    "half of the answer": 'answer = "truncated"',
    "half of the answer, then a broken connection": 'answer = "cut"',
    "an empty answer": 'answer = "empty"',
    "no answer": 'answer = "drop"',
    "an empty object": 'answer = 200\nbody = "{}"',
    "no incidents, without saying whose": "answer = 200\nbody = '{\"incidents\": []}'",
    "copies from an hour ago": 'answer = "stale"\nbehind = 3600',
    "every second copy from an hour ago": 'answer = "stale"\nbehind = 3600\nalternate = true',
}


def story(fault: str, target: str) -> Script:
    """The fault strikes for an hour and twenty minutes, from the second update until after the end."""
    return load(f'{STORY}\n[[faults]]\nfrom = 09:15:00\nto = 10:35:00\ntarget = "{target}"\n{fault}\n')


@pytest.mark.fault("H1", "A33")
@pytest.mark.parametrize("target", ["api", "feed"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_what_one_reading_cannot_say_the_other_says_and_nothing_is_said_twice(
    fault: str, target: str, tmp_path: Path
) -> None:
    script = story(FAULTS[fault], target)
    async with stage(script, tmp_path) as there:
        await there.at(*map(clock, ("09:01", "09:16", "09:21", "09:31", "09:41", "10:11", "10:31")))
        during = there.told(script.incidents[0].id)
        await there.at(clock("10:40"), clock("11:10"))
        after = there.told(script.incidents[0].id)
    for receiver in (SLACK, TELEGRAM):
        assert texts_in(during[receiver]) == [[text] for text in TEXTS], "told while it lasts, in order"
        assert after[receiver] == during[receiver], "and not again when it is over"


@pytest.mark.fault("A4")
async def test_an_outage_of_everything_ends_in_one_message_with_the_whole_story(tmp_path: Path) -> None:
    script = story(FAULTS["503"], "*")
    async with stage(script, tmp_path) as there:
        await there.through(clock("09:01"), clock("11:20"), TEN)
        told = there.told(script.incidents[0].id)
    for receiver in (SLACK, TELEGRAM):
        assert texts_in(told[receiver]) == [TEXTS[:1], TEXTS[1:]]
        assert "Resolved: Deposits are delayed" in told[receiver][1]
        assert "Late: posted 10:10 UTC, delivered 10:41 UTC" in told[receiver][1]


@pytest.mark.fault("A19", "H1")
async def test_the_second_update_of_a_minute_is_the_second_even_if_the_feed_says_it_first(tmp_path: Path) -> None:
    early = STORY.replace("09:20:05.500", "09:00:40.500")
    script = load(f'{early}\n[[faults]]\nfrom = 09:00:30\nto = 09:10:00\ntarget = "api"\nanswer = 503\n')
    async with stage(script, tmp_path) as there:
        await there.at(clock("09:00:10"), clock("09:00:50"), clock("09:11"))
        told = there.told(script.incidents[0].id)
        loud = [not each.silent for each in there.telegram.messages[1:]]
    assert texts_in(told[TELEGRAM]) == [["We look into it."], ["We found it."]]
    assert loud == [True, False], "it opens nothing"


@pytest.mark.fault("A16", "A18")
async def test_an_incident_taken_off_the_page_is_withdrawn_once_and_never_resolved(tmp_path: Path) -> None:
    script = load(STORY.replace('title = "Deposits', 'deleted_at = 09:30:00\ntitle = "Deposits'))
    async with stage(script, tmp_path) as there:
        await there.through(clock("09:01"), clock("11:20"), TEN)
        told = there.told(script.incidents[0].id)
    for receiver in (SLACK, TELEGRAM):
        opened, identified, withdrawn = told[receiver]
        assert texts_in([opened, identified]) == [["We look into it."], ["We found it."]]
        assert "Withdrawn: Deposits are delayed" in withdrawn
        assert not any("Resolved" in each for each in told[receiver])
