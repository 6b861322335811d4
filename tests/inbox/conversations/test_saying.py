"""Everything that can be said in private, right and wrong, before and after subscribing, once and again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from notifier.markup import INERT
from tests.inbox.conversations.bot import OUTAGE, PLANNED, WEBSOCKET, bot

NOT_YET = "You get no news yet. /start to begin."
STRANGER = {
    "/start": "👋 Kraken's status news comes here from now on.",
    "/start btc": "You follow BTC.",
    "/start websocket": "You follow Websocket.",
    "/start no-such-thing": "Nothing is called “no-such-thing”",
    "/status": "🟠 Kraken: 1 incident open",
    "/incidents": "Incidents of Kraken",
    "/incident": f"🟠 Investigating: {WEBSOCKET}",
    "/incident <site>": "🔧 Maintenance scheduled: Spot & Futures <Site> Maintenance",
    "/incident nowhere": "No incident that I know is called “nowhere”",
    "/follow": "What do you want to hear of?",
    "/follow btc, eth;sol": "✅ You follow BTC, ETH, SOL.",
    "/follow stak": "“stak” may mean:",
    "/follow <b>bold</b>": "Nothing at Kraken is called “<b>bold<",
    "/follow everything": "✅ You follow everything.",
    "/follow@Kraken_Status_Bot btc": "✅ You follow BTC.",
    "/FOLLOW BTC": "✅ You follow BTC.",
    "/unfollow": NOT_YET,
    "/unfollow btc": NOT_YET,
    "/settings": NOT_YET,
    "/settings 22:00-07:00": NOT_YET,
    "/mute": NOT_YET,
    "/mute 8h": NOT_YET,
    "/unmute": NOT_YET,
    "/stop": "You are not subscribed; nothing is stored of this chat.",
    "/help": "What you can say",
    "/privacy": "What is stored",
    "/nonsense": "There is no command /nonsense.",
    "/": "There is no command /.",
    "/stats": "There is no command /stats.",
    "/health": "There is no command /health.",
    "/broadcast Buy now": "There is no command /broadcast.",
    "websocket": "“websocket” may mean:",
    "22:00-07:00": "Nothing at Kraken is called “22:00-07:00”.",
    "thanks!": "Nothing at Kraken is called “thanks!”.",
}
"""The beginning of some line of the answer."""
READER = {
    "/start": "Kraken's status news comes here already.",
    "/start eth": "You follow BTC, ETH.",
    "/follow eth": "✅ You follow BTC, ETH.",
    "/follow sdlkjf": "Nothing at Kraken is called “sdlkjf”.",
    "/follow all": "✅ You follow everything.",
    "/unfollow": "What do you want to leave out?",
    "/unfollow btc": "That was the last, so you hear of everything again.",
    "/unfollow eth": "You do not follow “eth”.",
    "/settings": "What you get",
    "/settings 21:30-06:45": "Quiet hours: 21:30–06:45 UTC",
    "/settings 25:00-07:00": "When is it quiet?",
    "/settings Europe/Berlin": "Time zone: Europe/Berlin",
    "21:30-06:45": "Quiet hours: 21:30–06:45 UTC",
    "asia/kolkata": "Time zone: Asia/Kolkata",
    "Mars/Olympus": "Nothing at Kraken is called “Mars/Olympus”.",
    "/mute": "What should be quiet?",
    "/mute 2h": "🔕 Muted until 12:02 UTC: critical news too.",
    "/mute forever": "Say for how long, up to 7 days",
    "/mute 0h": "Say for how long, up to 7 days",
    "/mute 9999d": "Say for how long, up to 7 days",
    "/unmute": "Nothing is muted.",
    "/stop": "You hear nothing any more.",
}
CHANGES = ("/start", "/stop", "/follow", "/FOLLOW", "/unfollow")
"""When they come again, the answer says how it is by now."""


@pytest.mark.parametrize("subscribed", [False, True])
async def test_whatever_is_said_in_private_has_its_answer_and_changes_nothing_when_it_comes_again(
    subscribed: bool, tmp_path: Path
) -> None:
    cases = READER if subscribed else STRANGER
    async with bot(tmp_path, OUTAGE + PLANNED) as there:
        await there.at("09:30", "10:00", "10:02")
        people = [there.telegram.person(number, "Ada") for number in range(7, 7 + len(cases))]
        for person in people if subscribed else ():
            person.says("/start btc")
        await there.hears()
        for person, words in zip(people, cases, strict=True):
            person.says(words)
        await there.hears()
        first, kept = [person.chat.shown[-1] for person in people], await there.running.store.subscriptions()
        await there.again(len(cases))
        assert await there.running.store.subscriptions() == kept
        again = [person.chat.shown[-1] for person in people]
        assert {len(person.chat.shown) for person in people} == {3 if subscribed else 2}, "one answer to each"
    for (words, expected), said, repeated in zip(cases.items(), first, again, strict=True):
        assert any(line.startswith(expected) for line in said.replace(INERT, "").split("\n")), f"{words}: {said}"
        assert words.startswith(CHANGES) or repeated == said, words


ODD = {
    "a name of markup": ("<b>Ada</b> & Co. <script>", "/status", "Kraken: no incident open"),
    "a name from right to left": ("\u202eadA\u202c \u0645\u0631\u062d\u0628\u0627", "/start", "comes here from now on"),
    "words from right to left": (
        "Ada",
        "/follow \u0628\u062a\u0643\u0648\u064a\u0646",
        "Nothing at Kraken is called “بتكوين”.",
    ),
    "an override": ("Ada", "/follow \u202eCTB", "Nothing at Kraken is called “CTB”."),
    "a zero width": ("Ada", "/follow b\u200btc", "✅ You follow BTC."),
    "markup": ("Ada", "<b>&amp;<a href='https://evil.example'>", "Nothing at Kraken is called “<b>&amp;<a"),
    "a message as long as can be": ("Ada", "w" * 4_096, "Nothing at Kraken is called “www"),
    "a command as long as can be": ("Ada", "/follow " + "wx " * 1_360, "Nothing at Kraken is called “wx wx"),
    "more than one message": ("Ada", "/incident " + "w" * 4_086, "No incident that I know is called “www"),
    "emoji": ("Ada 🦑", "🦑" * 2_048, "Nothing at Kraken is called “🦑"),
    "line breaks": ("Ada", "/follow\nbtc", "✅ You follow BTC."),
    "a command in words": ("Ada", "please /follow btc", "Nothing at Kraken is called “please"),
    "a NUL": ("Ada", "/follow b\x00tc", "✅ You follow BTC."),
}


async def test_odd_words_and_names_are_literal(tmp_path: Path) -> None:
    async with bot(tmp_path) as there:
        people = [there.telegram.person(number, name) for number, (name, _, _) in enumerate(ODD.values(), 7)]
        for person, (_, words, _) in zip(people, ODD.values(), strict=True):
            person.says(words)
        await there.hears()
    for person, (case, (_, _, expected)) in zip(people, ODD.items(), strict=True):
        [answer] = person.chat.messages
        assert expected in answer.shown, case
        links = [each for each in answer.entities if each["type"] in ("text_link", "url")]
        assert not links, f"{case}: nothing leads elsewhere"


MADE_UP = (
    *("set", "set kinds incident 2", "set impact worst", "set quiet 1-2", "set zone Mars", "set language xx", "set  "),
    *("f+", "f-", "f~", "f+#nobody", "f-nobody", "f~x#nobody", "f+<b>", "mute", "mute nobody", "mute for", "stop"),
    *("incident", "incident nobody", "broadcast 1", "broadcast no", "stats", "health", "\u202e", "x" * 64),
)
"""Behind no button of ours, or behind one that only an operator is shown."""


async def test_what_is_no_word_is_answered_too_and_what_is_for_others_is_not(tmp_path: Path) -> None:
    async with bot(tmp_path) as there:
        ada = there.telegram.person(7, "Ada")
        assert "words only" in (await there.answers(ada.sends_sticker())).shown
        assert "words only" in (await there.answers(ada.sends_photo())).shown
        assert "You follow BTC" in (await there.answers(ada.sends_photo("/follow btc"))).shown
        said = ada.says("/follow eth")
        await there.answers(said)
        ada.edits(said, "/follow sol")
        await there.is_silent(said)
        await there.is_silent(ada.says("/status@another_bot"))
        other = {"id": 99, "is_bot": True, "first_name": "Gif", "username": "gif"}
        await there.is_silent(ada.says("/stop", via=other))
        assert await there.subscribers() == {"7": ("BTC", "ETH")}


async def test_a_link_chooses_beforehand_and_a_press_that_was_made_up_chooses_nothing(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE) as there:
        ada, eve = there.telegram.person(7, "Ada"), there.telegram.person(8, "Eve")
        assert "You follow Websocket." in (await there.answers(ada.starts("websocket"))).shown
        settings = await there.answers(ada.says("/settings"))
        for data in MADE_UP:
            there.clock.move(timedelta(seconds=5))
            assert await there.forged(ada, settings, data), data
            await there.forged(eve, settings, data)
        assert await there.subscribers() == {"7": ("Websocket",)}
