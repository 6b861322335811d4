"""The nouns of a script, frozen, in the words of its TOML file. What they mean is in the package's docstring.

Every instant is an aware datetime in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated, ClassVar, get_args

from pydantic import ConfigDict, Field

from notifier.simulator.catalogue import code, number
from notifier.simulator.vocabulary import (
    Disturbance,
    EngineStatus,
    FirstInstant,
    Impact,
    Instant,
    Level,
    Status,
    Text,
    cure,
)


class Noun:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")


@dataclass(frozen=True, kw_only=True)
class Page(Noun):
    start: FirstInstant
    end: Instant
    name: Text = "Kraken"
    id: Text = "lfz25gyhcpjf"
    url: Text = "https://status.kraken.com"
    history: Annotated[int, Field(ge=0, le=500)] = 50
    """How many incidents were over before the start."""


@dataclass(frozen=True, kw_only=True)
class Step(Noun):
    """Something that happens at an instant."""

    at: Instant


@dataclass(frozen=True, kw_only=True)
class Update(Step):
    status: Status
    text: Text
    display_at: Instant | None = None
    impact: Impact | None = None
    title: Text | None = None
    components: Annotated[
        Level | dict[str, Level] | None,
        cure("neither the level of a component, such as partial_outage, nor a table of them by component"),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Edit(Step):
    update: Annotated[int, Field(ge=1)]
    """Which one, counted from the oldest, from 1."""
    text: Text


@dataclass(frozen=True, kw_only=True)
class Retitle(Step):
    title: Text | None = None
    impact: Impact | None = None


@dataclass(frozen=True, kw_only=True)
class Reschedule(Step):
    scheduled_for: Instant
    scheduled_until: Instant


@dataclass(frozen=True, kw_only=True)
class Incident(Noun):
    name: Text
    """What the script calls it; the ids are made of it."""
    title: Text
    updates: Annotated[tuple[Update, ...], Field(min_length=1)]
    """Oldest first."""
    impact: Impact = "minor"
    components: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    retitles: tuple[Retitle, ...] = ()
    deleted_at: Instant | None = None

    @property
    def id(self) -> str:
        return code("incident", self.name)

    @property
    def feed_number(self) -> int:
        return 20_000_000 + number("feed", self.name, below=20_000_000)

    def update_id(self, place: int) -> str:
        return code("update", self.name, place)

    def posted(self, at: datetime) -> tuple[Update, ...]:
        """The updates that are there, oldest first: none before the first, nor once it is deleted."""
        if self.deleted_at and self.deleted_at <= at:
            return ()
        return tuple(update for update in self.updates if update.at <= at)

    @property
    def instants(self) -> tuple[datetime, ...]:
        """Whenever it looks different from before."""
        steps: tuple[Step, ...] = (*self.updates, *self.edits, *self.retitles)
        return (*(step.at for step in steps), *([self.deleted_at] if self.deleted_at else []))


@dataclass(frozen=True, kw_only=True)
class Maintenance(Incident):
    scheduled_for: Instant
    scheduled_until: Instant
    impact: Impact = "maintenance"
    reschedules: tuple[Reschedule, ...] = ()

    @property
    def instants(self) -> tuple[datetime, ...]:
        return (*super().instants, *(step.at for step in self.reschedules))


@dataclass(frozen=True, kw_only=True)
class Flap(Step):
    """A component that moves by itself, without any incident."""

    name: str
    status: Level


@dataclass(frozen=True, kw_only=True)
class Advisory(Noun):
    of: str
    """The name of an incident or a maintenance."""
    services: tuple[str, ...] = ("spot_trading",)


@dataclass(frozen=True, kw_only=True)
class Upcoming(Advisory):
    action: str = "reduce_activity"
    orders: str = "allowed"
    cancel_before: Instant | None = None


@dataclass(frozen=True, kw_only=True)
class Emergency(Advisory):
    restart: Instant | None = None


@dataclass(frozen=True, kw_only=True)
class Engine(Step):
    """What SystemStatus says from then on."""

    status: EngineStatus
    upcoming: tuple[Upcoming, ...] = ()
    emergency: tuple[Emergency, ...] = ()


_TARGETS = {"api": "/api/v2/*", "feed": "/history.*", "exchange": "/0/public/*"}


@dataclass(frozen=True, kw_only=True)
class Fault(Noun):
    """What goes wrong with the answers to `target` from `since` to before `until`."""

    since: Annotated[Instant, Field(alias="from")]
    until: Annotated[Instant, Field(alias="to")]
    target: str
    answer: Annotated[
        Annotated[int, Field(ge=200, le=599)] | Disturbance,
        cure(f"neither an HTTP status (200 to 599) nor one of {', '.join(get_args(Disturbance))}"),
    ]
    body: str | None = None
    retry_after: int | str | None = None
    behind: Annotated[float, Field(ge=0)] = 0
    """Seconds; how old the copies of `stale` are."""
    alternate: bool = False
    """Only every second answer."""

    def strikes(self, path: str, at: datetime) -> bool:
        return self.since <= at < self.until and fnmatchcase(path, _TARGETS.get(self.target, self.target))
