"""Reading by asking Telegram again and again: nothing lost, nothing decided twice, and how it says that it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from telegram.error import TelegramError

from notifier.health import Health, troubles
from notifier.inbox import waiting
from notifier.ports import StoreFailed
from notifier.subscription import Address
from tests.inbox.line import ScriptedDesk, line
from tests.receivers import html, refused, silence
from tests.receivers.telegram import FakeTelegram, refusal
from tests.receivers.telegram_people import Person

CONFLICT = refusal(409, "Conflict: terminated by other getUpdates request; make sure that only one bot is running")
UNAUTHORIZED = refusal(401, "Unauthorized")


@pytest.fixture
def bob(telegram: FakeTelegram) -> Person:
    return telegram.person(8, "Bob")


async def test_what_was_said_before_the_start_is_answered(telegram: FakeTelegram, ada: Person) -> None:
    ada.starts()
    async with line(telegram) as party:
        await party.heard(1)
        await telegram.all_read()
    assert ada.chat.shown == ["You said: start"]


async def test_only_what_is_handled_is_asked_for(telegram: FakeTelegram) -> None:
    async with line(telegram) as party:
        await party.read("getUpdates", 1)
    [asked, *_] = [arguments for name, arguments in telegram.reads if name == "getUpdates"]
    assert asked["allowed_updates"] == '["message", "channel_post", "callback_query", "my_chat_member"]'
    assert 20 <= int(asked["timeout"]) <= 50


async def test_who_reads_again_after_another_process_did_raises_no_alarm_for_the_time_between(
    telegram: FakeTelegram, ada: Person
) -> None:
    ada.starts()
    async with line(telegram) as party:
        await party.read("getUpdates", 2)
        party.clock.move(timedelta(hours=1))

        def told() -> list[str]:
            now = party.clock.now()
            found = troubles(Health(inbox=party.inbox.condition()), now)
            return [each.title for each in found.values() if each.told_from]

        assert told() == ["What people say to the bot is not read"]
        party.inbox.forget()
        assert told() == []


async def test_a_chat_is_answered_in_order_and_holds_up_no_other(
    telegram: FakeTelegram, ada: Person, bob: Person
) -> None:
    async with line(telegram) as party:
        await party.read("getUpdates", 1)
        party.desk.hold("/one")
        ada.says("/one")
        ada.says("/two")
        bob.says("/three")
        await telegram.until(lambda: bob.chat.shown == ["You said: three"])
        assert ada.chat.messages == []
        party.desk.release()
        await party.heard(3)
        assert ada.chat.shown == ["You said: one", "You said: two"]


async def test_an_answer_that_hangs_keeps_nobody_elses_question_waiting(
    telegram: FakeTelegram, ada: Person, bob: Person
) -> None:
    async with line(telegram) as party:
        await party.read("getUpdates", 1)
        telegram.next(silence())
        ada.says("/one")
        await telegram.until(lambda: len(telegram.calls) == 1)
        bob.says("/two")
        await telegram.until(lambda: bob.chat.shown == ["You said: two"])
        ada.says("/three")
        await telegram.until(lambda: party.desk.words == ["/one", "/two", "/three"] or not telegram.updates.pending)
        telegram.release()
        await telegram.until(lambda: ada.chat.shown == ["You said: one", "You said: three"])


async def test_an_update_that_fails_is_passed_over_and_stops_nothing(telegram: FakeTelegram, ada: Person) -> None:
    async with line(telegram) as party:
        await party.read("getUpdates", 1)
        party.desk.answers["/poison"] = RuntimeError("a bug")
        with capture_logs() as logs:
            ada.says("/poison")
            telegram.updates.add("message", {"message_id": "no number at all", "chat": 5})
            ada.says("/status")
            await party.heard(1)
            await telegram.all_read()
    assert ada.chat.shown == ["You said: status"] and party.desk.tries == 2
    assert sorted(each["log_level"] for each in logs) == ["error", "error"]


@pytest.mark.parametrize("failure", [StoreFailed("locked"), TimeoutError()])
async def test_what_the_database_does_not_take_is_tried_again_until_it_does(
    failure: Exception, telegram: FakeTelegram, ada: Person
) -> None:
    async with line(telegram) as party:
        await party.read("getUpdates", 1)
        party.desk.failures = [failure] * 3
        ada.says("/follow btc")
        await party.heard(1)
        await telegram.all_read()
    assert party.desk.words == ["/follow btc"] and party.desk.tries == 4


async def test_what_is_not_kept_when_the_process_ends_is_there_for_the_next(
    telegram: FakeTelegram, ada: Person, bob: Person
) -> None:
    async with line(telegram) as party:
        await party.read("getUpdates", 1)
        party.desk.answers["/follow btc"] = StoreFailed("locked")
        bob.says("/status")
        ada.says("/follow btc")
        await telegram.until(lambda: party.desk.words == ["/status"] and party.desk.tries >= 2)
        await party.heard(1)
    assert [each["message"]["text"] for each in telegram.updates.pending] == ["/follow btc"]
    async with line(telegram) as party:
        await party.heard(2)
        await telegram.all_read()
    assert (bob.chat.shown, ada.chat.shown) == (["You said: status"], ["You said: follow btc"])


@pytest.mark.fault("C15")
async def test_a_command_that_was_read_and_not_handled_when_the_process_died_is_handled_by_the_next(
    telegram: FakeTelegram, ada: Person
) -> None:
    dies = asyncio.Event()
    desk = ScriptedDesk()
    desk.hold("/follow btc")

    async def process() -> None:
        async with line(telegram, desk=desk) as party:
            await party.read("getUpdates", 1)
            dies.set()
            await asyncio.Event().wait()

    process_ = asyncio.create_task(process())
    await dies.wait()
    ada.says("/follow btc")
    await telegram.until(lambda: desk.tries == 1 or bool(telegram.messages))
    process_.cancel()
    await asyncio.gather(process_, return_exceptions=True)
    assert desk.words == [] and len(telegram.updates.pending) == 1
    async with line(telegram) as party:
        await party.heard(1)
        await telegram.all_read()
        assert party.desk.words == ["/follow btc"] and ada.chat.shown == ["You said: follow btc"]


async def test_it_leaves_its_open_question_at_once_and_confirms_what_is_done(
    telegram: FakeTelegram, ada: Person
) -> None:
    async with line(telegram) as party:
        await party.read("getUpdates", 1)
        ada.says("/status")
        await party.heard(1)
        await party.read("getUpdates", 2)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 1
    assert telegram.updates.pending == []
    name, last = telegram.reads[-1]
    assert (name, last["timeout"], last["limit"]) == ("getUpdates", "0", "1")


async def test_a_webhook_of_before_is_taken_away_and_nothing_of_what_waits(telegram: FakeTelegram, ada: Person) -> None:
    telegram.updates.set_webhook({"url": "https://elsewhere.example/", "allowed_updates": ["message"]})
    telegram.updates.close()
    ada.starts()
    async with line(telegram) as party:
        await party.heard(1)
    assert telegram.updates.webhook_info({})["url"] == ""


@pytest.mark.fault("C8")
async def test_another_reader_is_warned_of_once_and_gone_as_soon_as_it_stops(
    telegram: FakeTelegram, ada: Person
) -> None:
    async with line(telegram) as party:
        with capture_logs() as logs:
            await party.read("getUpdates", 1)
            telegram.breaks_reading(CONFLICT)
            ada.says("/status")
            await party.read("getUpdates", 5)
            since = party.inbox.condition().failing_since
            assert party.inbox.condition().conflict and since is not None
            await party.way.do("send", Address("telegram", "9"), nothing)
            telegram.mends()
            ada.says("/follow btc")
            await party.heard(2)
            assert party.inbox.condition().conflict, "it may come back at any moment"
            party.clock.move(timedelta(minutes=2))
            ada.says("/next")
            await party.heard(3)
            assert party.inbox.condition().failing_since is None
    said = [each["event"] for each in logs if each["log_level"] in ("warning", "error")]
    assert said == ["commands are not read"]


async def test_two_that_read_do_not_push_one_another_without_end(telegram: FakeTelegram, ada: Person) -> None:
    async with line(telegram) as first, line(telegram) as second:
        await first.read("getUpdates", 12)
        assert first.inbox.condition().conflict or second.inbox.condition().conflict
        ada.says("/status")
        await telegram.all_read()
        await telegram.until(lambda: len(first.desk.asked) + len(second.desk.asked) >= 1)


@pytest.mark.fault("C9")
async def test_a_revoked_token_stops_no_reading_for_good(telegram: FakeTelegram, ada: Person) -> None:
    async with line(telegram) as party:
        await party.read("getUpdates", 1)
        telegram.breaks_reading(UNAUTHORIZED)
        ada.says("/status")
        await telegram.until(lambda: party.inbox.condition().refused)
        await party.read("getUpdates", 3)
        assert party.inbox.condition().reason and telegram.token not in party.inbox.condition().reason
        telegram.mends()
        ada.says("/next")
        await party.heard(2)
        assert party.inbox.condition().failing_since is None


FAILURES = {
    "no connection": refused(),
    "a proxy's page": html(),
    "an error": refusal(500, "Internal Server Error: restart"),
    "too much": refusal(429, "Too Many Requests: retry after 1", retry_after=1),
}


@pytest.mark.parametrize("case", FAILURES)
async def test_it_goes_on_after(case: str, telegram: FakeTelegram, ada: Person) -> None:
    telegram.next_read(*[FAILURES[case]] * 3)
    telegram.next_read(FAILURES[case], method="getMe")
    telegram.next_read(FAILURES[case], method="getWebhookInfo")
    async with line(telegram) as party:
        await party.read("getUpdates", 4)
        ada.says("/status")
        await party.heard(1)
        assert party.inbox.condition().failing_since is None
        heard_at = party.inbox.condition().heard_at
        assert heard_at == party.clock.now()


async def test_once_handles_what_is_there_and_returns(telegram: FakeTelegram, ada: Person) -> None:
    for number in range(130):
        telegram.person(100 + number, "X").says("/status")
    async with line(telegram, running=False, second=0.5) as party:
        await party.inbox.once()
        assert len(telegram.messages) == 130 and telegram.updates.pending == []


OUTAGES: dict[str, Callable[[FakeTelegram, ScriptedDesk], None]] = {
    "Telegram does not answer": lambda telegram, _: telegram.breaks(refused()),
    "the token is refused": lambda telegram, _: telegram.breaks(UNAUTHORIZED),
    "the database does not work": lambda _, desk: desk.answers.update({"/status": StoreFailed("full")}),
}


@pytest.mark.parametrize("case", OUTAGES)
async def test_once_returns_and_loses_nothing_if(case: str, telegram: FakeTelegram, ada: Person) -> None:
    ada.says("/status")
    desk = ScriptedDesk()
    OUTAGES[case](telegram, desk)
    async with line(telegram, desk=desk, running=False) as party, asyncio.timeout(5):
        await party.inbox.once()
    assert len(telegram.updates.pending) == 1


async def test_a_bug_in_asking_is_a_failure_like_others(telegram: FakeTelegram) -> None:
    async def bug() -> None:
        raise KeyError("result")

    with capture_logs() as logs, pytest.raises(TelegramError, match="KeyError"):
        await waiting.unless(asyncio.Event(), bug)
    assert logs[0]["log_level"] == "error"


async def nothing() -> None:
    return None
