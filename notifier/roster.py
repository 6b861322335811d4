"""Who came by himself, as rows of a CSV or JSON file and back. Pure.

A row holds a chat's address, its filter and its preferences, which is all that is known of a person.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, Literal

from pydantic import AwareDatetime, ValidationError

from notifier.overlay import Problem, in_words, nearest, show
from notifier.subscription import Address, QuietHours, Subscription
from notifier.wishes import WishTable, Words, Zone

Form = Literal["csv", "json"]


class Row(WishTable):
    """What is left out is as for who has just come."""

    zone: Zone = "UTC"
    muted_until: AwareDatetime | None = None
    muted: tuple[Words, ...] = ()

    def subscription(self) -> Subscription:
        return Subscription(
            address=self.to,
            origin="self",
            filter=self.wish,
            language=self.language,
            zone=self.zone,
            muted_until=self.muted_until,
            muted=frozenset(self.muted),
        )


COLUMNS = tuple(Row.model_fields)
_LISTS = ("components", "kinds", "muted")
_USUAL = {name: each.default for name, each in Row.model_fields.items() if not each.is_required()}


def row(subscription: Subscription) -> dict[str, Any]:
    """One subscription by the names of COLUMNS, in JSON's types."""
    wish = subscription.filter
    return {
        "to": str(subscription.address),
        "components": list(wish.components),
        "kinds": [str(kind) for kind in wish.kinds],
        "min_impact": wish.min_impact,
        "updates": "milestones" if wish.milestones_only else "all",
        "strict_components": wish.strict_components,
        "reminders": wish.reminders,
        "quiet_hours": _hours(wish.quiet_hours) if wish.quiet_hours else None,
        "language": subscription.language,
        "zone": subscription.zone,
        "muted_until": subscription.muted_until.isoformat() if subscription.muted_until else None,
        "muted": sorted(subscription.muted),
    }


def _hours(quiet: QuietHours) -> str:
    return f"{quiet.start:%H:%M}-{quiet.end:%H:%M} {quiet.zone}"


def written(subscriptions: Iterable[Subscription], form: Form) -> str:
    """The file."""
    rows = [row(each) for each in subscriptions]
    if form == "json":
        return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows([_cell(name, each[name]) for name in COLUMNS] for each in rows)
    return text.getvalue()


def _cell(name: str, value: Any) -> str:
    """Blank for what is usual. A list that a spreadsheet might take for a formula, or tear apart, is one of JSON."""
    if isinstance(value, list):
        if tuple(value) == _USUAL.get(name):
            return ""
        plain = ", ".join(value)
        mistakable = not value or plain[0] in "=+-@[" or not plain.isprintable() or any("," in each for each in value)
        return json.dumps(value, ensure_ascii=False) if mistakable else plain
    return "" if value == _USUAL.get(name) else str(value)


def read(text: str, form: Form, taken: Mapping[Address, str]) -> tuple[Sequence[Subscription], Sequence[Problem]]:
    """The subscriptions of a file, and all that is wrong with it. `taken` says where an address stands already."""
    found: list[Subscription] = []
    problems: list[Problem] = []
    seen: dict[Address, str] = dict(taken)
    for place, values in _rows(text, form, problems):
        try:
            each = Row.model_validate(values).subscription()
        except ValidationError as error:
            problems += _explained(error, place)
            continue
        there = seen.setdefault(each.address, place)
        if each.address.channel != "telegram" or "@" in each.address.target:
            problems.append(
                Problem(f"{place}, to", f"{each.address} cannot subscribe by itself; put it into the settings")
            )
        elif there != place:
            problems.append(Problem(f"{place}, to", f"{each.address} is in {there} already; take one of the two out"))
        found.append(each)
    return found, problems


def _explained(error: ValidationError, place: str) -> Iterator[Problem]:
    for details in error.errors(include_url=False, include_input=False):
        name = show(details["loc"])
        if details["type"] == "extra_forbidden":
            yield Problem(f"{place}, {name}", f"there is no such column{nearest(name, COLUMNS)}")
        elif details["type"] == "missing":
            yield Problem(f"{place}, {name}", "is missing; write an address like telegram:123456789")
        else:
            yield Problem(f"{place}, {name}" if name else place, in_words(details))


def _rows(text: str, form: Form, problems: list[Problem]) -> Iterator[tuple[str, Any]]:
    """Each row with its place."""
    try:
        if form == "csv":
            yield from _lines(text, problems)
            return
        rows = json.loads(text)
        if not isinstance(rows, list):
            raise ValueError("a list of objects is wanted")
        yield from ((f"row {number}", each) for number, each in enumerate(rows, 1))
    except (csv.Error, ValueError, RecursionError) as error:
        problems.append(Problem("the file", f"is not {form.upper()}: {error}"))


def _lines(text: str, problems: list[Problem]) -> Iterator[tuple[str, Any]]:
    table = csv.DictReader(StringIO(text, newline=""), strict=True)
    if "to" not in (table.fieldnames or ()):
        problems.append(Problem("line 1", f"names no column “to”; the columns are {', '.join(COLUMNS)}"))
        return
    for cells in table:
        place = f"line {table.line_num}"
        if None in cells:
            problems.append(Problem(place, "has more cells than the first line names columns"))
            continue
        values: dict[str, Any] = {}
        for name, cell in cells.items():
            if (cell or "").strip():
                try:
                    values[name] = _items(cell) if name in _LISTS else cell
                except ValueError:
                    problems.append(Problem(f"{place}, {name}", 'write the list as a,b,c or as ["a", "b", "c"]'))
        yield place, values


def _items(cell: str) -> Any:
    if cell.lstrip().startswith("["):
        return json.loads(cell)
    return [part.strip() for part in cell.split(",") if part.strip()]
