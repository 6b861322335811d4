"""Lines and buttons of what the bot answers. Pure.

A template is translated first and filled in afterwards: `said(t("Send {command} …"), command=…)`. What is filled in is
foreign and stays inert; the commands that stand in the template itself, as /follow, can be pressed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from string import Formatter

from notifier.inbox.talk import Answer, Button
from notifier.message import Line, Role, Span
from notifier.tongue import Tongue

_WORDS_IN_BUTTON = 40

_COMMAND = re.compile(r"((?<![\w/])/[a-z]+)")


def said(template: str, role: Role = Role.TEXT, **foreign: str | Span) -> Line:
    """One line; `foreign` fills its placeholders, as bare words or as a span."""
    return Line(spans=tuple(_spans(template, foreign)), role=role)


def headed(template: str, **foreign: str | Span) -> Line:
    """The first line of an answer."""
    title = said(template, Role.TITLE, **foreign)
    bold = (Span(text=span.text, style=span.style or "bold", at=span.at, form=span.form) for span in title.spans)
    return Line(spans=tuple(bold), role=Role.TITLE)


def noted(template: str, **foreign: str | Span) -> Line:
    """Small print."""
    return said(template, Role.NOTE, **foreign)


def example(command: str) -> Span:
    """A command with its words, to be copied."""
    return Span(text=command, style="code")


def toast(words: str) -> Answer:
    """A word to who pressed, and the message stays as it is."""
    return Answer(toast=words)


def fact(label: str, value: str) -> Line:
    """A label and its value."""
    return Line(spans=(Span(text=value),), role=Role.FACT, label=label)


def short(title: str) -> str:
    """A title as the words of a button."""
    return title if len(title) <= _WORDS_IN_BUTTON else f"{title[: _WORDS_IN_BUTTON - 1].rstrip()}…"


def in_rows(buttons: list[Button], width: int) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(buttons[start : start + width]) for start in range(0, len(buttons), width))


def marked(chosen: bool, words: str) -> str:
    """The words of a button that stands for a choice."""
    return f"✓ {words}" if chosen else words


def length(time: timedelta, tongue: Tongue) -> str:
    """`8 hours`, `3 days`, `30 minutes`: as people ask for it."""
    minutes = round(time.total_seconds() / 60)
    if minutes % (24 * 60) == 0:
        days = minutes // (24 * 60)
        return tongue.ngettext("{count} day", "{count} days", days).format(count=days)
    if minutes % 60 == 0:
        hours = minutes // 60
        return tongue.ngettext("{count} hour", "{count} hours", hours).format(count=hours)
    return tongue.ngettext("{count} minute", "{count} minutes", minutes).format(count=minutes)


def _spans(template: str, foreign: dict[str, str | Span]) -> Iterator[Span]:
    for ours, name, _, _ in Formatter().parse(template):
        for place, part in enumerate(_COMMAND.split(ours)):
            if part:
                yield Span(text=part, style="command" if place % 2 else "")
        if name is not None:
            value = foreign[name]
            yield value if isinstance(value, Span) else Span(text=value)
