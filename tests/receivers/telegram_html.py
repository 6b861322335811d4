"""Telegram's HTML as its own library reads it: strict, and offsets in UTF-16 units.

Error texts are those of https://github.com/tdlib/td.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

_TOKEN = re.compile(r"<(/?)([a-z0-9-]*)([^<>]*)>|<")
_ATTRIBUTE = re.compile(r'\s+([a-z]+)(?:="([^"]*)")?')
_TYPES = {
    "b": "bold",
    "i": "italic",
    "s": "strikethrough",
    "code": "code",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-time": "date_time",
}
_DATE_FORMAT = re.compile(r"r|w?[dD]?[tT]?")
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d+|#x[0-9a-fA-F]+);")


class BadHtml(ValueError):
    """Telegram's reason for refusing a text."""


def parse_html(html: str, *, knows_dates: bool = True) -> tuple[str, list[dict[str, Any]]]:
    """The visible text and its entities, by Telegram's rules for the tags above. Raises BadHtml."""
    text, open_tags, entities, at = "", [], [], 0
    for token in _TOKEN.finditer(html):
        text += _decoded(html[at : token.start()])
        at = token.end()
        offset = len(html[: token.start()].encode())
        name, closing = token[2] or "", bool(token[1])
        if not closing:
            if name not in _TYPES or (name == "tg-time" and not knows_dates):
                raise BadHtml(f'Unsupported start tag "{name}" at byte offset {offset}')
            open_tags.append((name, units(text), token[3]))
            continue
        if not open_tags:
            raise BadHtml(f"Unexpected end tag at byte offset {offset}")
        started, start, attributes = open_tags.pop()
        if name != started:
            raise BadHtml(f'Unmatched end tag at byte offset {offset}, expected "</{started}>", found "</{name}>"')
        entity = _entity(name, {found[1]: _decoded(found[2] or "") for found in _ATTRIBUTE.finditer(attributes)})
        if entity and units(text) > start:
            entities.append({**entity, "offset": start, "length": units(text) - start})
    if open_tags:
        raise BadHtml(f'Can\'t find end tag corresponding to start tag "{open_tags[-1][0]}"')
    return text + _decoded(html[at:]), sorted(entities, key=lambda e: (e["offset"], -e["length"]))


def _entity(tag: str, attributes: dict[str, str]) -> dict[str, Any] | None:
    """Its kind and attributes; None for one that Telegram drops without a word."""
    if tag == "a":
        return {"type": "text_link", "url": attributes.get("href", "")}
    if tag == "tg-time":
        unix, shown = attributes.get("unix", ""), attributes.get("format", "")
        if not _DATE_FORMAT.fullmatch(shown):
            raise BadHtml("Invalid date format used")
        known = unix.isdecimal() and int(unix) > 0
        return {"type": "date_time", "unix_time": int(unix), "date_time_format": shown} if known else None
    return {"type": f"expandable_{tag}" if "expandable" in attributes else _TYPES[tag]}


def trimmed(text: str, entities: list[dict[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """Without the white space at both ends, which Telegram takes away after parsing."""
    shown, front = text.strip(), units(text) - units(text.lstrip())
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - front)
        length = min(entity["offset"] + entity["length"] - front, units(shown)) - start
        kept += [{**entity, "offset": start, "length": length}] if length > 0 else []
    return shown, kept


def _decoded(text: str) -> str:
    return _REFERENCE.sub(lambda found: unescape(found[0]), text)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
