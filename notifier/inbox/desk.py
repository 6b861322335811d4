"""The inbox's step: what was asked is answered, and what follows for the subscription is committed before.

Knows ports only. The same question may come twice, and gets the same answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from notifier.health import Trouble
from notifier.inbox import commands, operators
from notifier.inbox.talk import Answer, Asked, Audience, Talk
from notifier.known import Scene
from notifier.ports import Clock
from notifier.readers import Readers
from notifier.render import Page
from notifier.subscription import Subscription
from notifier.tongue import ENGLISH, N_, Tongue

FRESH = timedelta(seconds=2)
"""How long a look at what is known serves the next questions: a crowd asks at the same moment."""

NO_DRAFT = -1
"""The number of a draft that no button confirms."""

DESCRIPTION = N_(
    "Tells you the moment {page} has an incident, a maintenance or a trading halt: once each, in one thread, only for"
    " what you trade. Press Start. Unofficial: not run by {page}."
)
SHORT_DESCRIPTION = N_("Incidents and maintenance of {page}, for what you trade. Unofficial.")

log = structlog.get_logger("inbox")


class Desk:
    """`troubles` is how the bot itself fares; `read_at` when this process last read the page; `owing` is called when
    somebody is owed something, `ended` with the subscription that is no more.
    """

    def __init__(
        self,
        store: Readers,
        page: Page,
        tongues: Mapping[str, Tongue],
        clock: Clock,
        *,
        troubles: Callable[[], Awaitable[Mapping[str, Trouble]]],
        read_at: Callable[[], datetime | None],
        owing: Callable[[], None],
        ended: Callable[[int], None],
    ) -> None:
        self._store = store
        self._page = page
        self._tongues = tongues
        self._clock = clock
        self._troubles = troubles
        self._read_at = read_at
        self._owing = owing
        self._ended = ended
        self._scene: tuple[datetime, Scene] | None = None

    async def ask(self, asked: Asked) -> Answer | None:
        """The answer; None for silence. Raises StoreFailed, and then nothing has changed."""
        mine = await self._mine(asked)
        language = mine.language if mine else commands.language_of(asked.language_code)
        if asked.operator and (answer := await self._for_operator(asked, self._tongues.get(language, ENGLISH))):
            return answer
        talk = Talk(
            asked=asked,
            mine=mine,
            scene=await self._look(),
            page=self._page,
            tongues=self._tongues,
            language=language,
            about=await self._about(asked),
        )
        reply = commands.answer(talk)
        await self._keep(mine, reply.subscription)
        return reply.answer if reply.answer.lines or reply.answer.toast else None

    async def left(self, chat: str, reason: str) -> None:
        """The chat wants nothing of the bot any more."""
        if count := await self._store.leave(chat, reason):
            log.info("a chat left", subscriptions=count, reason=reason)

    async def moved(self, chat: str, to: str) -> None:
        """A group became a supergroup."""
        if count := await self._store.move(chat, to):
            log.info("a chat moved", subscriptions=count)

    def commands(self, language: str, audience: Audience) -> list[tuple[str, str]]:
        """Names and descriptions for the menu that a client shows."""
        t = self._tongues.get(language, ENGLISH).gettext
        for_all = [(name, t(each.about)) for name, each in commands.COMMANDS.items()]
        if audience == "group":
            return [(name, about) for name, about in for_all if not commands.COMMANDS[name].changes]
        return for_all + [(name, t(about)) for name, about in operators.COMMANDS.items() if audience == "operator"]

    def profile(self, language: str) -> tuple[str, str]:
        """What a client shows of the bot before somebody presses Start, and beside its name."""
        t = self._tongues.get(language, ENGLISH).gettext
        return t(DESCRIPTION).format(page=self._page.name), t(SHORT_DESCRIPTION).format(page=self._page.name)

    async def _mine(self, asked: Asked) -> Subscription | None:
        """Whom news is told to there, by whichever name."""
        for address in (asked.address, asked.named):
            found = await self._store.reader(address) if address is not None else None
            if found is not None:
                return found
        return None

    async def _keep(self, before: Subscription | None, after: Subscription | None) -> None:
        if after is None and before is not None:
            number = await self._store.forget(before.address)
            if number is not None:
                self._ended(number)
            log.info("a reader left")
        elif after is not None and after != before:
            await self._store.keep(after, self._clock.now())
            log.info("a subscription changed" if before else "a new reader")
            if before and _holds(before) != _holds(after):
                self._owing()

    async def _look(self) -> Scene:
        now = self._clock.now()
        if self._scene is None or not timedelta() <= now - self._scene[0] < FRESH:
            self._scene = now, await self._store.scene()
        scene = self._scene[1]
        read = [at for at in (scene.read_at, self._read_at()) if at is not None]
        return replace(scene, read_at=max(read, default=None))

    async def _about(self, asked: Asked) -> str | None:
        if asked.reply_to is None or not asked.words.startswith("/mute"):
            return None
        return await self._store.subject_of(asked.address, asked.reply_to)

    async def _for_operator(self, asked: Asked, tongue: Tongue) -> Answer | None:
        """None if it is nothing that only operators can say."""
        words = asked.words.strip()
        if not asked.press and not words.startswith("/"):
            return None
        name, *rest = (asked.press or words[1:]).split(maxsplit=1) or [""]
        said = rest[0].strip() if rest else ""
        match name:
            case "stats" if not asked.press:
                return operators.stats(await self._store.tally(self._clock.now()), tongue)
            case "health" if not asked.press:
                return operators.health(await self._troubles(), tongue, self._clock.now())
            case "broadcast" if asked.press:
                return await self._confirmed(said, tongue)
            case "broadcast":
                if operators.fits(said):
                    await self._store.draft(asked.number, said)
                readers = (await self._store.tally(self._clock.now())).readers
                return operators.preview(said, asked.number, readers, tongue)
        return None

    async def _confirmed(self, choice: str, tongue: Tongue) -> Answer:
        if not choice.isdecimal():
            await self._store.draft(NO_DRAFT, "")  # the button may still stand on another screen
            return operators.cancelled(tongue)
        owed = await self._store.broadcast(int(choice), self._clock.now())
        self._owing()
        return operators.sent(owed, tongue)


def _holds(subscription: Subscription) -> tuple[object, ...]:
    """What keeps news from somebody for a while."""
    return subscription.muted_until, subscription.muted, subscription.filter.quiet_hours
