"""The text part of a mail, for terminals: 76 columns, aligned facts, foreign words indented. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from notifier.markup import mail_plain, mail_url
from notifier.message import Line, Role, Span, Wording

_COLUMNS = 76
_INDENT = "    "


def text(lines: Sequence[Line], said: Wording, *, unsubscribe: str | None = None) -> str:
    """Paragraphs, the link on a line of its own, and below the signature's mark why one gets this."""
    paragraphs = ["\n".join(paragraph) for paragraph in _paragraphs(lines)]
    farewell = f"{said.leave}: {unsubscribe}\n" if unsubscribe else ""
    return "\n\n".join(paragraphs) + f"\n\n-- \n{said.why}\n{farewell}"


def _paragraphs(lines: Sequence[Line]) -> Iterator[Iterable[str]]:
    widest = max((len(line.label) for line in lines), default=0) + len(": ")
    for role, group in groupby(lines, key=lambda line: line.role):
        match role:
            case Role.FACT:
                yield [row for line in group for row in _fact(line, widest)]
            case Role.QUOTE:
                for line in group:
                    yield _wrapped(mail_plain(line.spans, marked=True), _INDENT, _INDENT)
            case Role.EARLIER:
                yield [row for line in group for row in _wrapped(mail_plain(line.spans, marked=True), "- ", "  ")]
            case Role.LINK:
                yield [row for line in group for row in (mail_plain(line.spans), mail_url(line) or "")]
            case _:
                yield [row for line in group for row in _wrapped(mail_plain(line.spans))]


def _fact(line: Line, width: int) -> Iterator[str]:
    """`Label: value`, aligned, with each further step of a timeline below the first."""
    label = f"{line.label}:".ljust(width)
    for step in steps(line.spans):
        yield from _wrapped(mail_plain(step), label, " " * width)
        label = " " * width


def steps(spans: Iterable[Span]) -> list[list[Span]]:
    """A value's spans, parted where a " · " stands between them."""
    parts: list[list[Span]] = [[]]
    for span in spans:
        if span.text == " · ":
            parts.append([])
        else:
            parts[-1].append(span)
    return parts


def _wrapped(words: str, first: str = "", others: str = "") -> list[str]:
    return wrap(
        words,
        _COLUMNS,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]
