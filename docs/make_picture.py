#!/usr/bin/env python3
"""Draws docs/messages-light.svg and docs/messages-dark.svg: the incident of 24 February 2026 as its readers see it.

    python docs/make_picture.py

The words are those that `render` writes for the shipped script; only the frames around them are made here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from notifier import rehearsal
from notifier.config import Settings
from notifier.model import Line, Message, Span
from notifier.ports import Part
from notifier.render import Page, render

SIZE, LEADING = 13, 18
COLUMN, GAP, PAD, HEAD = 320, 20, 16, 44
FONT = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,'Liberation Sans',sans-serif"
BOT = "#3f8fb0"
"""The bot's own colour: its picture, its name above a reply."""

_NARROW, _WIDE = frozenset("ijltfrI.,:;'|!()[]/·’ "), frozenset("mwMW@%")


@dataclass(frozen=True, kw_only=True)
class Theme:
    """Colours: `bar` stands beside quoted words, `bubble` behind a chat message and `chat` behind the bubbles."""

    panel: str
    edge: str
    text: str
    muted: str
    link: str
    bar: str
    chat: str
    bubble: str


THEMES = {
    "light": Theme(
        panel="#ffffff", edge="#d0d7de", text="#1d1c1d", muted="#656d76",
        link="#0b62c4", bar="#c9c9d1", chat="#d5e3ec", bubble="#ffffff",
    ),
    "dark": Theme(
        panel="#1a1d21", edge="#3d444d", text="#e3e4e6", muted="#9198a1",
        link="#58a6ff", bar="#565a61", chat="#0e1621", bubble="#1d2c3d",
    ),
}  # fmt: skip


@dataclass(kw_only=True)
class Column:
    """One panel while it is drawn: `y` is the baseline of the next row, `behind` lies under `shapes`."""

    x: float
    theme: Theme
    y: float = HEAD + 26
    behind: list[str] = field(default_factory=list)
    shapes: list[str] = field(default_factory=list)

    def write(
        self, spans: Sequence[Span], x: float, *, colour: str = "", size: float = SIZE, end: bool = False
    ) -> None:
        parts = "".join(f"<tspan{self._look(span)}>{escape(span.text, quote=False)}</tspan>" for span in spans)
        anchor = ' text-anchor="end"' if end else ""
        place = f'x="{x:g}" y="{self.y:g}" font-size="{size:g}" fill="{colour or self.theme.text}"'
        self.shapes.append(f'<text xml:space="preserve" {place}{anchor}>{parts}</text>')

    def _look(self, span: Span) -> str:
        bold = ' font-weight="600"' if span.style == "bold" else ""
        return bold + (f' fill="{self.theme.link}"' if span.url else "")

    def note(self, text: str, x: float, *, end: bool = False) -> None:
        self.write([Span(text=text)], x, colour=self.theme.muted, size=12, end=end)

    def said(self, lines: Sequence[Line], x: float, room: float) -> None:
        """A message's lines; a bar stands beside the words of Kraken itself."""
        for line in lines:
            indent = 12 if line.quoted else 0
            top = self.y - SIZE
            for row in wrapped(line, room - indent):
                self.write(row, x + indent)
                self.y += LEADING
            if line.quoted:
                self.shapes.append(box(x, top, 3, self.y - top - SIZE, self.theme.bar))


def box(x: float, y: float, w: float, h: float, fill: str, *, radius: float = 0, edge: str = "none") -> str:
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{radius}" fill="{fill}" stroke="{edge}"/>'


def width(text: str, style: str) -> float:
    """Pixels, a little more than the text takes in any of the fonts."""
    em = sum(
        1.4
        if sign > "\u2fff"
        else 0.33
        if sign in _NARROW
        else 0.9
        if sign in _WIDE
        else 0.7
        if sign.isupper()
        else 0.56
        for sign in text
    )
    return em * SIZE * (1.07 if style == "bold" else 1)


def wrapped(line: Line, room: float) -> list[list[Span]]:
    """The line's spans in rows of at most `room` pixels, broken at spaces."""
    rows: list[list[Span]] = [[]]
    used = 0.0
    for span in line.spans:
        for place, word in enumerate(span.text.split(" ")):
            text = f" {word}" if place else word
            if used and used + width(text, span.style) > room:
                rows.append([])
                used, text = 0.0, word
            rows[-1].append(Span(text=text, style=span.style, url=span.url))
            used += width(text, span.style)
    return rows


# --- three clients ----------------------------------------------------------------------------------------------


def slack(column: Column, messages: Sequence[Message]) -> None:
    x, text_x = column.x + PAD, column.x + PAD + 38
    for place, message in enumerate(messages):
        column.shapes.append(box(x, column.y - 13, 28, 28, BOT, radius=6))
        pulse = f"M{x + 5:g} {column.y + 1:g}h5l3 -7 4 13 3 -6h4"
        column.shapes.append(f'<path d="{pulse}" fill="none" stroke="#ffffff" stroke-width="2"/>')
        column.write([Span(text="Kraken status", style="bold")], text_x)
        column.note(f"APP · {message.date:%H:%M}", text_x + 92)
        column.y += LEADING
        if place and message.loud:
            column.note("replied, and told the channel", text_x)
            column.y += LEADING
        column.said(message.lines, text_x, COLUMN - 2 * PAD - 38)
        if not place:
            column.y += 4
            column.note(f"{len(messages) - 1} replies", x)
            column.shapes.append(box(x + 58, column.y - 4, COLUMN - 2 * PAD - 58, 1, column.theme.edge))
            column.y += LEADING
        column.y += 8


def telegram(column: Column, messages: Sequence[Message]) -> None:
    x, room = column.x + 22, COLUMN - 2 * 22
    for place, message in enumerate(messages):
        top = column.y - 19
        if place:
            first = column.y
            column.write([Span(text="Kraken status", style="bold")], x + 10, colour=BOT, size=12)
            column.y += 16
            column.note(f"{messages[0].lines[0].spans[0].text[:34]}…", x + 10)
            column.shapes.append(box(x, first - 12, 3, 34, BOT))
            column.y += LEADING + 4
        column.said(message.lines, x, room)
        column.y -= 4
        column.note(f"{message.date:%H:%M}", x + room, end=True)
        column.y += 10
        column.behind.append(box(column.x + 10, top, COLUMN - 20, column.y - top, column.theme.bubble, radius=10))
        column.y += 27


def mail(column: Column, messages: Sequence[Message]) -> None:
    x = column.x + PAD
    for place, message in enumerate(messages):
        if place:
            column.shapes.append(box(x, column.y - 20, COLUMN - 2 * PAD, 1, column.theme.edge))
            column.y += 4
        column.write([Span(text="Kraken status", style="bold")], x)
        column.note(f"to ops · {message.date:%H:%M}", x + COLUMN - 2 * PAD, end=True)
        column.y += LEADING + 4
        for row in wrapped(Line(spans=(Span(text=message.subject),)), COLUMN - 2 * PAD):
            column.write(row, x, colour=column.theme.muted)
            column.y += LEADING
        column.y += 4
        column.said(message.lines, x, COLUMN - 2 * PAD)
        column.y += 14


CLIENTS: Sequence[tuple[str, str, Callable[[Column, Sequence[Message]], None]]] = (
    ("Slack", "thread in #trading-desk", slack),
    ("Telegram", "channel", telegram),
    ("Mail", "one thread per incident", mail),
)


# --- the sheet --------------------------------------------------------------------------------------------------


def incident() -> list[Message]:
    """What one recipient is told, oldest first."""
    page = Page(url="https://status.kraken.com")
    told = asyncio.run(rehearsal.preview(Settings(), rehearsal.DEMO_SCRIPT))
    return [
        render([Part(delivery_id=number, change=each.change)], page, origin="picture", date=each.change.detected_at)
        for number, each in enumerate(told)
    ]


def draw(messages: Sequence[Message], theme: Theme) -> str:
    columns: list[Column] = []
    for place, (_, _, client) in enumerate(CLIENTS):
        column = Column(x=1 + place * (COLUMN + GAP), theme=theme)
        client(column, messages)
        columns.append(column)
    height = max(column.y for column in columns)
    shapes: list[str] = []
    for column, (name, where, client) in zip(columns, CLIENTS, strict=True):
        floor = theme.chat if client is telegram else theme.panel
        shapes.append(box(column.x, 1, COLUMN, height - 2, floor, radius=10, edge=theme.edge))
        if client is telegram:
            shapes.append(box(column.x + 0.5, 1.5, COLUMN - 1, HEAD, theme.panel, radius=10))
            shapes.append(box(column.x + 0.5, HEAD - 10, COLUMN - 1, 11, theme.panel))
        shapes.append(box(column.x, HEAD, COLUMN, 1, theme.edge))
        heading = Column(x=column.x, theme=theme, y=HEAD / 2 + 5)
        heading.write([Span(text=name, style="bold")], column.x + PAD, size=15)
        heading.note(where, column.x + COLUMN - PAD, end=True)
        shapes += [*heading.shapes, *column.behind, *column.shapes]
    total = 2 + len(columns) * COLUMN + (len(columns) - 1) * GAP
    about = "The WebSocket incident of 24 February 2026 as told in a Slack thread, a Telegram chat and three mails"
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height:g}" width="{total}" height="{height:g}" '
        f'font-family="{FONT}" role="img" aria-label="{about}">\n<title>{about}</title>\n{body}\n</svg>\n'
    )


if __name__ == "__main__":
    told = incident()
    for name, colours in THEMES.items():
        Path(__file__).with_name(f"messages-{name}.svg").write_text(draw(told, colours), encoding="utf-8")
