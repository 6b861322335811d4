"""What of Kraken a reader follows: 826 components found by the words that he types, by group, or among a few. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from notifier.known import KnownComponent
from notifier.model import Affected
from notifier.route import TICKER, term_matches

POPULAR = ("BTC", "ETH", "SOL", "XRP", "USDT", "USDC")
MOST_TERMS = 50
"""That one subscription follows."""
MOST_OFFERS = 8

_ASSET = re.compile(r"(?P<asset>.+?) \((?P<ticker>[a-z]?[A-Z0-9₮.]{1,12})\)(?: - .+)?")
"""`Tether USD (USDT) - HyperEVM (USDT0)`, as Kraken names what can be funded or staked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """Something that can be followed."""

    term: str
    """As a filter holds it: a ticker, a group, or a component with its group."""
    name: str
    """As a reader knows it."""
    code: str
    """The ticker, or `#` and the component's id: it fits into a button."""


@dataclass(frozen=True, slots=True)
class _Entry:
    id: str
    component: KnownComponent
    ticker: str
    asset: str
    affected: str
    """Its name with its group, as news names it."""
    words: tuple[str, ...]
    """Of that, to be begun with."""

    @property
    def offer(self) -> Offer:
        return Offer(term=self.affected, name=_shown(self.component), code=f"#{self.id}")


class Catalogue:
    """What can be followed, of all the components of the page."""

    def __init__(self, components: Mapping[str, KnownComponent]) -> None:
        self._entries = tuple(_entry(key, component) for key, component in components.items())

    def exactly(self, words: str) -> str | None:
        """The term for words that name a ticker, an asset, a group or a component in full, in whatever case."""
        return self._terms.get(_folded(words))

    @cached_property
    def _terms(self) -> Mapping[str, str]:
        """By what names them in full: assets before whatever else is called the same."""
        terms: dict[str, str] = {}
        for entry in self._entries:
            if entry.ticker:
                terms.setdefault(entry.ticker.casefold(), entry.ticker)
                terms.setdefault(entry.asset.casefold(), entry.ticker)
        for entry in self._entries:
            terms.setdefault(entry.component.name.casefold(), entry.component.name)
            terms.setdefault(entry.affected.casefold(), entry.affected)
        return terms

    def each_exactly(self, words: str) -> tuple[str, ...]:
        """The terms for the words together, or for each of them; empty unless all are known."""
        if whole := self.exactly(words):
            return (whole,)
        found = [self.exactly(word) for word in re.split(r"[\s,;]+", words.strip()) if word]
        return tuple(dict.fromkeys(term for term in found if term)) if found and all(found) else ()

    def search(self, words: str) -> tuple[Offer, ...]:
        """What the words may mean, the likeliest first: assets as a whole, then groups and single components."""
        tokens = list(dict.fromkeys(token for token in re.split(r"[^\w₮]+", words.casefold()) if token))
        if not tokens:
            return ()
        fitting = [entry for entry in self._entries if _fits(entry, tokens)]
        fitting.sort(key=lambda entry: (_distance(entry, tokens), entry.component.name.casefold()))
        groups = [entry.offer for entry in fitting if entry.component.is_group]
        named = [entry for entry in fitting if entry.ticker and _begin(tokens, _words(f"{entry.asset} {entry.ticker}"))]
        assets = {e.ticker: Offer(term=e.ticker, name=f"{e.asset} ({e.ticker})", code=e.ticker) for e in named}
        meant = {next(iter(assets), ""), ""} if len(tokens) == 1 and assets else {entry.ticker for entry in fitting}
        single = [entry.offer for entry in fitting if not entry.component.is_group and entry.ticker in meant]
        return (*groups, *list(assets.values())[: MOST_OFFERS // 2], *single)[:MOST_OFFERS]

    def within(self, term: str) -> tuple[Offer, ...]:
        """The components that a term takes in, if they are several: what could be followed instead."""
        found = [entry.offer for entry in self._entries if _takes_in(term, entry)]
        return tuple(found[:MOST_OFFERS]) if len(found) > 1 else ()

    def count(self, term: str) -> int:
        """How many components a term takes in."""
        return sum(_takes_in(term, entry) for entry in self._entries)

    def groups(self) -> tuple[Offer, ...]:
        return tuple(entry.offer for entry in self._entries if entry.component.is_group)

    def popular(self) -> tuple[str, ...]:
        known = {entry.ticker for entry in self._entries}
        return tuple(ticker for ticker in POPULAR if ticker in known)

    def behind(self, code: str) -> str | None:
        """The term that a button stands for; None for what no button of ours says, or what is gone."""
        if not code.startswith("#"):
            return code if re.fullmatch(r"[A-Za-z0-9₮.]{1,12}", code) else None
        return next((entry.affected for entry in self._entries if entry.id == code[1:]), None)


def could_be_ticker(words: str) -> str | None:
    """What no component is called may still be in the title of an incident."""
    return words.upper() if TICKER.fullmatch(words.upper()) else None


@lru_cache(maxsize=4096)
def _entry(key: str, component: KnownComponent) -> _Entry:
    """Everybody who asks looks through all of them."""
    asset = None if component.is_group else _ASSET.fullmatch(component.name)
    affected = str(Affected(name=component.name, group=component.group))
    ticker, name = (asset["ticker"], asset["asset"]) if asset else ("", "")
    return _Entry(key, component, ticker, name, affected, _words(affected))


def _takes_in(term: str, entry: _Entry) -> bool:
    if entry.component.is_group:
        return False
    names = [entry.component.name, entry.affected, *([entry.component.group] if entry.component.group else [])]
    return term_matches(term, names, "")


def _fits(entry: _Entry, tokens: Iterable[str]) -> bool:
    """Whether it is meant by all of the words, and not only its group by each of them."""
    return _begin(tokens, entry.words) and any(_begin([token], _words(entry.component.name)) for token in tokens)


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[\w₮]+", name.casefold()))


def _begin(tokens: Iterable[str], words: Sequence[str]) -> bool:
    """Whether each of them begins a word."""
    return all(any(word.startswith(token) for word in words) for token in tokens)


def _distance(entry: _Entry, tokens: list[str]) -> int:
    """How far the words are from naming it."""
    first, name = tokens[0], entry.component.name.casefold()
    if entry.ticker.casefold() in tokens or name == " ".join(tokens):
        return 0
    if entry.asset.casefold().startswith(first) or (not entry.ticker and name.startswith(first)):
        return 1
    return 2 if entry.ticker.casefold().startswith(first) else 3


def _shown(component: KnownComponent) -> str:
    return f"{component.name} · {component.group}" if component.group else component.name


def _folded(words: str) -> str:
    return " ".join(words.split()).casefold()
