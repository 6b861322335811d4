"""The bot itself in trouble, judged by what its operators were told: each once, where it still works, and the end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

from structlog.testing import capture_logs

from tests.faults.operators import CHAT, DESK, MAILBOX, SECRET, duty, incident
from tests.receivers import refused

UNREADABLE = "Kraken's status page cannot be read"
REFUSED = "Slack refuses the bot's credentials"
SILENT = '\n[[faults]]\nfrom = 09:10:00\nto = 09:40:00\ntarget = "{target}"\nanswer = 503\n'


async def test_a_page_that_cannot_be_read_is_told_once_and_once_more_when_it_is_over(tmp_path: Path) -> None:
    async with duty(tmp_path, SILENT.format(target="api")) as there, there.process() as running:
        await there.at(running, 0, 5, 10, 14)
        assert there.titles() == {DESK: [], CHAT: [], MAILBOX: []}
        with capture_logs() as logs:
            await there.at(running, 16, 25, 39)
        await there.at(running, 41, 50)
    assert there.titles() == {
        DESK: [],
        CHAT: [f"🟠 Trouble: {UNREADABLE}", f"🟢 Over: {UNREADABLE}"],
        MAILBOX: [f"[Kraken notifier] Trouble: {UNREADABLE}", f"[Kraken notifier] Over: {UNREADABLE}"],
    }
    begun, over = there.telegram.messages
    assert "503" in begun.text and "Its feed still answers" in begun.text and not begun.buttons
    assert over.reply_to == begun.message_id and "Lasted: 31 min" in over.text
    assert "Over:" in begun.shown, "the first message follows"
    assert [each["log_level"] for each in logs if each["event"] == "trouble"] == ["error"]


async def test_it_says_so_when_the_feed_is_silent_too(tmp_path: Path) -> None:
    async with duty(tmp_path, SILENT.format(target="*")) as there, there.process() as running:
        await there.at(running, 0, 10, 16)
    page, exchange = there.telegram.messages
    assert "Its feed does not answer either" in page.text
    assert "Kraken's exchange API cannot be read" in exchange.text


async def test_refused_credentials_are_told_through_what_works_and_not_again_after_a_restart(tmp_path: Path) -> None:
    async with duty(tmp_path, incident("one", "09:10:00"), operators=(DESK, CHAT, MAILBOX)) as there:
        async with there.process() as running:
            await there.at(running, 0)
            token, there.slack.token = there.slack.token, "another"
            await there.at(running, 11, 12, 17)
        async with there.process() as running:
            await there.at(running, 20, 26, 32)
        assert there.titles() == {
            DESK: [],
            CHAT: [f"🟠 Trouble: {REFUSED}"],
            MAILBOX: [f"[Kraken notifier] Trouble: {REFUSED}"],
        }
        there.slack.token = token
        async with there.process() as running:
            await there.at(running, 40, 46, 50)
    told = there.titles()
    assert told[CHAT] == [f"🟠 Trouble: {REFUSED}", f"🟢 Over: {REFUSED}"]
    assert told[MAILBOX][1:] == [f"[Kraken notifier] Over: {REFUSED}"]
    news, *own = sorted(told[DESK], key=lambda title: "credentials" in title)
    assert "Deposits are delayed" in news, "nothing was lost"
    assert len(own) in (1, 2) and REFUSED in own[0]


async def test_what_only_a_broken_channel_could_tell_waits_and_folds(tmp_path: Path) -> None:
    async with duty(tmp_path, SILENT.format(target="api"), operators=(DESK,)) as there, there.process() as running:
        await there.at(running, 0)
        token, there.slack.token = there.slack.token, "another"
        await there.at(running, 10, 16, 41)
        there.slack.token = token
        await there.at(running, 60)
        await there.recovers(running, "slack")
    [page] = [each for each in there.slack.messages if UNREADABLE in each.text]
    assert page.text.startswith(f"*🟢 Over: {UNREADABLE}*")
    assert "Before that:" in page.text and "Trouble: The answer was" in page.text


async def test_a_recipient_switched_off_is_told_with_the_cure_until_something_reaches_it(tmp_path: Path) -> None:
    story = incident("one", "09:10:00") + incident("two", "09:50:00")
    title = f"{DESK} is switched off"
    async with duty(tmp_path, story) as there:
        there.slack.refusals = {"C0TRADING": "is_archived"}
        async with there.process() as running:
            await there.at(running, 0, 11, 20)
        async with there.process() as running:
            await there.at(running, 30, 40)
        assert there.titles()[CHAT] == [f"🟠 Trouble: {title}"], "the restart switched it on, and proved nothing"
        assert "is_archived" in there.telegram.messages[0].text and "invite the bot" in there.telegram.messages[0].text
        there.slack.refusals = {}
        async with there.process() as running:
            await there.at(running, 51, 55)
    assert there.titles()[CHAT] == [f"🟠 Trouble: {title}", f"🟢 Over: {title}"]


async def test_an_operator_who_cannot_be_reached_is_a_trouble_told_to_the_others(tmp_path: Path) -> None:
    async with duty(tmp_path, SILENT.format(target="api")) as there:
        there.telegram.chat(-1009).blocked()
        async with there.process() as running:
            await there.at(running, 0, 10, 16, 17)
    assert there.titles()[MAILBOX] == [
        f"[Kraken notifier] Trouble: {UNREADABLE}",
        f"[Kraken notifier] Trouble: {CHAT} is switched off",
    ]


async def test_dead_letters_are_one_trouble_however_many_they_are(tmp_path: Path) -> None:
    story = "".join(
        incident(name, at) for name, at in (("one", "09:10:00"), ("two", "09:10:20"), ("three", "09:30:00"))
    )
    async with duty(tmp_path, story) as there:
        there.slack.refusals = {"C0TRADING": "invalid_blocks"}
        async with there.process() as running:
            await there.at(running, 0, 11, 20, 31)
            assert there.titles()[CHAT] == ["🟠 Trouble: Slack: 2 messages are given up"]
            for entry in await running.store.deliveries((), 10):
                await running.store.drop(entry.id)
            await there.at(running, 40)
    assert there.titles()[CHAT][1:] == ["🟢 Over: Slack: 2 messages are given up"]


async def test_run_once_tells_what_it_found(tmp_path: Path) -> None:
    async with duty(tmp_path, incident("one", "09:10:00")) as there:
        async with there.process() as running:
            await running.run(once=True)
        there.slack.token = "another"
        there.clock.move(timedelta(minutes=11))
        async with there.process() as running:
            await running.run(once=True)
    assert there.titles()[CHAT] == [f"🟠 Trouble: {REFUSED}"]
    assert there.heartbeat.paths == [SECRET] * 2


async def test_a_database_that_cannot_be_written_is_told_without_it_once_and_once_more(tmp_path: Path) -> None:
    title = "The notifier's database cannot be written"
    async with duty(tmp_path, "") as there, there.process() as running:
        await there.at(running, 0)
        with _full(tmp_path / "notifier.db"):
            await there.at(running, 1.5, 1.8)
            assert there.titles()[CHAT] == [], "it may pass"
            await there.at(running, 2.1, 2.5, 9)
        there.telegram.next(refused())
        await there.at(running, 10)
        assert len(there.titles()[CHAT]) == 1, "Telegram could not be reached"
        await there.at(running, 11.5, 13)
    assert there.titles()[CHAT] == [f"🟠 Trouble: {title}", f"🟢 Over: {title}"]
    assert len(there.titles()[MAILBOX]) == 2
    begun, over = there.telegram.messages
    assert "no room" in begun.text and over.reply_to == begun.message_id


async def test_the_heartbeat_follows_each_fresh_reading_and_nothing_else(tmp_path: Path) -> None:
    async with duty(tmp_path, SILENT.format(target="api")) as there, there.process() as running:
        await there.at(running, 0, 5)
        assert there.heartbeat.paths == [SECRET] * 2
        await running.watch.step()
        assert len(there.heartbeat.paths) == 2, "no reading since"
        await there.at(running, 11, 30)
        assert len(there.heartbeat.paths) == 2
        await there.at(running, 41)
    assert len(there.heartbeat.paths) == 3


async def test_the_heartbeat_stops_while_something_waits_too_long(tmp_path: Path) -> None:
    async with duty(tmp_path, incident("one", "09:10:00")) as there, there.process() as running:
        await there.at(running, 0)
        token, there.slack.token = there.slack.token, "another"
        await there.at(running, 11, 20)
        assert len(there.heartbeat.paths) == 3
        await there.at(running, 22, 30)
        assert len(there.heartbeat.paths) == 3
        there.slack.token = token
        await there.at(running, 40)
        await there.recovers(running, "slack")
        await there.at(running, 41)
    assert len(there.heartbeat.paths) >= 4


@contextmanager
def _full(path: Path) -> Iterator[None]:
    """No table takes a row, as on a full disk; reading works."""
    with closing(sqlite3.connect(path)) as connection:
        ours = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = [name for (name,) in connection.execute(ours)]
        triggers = {f"full_{table}_{verb}": (table, verb) for table in tables for verb in ("INSERT", "UPDATE")}
        for name, (table, verb) in triggers.items():
            refusal = "SELECT RAISE(ABORT, 'no room')"
            connection.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} BEGIN {refusal}; END")
        try:
            yield
        finally:
            for name in triggers:
                connection.execute(f"DROP TRIGGER {name}")
