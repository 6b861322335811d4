"""The language of what is told: English is in the code, any other is a catalogue of gettext. Pure.

`tongue.gettext("…")` and `tongue.ngettext("…", "…", n)` take what is to be said; `N_("…")` marks what is taken later.
What varies goes in by name, after the translation: `tongue.gettext("in {length}").format(length=…)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations as Tongue

__all__ = ["ENGLISH", "ENGLISH_ONLY", "LANGUAGES", "N_", "Tongue"]

ENGLISH = Tongue()

ENGLISH_ONLY: Mapping[str, Tongue] = {"en": ENGLISH}
"""Tongues by the codes of their languages, where no catalogue is read."""

LANGUAGES = {"en": "English", "de": "Deutsch"}
"""What each language calls itself, by its code."""


def N_(text: str) -> str:  # noqa: N802 - as gettext's tools know it
    """Marks a text for the catalogue."""
    return text
