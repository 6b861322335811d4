"""Telegram's own parser: the Bot API server hands texts to these very functions (https://github.com/tdlib/td)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

import tdjson


class Refused(ValueError):
    """Telegram's reason for refusing a text."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A stretch of text that clients style or make active. Offset and length in UTF-16 units."""

    kind: str
    """As TDLib calls it, without the prefix: Bold, TextUrl, DateTime, Mention, …"""
    offset: int
    length: int
    url: str | None = None

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Parsed:
    text: str
    entities: tuple[Entity, ...]

    def of(self, entity: Entity) -> str:
        """The words of an entity."""
        return units(self.text)[2 * entity.offset : 2 * entity.end].decode("utf-16-le", "replace")


def parse_html(html: str) -> Parsed:
    """What `parse_mode: HTML` makes of a text. Raises Refused."""
    answer = _execute({"@type": "parseTextEntities", "text": html, "parse_mode": {"@type": "textParseModeHTML"}})
    if answer["@type"] == "error":
        raise Refused(answer["message"])
    return Parsed(answer["text"], _entities(answer))


def find_entities(text: str) -> tuple[Entity, ...]:
    """What clients make active by themselves: mentions, commands, tags, links, addresses, card numbers.

    Not phone numbers: those only the server finds.
    """
    return _entities(_execute({"@type": "getTextEntities", "text": text}))


def units(text: str) -> bytes:
    """The text in UTF-16: two bytes for each unit that Telegram counts."""
    return text.encode("utf-16-le")


def _entities(answer: dict[str, Any]) -> tuple[Entity, ...]:
    return tuple(
        Entity(
            each["type"]["@type"].removeprefix("textEntityType"),
            each["offset"],
            each["length"],
            each["type"].get("url"),
        )
        for each in answer["entities"]
    )


def _execute(request: dict[str, Any]) -> dict[str, Any]:
    _silence()
    said = tdjson.td_execute(json.dumps(request, ensure_ascii=False).encode())
    assert said is not None, "these requests are answered at once"
    answer: dict[str, Any] = json.loads(said)
    return answer


@cache
def _silence() -> None:
    tdjson.td_execute(json.dumps({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0}).encode())
