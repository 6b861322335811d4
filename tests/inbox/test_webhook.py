"""Being told by Telegram: only Telegram is believed, and what it was told it handed over lies in the database."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from io import BytesIO

import aiohttp
import pytest
from structlog.testing import capture_logs

from notifier.inbox.webhook import SECRET_HEADER, secret_of
from notifier.ports import StoreFailed
from tests.inbox.line import KEY, ScriptedDesk, Shelf, line
from tests.receivers import refused
from tests.receivers.telegram import FakeTelegram, refusal
from tests.receivers.telegram_people import Person
from tests.running import free_port


@pytest.fixture
def hook() -> tuple[str, int]:
    """An address on a port that is free, and the port."""
    port = free_port()
    return f"http://127.0.0.1:{port}/telegram/updates", port


async def test_telegram_is_told_where_to_send_and_what_it_sends_is_answered(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    async with line(telegram, webhook=hook) as party:
        await party.read("setWebhook", 1)
        ada.says("/one")
        ada.says("/two")
        await party.heard(2)
    assert ada.chat.shown == ["You said: one", "You said: two"]
    [arguments] = [arguments for name, arguments in telegram.reads if name == "setWebhook"]
    assert arguments["secret_token"] == secret_of(KEY) and KEY not in arguments["secret_token"]
    assert arguments["allowed_updates"] == '["message", "channel_post", "callback_query", "my_chat_member"]'
    assert len(party.shelf.done) == 2 and party.shelf.updates == {}


STRANGERS: dict[str, tuple[str, str, dict[str, str], bytes, int]] = {
    "without the secret": ("POST", "", {}, b'{"update_id": 1}', 403),
    "with another secret": ("POST", "", {SECRET_HEADER: "guessed"}, b'{"update_id": 1}', 403),
    "with a secret that no header can hold": ("POST", "", {SECRET_HEADER: "gu\xe9"}, b'{"update_id": 1}', 403),
    "by another method": ("GET", "", {SECRET_HEADER: secret_of(KEY)}, b"", 405),
    "at another path": ("POST", "/more", {SECRET_HEADER: secret_of(KEY)}, b'{"update_id": 1}', 404),
    "with what is no update": ("POST", "", {SECRET_HEADER: secret_of(KEY)}, b"[]", 400),
    "with what has no number": ("POST", "", {SECRET_HEADER: secret_of(KEY)}, b'{"update_id": "1"}', 400),
    "with what is no JSON": ("POST", "", {SECRET_HEADER: secret_of(KEY)}, b"\xff{", 400),
    "with nesting without end": ("POST", "", {SECRET_HEADER: secret_of(KEY)}, b"[" * 100_000, 400),
    "with two megabytes": ("POST", "", {SECRET_HEADER: secret_of(KEY)}, b" " * 2_000_000, 413),
}


@pytest.mark.parametrize("case", STRANGERS)
async def test_nothing_is_done_for_who_comes(case: str, telegram: FakeTelegram, hook: tuple[str, int]) -> None:
    method, more, headers, body, status = STRANGERS[case]
    async with line(telegram, webhook=hook) as party, aiohttp.ClientSession() as session:
        await party.read("setWebhook", 1)
        async with session.request(method, hook[0] + more, data=BytesIO(body), headers=headers) as response:
            assert response.status == status
        assert party.shelf.updates == {} and party.shelf.done == []


async def test_the_listener_is_for_this_machine_only_if_its_address_is(
    telegram: FakeTelegram, hook: tuple[str, int]
) -> None:
    async with line(telegram, webhook=hook) as party:
        await party.read("setWebhook", 1)
        with pytest.raises(aiohttp.ClientConnectorError):
            async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.2:{hook[1]}/"):
                pass


async def test_what_cannot_be_kept_is_not_taken_and_comes_again(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    async with line(telegram, webhook=hook) as party:
        await party.read("setWebhook", 1)
        party.shelf.broken = True
        ada.says("/follow btc")
        await telegram.until(lambda: len(telegram.updates.posts) >= 2)
        assert {status for _, status in telegram.updates.posts} == {500}
        party.shelf.broken = False
        await party.heard(1)
    assert party.desk.words == ["/follow btc"]


@pytest.mark.fault("C15")
async def test_what_was_taken_and_not_handled_is_handled_by_the_next_process(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    desk, shelf, taken = ScriptedDesk(), Shelf(), asyncio.Event()
    desk.hold("/follow btc")

    async def process() -> None:
        async with line(telegram, desk=desk, shelf=shelf, webhook=hook) as party:
            await party.read("setWebhook", 1)
            taken.set()
            await asyncio.Event().wait()

    dying = asyncio.create_task(process())
    await taken.wait()
    ada.says("/follow btc")
    await telegram.until(lambda: desk.tries == 1 or not telegram.updates.pending)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    assert desk.words == [] and len(shelf.updates) == 1 and telegram.updates.pending == []
    async with line(telegram, shelf=shelf, webhook=hook) as party:
        await party.heard(1)
        assert party.desk.words == ["/follow btc"]
    assert shelf.updates == {} and len(shelf.done) == 1


@pytest.mark.fault("C15")
async def test_what_was_taken_and_not_handled_is_answered_also_by_who_reads_without_a_webhook(
    telegram: FakeTelegram, ada: Person
) -> None:
    ada.says("/follow btc")
    [update] = telegram.updates.pending
    telegram.updates.pending.clear()
    ada.says("/follow eth")
    shelf = Shelf(updates={update["update_id"]: json.dumps(update)})
    async with line(telegram, shelf=shelf) as party:
        await party.heard(2)
        assert party.desk.words == ["/follow btc", "/follow eth"]
    assert shelf.updates == {} and telegram.updates.pending == []


async def test_what_lies_there_is_handled_in_order_and_what_cannot_be_read_passed_over(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    for words in ("/one", "/two", "/three"):
        ada.says(words)
    docs = [_doc(each) for each in telegram.updates.all]
    shelf = Shelf(updates={1: '{"update_id": 1, "message": 5}', **dict(enumerate(docs, 2))})
    telegram.updates.pending.clear()
    with capture_logs() as logs:
        async with line(telegram, shelf=shelf, webhook=hook) as party:
            await party.heard(3)
    assert ada.chat.shown == ["You said: one", "You said: two", "You said: three"] and shelf.updates == {}
    assert [each["log_level"] for each in logs if each["log_level"] == "error"] == ["error"]


async def test_what_the_database_does_not_take_as_handled_is_answered_once_all_the_same(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    shelf = Shelf(forgetful=True)
    async with line(telegram, shelf=shelf, webhook=hook) as party:
        await party.read("setWebhook", 1)
        ada.says("/stop")
        await telegram.until(lambda: shelf.refused >= 3)
        ada.says("/start")
        await party.heard(2)
        shelf.forgetful = False
        ada.says("/status")
        await telegram.until(lambda: len(shelf.done) == 3)
    assert party.desk.words == ["/stop", "/start", "/status"] and shelf.updates == {}


async def test_of_many_that_wait_some_are_read_at_a_time_and_all_are_answered(
    telegram: FakeTelegram, hook: tuple[str, int]
) -> None:
    for number in range(1, 701):
        telegram.person(number, f"Reader {number}").says("/status")
    telegram.updates.pending.clear()
    shelf = Shelf(updates={place: _doc(each) for place, each in enumerate(telegram.updates.all)})
    async with line(telegram, shelf=shelf, webhook=hook, running=False) as party:
        await party.inbox.once()
    assert len(party.desk.words) == 700 and shelf.updates == {} and shelf.most_read == 300


async def test_one_update_that_comes_twice_is_one(telegram: FakeTelegram, ada: Person, hook: tuple[str, int]) -> None:
    async with line(telegram, webhook=hook) as party:
        await party.read("setWebhook", 1)
        ada.says("/status")
        await party.heard(1)
        await telegram.until(lambda: not telegram.updates.pending)
        async with aiohttp.ClientSession() as session:
            headers = {SECRET_HEADER: secret_of(KEY)}
            async with session.post(hook[0], data=_doc(telegram.updates.all[0]), headers=headers) as response:
                assert response.status == 200
        ada.says("/next")
        await party.heard(2)
    assert party.desk.words == ["/status", "/next"]


async def test_once_handles_what_lies_there_and_listens_to_nobody(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    ada.says("/status")
    telegram.updates.pending.clear()
    shelf = Shelf(updates={1: _doc(telegram.updates.all[0])})
    async with line(telegram, shelf=shelf, webhook=hook, running=False) as party:
        await party.inbox.once()
    assert ada.chat.shown == ["You said: status"] and shelf.updates == {} and party.asks("setWebhook") == 0


async def test_once_leaves_what_the_database_does_not_take(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    ada.says("/status")
    shelf, desk = Shelf(updates={1: _doc(telegram.updates.all[0])}), ScriptedDesk()
    desk.answers["/status"] = StoreFailed("full")
    async with line(telegram, desk=desk, shelf=shelf, webhook=hook, running=False) as party, asyncio.timeout(5):
        await party.inbox.once()
    assert len(shelf.updates) == 1


@pytest.mark.fault("C8")
async def test_another_address_for_the_updates_is_a_conflict_and_is_set_right(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    async with line(telegram, webhook=hook) as party:
        await party.read("getWebhookInfo", 1)
        await telegram.until(lambda: party.inbox.condition().heard_at is not None or party.asks("setMyCommands") > 0)
        telegram.updates.set_webhook({"url": "http://127.0.0.1:9/foreign"})
        await telegram.until(lambda: party.inbox.condition().conflict or party.asks("setWebhook") == 2)
        ada.says("/status")
        await party.heard(1)
        party.clock.move(timedelta(minutes=2))
        looks = party.asks("getWebhookInfo")
        await party.read("getWebhookInfo", looks + 2)
        assert party.inbox.condition().failing_since is None


async def test_it_says_so_if_telegram_does_not_reach_it(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    async with line(telegram, webhook=hook) as party:
        await party.read("setWebhook", 1)
        party.shelf.broken = True
        ada.says("/status")
        await telegram.until(lambda: bool(telegram.updates.posts))
        party.clock.move(datetime.fromtimestamp(1_770_000_060, UTC) - party.clock.now())
        looks = party.asks("getWebhookInfo")
        await party.read("getWebhookInfo", looks + 2)
        assert "500" in party.inbox.condition().reason
        party.shelf.broken = False
        await party.heard(1)
        await party.read("getWebhookInfo", looks + 4)
        assert party.inbox.condition().failing_since is None


async def test_it_goes_on_though_telegram_does_not_answer_at_first(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    telegram.next_read(refused(), refusal(401, "Unauthorized"), method="getMe")
    telegram.next_read(refusal(500, "restart"), method="setWebhook")
    async with line(telegram, webhook=hook) as party:
        await party.read("setWebhook", 2)
        ada.says("/status")
        await party.heard(1)


async def test_a_port_that_another_process_still_has_is_waited_for(
    telegram: FakeTelegram, ada: Person, hook: tuple[str, int]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", hook[1]))
        taken.listen()
        asyncio.get_running_loop().call_later(0.05, taken.close)
        with capture_logs() as logs:
            async with line(telegram, webhook=hook) as party:
                await party.read("setWebhook", 1)
                ada.says("/status")
                await party.heard(1)
    [warning] = [each for each in logs if each["log_level"] == "warning"]
    assert str(hook[1]) in warning["reason"] and "PORT" in warning["reason"]


def _doc(update: object) -> str:
    return json.dumps(update)
