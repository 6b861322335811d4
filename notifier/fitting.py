"""A message's lines, shortened to what a provider takes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from notifier.message import Line, Role, Span

_ELLIPSIS = "…"
_LIST = 120
"""Characters to which the value of a fact is cut before any other words are."""
_SHORTEST = 20
"""Characters of a foreign line that are worth showing."""
_MARK = Line(spans=(Span(text=_ELLIPSIS),))


def fit(lines: Sequence[Line], size: Callable[[Sequence[Line]], int], limit: int, rest: str) -> tuple[Line, ...]:
    """The lines, shortened until their `size` is within `limit`; every cut is marked by "…".

    Lists of components are cut first, then foreign words, from their end; then lines go, the last but one first, as
    the last one holds the link, whose words then are `rest`, as it leads there; the title stays longest. Nothing is
    left where not even a shortened last line fits.
    """
    if size(lines) <= limit:
        return tuple(lines)
    *whole, last = lines
    last = replace(last, spans=tuple(replace(span, text=rest) if span.url else span for span in last.spans))
    body = [_cut(line, _LIST) if line.role is Role.FACT else line for line in whole]
    if size([*body, last]) <= limit:
        return (*body, last)

    def shortened(width: int) -> tuple[Line, ...]:
        return (*_until(body, width), last)

    if size(shortened(0)) <= limit:
        foreign = sum(_length(line) for line in body if line.foreign)
        return shortened(largest(foreign, lambda width: size(shortened(width)) <= limit))
    *ours, last = shortened(0)

    def first(kept: int) -> tuple[Line, ...]:
        return (*ours[:kept], _MARK, last)

    kept = largest(len(ours), lambda count: size(first(count)) <= limit)
    return first(kept) if kept else _squeezed(body[:1], [last], size, limit) or _squeezed([last], [], size, limit)


def _until(lines: Sequence[Line], width: int) -> Iterator[Line]:
    """Foreign words from the top until there are `width` of their characters, a mark, and all that is ours."""
    room, marked = width, False
    for line in lines:
        if not line.foreign or _length(line) <= room:
            yield line
            room -= _length(line) if line.foreign else 0
        elif not marked:
            yield _cut(line, room) if room > _SHORTEST else replace(_MARK, role=line.role)
            room, marked = 0, True


def _squeezed(
    cut: Sequence[Line], whole: Sequence[Line], size: Callable[[Sequence[Line]], int], limit: int
) -> tuple[Line, ...]:
    def at(width: int) -> tuple[Line, ...]:
        return (*(_cut(line, width) for line in cut), *whole)

    width = largest(max(map(_length, cut), default=0), lambda n: size(at(n)) <= limit)
    return at(width) if width else ()


def largest(top: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `top` that fits, found by halving; 0 if none does. Only a number that was tried."""
    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _length(line: Line) -> int:
    return sum(len(span.text) for span in line.spans)


def _cut(line: Line, width: int) -> Line:
    """At most `width` characters of the line, the last of them "…" where something is missing."""
    if _length(line) <= width:
        return line
    spans: list[Span] = []
    room = width - 1
    for span in line.spans:
        if len(span.text) > room:
            shown = _at_a_word(span.text[:room]) + _ELLIPSIS
            spans.append(Span(text=shown, style=span.style, url=span.url))
            break
        spans.append(span)
        room -= len(span.text)
    return replace(line, spans=tuple(spans))


def _at_a_word(text: str) -> str:
    """The text without a word that is cut in two, unless that word is very long."""
    words, space, rest = text.rpartition(" ")
    return (words if space and len(rest) <= _SHORTEST else text).rstrip()
