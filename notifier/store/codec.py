"""The nouns as JSON documents, as the tables hold them."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from notifier.known import KnownComponent, KnownExchange, KnownIncident, KnownPage
from notifier.model import Change
from notifier.parcel import Want
from notifier.subscription import Filter

T = TypeVar("T")


class Codec(Generic[T]):
    """A noun as a JSON document."""

    def __init__(self, noun: Any) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(noun)

    def dump(self, value: T) -> str:
        return self._adapter.dump_json(value).decode()

    def load(self, doc: str) -> T:
        return self._adapter.validate_json(doc)


CHANGE: Codec[Change] = Codec(Change)
FILTER: Codec[Filter] = Codec(Filter)
WANT: Codec[Want] = Codec(Want)
PAGE: Codec[KnownPage] = Codec(KnownPage)
INCIDENT: Codec[KnownIncident] = Codec(KnownIncident)
COMPONENTS: Codec[dict[str, KnownComponent]] = Codec(dict[str, KnownComponent])
EXCHANGE: Codec[KnownExchange] = Codec(KnownExchange)
