"""Presses every button that can be reached, once by what stands behind it, the nearest first.

Somebody goes on with the first new button that he sees. For each other one somebody new comes to the bot, and goes the
whole way to it: what others pressed changes nothing there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from tests.inbox.conversations.bot import Bot
from tests.receivers.telegram_chats import Chat
from tests.receivers.telegram_people import Person

Visit = Callable[[], tuple[Person, Chat]]
"""Somebody who never spoke to the bot, and where he does now."""
Way = tuple[str, ...]
"""Words with a slash are said; anything else stands behind a button of the last answer."""

PAUSE = timedelta(seconds=30)
CHOSEN = "✓ "
"""Before the words of what is chosen already: pressed, it may leave everything as it is."""


@dataclass(eq=False, kw_only=True)
class Visitor:
    person: Person
    place: Chat
    way: Way
    gone: int = 0
    """So much of the way."""


@dataclass(kw_only=True)
class Crawler:
    bot: Bot
    visit: Visit
    spares: Collection[str] = ()
    """What is not pressed."""
    pressed: set[str] = field(default_factory=set)
    """What stands behind the buttons."""
    read: set[str] = field(default_factory=set)
    """All texts, and the words on all buttons."""
    dead: list[str] = field(default_factory=list)
    """Buttons after which all was as before, and nothing was said."""

    async def crawl(self, *begins: Way) -> None:
        going = [self._visitor(way) for way in begins]
        while going:
            while under_way := [each for each in going if each.gone < len(each.way)]:
                self.bot.clock.move(PAUSE)
                await self._step(under_way)
            going = [following for each in going for following in self._follow(each)]

    def _visitor(self, way: Way) -> Visitor:
        person, place = self.visit()
        return Visitor(person=person, place=place, way=way)

    def _follow(self, visitor: Visitor) -> Iterator[Visitor]:
        seen = self.pressed | {*self.spares}
        new = [data for _, data in visitor.place.last.presses if data not in seen]
        self.pressed.update(new)
        before = visitor.way
        for place, data in enumerate(new):
            if place:
                yield self._visitor((*before, data))
            else:
                visitor.way = (*before, data)
                yield visitor

    async def _step(self, going: list[Visitor]) -> None:
        """All of them at once."""
        nexts = [(each, each.way[each.gone]) for each in going]
        says = [(each, words, len(each.place.messages)) for each, words in nexts if words.startswith("/")]
        for each, words, _ in says:
            each.person.says(words, in_=each.place)
        pressing = [(each.place.last, data, each.person) for each, data in nexts if not data.startswith("/")]
        before = [(message.shown, message.entities, message.rows) for message, _, _ in pressing]
        labels = [next(words for words, behind in message.presses if behind == data) for message, data, _ in pressing]
        presses = [person.forges(message, data) for message, data, person in pressing]
        await self.bot.hears()
        for each, words, count in says:
            assert len(each.place.messages) == count + 1, f"{words} is answered once"
        for (message, data, _), press, then, label in zip(pressing, presses, before, labels, strict=True):
            self.bot.is_answered(press)
            self.read.add(press.toast)
            same = then == (message.shown, message.entities, message.rows)
            if same and not press.toast and not label.startswith(CHOSEN):
                self.dead.append(f"{label} ({data})")
        for each in going:
            each.gone += 1
            self.read.add(each.place.last.shown)
            self.read.update(words for row in each.place.last.rows for words in row)
