"""The fixtures of tests/data/page, as bytes, and ways to break them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "data" / "page"

Document = dict[str, Any]


def page(name: str) -> bytes:
    return (PAGE / name).read_bytes()


def changed(name: str, change: Callable[[Document], object]) -> bytes:
    """The fixture after `change` had its way with the decoded document."""
    document = json.loads(page(name))
    change(document)
    return json.dumps(document).encode()


def dropped(document: Any, *path: str | int) -> Any:
    """Takes one value out of a document; gives it back."""
    *parents, last = path
    for key in parents:
        document = document[key]
    return document.pop(last)
