"""The catalogues of `notifier/locale`: `python -m tests.catalogues` extracts, updates and compiles them.

The same code always makes the same bytes: no dates, no versions, and files without line numbers.
"""

from __future__ import annotations

import ast
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from notifier.languages import DOMAIN, LOCALE
from notifier.tongue import ENGLISH_ONLY, LANGUAGES

CODE = LOCALE.parent
TEMPLATE = LOCALE / f"{DOMAIN}.pot"
TEXTS = {"gettext": 1, "ngettext": 2, "N_": 1, "t": 1}
"""Calls, with how many of their arguments are texts."""
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
    for path in sorted(CODE.rglob("*.py")):
        for call in calls(path):
            texts = call.args[: TEXTS[_name(call)]]
            said = tuple(each.value for each in texts if isinstance(each, ast.Constant) and isinstance(each.value, str))
            if len(said) == len(texts):
                where = str(path.relative_to(CODE.parent))
                catalog.add(said if len(said) > 1 else said[0], locations=[(where, call.lineno)])
    return catalog


def calls(path: Path) -> list[ast.Call]:
    """Where a module asks for a text, from top to bottom; within f-strings too, as Babel's own tool does not."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return sorted((node for node in nodes if _name(node) in TEXTS), key=lambda node: (node.lineno, node.col_offset))


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


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
