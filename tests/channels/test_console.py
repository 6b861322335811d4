"""The terminal: plain words, a time, a blank line."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

import pytest

from notifier.channels.console import Console
from notifier.message import Receipt
from notifier.ports import Ambiguous, BadMessage
from notifier.subscription import Address
from tests.channels.contract import AT, HOSTILE, failure_of, message, said
from tests.running import program

HERE = Address("console", "")


async def test_a_message_is_written_at_once_with_its_time_and_a_blank_line() -> None:
    written: list[str] = []

    receipt = await Console(written.append).send(HERE, message(said("We are on it.")))

    [text] = written
    assert text == (
        "11:29:00 UTC\n"
        "🟡 Investigating: WebSocket API connection errors\n"
        "    We are on it.\n"
        "Details on the status page: https://status.kraken.com/incidents/wsincident01\n"
    )
    assert receipt == Receipt(to="", ref="db-1", root=True)


async def test_hostile_words_are_written_literally_but_for_what_a_terminal_obeys() -> None:
    written: list[str] = []

    await Console(written.append).send(HERE, message(*map(said, HOSTILE), said("\x1b[31mred\x07\rover")))

    [text] = written
    assert [line for line in HOSTILE if line not in text] == []
    assert [character for character in "\x1b\x07\r" if character in text] == []


async def test_a_terminal_that_blocks_does_not_hold_up_the_rest() -> None:
    goes_on = threading.Event()

    def write(text: str) -> None:
        assert goes_on.wait(5), "the loop was blocked"

    console = Console(write)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(console.send(HERE, message()))
        tasks.create_task(asyncio.to_thread(goes_on.set))

    assert goes_on.is_set()


async def test_a_terminal_that_is_gone_is_a_failure_of_the_channel() -> None:
    def closed(text: str) -> None:
        raise BrokenPipeError

    assert type(await failure_of(Console(closed), HERE)) is Ambiguous


async def test_what_was_written_can_neither_be_edited_nor_found() -> None:
    console = Console(lambda text: None)

    assert (console.can_edit, console.can_find) == (False, False)
    assert await console.find(HERE, message(), AT - timedelta(hours=1)) is None
    with pytest.raises(BadMessage):
        await console.edit(Receipt("", "db-1"), message())


async def test_it_always_works() -> None:
    console = Console(lambda text: None)

    assert await console.check() == "this terminal"
    await console.close()


STOPPED = """
import asyncio, threading
from notifier.channels.console import Console
from tests.channels.test_console import HERE, message

async def main():
    sending = asyncio.ensure_future(Console(lambda text: threading.Event().wait()).send(HERE, message()))
    await asyncio.sleep(0)
    sending.cancel()

asyncio.run(main())
print("over")
"""


async def test_a_terminal_that_is_never_read_does_not_keep_the_program_alive() -> None:
    async with program("-c", STOPPED) as stopped:
        assert await stopped.ended(20) == 0, stopped.printed

    assert stopped.out == ["over"]
