"""`notifier deliveries`: the ledger and its dead letters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from notifier import printing
from notifier.clocks import SystemClock
from notifier.model import State
from notifier.terminal import AsJson, Config, asked, err, out, print_json, settings_of
from notifier.wiring import open_store

ledger = typer.Typer(help="The deliveries and their dead letters.", invoke_without_command=True)


@ledger.callback()
def deliveries(
    context: typer.Context,
    config: Config = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what was given up.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """The newest deliveries."""
    if context.invoked_subcommand is not None:
        return
    settings = settings_of(config)
    states = (State.FAILED, State.DEAD) if failed else ()

    async def entries() -> Any:
        async with open_store(settings, existing=True) as store:
            return await store.deliveries(states, limit)

    found = asked(entries())
    print_json(printing.entries_json(found)) if as_json else out.print(printing.entries(found))


@ledger.command()
def retry(number: Annotated[int, typer.Argument(metavar="ID")], config: Config = None) -> None:
    """Try a given-up delivery again, and switch its subscription on again."""
    _mend(config, number, "revive", "waits to be sent again", "was not given up; nothing to retry")


@ledger.command()
def drop(number: Annotated[int, typer.Argument(metavar="ID")], config: Config = None) -> None:
    """Give a delivery up for good."""
    _mend(config, number, "drop", "is dropped", "is sent or under way; nothing to drop")


def _mend(config: Path | None, number: int, action: str, done: str, refused: str) -> None:
    settings = settings_of(config)

    async def mend() -> bool:
        async with open_store(settings, existing=True) as store:
            return await (store.revive(number, SystemClock().now()) if action == "revive" else store.drop(number))

    if not asked(mend()):
        err.print(f"[red]✗[/] there is no delivery {number}, or it {refused}")
        raise typer.Exit(1)
    out.print(f"[green]✓[/] delivery {number} {done}")
