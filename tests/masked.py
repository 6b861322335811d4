"""A language that shows which words come from the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable
from gettext import NullTranslations
from string import Formatter


class Masked(NullTranslations):
    """Every letter is ж, but for the names of what goes in."""

    def gettext(self, message: str) -> str:
        return "".join(
            re.sub("[A-Za-z]", "ж", text) + (f"{{{name}}}" if name is not None else "")
            for text, name, _, _ in Formatter().parse(message)
        )

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def latin(texts: Iterable[str]) -> set[str]:
    """The words that are not masked."""
    return {word for text in texts for word in re.findall("[A-Za-z]{2,}", text)}
