"""The catalogues that are shipped: `locale/CODE/LC_MESSAGES/notifier.mo` for each of `LANGUAGES` but English."""

from __future__ import annotations

from collections.abc import Mapping
from gettext import translation
from pathlib import Path

from notifier.tongue import ENGLISH_ONLY, LANGUAGES, Tongue

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "notifier"


def tongues() -> Mapping[str, Tongue]:
    """Every language by its code. Raises FileNotFoundError if the installation lacks one."""
    others = [code for code in LANGUAGES if code not in ENGLISH_ONLY]
    return {**ENGLISH_ONLY, **{code: translation(DOMAIN, LOCALE, [code]) for code in others}}
