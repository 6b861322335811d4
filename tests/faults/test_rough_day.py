"""The worst day that the simulator knows, from end to end. The script is the oracle of what has to be told."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from notifier.markup import INERT
from notifier.simulator import load, shipped
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage

SCRIPT = load(shipped()["rough-day"])
EVERYTHING = (*SCRIPT.incidents, *SCRIPT.maintenances)
[HOSTILE] = [each for each in EVERYTHING if each.name == "hostile"]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The evening of it: every quarter of an hour was polled, and ten seconds after whatever happened."""

    async def lived_through() -> Stage:
        quarters = (SCRIPT.page.start + timedelta(minutes=15 * place) for place in range(44))
        async with stage(SCRIPT, tmp_path_factory.mktemp("day")) as there:
            await there.at(*sorted({*quarters, *(moment + timedelta(seconds=10) for moment in SCRIPT.moments)}))
            return there

    return asyncio.run(lived_through())


@pytest.mark.fault("A19")
@pytest.mark.parametrize("receiver", [SLACK, TELEGRAM])
@pytest.mark.parametrize("name", [each.name for each in EVERYTHING if each is not HOSTILE])
def test_every_update_of_the_script_is_told_exactly_once(day: Stage, name: str, receiver: str) -> None:
    [incident] = [each for each in EVERYTHING if each.name == name]
    told = " ".join(day.told(incident.id)[receiver])
    texts = [" ".join(update.text.split()) for update in incident.updates]
    assert {text: told.count(text) for text in texts} == {text: texts.count(text) for text in texts}


def test_nothing_is_said_twice(day: Stage) -> None:
    posts = [each.text for each in day.slack.messages]
    assert len(posts) == len(set(posts))
    assert len(day.telegram.messages) == len(posts), "and everybody hears the same"


@pytest.mark.fault("A34", "H8")
def test_what_happens_without_an_update_is_told_too(day: Stage) -> None:
    told = "\n".join(day.told()[TELEGRAM])
    heads = [message.text.partition("\n")[0] for message in day.telegram.messages]
    assert "impact minor → major · title, which was “Ethereum (ETH) Funding Delays”" in told
    assert [head for head in heads if "Withdrawn" in head] == ["⚪ Withdrawn: Test incident, please ignore"]
    assert [head for head in heads if "Reopened" in head] == [
        "🟠 Reopened (investigating): Ethereum (ETH) and ERC-20 Funding Delays"
    ]
    assert [head for head in heads if "Maintenance in" in head] == [
        "🔧 Maintenance in 30 min: Derivatives Maker Protection — Phase 3"
    ]
    assert [head for head in heads if "Kraken exchange" in head] == [
        "🟠 Cancel only: Kraken exchange",
        "🟠 Post only: Kraken exchange",
        "🟢 Online: Kraken exchange",
    ]
    assert not any("Website" in head for head in heads), "components without an incident are told on request only"


@pytest.mark.fault("A20")
def test_an_edit_changes_the_message_that_is_there_and_marks_what_changed(day: Stage) -> None:
    [opened] = [each for each in day.slack.messages if "ETH) funding gateway" in each.text]
    [closed] = [each for each in day.slack.messages if "A node ran out of disk space" in each.shown]
    assert "Deposits may be delayed" in opened.text
    assert "Deposits *and withdrawals* may be delayed" in opened.shown
    assert "A node ran out of disk space &amp; fell behind" in closed.shown
    for each in (opened, closed):
        assert "Edited by Kraken" in each.shown and "Edited by Kraken" not in each.text


def test_the_first_message_says_how_it_ended(day: Stage) -> None:
    for name in ("deposits", "one-minute"):
        [incident] = [each for each in EVERYTHING if each.name == name]
        first = next(each for each in day.slack.messages if f"/incidents/{incident.id}" in each.text)
        bubble = next(each for each in day.telegram.messages if incident.id in str(each.arguments))
        for head in (first.shown.partition("\n")[0], bubble.shown.partition("\n")[0]):
            assert "🟢" in head and ("Resolved" in head or "Maintenance completed" in head)
        assert "Lasted" in first.shown and "Lasted" in bubble.shown


@pytest.mark.fault("G1")
def test_text_that_wishes_us_ill_mentions_nobody_and_leads_nowhere(day: Stage) -> None:
    assert [len(told) for told in day.told(HOSTILE.id).values()] == [2, 2]
    home = day.running.page.url
    for post in day.slack.messages:
        for text in (post.text, *post.edits):
            assert all(each.startswith(("!date^", home)) for each in re.findall(r"<([^<>]*)>", text)), text
            assert not re.search(r"@\w|://[a-z]|\w\.[a-z]", text)
            for line in text.split("\n"):
                ours = "Edited by Kraken" in text  # whose words of the edit we mark ourselves
                assert ours or not line.startswith("> ") or not re.search(rf"[*~`](?!{INERT})", line)
    for message in day.telegram.messages:
        assert {each["type"] for each in message.entities} <= {
            "bold",
            "italic",
            "blockquote",
            "expandable_blockquote",
            "date_time",
            "text_link",
            "strikethrough",
        }
        assert all(each["url"].startswith(home) for each in message.entities if "url" in each)
        assert not re.search(r"@\w|://[a-z]|\w\.[a-z]", message.text)
