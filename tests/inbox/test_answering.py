"""How answers reach people, judged by what stands in their chats and on their screens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from notifier.inbox import telegram as adapter
from notifier.inbox.talk import Answer, Button
from notifier.message import Line, Role, Span
from notifier.ports import StoreFailed
from tests.inbox.line import Party, line, says
from tests.receivers import refused
from tests.receivers.telegram import FakeTelegram, refusal
from tests.receivers.telegram_html import units
from tests.receivers.telegram_network import Press
from tests.receivers.telegram_people import Group, Person

GROUP = -1_001_230


@pytest.fixture
def group(telegram: FakeTelegram, ada: Person) -> Group:
    made = telegram.group(GROUP, "Desk", forum=True)
    made.member(ada, admin=True)
    return made


@pytest.fixture
async def party(telegram: FakeTelegram, ada: Person, group: Group) -> AsyncIterator[Party]:
    async with line(telegram) as made:
        await made.read("getUpdates", 1)
        yield made


async def settings(party: Party, ada: Person) -> None:
    """A message with two buttons stands in her chat."""
    party.desk.answers["/settings"] = says("Settings", "Loud", "Quiet")
    ada.says("/settings")
    await party.heard(1)


async def answered(party: Party, press: Press) -> None:
    await party.telegram.until(lambda: press.answered)


async def test_an_answer_is_a_message_with_its_buttons_and_without_a_preview(party: Party, ada: Person) -> None:
    party.desk.answers["/start"] = Answer(
        lines=(Line(spans=(Span(text="Hello <b> & all", style="bold"),), role=Role.TITLE),),
        buttons=((Button(words="Loud", press="loud"), Button(words="Page", url="https://status.kraken.com")),),
    )
    ada.starts()
    await party.heard(1)
    [message] = ada.chat.messages
    assert message.shown == "Hello <b> & all"
    assert (message.presses, message.buttons) == ([("Loud", "loud")], [("Page", "https://status.kraken.com")])
    assert message.arguments["link_preview_options"] == {"is_disabled": True}
    assert message.reply_to is None, "two people talk"


async def test_a_button_that_telegram_would_refuse_is_left_out(party: Party, ada: Person) -> None:
    links = tuple(Button(words=url, url=url) for url in ("http://127.0.0.1:8000/", "http://localhost/", "tg://x"))
    party.desk.answers["/status"] = Answer(
        lines=says("All is well").lines, buttons=(links, (Button(words="Loud", press="loud"), *links))
    )
    ada.says("/status")
    await party.heard(1)
    assert ada.chat.last.rows == [["Loud"]]


async def test_a_long_answer_is_cut_to_what_telegram_takes(party: Party, ada: Person) -> None:
    words = Line(spans=(Span(text="😀 " * 4000),), role=Role.QUOTE)
    party.desk.answers["/incident"] = Answer(lines=(words, Line(spans=(Span(text="The end"),))))
    ada.says("/incident")
    await party.heard(1)
    [text] = ada.chat.shown
    assert 3_900 < units(text) <= 4_096 and text.endswith("The end")


async def test_in_a_group_it_replies_even_if_the_question_is_gone(party: Party, ada: Person, group: Group) -> None:
    party.desk.hold("/status")
    question = ada.says("/status", in_=group, topic=42)
    await party.telegram.until(lambda: party.asks("getChatMember") == 1)
    ada.deletes(question)
    party.desk.release()
    await party.heard(1)
    assert (group.last.topic, group.last.reply_to) == (42, None)


async def test_a_topic_that_is_gone_is_answered_in_the_group(party: Party, ada: Person, group: Group) -> None:
    ada.says("/status", in_=group, topic=42)
    group.without_topic(42)
    await party.heard(1)
    assert group.last.topic is None


async def test_markup_that_is_refused_goes_without(party: Party, ada: Person) -> None:
    party.telegram.takes_markup = False
    ada.says("/status")
    await party.heard(1)
    assert ada.chat.shown == ["You said: status"]


async def test_a_press_changes_its_message_and_is_answered_once(party: Party, ada: Person) -> None:
    await settings(party, ada)
    party.desk.answers["Loud"] = says("Settings: loud", "Quiet", toast="Saved")
    press = ada.presses(ada.chat.last, "Loud")
    await answered(party, press)
    await party.telegram.until(lambda: ada.chat.shown == ["Settings: loud"])
    assert (press.toast, ada.chat.last.rows) == ("Saved", [["Quiet"]])
    assert party.asks("answerCallbackQuery") == 1


async def test_a_press_that_changes_nothing_is_no_failure(party: Party, ada: Person) -> None:
    await settings(party, ada)
    party.desk.answers["Loud"] = says("Settings", "Loud", "Quiet")
    with capture_logs() as logs:
        await answered(party, ada.presses(ada.chat.last, "Loud"))
        ada.says("/next")
        await party.heard(2)
    assert ada.chat.shown[0] == "Settings" and [each for each in logs if each["event"] == "not answered"] == []


async def test_a_press_on_a_message_that_vanished_meanwhile_is_answered_anew(party: Party, ada: Person) -> None:
    await settings(party, ada)
    party.desk.hold("Loud")
    press = ada.presses(ada.chat.last, "Loud")
    await party.telegram.until(lambda: not party.telegram.updates.pending or party.desk.tries == 2)
    ada.deletes(ada.chat.last)
    party.desk.release()
    await answered(party, press)
    await party.heard(2)
    assert ada.chat.shown == ["You said: Loud"]


async def test_a_press_on_a_message_that_nobody_can_see_or_that_is_not_ours_is_a_toast(
    party: Party, ada: Person
) -> None:
    await settings(party, ada)
    old, mine = ada.chat.last, ada.says("/hello")
    await party.heard(2)
    ada.deletes(old)
    presses = [ada.forges(old, "Loud"), ada.forges(mine, "Loud")]
    for press in presses:
        await answered(party, press)
    assert ["too old" in press.toast for press in presses] == [True, True]
    assert party.desk.words == ["/settings", "/hello"]


async def test_a_press_is_answered_though_the_desk_has_a_bug(party: Party, ada: Person) -> None:
    await settings(party, ada)
    party.desk.answers["Loud"] = RuntimeError("a bug")
    await answered(party, ada.presses(ada.chat.last, "Loud"))
    ada.says("/next")
    await party.heard(2)
    assert party.asks("answerCallbackQuery") == 1


async def test_a_press_that_waits_for_the_database_is_answered_at_once_and_done_later(
    party: Party, ada: Person
) -> None:
    await settings(party, ada)
    party.desk.failures = [StoreFailed("locked"), StoreFailed("locked")]
    press = ada.presses(ada.chat.last, "Loud")
    await answered(party, press)
    await party.telegram.until(lambda: ada.chat.shown == ["You said: Loud"])
    assert "tried again" in press.toast and party.asks("answerCallbackQuery") == 1
    assert party.desk.words == ["/settings", "Loud"]


async def test_an_answer_that_does_not_arrive_changes_nothing_of_what_was_decided(party: Party, ada: Person) -> None:
    party.telegram.next(refused())
    ada.says("/follow btc")
    ada.says("/status")
    await party.heard(1)
    assert party.desk.words == ["/follow btc", "/status"] and ada.chat.shown == ["You said: status"]


async def test_who_blocked_the_bot_before_its_answer_is_gone_and_a_group_that_moved_is_followed(
    party: Party, ada: Person, group: Group
) -> None:
    party.desk.hold("/start", "/status")
    ada.starts()
    ada.says("/status", in_=group)
    await party.telegram.until(lambda: party.asks("getChatMember") == 1)
    ada.chat.blocked()
    group.migrated(-1_009_990)
    party.desk.release()
    await party.telegram.all_read()
    await party.telegram.until(lambda: bool(party.desk.gone and party.desk.went))
    assert [chat for chat, _ in party.desk.gone] == ["7"]
    assert party.desk.went == [(str(GROUP), "-1009990")]


async def test_a_closed_topic_does_not_switch_off_its_group(party: Party, ada: Person, group: Group) -> None:
    group.closed_topics.add(42)
    ada.says("/status", in_=group, topic=42)
    await party.telegram.all_read()
    ada.says("/status")
    await party.heard(1)
    assert party.desk.gone == []


async def test_a_pause_met_by_an_answer_holds_the_channel_and_is_kept(party: Party, ada: Person) -> None:
    party.telegram.next(refusal(429, "Too Many Requests: retry after 7", retry_after=7))
    ada.says("/status")
    await party.telegram.until(lambda: bool(party.telegram.calls))
    await party.telegram.all_read()
    assert party.way.gate.closed_for("send") > timedelta(seconds=5)
    [pause] = party.shelf.pauses
    assert pause.scope == "" and pause.until > party.clock.now()


async def test_too_much_at_once_is_said_once_and_then_nothing(party: Party, ada: Person) -> None:
    for number in range(25):
        ada.says(f"/n{number}")
    bob = party.telegram.person(8, "Bob")
    bob.says("/status")
    await party.telegram.all_read()
    await party.heard(22)
    assert len(ada.chat.shown) == adapter.PEOPLE[0] + 1 and "a lot at once" in ada.chat.shown[-1]
    assert bob.chat.shown == ["You said: status"]


async def test_a_group_that_asks_a_lot_leaves_half_of_its_messages_to_the_news_and_its_administrator_is_heard(
    party: Party, ada: Person, group: Group
) -> None:
    bob = party.telegram.person(8, "Bob")
    group.member(bob)
    for number in range(15):
        bob.says(f"/n{number}", in_=group)
    await party.telegram.all_read()
    await party.heard(9)
    assert len(group.shown) == adapter.GROUPS[0] + 1
    ada.says("/stop", in_=group)
    await party.telegram.until(lambda: group.shown[-1] == "You said: stop")


async def test_no_answer_shows_the_token(party: Party, ada: Person, telegram: FakeTelegram) -> None:
    with capture_logs() as logs:
        telegram.next(refused(), refusal(404, "Not Found"))
        ada.says("/status")
        ada.says("/status")
        await telegram.until(lambda: len(telegram.calls) == 2)
        await telegram.all_read()
    assert telegram.token not in str(logs)
