"""The 826 components of Kraken's page: 7 groups, about 780 assets, and a few that stand alone."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from notifier.simulator.assets import funding

_BUILT = datetime(2024, 3, 5, 14, 21, 9, 318_000, tzinfo=UTC)
_ALPHABET = "0123456789bcdfghjklmnpqrstvwxyz"

GROUPS: dict[str, tuple[str, ...]] = {
    "Digital Currency Funding": tuple(funding()),
    "Payment Methods": (
        "ACH",
        "Debit / Credit Cards",
        "FedWire",
        "SEPA",
        "SEPA Instant",
        "SWIFT",
        "Krak Card API (EEA/UK)",
    ),
    "Earn": ("Ethereum (ETH) - Staking", "Solana (SOL) - Staking", "Bitcoin (BTC) - Babylon", "Auto Earn"),
    "Kraken API": ("REST API", "Websocket", "FIX API"),
    "Kraken Derivatives": ("Trading Engine", "REST API", "WebSocket", "FIX API", "Wallet Transfers"),
    "Kraken MTF": ("Trading Engine", "REST API", "WebSocket"),
    "Kraken Institutional": ("Kraken Prime", "Custody", "OTC Desk", "FIX API", "Auto Quote"),
}
_ALONE = (
    "Website",
    "Kraken Pro",
    "Kraken App",
    "Kraken Pro App",
    "Krak App",
    "Trading",
    "Margin Trading",
    "xStocks",
    "Onboarding",
    "Charts",
    "Customer Support",
    "Status Page",
)


@dataclass(frozen=True, slots=True)
class Component:
    """A component or, where it has `members`, a group."""

    id: str
    name: str
    group: str | None
    group_id: str | None
    position: int
    members: tuple[str, ...] = ()

    @property
    def created_at(self) -> datetime:
        return _BUILT + timedelta(minutes=self.position)

    @property
    def web_name(self) -> str:
        """As the web page writes it, `Group (Child)`; the spelling of the scripts."""
        return f"{self.group} ({self.name})" if self.group else self.name

    @property
    def update_name(self) -> str:
        """As `affected_components` writes it, `Group - Child`."""
        return f"{self.group} - {self.name}" if self.group else self.name


def code(*parts: object) -> str:
    """A stable 12-character id in the page's alphabet, made of what it names."""
    value = number(*parts, below=len(_ALPHABET) ** 12)
    return "".join(_ALPHABET[value // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(12))


def number(*parts: object, below: int) -> int:
    """A stable number, made of what it names."""
    return int.from_bytes(hashlib.sha256("\n".join(map(str, parts)).encode()).digest()) % below


@cache
def components() -> tuple[Component, ...]:
    """Groups, their members and the single ones, in the order of the page."""
    return tuple(_all())


def _all() -> Iterator[Component]:
    for place, name in enumerate(_ALONE, 1):
        yield Component(code("component", name), name, None, None, place)
    for place, (group, names) in enumerate(GROUPS.items(), len(_ALONE) + 1):
        group_id = code("group", group)
        members = [Component(code("component", group, n), n, group, group_id, i) for i, n in enumerate(names, 1)]
        yield Component(group_id, group, None, None, place, tuple(member.id for member in members))
        yield from members


@cache
def _spellings() -> dict[str, list[Component]]:
    found: dict[str, list[Component]] = defaultdict(list)
    for component in components():
        if not component.members:
            for spelling in {component.web_name, component.name}:
                found[spelling].append(component)
    return found


def find(spelling: str) -> Component:
    """The component of this name: `Group (Child)`, or the child's name alone where only one has it.

    Raises LookupError with the cure in its words.
    """
    match _spellings().get(spelling, []):
        case [component]:
            return component
        case []:
            raise LookupError(f"no component is called {spelling!r}; write it like 'Kraken API (Websocket)'")
        case several:
            raise LookupError(f"{spelling!r} is more than one; write {' or '.join(repr(c.web_name) for c in several)}")
