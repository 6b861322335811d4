"""The product as it is bought: one process, one incident, every channel, judged by what each receiver has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.receivers.slack import SlackMessage
from tests.receivers.telegram import TelegramMessage
from tests.running import program
from tests.town import Town, outage, town

TOLD = (
    ("investigating", "We are investigating errors on connect."),
    ("monitoring", "A fix is in place."),
    ("resolved", "This incident has been resolved."),
)
HEADS = ["Investigating", "Monitoring", "Resolved"]


@pytest.fixture
async def there() -> AsyncIterator[Town]:
    async with town(outage(*TOLD)) as made:
        yield made


def blocks(lines: list[str]) -> list[str]:
    """What the terminal was told, message by message: each ends with an empty line."""
    return [block for block in "\n".join(lines).split("\n\n") if block.strip()]


def first_messages(there: Town) -> tuple[SlackMessage, TelegramMessage]:
    """Those of the incident, which are kept current."""
    return [each for each in there.slack.messages if each.channel == "C0TRADING"][1], there.telegram.messages[1]


async def everybody_has(there: Town, out: list[str], count: int) -> None:
    """Until each of the five has at least so many messages."""
    slack, telegram, mail = there.slack, there.telegram, there.mail
    await there.time.until(
        lambda: (
            min(
                sum(each.channel == "C0TRADING" for each in slack.messages),
                sum(each.channel == "ops" for each in slack.messages),
                len(telegram.messages),
                len(mail.received),
                len(blocks(out)),
            )
            >= count
        )
    )


async def test_an_incident_reaches_every_receiver_once_and_in_order_and_a_restart_repeats_nothing(
    there: Town, tmp_path: Path
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(there.settings(tmp_path / "notifier.db"))
    start = there.simulator.script.page.start

    async with program("-m", "notifier", "run", "--config", str(config)) as running:
        await everybody_has(there, running.out, 1)
        for place in range(len(TOLD)):
            there.time.set(start + timedelta(seconds=20 * (place + 1) + 1))
            await everybody_has(there, running.out, place + 2)
        await there.time.until(lambda: all("Resolved" in each.shown for each in first_messages(there)))
        await there.polled(3)
        assert await running.stop() == 0, running.printed
        told = blocks(running.out)
    async with program("-m", "notifier", "run", "--config", str(config)) as again:
        await there.polled(5)
        assert await again.stop() == 0, again.printed
    assert again.out == [], "a restart has nothing to say"

    web = [each for each in there.slack.messages if each.channel == "C0TRADING"]
    hook = [each for each in there.slack.messages if each.channel == "ops"]
    for shown in (
        [each.text for each in web],
        [each.text for each in hook],
        [each.text for each in there.telegram.messages],
        [str(each.message["Subject"]) for each in there.mail.received],
        told,
    ):
        assert len(shown) == 4
        assert "You will hear from Kraken status here" in shown[0]
        for head, text in zip(HEADS, shown[1:], strict=True):
            assert f"{head}: WebSocket API connection errors" in text
            assert "Late:" not in text

    first = web[1]
    for each in first_messages(there):
        assert each.shown.startswith(("*🟢 Resolved", "🟢 Resolved")), "it says how things stand"
        assert "Lasted" in each.shown
    assert first.blocks and first.blocks[0]["text"]["text"] == "🟢 Resolved: WebSocket API connection errors"
    assert [len(each.edits) for each in web[2:]] == [0, 0], "and nothing else was touched"
    assert [each.thread_ts for each in web] == [None, None, first.ts, first.ts]
    assert [each.broadcast for each in web] == [False, False, False, True], "the end is shown in the channel, too"
    assert {each.thread_ts for each in hook} == {None}
    root = there.telegram.messages[1].message_id
    assert [each.reply_to for each in there.telegram.messages] == [None, None, root, root]
    assert [each.silent for each in there.telegram.messages] == [True, False, True, False]
    mails = [each.message for each in there.mail.received]
    assert [each["In-Reply-To"] for each in mails[:2]] == [None, None]
    assert {each[name] for each in mails[2:] for name in ("In-Reply-To", "References")} == {mails[1]["Message-ID"]}
    assert len({each["Message-ID"] for each in mails}) == 4
