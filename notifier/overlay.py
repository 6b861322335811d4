"""One table out of a file and the environment: `${NAME}` filled in, overrides on top, hosts' names as fallback.

Pure, and ignorant of what the keys mean. Problems are collected, never raised, so that all can be told at once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

Place = tuple[str | int, ...]
"""Where a value stands: `("subscriptions", 2, "to")`."""

EXPECTED = {
    "bool": "true or false",
    "dict": "a table",
    "float": "a number",
    "int": "a whole number",
    "model": "a table",
    "string": "a string",
    "tuple": "a list",
}
"""Pydantic's names of types, in words: https://docs.pydantic.dev/latest/errors/validation_errors/"""

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Problem(NamedTuple):
    """What is wrong, where, and what to do about it. Holds no value of the file: it may be a secret."""

    path: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlay:
    """The table as it grows, where each value came from if not from the file, and what was wrong on the way."""

    table: dict[str, Any] = field(repr=False)
    origins: dict[Place, str] = field(default_factory=dict)
    """The variable behind a value."""
    problems: list[Problem] = field(default_factory=list)

    def get(self, *place: str) -> Any:
        """The value there; None if there is none, or no table around it."""
        value: Any = self.table
        for key in place:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def has(self, *place: str) -> bool:
        """Whether something is set there; blank text is nothing."""
        value = self.get(*place)
        return bool(value.strip()) if isinstance(value, str) else value is not None

    def put(self, place: tuple[str, ...], value: Any, variable: str) -> None:
        table: Any = self.table
        for key in place[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                return  # the file has something else in place of the section, which is a problem of its own
        table[place[-1]] = value
        self.origins[place] = variable


def fill_in(overlay: Overlay, environ: Mapping[str, str]) -> None:
    """Replaces `${NAME}` in every string of the table; `$${` stands for `${` itself."""

    def walk(value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: walk(each, (*place, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [walk(each, (*place, index)) for index, each in enumerate(value)]
        return _REFERENCE.sub(lambda found: replace(found, place), value) if isinstance(value, str) else value

    def replace(found: re.Match[str], place: Place) -> str:
        name = found[1]
        if found[0] == "$${":
            return "${"
        if name is None or not _NAME.fullmatch(name):
            cure = "write ${NAME} with the name of a variable, or $${ for the characters themselves"
            overlay.problems.append(Problem(show(place), cure))
        elif name not in environ:
            message = f"the variable {name} is not set; set it, or take ${{{name}}} out"
            overlay.problems.append(Problem(show(place), message))
        else:
            return environ[name]
        return found[0]

    overlay.table.update({key: walk(value, (key,)) for key, value in overlay.table.items()})


def override(
    overlay: Overlay,
    environ: Mapping[str, str],
    keys: Mapping[tuple[str, ...], bool],
    known: Collection[str],
    *,
    prefix: str = "NOTIFIER_",
) -> None:
    """Lays `NOTIFIER_<SECTION>__<KEY>` over the table. `keys` are the places that may be named so, and whether a list
    is wanted there; a last part of `*` stands for any name. `known` are names with another meaning.
    """
    by_name = {f"{prefix}{'__'.join(place)}".upper(): place for place in keys}
    for name, text in environ.items():
        if not name.startswith(prefix) or name in known:
            continue
        stem, _, last = name.rpartition("__")
        place = by_name.get(name) or by_name.get(f"{stem}__*")
        if place is None:
            near = nearest(name, [*by_name, *known])
            overlay.problems.append(Problem(name, f"no setting has this name{near}"))
            continue
        try:
            value = _list(text) if keys[place] else text
        except ValueError:
            overlay.problems.append(Problem(name, 'write the list as a,b,c or as ["a", "b", "c"]'))
            continue
        overlay.put((*place[:-1], last.lower()) if place[-1] == "*" else place, value, name)


def fall_back(overlay: Overlay, environ: Mapping[str, str], fallbacks: Mapping[str, tuple[str, ...]]) -> None:
    """Takes a variable where neither the file nor an override says anything."""
    for variable, place in fallbacks.items():
        if environ.get(variable, "").strip() and not overlay.has(*place):
            overlay.put(place, environ[variable], variable)


def show(place: Place) -> str:
    """`subscriptions[2].to`"""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def nearest(name: str, known: Collection[str]) -> str:
    """`; did you mean …?` if anything comes close, else everything there is."""
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known))}"


def in_words(details: ErrorDetails) -> str:
    """What is wrong with a value."""
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if (expected := EXPECTED.get(kind.split("_")[0])) and kind.endswith(("_type", "_parsing", "_from_float")):
        return f"must be {expected}"
    return details["msg"].replace("Input should", "must").replace("String should", "must")


def _list(text: str) -> list[Any]:
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    value: list[Any] = tomllib.loads(f"value = {text}")["value"]
    return value
