"""A subscription as it is written in a file, by an operator or by the program itself, and what its values may be."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, StringConstraints

from notifier.model import Topic
from notifier.subscription import Address, Filter, QuietHours, Subscription, known_zone
from notifier.tongue import LANGUAGES


def parse_address(value: object) -> Address:
    """Raises ValueError with the cure."""
    if not isinstance(value, str):
        raise ValueError("must be a string like slack:C0123456789")
    return Address.parse(value)


def _quiet_hours(value: object) -> QuietHours:
    """`22:00-07:00 Europe/Berlin`; without a zone in UTC."""
    if not isinstance(value, str):
        raise ValueError('must be a string like "22:00-07:00 Europe/Berlin"')
    return QuietHours.parse(value)


def _language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f"{code} is no language of this version; there are {', '.join(LANGUAGES)}")
    return code


def _some(kinds: tuple[str, ...]) -> tuple[str, ...]:
    if not kinds:
        raise ValueError("must name at least one; leave it out for the usual ones")
    return kinds


Recipient = Annotated[Address, PlainValidator(parse_address)]
Kinds = Annotated[tuple[Literal["incident", "maintenance", "exchange", "component"], ...], AfterValidator(_some)]
Words = Annotated[str, StringConstraints(min_length=1)]
Impact = Literal["none", "minor", "major", "critical"]
Quiet = Annotated[QuietHours, PlainValidator(_quiet_hours)]
Zone = Annotated[str, AfterValidator(known_zone)]


class Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, str_strip_whitespace=True, hide_input_in_errors=True
    )


class WishTable(Table):
    """Where to, and what is wanted there."""

    to: Recipient
    components: tuple[Words, ...] = ()
    kinds: Kinds = ("incident", "maintenance", "exchange")
    min_impact: Impact = "none"
    updates: Literal["all", "milestones"] = "all"
    strict_components: bool = False
    reminders: bool = True
    quiet_hours: Quiet | None = None
    language: Annotated[str, AfterValidator(_language)] = "en"

    @property
    def wish(self) -> Filter:
        """Equal wishes give equal filters, in whatever order they were written."""
        return Filter(
            kinds=tuple(topic for topic in Topic if topic in self.kinds),
            components=tuple(sorted(set(self.components))),
            strict_components=self.strict_components,
            min_impact=self.min_impact,
            milestones_only=self.updates == "milestones",
            reminders=self.reminders,
            quiet_hours=self.quiet_hours,
        )


class SubscriptionTable(WishTable):
    name: str = ""
    mention: str = ""

    def subscription(self) -> Subscription:
        return Subscription(
            address=self.to,
            name=self.name,
            mention=self.mention or None,
            filter=self.wish,
            language=self.language,
        )
