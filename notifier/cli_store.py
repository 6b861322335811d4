"""`notifier store`: a database moved to another place, or backed up."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from notifier import wiring
from notifier.clocks import SystemClock
from notifier.config import ConfigError, filled_in
from notifier.known import Holding
from notifier.terminal import Config, asked, out, refuse, settings_of
from notifier.urls import database_url

databases = typer.Typer(help="Move or back up the database.", no_args_is_help=True)


@databases.command()
def copy(
    source: Annotated[str, typer.Argument(metavar="FROM", help="sqlite:///notifier.db or postgresql://…")],
    target: Annotated[str, typer.Argument(metavar="TO", help="A new one, or an unfinished copy of the same.")],
) -> None:
    """Copy everything into a new database while no notifier runs; after a break the same command goes on."""
    source, target = _url("FROM", source), _url("TO", target)
    out.print(_table(asked(wiring.copy_store(source, target))))
    out.print("[green]✓[/] every table of the copy has the same rows; name it in store.url, and let the old one rest")


@databases.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A SQLite file that is not there yet.")],
    config: Config = None,
) -> None:
    """Write everything into a file on this machine, as it is now, even while a notifier runs."""
    settings = settings_of(config)
    out.print(_table(asked(wiring.back_up(settings, file, SystemClock().now()))))
    out.print(f"[green]✓[/] {file} holds the same rows; it also holds who reads, so keep it as a secret")


def _url(name: str, text: str) -> str:
    """`${DATABASE_URL}` is filled in here: who lists processes shall not read a password."""
    try:
        return database_url(filled_in(name, text))
    except ConfigError as error:
        refuse(str(error))
    except ValueError as error:
        refuse(f"{name}: {error}")


def _table(held: Iterable[Holding]) -> Table:
    table = Table("table", "rows", "SHA-256", box=box.SIMPLE)
    table.columns[1].justify = "right"
    for each in held:
        table.add_row(each.table, f"{each.rows:,}", each.checksum[:16])
    return table
