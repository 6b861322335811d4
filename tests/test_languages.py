"""Each reader is told in his language: first, in edits, and when he comes."""

from __future__ import annotations

from dataclasses import replace

from notifier.ports import BadMessage, NotSent
from tests.builders import incident, page, update
from tests.doubles import Arrived, RecordingChannel
from tests.world import Born, World, to

OPEN = update("11:29", "investigating", "We see connection errors.")
FOUND = update("11:33", "identified", "A certificate has expired.")
ENGLISH, GERMAN, UNKNOWN = "telegram:1", "telegram:2", "telegram:3"


async def with_readers(born: Born, *, welcome: bool = False) -> World:
    world = await born(RecordingChannel("telegram", keeps_root=True))
    await world.subscribe(ENGLISH, to(GERMAN, language="de"), to(UNKNOWN, language="tlh"), welcome=welcome)
    await world.sees(page())
    return world


def title(arrived: Arrived) -> str:
    return arrived.text.partition("\n")[0]


async def test_each_reads_his_language_and_who_has_none_of_ours_reads_english(born: Born) -> None:
    world = await with_readers(born)
    await world.sees(page(incident(OPEN)))
    titles = {str(each.to): title(each) for each in await world.deliver("telegram")}
    assert titles == {
        ENGLISH: "🟡 Investigating: WebSocket API connection errors",
        GERMAN: "🟡 Wird untersucht: WebSocket API connection errors",
        UNKNOWN: "🟡 Investigating: WebSocket API connection errors",
    }
    assert {str(each.to): each.message.wording.page for each in world.channels["telegram"].arrived} == {
        ENGLISH: "Status page",
        GERMAN: "Statusseite",
        UNKNOWN: "Status page",
    }


async def test_edits_and_first_messages_keep_the_language(born: Born) -> None:
    world = await with_readers(born)
    await world.sees(page(incident(OPEN)))
    await world.deliver("telegram")
    await world.sees(page(incident(replace(OPEN, text="We see many errors."))))
    await world.deliver("telegram")
    await world.sees(page(incident(replace(OPEN, text="We see many errors."), FOUND)))
    await world.deliver("telegram")
    root, reply = world.channels["telegram"].at(GERMAN)
    assert [edit.lines[0].spans[0].text for edit in root.edits] == [
        "🟡 Wird untersucht: WebSocket API connection errors",
        "🟡 Ursache gefunden: WebSocket API connection errors",
    ]
    assert "Von Kraken bearbeitet" in root.text and title(reply).startswith("🟡 Ursache gefunden: ")
    root, reply = world.channels["telegram"].at(ENGLISH)
    assert "Edited by Kraken" in root.text and title(reply).startswith("🟡 Identified: ")


async def test_a_text_refused_in_one_language_stays_rich_in_another(born: Born) -> None:
    world = await with_readers(born)
    channel = world.channels["telegram"]
    channel.refuse_rich(BadMessage("can't parse"), language="de")
    channel.refuse(ENGLISH, lambda: NotSent("down", personal=True))

    def up_when_the_german_has_it() -> None:
        if channel.at(GERMAN):
            channel.relent(ENGLISH)

    channel.at_each_send(up_when_the_german_has_it)
    await world.sees(page(incident(OPEN)))
    arrived = [(str(each.to), each.message.plain) for each in await world.deliver("telegram")]
    assert arrived == [(UNKNOWN, False), (GERMAN, True), (ENGLISH, False)]


async def test_who_comes_is_welcomed_in_his_language(born: Born) -> None:
    world = await with_readers(born, welcome=True)
    await world.poll.welcome("Kraken")
    titles = {str(each.to): title(each) for each in await world.deliver("telegram")}
    assert titles == {
        ENGLISH: "👋 You will hear from Kraken status here",
        GERMAN: "👋 Hier kommen die Statusmeldungen von Kraken",
        UNKNOWN: "👋 You will hear from Kraken status here",
    }
