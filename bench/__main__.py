"""`python -m bench`: measures, prints one table, and writes it as JSON if asked to."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.measure import MEASUREMENTS, measure

WIDTH = 180
"""Columns of the table, at least."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=MEASUREMENTS, help="one measurement instead of all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    asked = parser.parse_args()
    console = Console()
    console.width = max(console.width, WIDTH)
    figures: list[Figure] = []
    for name in [asked.only] if asked.only else MEASUREMENTS:
        with console.status(f"measuring: {name}"):
            figures += measure(name)
    console.print(table(figures))
    if asked.json:
        asked.json.write_text(json.dumps([asdict(each) | {"met": each.met} for each in figures], indent=2))


def table(figures: list[Figure]) -> Table:
    shown = Table()
    for column in ("", "what", "budget", "measured", "spread", "floor", "met", "note"):
        shown.add_column(column, justify="right" if column in ("budget", "measured", "floor") else "left")
    for each in figures:
        shown.add_row(
            each.number,
            each.what,
            ("≥ " if each.at_least else "") + _number(each.budget, each.unit),
            _number(each.measured, each.unit),
            "–".join(_number(edge) for edge in each.spread or ()),
            _number(each.floor, each.unit),
            {True: "[green]yes", False: "[red]no", None: ""}[each.met],
            each.note,
        )
    return shown


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.3g} {unit}".strip() if value < 1000 else f"{value:,.0f} {unit}".strip()


if __name__ == "__main__":
    main()
