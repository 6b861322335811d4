"""How fast a channel may be used: by its own rate, by each chat's, and by what its provider asked for.

Pure: instants and lengths are arguments, in seconds of one clock that never goes back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from notifier.subscription import Address

MINUTE = 60.0
RAMP = 10.0
"""Seconds after a pause until the full rate is reached again."""
RAMP_START = 0.1
"""The share of the rate that a ramp begins with."""
RAMP_RATE = 10.0
"""What a channel without a rate of its own ramps up to, a second."""
LATE = 0.01
"""Seconds that a message may make up for; no loop wakes to the millisecond."""
CHATS = 10_000
"""Chats remembered before those that no longer matter are looked for."""
MANY = 1_000
"""As good as no limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a provider allows. The figures are in https://core.telegram.org/bots/faq#my-bot-is-hitting-limits and
    https://docs.slack.dev/apis/web-api/rate-limits; for Telegram's groups a little below.
    """

    per_second: float | None = None
    """All together; None: as fast as they go."""
    burst: int = 1
    """How many may go at once after a rest."""
    gap: float = 0
    """Seconds between two to the same chat."""
    per_minute: int | None = None
    """To the same group or channel of Telegram."""
    edits: Limits | None = None
    """Of what changes a message; None: it counts as a send."""


LIMITS: Mapping[str, Limits] = {
    "slack": Limits(per_second=5, burst=20, gap=1, edits=Limits(per_second=0.7, burst=10)),
    "slack-webhook": Limits(gap=1),
    "telegram": Limits(per_second=25, gap=1, per_minute=18),
    "mailto": Limits(),
    "console": Limits(),
}
"""By channel."""


def chat_of(address: Address) -> str:
    """Whose allowance a message to this address uses: the topics of a forum share one."""
    return address.target.partition("/")[0] if address.channel == "telegram" else address.target


def _is_group(chat: str) -> bool:
    return chat.startswith(("-", "@"))


@dataclass(slots=True)
class _Chat:
    sent: deque[float] = field(default_factory=deque)
    """The last ones, oldest first; of a person the last only."""
    who: set[int] = field(default_factory=set)


class Pace:
    """`scale` is how long a second of the limits is by the clock that gives the instants."""

    def __init__(self, limits: Limits, scale: float = 1.0) -> None:
        self._limits = limits
        self._scale = scale
        self._next = float("-inf")
        self._resumed = float("-inf")
        self._chats: dict[str, _Chat] = {}

    def rests(self, chat: str, who: int, now: float) -> float:
        """How long nothing may go to this chat; 0 or less if it may. `who` is the subscription that wants to know."""
        known = self._chats.get(chat)
        if known is None or not known.sent:
            return 0.0
        known.who.add(who)
        return self._free_at(chat, known) - now

    def wait(self, now: float) -> float:
        """How long until the next one may go, whoever it is for; 0 or less if it may."""
        return self._next - self._slack - now

    def went(self, chat: str, who: int | None, now: float) -> None:
        """A message to this chat goes now; `who` is None for what no subscription owes."""
        self._next = max(self._next, now) + self._every(now)
        if len(self._chats) > CHATS:
            self.resting(now)
        known = self._chats.setdefault(chat, _Chat())
        known.sent.append(now)
        if who is not None:
            known.who.add(who)

    def free(self, now: float) -> int:
        """How many may go at once, as far as the channel's rate goes."""
        credit, every = now + self._slack - max(self._next, now), self._every(now)
        return (1 + int(credit / every) if every else MANY) if credit >= 0 else 0

    def resting(self, now: float) -> set[int]:
        """Subscriptions whose chat may not be sent to yet. What no longer matters is forgotten."""
        found: set[int] = set()
        for chat, known in list(self._chats.items()):
            kept = MINUTE if _is_group(chat) and self._limits.per_minute else self._limits.gap
            while known.sent and known.sent[0] + kept * self._scale <= now:
                known.sent.popleft()
            if not known.sent:
                del self._chats[chat]
            elif self._free_at(chat, known) > now:
                found |= known.who
        return found

    def resume(self, at: float) -> None:
        """Nothing goes until then; after that slowly at first."""
        self._resumed = max(self._resumed, at)
        self._next = max(self._next, at + self._slack)

    def _free_at(self, chat: str, known: _Chat) -> float:
        free, most = known.sent[-1] + self._limits.gap * self._scale, self._limits.per_minute
        if most and _is_group(chat) and len(known.sent) >= most:
            free = max(free, known.sent[-most] + MINUTE * self._scale)
        return free

    @property
    def _slack(self) -> float:
        """How much of the time between two may be saved up: for a burst, or by one that left late."""
        rate = self._limits.per_second
        return self._scale * (LATE + (self._limits.burst - 1) / rate) if rate else 0.0

    def _every(self, at: float) -> float:
        """The time from one that goes then to the next."""
        since = (at - self._resumed) / self._scale
        share = max(RAMP_START, since / RAMP) if since < RAMP else 1.0
        rate = self._limits.per_second or (RAMP_RATE if share < 1 else 0)
        return self._scale / (rate * share) if rate else 0.0
