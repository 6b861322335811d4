"""The text of a Telegram message with the button below it, the same for sending and editing. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from notifier.fitting import fit
from notifier.markup import (
    TELEGRAM_TEXT,
    chat_plain,
    telegram_button,
    telegram_html,
    telegram_size,
    utf16_len,
)
from notifier.message import Line, Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """What a message has beside its words; less where Telegram refused something."""

    dates: bool = True
    """Instants in the reader's own zone."""
    button: bool = True
    topic: bool = True
    reply: bool = True


WHOLE = Layout()


_written: deque[tuple[Sequence[Line], tuple[object, ...], dict[str, Any]]] = deque(maxlen=16)
"""The last texts. A fan-out tells thousands the same lines, the very same object, which is compared in no time."""


def text_of(message: Message, layout: Layout = WHOLE) -> dict[str, Any]:
    """What a message says, with the button below it."""
    how = (message.mention, message.plain, layout)
    for lines, written_how, text in _written:
        if lines is message.lines and written_how == how:
            return text
    text = _text_of(message, layout)
    _written.appendleft((message.lines, how, text))
    return text


def _text_of(message: Message, layout: Layout) -> dict[str, Any]:
    """The mention, which the operator wrote, stays active; nothing else does but our link, as a button if it can be.

    What was shortened ends with the link as well, which there leads to the rest.
    """
    mention = f"{message.mention} " if message.mention else ""

    def plain(lines: Sequence[Line]) -> str:
        return mention + chat_plain(lines)

    def rich(lines: Sequence[Line]) -> str:
        return escape(mention, quote=False) + telegram_html(lines, dates=layout.dates)

    write, measure = (plain, utf16_len) if message.plain else (rich, telegram_size)

    def size(lines: Sequence[Line]) -> int:
        return measure(write(lines))

    url = telegram_button(message.lines[-1]) if layout.button else None
    lines = message.lines[:-1] if url else message.lines
    shown = lines if size(lines) <= TELEGRAM_TEXT else fit(message.lines, size, TELEGRAM_TEXT, message.wording.rest)
    button = {"text": message.wording.page, "url": url}
    return {
        "text": write(shown),
        **({} if message.plain else {"parse_mode": "HTML"}),
        **({"reply_markup": {"inline_keyboard": [[button]]}} if url else {}),
        "link_preview_options": {"is_disabled": True},
    }
