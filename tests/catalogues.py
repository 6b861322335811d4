"""The catalogues of `notifier/locale`: `python -m tests.catalogues` extracts, updates and compiles them.

The same code always makes the same bytes: no dates, no versions, and files without line numbers.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from notifier.languages import DOMAIN, LOCALE
from notifier.tongue import ENGLISH_ONLY, LANGUAGES

CODE = LOCALE.parent
TEMPLATE = LOCALE / f"{DOMAIN}.pot"
KEYWORDS = {"gettext": None, "ngettext": (1, 2), "N_": None}
OTHERS = tuple(code for code in LANGUAGES if code not in ENGLISH_ONLY)


class Plain(Catalog):
    """Says of itself only what is needed to read it."""

    def __init__(self, code: str | None = None) -> None:
        super().__init__(locale=code, header_comment="", fuzzy=False)

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        own = [("Language", str(self.locale_identifier)), ("Plural-Forms", self.plural_forms)]
        return [*(own if self.locale else []), ("Content-Type", "text/plain; charset=utf-8")]


def po_of(code: str) -> Path:
    """Translated by people."""
    return LOCALE / code / "LC_MESSAGES" / f"{DOMAIN}.po"


def mo_of(code: str) -> Path:
    return po_of(code).with_suffix(".mo")


def template() -> Catalog:
    """What the code says, in the order of its files."""
    catalog = Plain()
    for name, line, text, _, _ in extract_from_dir(CODE, [("**.py", "python")], keywords=KEYWORDS):
        catalog.add(text, locations=[(f"{CODE.name}/{name}", line)])
    return catalog


def translated(code: str) -> Catalog:
    """What people made of it."""
    with po_of(code).open("rb") as file:
        return read_po(file, locale=code)


def updated(code: str) -> Catalog:
    """What the code says, as far as it is translated."""
    before = translated(code) if po_of(code).exists() else Plain(code)
    catalog = Plain(code)
    for message in list(template())[1:]:
        known = before.get(message.id)
        comments = known.user_comments if known else ()
        catalog.add(message.id, known.string if known else None, message.locations, user_comments=comments)
    return catalog


def written(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalog, width=120, include_lineno=False)
    return file.getvalue().strip() + b"\n"


def compiled(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


if __name__ == "__main__":
    TEMPLATE.write_bytes(written(template()))
    for language in OTHERS:
        po_of(language).parent.mkdir(parents=True, exist_ok=True)
        po_of(language).write_bytes(written(updated(language)))
        mo_of(language).write_bytes(compiled(updated(language)))
