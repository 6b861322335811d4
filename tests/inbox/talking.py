"""Somebody who talks with the bot, without any Telegram: what he says goes through the pure commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from notifier.inbox.commands import answer
from notifier.inbox.talk import Answer, Asked, Place, Talk
from notifier.known import KnownComponent, KnownExchange, KnownIncident, KnownUpdate, Scene
from notifier.markup import plain
from notifier.model import Affected, Topic, Window
from notifier.render import Page
from notifier.simulator.catalogue import components
from notifier.subscription import Address, Subscription
from notifier.tongue import ENGLISH, Tongue
from tests.builders import NOW, at

PAGE = Page(url="https://status.kraken.com")

COMPONENTS: Mapping[str, KnownComponent] = {
    each.id: KnownComponent(
        name=each.name, group=each.group, status="operational", updated_at=None, is_group=bool(each.members)
    )
    for each in components()
}
"""The 826 of Kraken's page."""

OUTAGE = KnownIncident(
    id="wsincident01",
    topic=Topic.INCIDENT,
    subject="incident/wsincident01",
    name="WebSocket API connection errors",
    status="monitoring",
    impact="major",
    updated_at=at("11:35"),
    started_at=at("11:29"),
    resolved_at=None,
    window=None,
    components=(Affected(name="Websocket", group="Kraken API"),),
    updates=(
        KnownUpdate(
            id="u1",
            born="u1",
            status="investigating",
            at=at("11:29"),
            created_at=at("11:29"),
            text="We are investigating.",
            fingerprints=("a",),
        ),
        KnownUpdate(
            id="u2",
            born="u2",
            status="monitoring",
            at=at("11:35"),
            created_at=at("11:35"),
            text="A fix is in place.",
            fingerprints=("b",),
        ),
    ),
)
OVER = replace(
    OUTAGE,
    id="bonkincident",
    subject="incident/bonkincident",
    name="Bonk (BONK) Deposits Delayed",
    status="resolved",
    impact="minor",
    resolved_at=at("10:00"),
    components=(),
)
PLANNED = replace(
    OUTAGE,
    id="maintenance1",
    topic=Topic.MAINTENANCE,
    subject="incident/maintenance1",
    name="Spot & Futures Site Maintenance",
    status="scheduled",
    impact="maintenance",
    window=Window(start=NOW + timedelta(days=1), end=NOW + timedelta(days=1, hours=1)),
    updates=(),
)
ONLINE = KnownExchange(status="online")
QUIET_DAY = Scene(incidents=(OVER,), components=COMPONENTS, exchange=ONLINE, read_at=NOW)
BAD_DAY = Scene(incidents=(OUTAGE, PLANNED, OVER), components=COMPONENTS, exchange=ONLINE, read_at=NOW)


@dataclass
class Reader:
    """What is remembered of him, and what he was answered last."""

    mine: Subscription | None = None
    scene: Scene = field(default_factory=lambda: QUIET_DAY)
    place: Place = Place.PRIVATE
    may_change: bool = True
    addressed: bool = True
    language_code: str | None = "en"
    now: datetime = NOW
    tongues: Mapping[str, Tongue] = field(default_factory=lambda: {"en": ENGLISH})
    answered: Answer = field(default_factory=Answer)

    def says(self, words: str, *, about: str | None = None) -> str:
        """The answer as he reads it, buttons below."""
        return self._ask(words=words, about=about)

    def presses(self, words: str) -> str:
        """The button of the last answer that reads so."""
        [found] = [button for row in self.answered.buttons for button in row if button.words == words]
        return self.forges(found.press)

    def forges(self, press: str) -> str:
        """A button that he made up."""
        return self._ask(press=press)

    def follows(self) -> tuple[str, ...]:
        return self.mine.filter.components if self.mine else ()

    @property
    def buttons(self) -> list[str]:
        return [button.words for row in self.answered.buttons for button in row]

    def _ask(self, *, words: str = "", press: str = "", about: str | None = None) -> str:
        asked = Asked(
            number=1,
            address=Address("telegram", "7" if self.place is Place.PRIVATE else "-1007"),
            place=self.place,
            at=self.now,
            words=words,
            press=press,
            language_code=self.language_code,
            may_change=self.may_change,
            addressed=self.addressed,
        )
        language = self.mine.language if self.mine else "en"
        reply = answer(
            Talk(
                asked=asked,
                mine=self.mine,
                scene=self.scene,
                page=PAGE,
                tongues=self.tongues,
                language=language,
                about=about,
            )
        )
        self.mine, self.answered = reply.subscription, reply.answer
        return plain(reply.answer.lines) or reply.answer.toast
