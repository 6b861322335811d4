"""Foreign text made harmless, and the words in which every parser reads and refuses.

All of it takes time linear in its input.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import NoReturn, Protocol, TypeVar

from notifier.markup import NONCHARACTERS

T = TypeVar("T")


class _HasId(Protocol):
    @property
    def id(self) -> object: ...


Named = TypeVar("Named", bound=_HasId)

TEXT_LIMIT = 20_000
"""Characters kept of one update; the longest body seen on real pages has 6,024."""
MARKS_LIMIT = 4
"""Combining marks kept on one character; ordinary writing stacks no more."""

NOTES_LIMIT = 20
"""Lines of `Snapshot.broken` from one document."""

_NEWLINE = re.compile(r"\r\n|[\r\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e007f"
    rf"{NONCHARACTERS}]+"
)
_MAY_STACK = re.compile(rf"[^\x00-\u02ff\u2000-\u20cf]{{{MARKS_LIMIT + 1}}}")
"""Blocks without combining marks, which hold nearly all that a page writes, are spared the look at each character."""


def clean(text: str, limit: int) -> str:
    """At most `limit` characters, without any that cannot be seen or that hide, turn or bury others.

    Line breaks of every kind become a newline, a tab a space. Where the end was cut off stands "…".
    """
    return _cut(_plain(text), limit)


def one_line(text: str, limit: int = 300) -> str:
    """The cleaned text with every run of white space folded into one space."""
    return _cut(" ".join(_plain(text).split()), limit)


def _plain(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub("", _NEWLINE.sub("\n", text).replace("\t", " "))


def _cut(text: str, limit: int) -> str:
    if not text.isascii() and _MAY_STACK.search(text):
        reach = limit * (MARKS_LIMIT + 2)
        text = _thinned(text[:reach]) + ("…" if len(text) > reach else "")
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _thinned(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= MARKS_LIMIT:
            kept.append(character)
    return "".join(kept)


_INLINE = (
    "a abbr acronym audio b bdi bdo big body button cite code col colgroup data del dfn em font head html i iframe img"
    " input ins kbd label link mark meta picture q s samp script small source span strike strong style sub sup svg time"
    " tt u var video wbr"
)
_CELLS = "td th"
_LINES = "address br caption center dd dt figcaption footer header hr legend li main nav summary tfoot thead title tr"
_LISTS = "dl ol table tbody ul"
_BLOCKS = "article aside blockquote details div fieldset figure form h1 h2 h3 h4 h5 h6 p pre section"
_BREAKS = dict.fromkeys(f"{_LINES} {_BLOCKS}".split(), "\n") | dict.fromkeys(_CELLS.split(), " ")
_BREAKS |= dict.fromkeys([f"/{name}" for name in f"{_LISTS} {_BLOCKS}".split()], "\n")
_KNOWN = frozenset(f"{_INLINE} {_CELLS} {_LINES} {_LISTS} {_BLOCKS}".split())
_HIDES = {"<!--": "-->", "script": "/script", "style": "/style"}
_TOKEN = re.compile(r"(<!--|-->)|<(/?[A-Za-z][A-Za-z0-9]*)(?:\s[^<>]*)?/?>")


def visible_text(html: str) -> str:
    """What a reader sees of an update's body: its words, with paragraphs and line breaks kept as newlines.

    A page's API serves the body as it was typed, its feed the same with `<br />` for every newline; both give one
    text, white space aside. Only tags that HTML knows are markup: `<SOME/ALL>`, `<1%` and `a < b` are words.
    """
    text = "".join(_outside_tags(html))
    with suppress(ValueError):  # a numeric reference of thousands of digits
        text = unescape(text)
    lines = "\n".join(" ".join(line.split()) for line in _plain(text).split("\n"))
    return _cut(re.sub(r"\n{3,}", "\n\n", lines).strip(), TEXT_LIMIT)


def _outside_tags(html: str) -> list[str]:
    """The pieces between tags, breaks included, without what scripts, styles and comments enclose.

    An enclosure that is never closed hides nothing: its words are shown rather than lost.
    """
    ends = {tag: token.start() for token in _TOKEN.finditer(html) if (tag := _tag(token)) in _HIDES.values()}
    pieces: list[str] = []
    start, awaited = 0, ""
    for token in _TOKEN.finditer(html):
        tag = _tag(token)
        if awaited:
            if tag == awaited:
                awaited, start = "", token.end()
        elif tag in _HIDES or tag.removeprefix("/") in _KNOWN:
            pieces += html[start : token.start()], _BREAKS.get(tag, "")
            start = token.end()
            awaited = _HIDES[tag] if tag in _HIDES and ends.get(_HIDES[tag], 0) >= start else ""
    return [*pieces, html[start:]]


def _tag(token: re.Match[str]) -> str:
    """`p`, `/p`, `<!--` or `-->`."""
    return token[1] or token[2].lower()


Record = Mapping[str, object]
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


class Unreadable(ValueError):
    """A whole document is refused; the text says in one line what was wrong with it."""


def document(body: bytes) -> Record:
    """The JSON object of a response. Raises Unreadable, also for NaN, for hopeless nesting and for any other value."""
    try:
        return record(json.loads(body, parse_constant=_no_number))
    except RecursionError:
        raise Unreadable("JSON nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"not JSON: {error}") from None
    except ValueError as error:
        raise Unreadable(f"not a JSON object: {one_line(str(error), 120)}") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def required(record: Record, key: str, read: Callable[[object], T]) -> T:
    """Raises ValueError naming the key."""
    try:
        return read(record.get(key))
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def optional(record: Record, key: str, read: Callable[[object], T], notes: list[str]) -> T | None:
    """None where the key is absent or null; None and a note where its value cannot be read."""
    if record.get(key) is None:
        return None
    try:
        return required(record, key, read)
    except ValueError as error:
        notes.append(str(error))
        return None


def each(parent: Record, key: str, read: Callable[[Record], T], notes: list[str]) -> list[T]:
    """Whatever can be read of a list of objects; a note that begins with its place on whatever cannot.

    What `read` notes itself gets the place too. Raises Unreadable if there is no list.
    """
    items = parent.get(key)
    if not isinstance(items, list):
        raise Unreadable(f"{key}: not a list: {shown(items)}")
    kept = []
    for number, item in enumerate(items):
        before = len(notes)
        try:
            kept.append(read(record(item)))
        except ValueError as error:
            notes.append(str(error))
        if len(notes) > before:
            name = f" {shown(item.get('id'))}" if isinstance(item, dict) else ""
            notes[before:] = [f"{key}[{number}]{name}: {note}" for note in notes[before:]]
    return kept


def unique(items: Iterable[Named]) -> list[Named]:
    """The first of those that share an id."""
    firsts: dict[object, Named] = {}
    for item in items:
        firsts.setdefault(item.id, item)
    return list(firsts.values())


def instant(value: object) -> datetime:
    """A moment in UTC from ISO 8601 (API, Atom) or RFC 822 (RSS, HTTP). Raises ValueError, also if it has no zone."""
    try:
        return _dated(value if isinstance(value, str) else "").astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise ValueError(f"not an instant with a zone: {shown(value)}") from None


def _dated(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = parsedate_to_datetime(text)
    if moment.tzinfo is None:
        raise ValueError
    return moment


def record(value: object) -> Record:
    """A JSON object. Raises ValueError."""
    if isinstance(value, dict):
        return value
    raise ValueError(f"not an object: {shown(value)}")


def string(value: object) -> str:
    """Text of any shape, as it came. Raises ValueError."""
    if isinstance(value, str):
        return value
    raise ValueError(f"not a text: {shown(value)}")


def identifier(value: object) -> str:
    """An id in the alphabet of URLs; an integer is one too. Raises ValueError."""
    text = str(value) if type(value) is int else value
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise ValueError(f"not an id: {shown(value)}")
    return text


def words(value: object) -> str:
    """One line that is not empty: a name, a status, an impact. Raises ValueError."""
    line = one_line(string(value))
    if not line:
        raise ValueError("an empty text")
    return line


def shown(value: object) -> str:
    """A foreign value as a reason may quote it."""
    return one_line(repr(value), 60) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


def shortened(notes: Sequence[str]) -> tuple[str, ...]:
    """Notes for a log: each on one line, the first ones only."""
    rest = len(notes) - NOTES_LIMIT
    return (*map(one_line, notes[:NOTES_LIMIT]), *([f"and {rest} more"] if rest > 0 else []))
