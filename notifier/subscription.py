"""Who is told, and what they want."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, time
from email.errors import MessageError
from email.headerregistry import Address as MailAddress
from zoneinfo import available_timezones

from notifier.model import Topic


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes, without any secret: `slack:C0123456789`, `mailto:ops@example.com`, …"""

    channel: str
    target: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.target}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises ValueError with the cure in its words."""
        channel, colon, target = text.strip().partition(":")
        form = _ADDRESS_FORMS.get(channel)
        if not colon or form is None:
            raise ValueError(f"{text!r} is not an address; use one of {', '.join(_ADDRESS_EXAMPLES)}")
        if not re.fullmatch(form, target):
            example = " or ".join(e for e in _ADDRESS_EXAMPLES if e.startswith(channel + ":"))
            raise ValueError(f"{text!r} is not a {channel} address; write it like {example}")
        if channel == "mailto":
            try:
                MailAddress(addr_spec=target)
            except (ValueError, IndexError, MessageError) as error:
                raise ValueError(f"{text!r} is not one mail address; write it like mailto:ops@example.com") from error
        return cls(channel, target)


_ADDRESS_FORMS = {
    "slack": r"[A-Z][A-Z0-9]+",
    "slack-webhook": r"[A-Za-z0-9_-]+",
    "telegram": r"(-?\d+|@\w+)(/\d+)?",
    "mailto": r"[^\s,;<>()\"]+@[^\s,;<>()\"@]+",
    "console": r"",
}
_ADDRESS_EXAMPLES = (
    "slack:C0123456789",
    "slack-webhook:ops",
    "telegram:-1001234567890",
    "telegram:@channel",
    "mailto:ops@example.com",
    "console:",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class QuietHours:
    """From `start` to `end` (may wrap midnight) in the IANA `zone`, news waits; impact critical does not."""

    start: time
    end: time
    zone: str = "UTC"

    @classmethod
    def parse(cls, text: str, zone: str = "UTC") -> QuietHours:
        """`22:00-07:00 Europe/Berlin`; where the text names no zone, in `zone`. Raises ValueError with the cure."""
        found = re.fullmatch(r"(\d\d?):?(\d\d) ?[-–] ?(\d\d?):?(\d\d)(?: +(\S+))?", text.strip())
        try:
            if not found:
                raise ValueError
            start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        except ValueError:
            raise ValueError('must be a string like "22:00-07:00 Europe/Berlin"') from None
        if start == end:
            raise ValueError("must not end when they begin")
        return cls(start=start, end=end, zone=known_zone(found[5] or zone))

    def __str__(self) -> str:
        return f"{self.start:%H:%M}–{self.end:%H:%M}"


def known_zone(name: str) -> str:
    """The IANA name, as it is written there. Raises ValueError."""
    found = next((zone for zone in available_timezones() if zone.casefold() == name.casefold()), None)
    if found is None:
        raise ValueError(f"{name} is no time zone; use a name like Europe/Berlin or UTC")
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What a subscription wants. Subscriptions with equal filters share one row."""

    kinds: tuple[Topic, ...] = (Topic.INCIDENT, Topic.MAINTENANCE, Topic.EXCHANGE)
    components: tuple[str, ...] = ()
    """Names, group names, tickers or globs; empty wants everything."""
    strict_components: bool = False
    min_impact: str = "none"
    milestones_only: bool = False
    reminders: bool = True
    """Whether a maintenance is announced again shortly before it begins."""
    quiet_hours: QuietHours | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    address: Address
    filter: Filter = field(default_factory=Filter)
    name: str = ""
    mention: str | None = None
    """Written before loud changes of impact major or critical, for example `<!here>` on Slack."""
    origin: str = "config"
    """`config`, or `self` for who came by himself."""
    language: str = "en"
    """The code of a catalogue, which the words of the news are taken from."""
    zone: str = "UTC"
    """The reader's IANA time zone, for quiet hours."""
    active: bool = True
    """False once the recipient refused for good."""
    muted_until: datetime | None = None
    """Everything waits until then, whatever its impact."""
    muted: frozenset[str] = frozenset()
    """Subjects that no more is told of."""
