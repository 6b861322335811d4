"""What the exchange says beside the page, the first start, and a long absence."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.simulator import load
from tests.faults.deposits import STORY, TEXTS, clock, story, texts_in
from tests.faults.stage import Stage, stage
from tests.receivers.slack import SlackMessage

SCRIPT = story()
DAYS = 3


def heads(there: Stage) -> list[list[str]]:
    """The first line of whatever each reader got after the welcome."""
    return [
        [each.text.partition("\n")[0].strip("*") for each in there.slack.messages[1:]],
        [each.text.partition("\n")[0] for each in there.telegram.messages[1:]],
    ]


def threads(posts: Sequence[SlackMessage]) -> list[int]:
    """For each post the place of the one that its thread hangs on; its own if it hangs on none."""
    places = {post.ts: place for place, post in enumerate(posts)}
    return [places[post.thread_ts or post.ts] for post in posts]


@pytest.mark.fault("A34")
async def test_a_maintenance_of_the_exchange_of_which_the_page_is_silent_is_told_as_its_own_word(
    tmp_path: Path,
) -> None:
    script = story(
        '[[exchange]]\nat = 08:52:00\nstatus = "maintenance"\n[[exchange]]\nat = 08:56:00\nstatus = "online"'
    )
    async with stage(script, tmp_path) as there:
        await there.at(clock("08:53"), clock("08:54"), clock("08:57"), clock("08:58"))
        for told in heads(there):
            assert len(told) == 2, told
            assert "Maintenance" in told[0] and "Kraken exchange" in told[0]
            assert "Online: Kraken exchange" in told[1]
        assert threads(there.slack.messages[1:]) == [0, 0], "one conversation"


@pytest.mark.fault("A34")
async def test_an_outage_on_the_page_of_which_the_exchange_is_silent_makes_it_say_nothing(tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        await there.at(clock("09:01"), clock("09:21"), clock("09:41"), clock("10:11"))
        for told in heads(there):
            assert len(told) == 4 and not any("exchange" in each for each in told)


@pytest.mark.fault("A34")
@pytest.mark.parametrize("first", ["the exchange", "the page"])
async def test_an_emergency_that_links_to_an_incident_is_one_conversation_with_it(first: str, tmp_path: Path) -> None:
    at = "08:55:00" if first == "the exchange" else "09:05:00"
    script = story(f'[[exchange]]\nat = {at}\nstatus = "online"\nemergency = [{{ of = "outage" }}]')
    async with stage(script, tmp_path) as there:
        await there.at(clock("08:56"), clock("09:01"), clock("09:06"), clock("09:21"))
        advisories = 1 if first == "the exchange" else 0
        for told in heads(there):
            assert len(told) == 2 + advisories, told
        assert set(threads(there.slack.messages[1:])) == {0}


@pytest.mark.fault("A35")
async def test_the_first_start_announces_nothing_and_welcomes_with_what_is_open(tmp_path: Path) -> None:
    old = STORY.replace("start = 2026-05-12T08:50:00Z", "start = 2026-05-12T09:05:00Z").replace(
        "history = 3", "history = 50"
    )
    async with stage(load(old), tmp_path) as there:
        await there.at(clock("09:06"), clock("09:07"))
        for messages in (there.slack.messages, there.telegram.messages):
            [welcome] = messages
            assert "You will hear from Kraken status here" in welcome.text
            assert welcome.text.count("Deposits are delayed") == 1
        await there.at(clock("09:21"), clock("09:41"), clock("10:11"))
        for told in there.told(there.script.incidents[0].id).values():
            news = [text for text in told if "You will hear" not in text]
            assert texts_in(news) == [[text] for text in TEXTS[1:]], "and its news from then on"


def three_days() -> str:
    """Two incidents with a dozen updates while nobody watched; one is over by then."""
    told = []
    for number, name in enumerate(("Deposits", "Withdrawals")):
        told.append(
            f'[[incidents]]\nname = "{name}"\ntitle = "{name} are slow"\ncomponents = ["Kraken API (Websocket)"]'
        )
        for step in range(7):
            day, status = 12 + step // 2, "investigating" if step == 0 else "identified"
            status = "resolved" if (step, number) == (6, 0) else status
            at = f"2026-05-{day}T{9 + step % 2:02}:{number:02}:07Z" if step else f"2026-05-12T08:55:0{number}Z"
            told.append(f'[[incidents.updates]]\nat = {at}\nstatus = "{status}"\ntext = "{name}, step {step}."')
    return "[page]\nstart = 2026-05-12T08:50:00Z\nend = 2026-05-20T00:00:00Z\nhistory = 3\n" + "\n".join(told)


@pytest.mark.fault("A36")
async def test_after_three_days_off_each_incident_is_one_message_with_dates_that_says_it_is_late(
    tmp_path: Path,
) -> None:
    script = load(three_days())
    async with stage(script, tmp_path) as there:
        await there.at(clock("08:56"))
        before = len(there.slack.messages)
        assert before == 3
        there.clock.move(timedelta(days=DAYS, hours=6))
        await there.restart()
        await there.at(there.clock.now(), there.clock.now() + timedelta(seconds=20))
        for incident in script.incidents:
            for first, *later in there.told(incident.id).values():
                assert "step 0." in first
                [missed] = later
                assert [step for step in range(1, 7) if f"step {step}." not in missed] == []
                assert missed.index("step 6.") < missed.index("step 5."), "the newest first"
                assert "Late: posted" in missed and "14 May" in missed
        assert len(there.slack.messages) == len(there.telegram.messages) == before + 2


@pytest.mark.fault("H4")
async def test_what_opened_and_ended_between_two_polls_is_one_message_with_its_whole_story(tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        await there.at(clock("08:59"), clock("10:20"), clock("10:21"))
        for told in there.told(SCRIPT.incidents[0].id).values():
            assert texts_in(told) == [TEXTS]
            assert "Resolved: Deposits are delayed" in told[0]


@pytest.mark.fault("B14")
async def test_a_wiped_disk_is_a_new_baseline_and_no_flood(tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        await there.at(clock("09:01"), clock("09:21"))
        posts = len(there.slack.messages)
        await there.process.aclose()
        for file in tmp_path.iterdir():
            file.unlink()
        await there.restart()
        await there.at(clock("09:25"), clock("09:26"))
        for messages in (there.slack.messages, there.telegram.messages):
            [welcome] = messages[posts:]
            assert "You will hear from Kraken status here" in welcome.text
        await there.at(clock("09:41"), clock("10:11"))
        for told in there.told(SCRIPT.incidents[0].id).values():
            assert texts_in([text for text in told if "You will hear" not in text]) == [[text] for text in TEXTS]


@pytest.mark.fault("B15")
async def test_after_an_old_backup_what_came_since_is_told_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    async with stage(SCRIPT, tmp_path / "there") as there:
        await there.at(clock("09:01"))
        await there.process.aclose()
        shutil.copytree(tmp_path / "there", tmp_path / "backup")
        await there.restart()
        await there.at(clock("09:21"), clock("09:41"))
        await there.process.aclose()
        shutil.rmtree(tmp_path / "there")
        shutil.copytree(tmp_path / "backup", tmp_path / "there")
        await there.restart()
        await there.at(clock("10:00"), clock("10:01"), clock("10:11"))
        for told in there.told(SCRIPT.incidents[0].id).values():
            assert texts_in(told) == [*([text] for text in TEXTS[:3]), TEXTS[1:3], TEXTS[3:]]
