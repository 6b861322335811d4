"""What an edit changed, word by word, as spans: old words struck, new ones marked. Pure."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import groupby

from notifier.message import Span

LONGEST = 2_000
"""Characters of either text: a longer one is shown as it is now."""

MOST_CHANGED = 0.6
"""Of the words. A text that was written anew is read more easily without what it replaced."""


def compared(old: str, new: str) -> tuple[tuple[Span, ...], ...] | None:
    """The paragraphs of `new`, each with the words of `old` that it replaced; None where that would not be short."""
    if max(len(old), len(new)) > LONGEST:
        return None
    before, after = _words(old), _words(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 1 - MOST_CHANGED:
        return None
    marked: list[tuple[str, str]] = []
    for what, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if what == "equal":
            marked += [("", word) for word in after[new_from:new_to]]
        else:
            marked += [("strike", word) for word in before[old_from:old_to] if word != "\n"]
            marked += [("bold", word) if word != "\n" else ("", word) for word in after[new_from:new_to]]
    paragraphs = [list(words) for ends, words in groupby(marked, lambda each: each[1] == "\n") if not ends]
    return tuple(_spans(words) for words in paragraphs)


def _words(text: str) -> list[str]:
    """Words, and one "\\n" between paragraphs."""
    return [word if word.strip() else "\n" for word in re.findall(r"[^\s]+|\n+", text.strip())]


def _spans(words: list[tuple[str, str]]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for style, group in groupby(words, lambda each: each[0]):
        spans += [Span(text=" ")] if spans else []
        spans.append(Span(text=" ".join(word for _, word in group), style=style))
    return tuple(spans)
