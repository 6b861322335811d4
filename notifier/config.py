"""Reads the settings: one TOML file and the environment, which only this module looks at.

A key is taken from `NOTIFIER_<SECTION>__<KEY>`, else from the file, else from the variable that hosts set for it
(`FALLBACKS`), else from its default. `NOTIFIER_SUBSCRIPTIONS="slack:C1,mailto:a@b.c"` adds to those of the file.
"""

from __future__ import annotations

import os
import socket
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from notifier.overlay import Overlay, Place, Problem, fall_back, fill_in, in_words, nearest, override, show
from notifier.settings import Settings
from notifier.subscription import Address
from notifier.wishes import Table, parse_address

__all__ = ["ConfigError", "Problem", "Settings", "load"]

DEFAULT_PATH = Path("config.toml")

FALLBACKS = {
    "DATABASE_URL": ("store", "url"),
    "LOG_LEVEL": ("log", "level"),
    "SLACK_BOT_TOKEN": ("slack", "bot_token"),
    "TELEGRAM_BOT_TOKEN": ("telegram", "bot_token"),
    "SMTP_URL": ("email", "smtp_url"),
    "PORT": ("PORT",),
    "DYNO": ("DYNO",),
    "FLY_MACHINE_ID": ("FLY_MACHINE_ID",),
    "HOSTNAME": ("HOSTNAME",),
}
"""What hosts and habits call a key. Those in capitals are theirs alone, and no key of the file."""

OTHER_NAMES = ("NOTIFIER_CONFIG", "NOTIFIER_SUBSCRIPTIONS")

NEEDS = {
    "slack": ("slack", "bot_token"),
    "telegram": ("telegram", "bot_token"),
    "mailto": ("email", "smtp_url"),
}
"""What each channel cannot do without."""


class ConfigError(Exception):
    """The settings cannot be used. `problems` are all that is wrong; the text lists them, without any value."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(f"{path}: {message}" for path, message in self.problems)


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings of the file at `path`, or at `$NOTIFIER_CONFIG`, or at `config.toml` if there is one, and of the
    environment. Raises ConfigError.
    """
    overlay = Overlay(table=_read(path, environ))
    fill_in(overlay, environ)
    override(overlay, environ, _overridable(), OTHER_NAMES)
    fall_back(overlay, {"HOSTNAME": socket.gethostname(), **environ}, FALLBACKS)
    _add_subscriptions(overlay, environ.get("NOTIFIER_SUBSCRIPTIONS", ""))
    problems = [*overlay.problems]
    try:
        settings = Settings.model_validate(overlay.table)
    except ValidationError as error:
        problems += _explain(error, overlay)
    problems += _unreachable(overlay)
    if problems:
        first: dict[str, Problem] = {}
        for problem in problems:
            first.setdefault(problem.path, problem)  # a second problem with one value follows from the first
        raise ConfigError(tuple(first.values()))
    return settings


def filled_in(name: str, text: str, environ: Mapping[str, str] = os.environ) -> str:
    """An argument with the variables that it names, so that a secret need not be one. Raises ConfigError."""
    overlay = Overlay(table={name: text})
    fill_in(overlay, environ)
    if overlay.problems:
        raise ConfigError(tuple(overlay.problems))
    return str(overlay.table[name])


def _read(path: Path | None, environ: Mapping[str, str]) -> dict[str, Any]:
    if path is None and environ.get("NOTIFIER_CONFIG"):
        path = Path(environ["NOTIFIER_CONFIG"])
    try:
        return tomllib.loads((path or DEFAULT_PATH).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if path is None:
            return {}
        reason = "there is no such file"
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except tomllib.TOMLDecodeError as error:
        reason = f"is not TOML: {error}"
    raise ConfigError((Problem(str(path or DEFAULT_PATH), reason),))


def _overridable() -> dict[tuple[str, ...], bool]:
    """The places that a variable can name, and whether a list stands there; `*` is any name."""
    places: dict[tuple[str, ...], bool] = {}
    for section, table in Settings.model_fields.items():
        if _is_table(table.annotation):
            for key, value in table.annotation.model_fields.items():
                kind = get_origin(value.annotation)
                places[(section, key, "*") if kind is dict else (section, key)] = kind is tuple
    return places


def _add_subscriptions(overlay: Overlay, text: str) -> None:
    """Those that are not in the file already."""
    tables = overlay.table.setdefault("subscriptions", [])
    if not isinstance(tables, list):
        return
    told = {address for place, address in _addresses(overlay) if place[0] == "subscriptions"}
    for to in filter(None, (part.strip() for part in text.split(","))):
        if (address := _parse(to)) in told:
            continue
        overlay.origins["subscriptions", len(tables)] = "NOTIFIER_SUBSCRIPTIONS"
        tables.append({"to": to})
        if address:
            told.add(address)


def _unreachable(overlay: Overlay) -> Iterator[Problem]:
    """Addresses whose channel is not set up, and subscriptions that tell one address twice."""
    seen: dict[Address, str] = {}
    for place, address in _addresses(overlay):
        path, variable = show(place), _came_from(overlay, place)
        channel, target = address.channel, address.target
        if channel in NEEDS and not overlay.has(*NEEDS[channel]):
            names = next(name for name, fallback in FALLBACKS.items() if fallback == NEEDS[channel])
            cure = f"set {show(NEEDS[channel])} in the file or {names} in the environment"
            yield Problem(path, f"{address} cannot be reached: {cure}{variable}")
        if channel == "slack-webhook" and not overlay.has("slack", "webhooks", target):
            cure = f'set {target} = "https://hooks.slack.com/…" under [slack.webhooks]'
            yield Problem(path, f"{address} cannot be reached: {cure}{variable}")
        if place[0] == "subscriptions" and path != seen.setdefault(address, path):
            yield Problem(path, f"{address} is told by {seen[address]} already; make one of the two")


def _addresses(overlay: Overlay) -> Iterator[tuple[Place, Address]]:
    """Every readable address with its place."""
    tables, operators = overlay.get("subscriptions"), overlay.get("operators", "to")
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        if isinstance(table, dict) and (address := _parse(table.get("to"))):
            yield ("subscriptions", index, "to"), address
    for index, text in enumerate(operators if isinstance(operators, list) else ()):
        if address := _parse(text):
            yield ("operators", "to", index), address


def _parse(text: object) -> Address | None:
    try:
        return parse_address(text)
    except ValueError:
        return None


def _came_from(overlay: Overlay, place: Place) -> str:
    """` (from LOG_LEVEL)` for a value of the environment that stands under another name."""
    places = (place[:length] for length in range(len(place), 0, -1) if not str(place[0]).isupper())
    return next((f" (from {overlay.origins[each]})" for each in places if each in overlay.origins), "")


def _explain(error: ValidationError, overlay: Overlay) -> Iterator[Problem]:
    for details in error.errors(include_url=False, include_input=False):
        if details["type"] != "default_factory_not_called":  # follows from another key's problem
            place = tuple(part for part in details["loc"] if part != "[key]")
            yield Problem(show(place), _in_words(details, place) + _came_from(overlay, place))


def _in_words(details: ErrorDetails, place: Place) -> str:
    if details["type"] == "extra_forbidden":
        return f"there is no such setting{nearest(str(place[-1]), _keys(place[:-1]))}"
    if details["type"] == "missing":
        return 'is missing; write it like to = "slack:C0123456789"'
    return in_words(details)


def _keys(place: Place) -> list[str]:
    """What may stand in the table there."""
    table: type[Table] = Settings
    for part in place:
        if isinstance(part, str):
            field = next(each for name, each in table.model_fields.items() if (each.alias or name) == part)
            table = next(each for each in (field.annotation, *get_args(field.annotation)) if _is_table(each))
    names = (field.alias or name for name, field in table.model_fields.items())
    return [name for name in names if not name.isupper()]


def _is_table(annotation: Any) -> TypeGuard[type[Table]]:
    return isinstance(annotation, type) and issubclass(annotation, Table)
