"""A message's lines, shortened to what a provider takes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from notifier.message import Line, Role, Span

_ELLIPSIS = "…"
_THE_REST = "Read the rest on the status page"
_LIST = 120
"""Characters to which the value of a fact is cut before any other words are."""
_READABLE = 60
"""Characters to which a foreign line may be cut before whole lines go instead."""


def fit(lines: Sequence[Line], size: Callable[[Sequence[Line]], int], limit: int) -> tuple[Line, ...]:
    """The lines, shortened until their `size` is within `limit`; every cut is marked by "…".

    Foreign words are cut first, the longest first, and so are lists of components; then lines go, the last but one
    first, as the last one holds the link, which then leads to the rest; the title stays longest. Nothing is left where
    not even a shortened last line fits.
    """
    if size(lines) <= limit:
        return tuple(lines)
    *whole, last = lines
    last = Line(spans=tuple(replace(span, text=_THE_REST) if span.url else span for span in last.spans), role=last.role)
    body = [_cut(line, _LIST) if line.role is Role.FACT else line for line in whole]
    if size([*body, last]) <= limit:
        return (*body, last)

    def shortened(kept: int, width: int) -> tuple[Line, ...]:
        mark = (Line(spans=(Span(text=_ELLIPSIS),)),) if kept < len(body) else ()
        return (*(_cut(line, width) if line.foreign else line for line in body[:kept]), *mark, last)

    def fits(kept: int, width: int) -> bool:
        return size(shortened(kept, width)) <= limit

    kept = len(body) if fits(len(body), _READABLE) else largest(len(body), lambda n: fits(n, _READABLE))
    if kept:
        longest = max(_length(line) for line in body)
        return shortened(kept, _READABLE + largest(longest - _READABLE, lambda n: fits(kept, _READABLE + n)))
    return _squeezed(body[:1], [last], size, limit) or _squeezed([last], [], size, limit)


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
            shown = span.text[:room].rstrip() + _ELLIPSIS
            spans.append(Span(text=shown, style=span.style, url=span.url))
            break
        spans.append(span)
        room -= len(span.text)
    return replace(line, spans=tuple(spans))
