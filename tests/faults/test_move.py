"""A notifier moves to another database in the midst of an incident, and no reader notices."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from notifier.store.copying import copy
from notifier.store.sql import SqlStore
from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.places import MOVES, Places
from tests.receivers import silence
from tests.store.furnished import run_sql

MORE = """
[[incidents]]
name = "wires"
title = "Wires are delayed"
components = ["Kraken API (Websocket)"]
  [[incidents.updates]]
  at = 09:30:00
  status = "investigating"
  text = "Wires, too."
"""


async def _killed_in_the_act(there: Stage) -> None:
    """Both providers took the second update and never answered; more is owed, and the process is gone."""
    await there.reads(clock("09:21"))
    for receiver in (there.slack, there.telegram):
        receiver.next(silence())
    taken = len(there.slack.messages) + 1
    senders = [asyncio.ensure_future(sender.run()) for sender in there.running.senders]
    await there.slack.until(lambda: len(there.slack.messages) == taken)
    await there.telegram.until(lambda: len(there.telegram.messages) == taken)
    for sender in senders:
        sender.cancel()
    await asyncio.gather(*senders, return_exceptions=True)
    await there.reads(clock("09:41"))
    await there.process.aclose()
    for receiver in (there.slack, there.telegram):
        receiver.release()


@pytest.mark.parametrize("kinds", MOVES, ids="-to-".join)
async def test_no_reader_notices_a_move(tmp_path: Path, places: Places, kinds: tuple[str, str]) -> None:
    old, new = places.laid_out(kinds[0]), places.new(kinds[1])
    async with stage(story(MORE), tmp_path, STORE__URL=old) as there:
        await there.at(clock("09:01"))
        await _killed_in_the_act(there)
        store = await SqlStore.open(old, token=1)
        counts = await store.counts()
        await store.close()
        assert (counts["sending"], counts["pending"]) == (2, 4)

        run_sql(old, "UPDATE duties SET until = 0")  # its leases ran out
        await copy(old, new)
        await there.restart(store=new)
        await there.at(clock("09:42"), clock("10:11"))

        slack, telegram = (texts_in(there.told(there.script.incidents[0].id)[to]) for to in (SLACK, TELEGRAM))
        assert slack == [[text] for text in TEXTS], "once each, in order"
        assert [text for told in telegram for text in told] in (TEXTS, [*TEXTS[:2], *TEXTS[1:]])
        for told in there.told(there.script.incidents[1].id).values():
            assert [text.count("Wires, too.") for text in told] == [1]

        deposits = [each for each in there.slack.messages if "Deposits" in each.text]
        assert {each.thread_ts for each in deposits[1:]} == {deposits[0].ts}, "it is one thread"
        assert "Resolved" in deposits[0].shown, "whose first message says how it ended"
        assert sum("You will hear" in each.text for each in there.slack.messages) == 1
