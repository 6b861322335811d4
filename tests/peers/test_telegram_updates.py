"""How updates reach a program from the fake Bot API: long polls, conflicts, a webhook; and the pace it allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, RetryAfter
from telegram.ext import Application, MessageHandler

from tests.peers.talk import library
from tests.receivers import Receiver, answer, silence
from tests.receivers.telegram import TOKEN, FakeTelegram, refusal
from tests.receivers.telegram_people import Person
from tests.receivers.telegram_updates import Json

SECRET = "told_to_Telegram-only"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


class Hook(Receiver):
    """A program that takes updates by webhook."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: list[str] = []
        self.taken: list[Update] = []

    def respond(self, request: web.Request, method: str, arguments: dict[str, Any]) -> web.Response:
        self.secrets.append(request.headers.get(HEADER, ""))
        update = Update.de_json(arguments, None)
        assert update is not None
        self.taken.append(update)
        return web.Response()


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    async with Hook() as there:
        yield there


def words(updates: tuple[Update, ...]) -> list[str | None]:
    return [each.message.text if each.message else None for each in updates]


async def polling(telegram: FakeTelegram, polls: int = 1) -> None:
    """Until so many polls have come in."""
    await telegram.until(lambda: [method for method, _ in telegram.reads].count("getUpdates") == polls)


async def test_an_update_comes_again_until_the_next_offset_confirms_it(
    telegram: FakeTelegram, bot: Bot, ada: Person
) -> None:
    for text in ("one", "two", "three"):
        ada.says(text)
    first, *_ = await bot.get_updates(limit=2)

    assert words(await bot.get_updates(limit=2)) == ["one", "two"]
    assert words(await bot.get_updates(offset=first.update_id + 1)) == ["two", "three"]
    assert len(telegram.updates.pending) == 2
    assert words(await bot.get_updates(offset=-1)) == ["three"]
    assert [each["message"]["text"] for each in telegram.updates.pending] == ["three"]


async def test_a_poll_waits_for_what_people_do(telegram: FakeTelegram, bot: Bot, ada: Person) -> None:
    async with asyncio.TaskGroup() as group, asyncio.timeout(5):
        poll = group.create_task(bot.get_updates(timeout=50))
        await polling(telegram)
        ada.says("hello")

        assert words(await poll) == ["hello"]

    waiting = asyncio.create_task(telegram.all_read())
    await bot.get_updates(offset=telegram.updates.all[-1]["update_id"] + 1)
    await waiting


async def test_a_second_reader_ends_the_poll_of_the_first(telegram: FakeTelegram, bot: Bot, ada: Person) -> None:
    async with library(telegram) as other, asyncio.TaskGroup() as group:
        first = group.create_task(failed(bot))
        await polling(telegram)
        second = group.create_task(other.get_updates(timeout=50))

        assert "terminated by other getUpdates request" in await first
        ada.says("hello")
        assert words(await second) == ["hello"]


async def failed(bot: Bot) -> str:
    with pytest.raises(Conflict) as raised:
        await bot.get_updates(timeout=50)
    return raised.value.message


async def test_a_whole_application_holds_a_conversation(telegram: FakeTelegram, ada: Person) -> None:
    async def answer_to(update: Update, _: object) -> None:
        assert update.message is not None
        await update.message.reply_text(f"{update.message.text} yourself")

    made = Application.builder().token(TOKEN).base_url(f"{telegram.url}/bot").job_queue(None).build()
    made.add_handler(MessageHandler(None, answer_to))
    async with made:
        assert made.updater is not None
        await made.start()
        await made.updater.start_polling()
        ada.says("hello")
        await telegram.until(lambda: ada.chat.shown == ["hello yourself"])
        ada.says("bye")
        await telegram.until(lambda: ada.chat.shown == ["hello yourself", "bye yourself"])
        await telegram.all_read()
        await made.updater.stop()
        await made.stop()


async def test_only_the_wanted_kinds_come(telegram: FakeTelegram, bot: Bot, ada: Person) -> None:
    await bot.get_updates(allowed_updates=["my_chat_member"])
    ada.says("hello")
    ada.blocks()

    [update] = await bot.get_updates()

    assert update.my_chat_member is not None


async def test_reading_has_faults_of_its_own(telegram: FakeTelegram, bot: Bot, ada: Person) -> None:
    telegram.next_read(refusal(409, "Conflict: terminated by setWebhook request"))
    telegram.next(refusal(403, "Forbidden: user is deactivated"))
    with pytest.raises(Conflict):
        await bot.get_updates()
    assert await bot.get_updates() == ()
    with pytest.raises(Forbidden):
        await bot.send_message(7, "news")
    telegram.breaks_reading(refusal(401, "Unauthorized"))
    with pytest.raises(InvalidToken):
        await bot.get_updates()
    await bot.send_message(7, "news")
    telegram.mends()
    assert await bot.get_updates() == ()

    assert [method for method, _ in telegram.calls] == ["sendMessage", "sendMessage"]
    assert [method for method, _ in telegram.reads] == ["getMe", *["getUpdates"] * 4]


async def test_a_webhook_gets_each_update_with_the_secret_until_it_takes_it(
    telegram: FakeTelegram, bot: Bot, ada: Person, hook: Hook
) -> None:
    ada.says("before")
    hook.next(answer(500, "broken"), silence())
    await bot.set_webhook(f"{hook.origin}/telegram", secret_token=SECRET)
    await hook.until(lambda: len(hook.calls) == 2)
    ada.says("after")
    failing = await bot.get_webhook_info()
    hook.release()
    await telegram.all_read()

    assert (failing.pending_update_count, failing.url) == (2, f"{hook.origin}/telegram")
    assert failing.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
    assert words(tuple(hook.taken)) == ["before", "after"]
    assert set(hook.secrets) == {SECRET}
    assert [status for _, status in telegram.updates.posts] == [500, 200, 200]


async def test_nobody_polls_while_a_webhook_is_set(telegram: FakeTelegram, bot: Bot, ada: Person, hook: Hook) -> None:
    async with asyncio.TaskGroup() as group:
        first = group.create_task(failed(bot))
        await polling(telegram)
        await bot.set_webhook(f"{hook.origin}/telegram")
        assert "terminated by setWebhook request" in await first
    assert "can't use getUpdates method while webhook is active" in await failed(bot)
    await bot.delete_webhook()
    ada.says("hello")
    assert words(await bot.get_updates()) == ["hello"]
    await bot.delete_webhook(drop_pending_updates=True)

    assert await bot.get_updates() == ()
    assert (await bot.get_webhook_info()).url == ""


@pytest.mark.parametrize(
    ("wish", "refused"),
    [
        ({"url": "http://bot.example/"}, "An https url must be provided"),
        ({"url": "https://bot.example/", "secret_token": "a b"}, "unallowed characters"),
        ({"url": "https://bot.example/", "secret_token": "a" * 257}, "too long"),
    ],
)
async def test_a_bad_webhook_is_refused(wish: Json, refused: str, bot: Bot) -> None:
    with pytest.raises(BadRequest, match=f"(?i){refused}"):
        await bot.set_webhook(**wish)


async def test_messages_faster_than_allowed_are_refused(
    telegram: FakeTelegram, bot: Bot, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    telegram.allows(per_second=5)
    for number in range(5):
        await bot.send_message(7, f"news {number}")

    with pytest.raises(RetryAfter) as raised:
        await bot.send_message(7, "news 5")

    assert raised.value.retry_after == timedelta(seconds=1)
    assert (telegram.refused_for_pace, len(ada.chat.shown), len(telegram.calls)) == (1, 5, 6)


async def test_a_judgement_takes_less_than_a_millisecond(telegram: FakeTelegram, bot: Bot, ada: Person) -> None:
    assert telegram.judge is not None
    for number in range(100):
        ada.says(f"/start {number}")
    update, before = telegram.updates.all[0], asyncio.get_running_loop().time()

    for _ in range(100):
        telegram.judge.update(update)

    assert asyncio.get_running_loop().time() - before < 1
    assert telegram.judge.judged >= 200
