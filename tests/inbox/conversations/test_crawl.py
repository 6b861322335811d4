"""Every button that can be reached is pressed: in private and by an administrator of a group, in two languages."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from notifier.inbox.choosing import ZONES
from notifier.inbox.commands import COMMANDS
from notifier.inbox.following import POPULAR
from notifier.inbox.telegram import TOO_MUCH
from notifier.languages import tongues
from notifier.simulator.catalogue import components
from notifier.tongue import LANGUAGES
from tests.inbox.conversations.bot import OUTAGE, PLANNED, Bot, bot
from tests.inbox.conversations.crawler import Crawler
from tests.masked import Masked, latin
from tests.receivers.telegram_chats import Chat
from tests.receivers.telegram_people import Person

GROUPS = [each.name for each in components() if each.members]
BEGINS = (
    *(("/start",), ("/incidents",), ("/status",), ("/follow sol",), ("/follow zzzz",)),
    *(("/start", "/mute"), ("/start", "/follow btc, eth", "/unfollow")),
    *((f"/follow {name}",) for name in (*POPULAR, *GROUPS)),
)
"""What there is by words is nearer than from menu to menu."""
PATIENT = 0.1
"""Hundreds press at once: the last of them waits for his turn."""
FEWEST = 130
"""Buttons that there are at least, on a day with an incident and a maintenance."""


def in_private(there: Bot, language: str) -> Crawler:
    numbers = count(7)

    def visit() -> tuple[Person, Chat]:
        person = there.telegram.person(next(numbers), "Ada", language)
        return person, person.chat

    return Crawler(bot=there, visit=visit)


def in_a_group(there: Bot, language: str) -> Crawler:
    numbers = count(7)

    def visit() -> tuple[Person, Chat]:
        number = next(numbers)
        person, group = there.telegram.person(number, "Ada", language), there.telegram.group(-100_000 - number, "Desk")
        group.member(person, admin=True)
        return person, group

    return Crawler(bot=there, visit=visit)


class MaskedGerman(Masked):
    """As long as German is, and with what German says goes in."""

    def __init__(self) -> None:
        super().__init__()
        self._german = tongues()["de"]

    def gettext(self, message: str) -> str:
        return super().gettext(self._german.gettext(message))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return super().gettext(self._german.ngettext(msgid1, msgid2, n))


async def test_no_button_ends_in_nothing_in_private_and_in_english(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE + PLANNED, second=PATIENT) as there:
        await there.at("09:30", "10:00", "10:10")
        crawler = in_private(there, "en")
        await crawler.crawl(*BEGINS)
    assert crawler.dead == []
    assert len(crawler.pressed) >= FEWEST
    assert not any(TOO_MUCH in text for text in crawler.read), "nothing was left out"


async def test_no_button_ends_in_nothing_in_a_group_and_no_word_of_ours_is_in_english_there(tmp_path: Path) -> None:
    async with bot(tmp_path, OUTAGE + PLANNED, second=PATIENT) as there:
        await there.at("09:30", "10:00", "10:10")
        there.speaks("de", MaskedGerman())
        crawler = in_a_group(there, "de")
        crawler.spares = ["set language en"]
        await crawler.crawl(*BEGINS)
        scene = await there.running.store.scene()
    assert crawler.dead == []
    assert len(crawler.pressed) >= FEWEST
    kraken = [each.name for each in components()]
    for each in scene.incidents:
        kraken += [each.name, *map(str, each.components), *(update.text for update in each.updates)]
    names = [*LANGUAGES.values(), *ZONES, *COMMANDS, "websocket sol zzzz ZZZZ", "Kraken", "UTC", "America/Sao_Paulo"]
    assert latin(crawler.read) <= latin([*kraken, *names])
