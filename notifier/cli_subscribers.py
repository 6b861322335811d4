"""`notifier subscribers`: who is told, and those who came by themselves as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from notifier import printing, roster
from notifier.clocks import SystemClock
from notifier.overlay import show
from notifier.settings import Settings
from notifier.subscription import Address, Subscription
from notifier.terminal import AsJson, Config, asked, err, input_errors, out, print_json, refuse, settings_of
from notifier.wiring import open_store

people = typer.Typer(help="Who is told, and what.", invoke_without_command=True)

OWNER_ONLY = 0o600


@people.callback()
def subscribers(context: typer.Context, config: Config = None, as_json: AsJson = False) -> None:
    """Everybody who is told: the configured ones and those who came by themselves."""
    if context.invoked_subcommand is not None:
        return
    found = asked(_everybody(settings_of(config)))
    print_json(printing.subscriptions_json(found)) if as_json else out.print(printing.subscriptions(found))


@people.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Default: standard output.")] = None,
    config: Config = None,
    form: Annotated[
        roster.Form | None, typer.Option("--format", help="Default: by the file's ending, else csv.")
    ] = None,
) -> None:
    """Write who came by himself and is told, to read back with `import`."""
    found = asked(_everybody(settings_of(config)))
    mine = [each for each in found if each.origin == "self" and each.active]
    text = roster.written(mine, form or _form(file))
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.touch(mode=OWNER_ONLY)
        file.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        refuse(f"{file} cannot be written ({error.strerror}); name another file")
    err.print(f"{len(mine)} written to {file}", style="dim")


@people.command("import")
def read_in(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="As `export` writes it, CSV or JSON by its ending.")],
    config: Config = None,
) -> None:
    """Subscribe everybody in a file, or nobody if anything is wrong with it. Nobody is greeted."""
    settings = settings_of(config)
    wanted, problems = roster.read(_text(file), _form(file), _configured(settings))
    if problems:
        refuse("\n".join(f"{place}: {message}" for place, message in problems))

    async def keep() -> int:
        async with open_store(settings) as store:
            return await store.enroll(wanted, SystemClock().now())

    changed = asked(keep())
    out.print(f"[green]✓[/] {len(wanted)} read, {changed} of them new or changed")


@people.command()
def delete(
    address: Annotated[str, typer.Argument(help="telegram:123456789")],
    config: Config = None,
) -> None:
    """Delete a subscriber with everything that was, or would be, told to him."""
    settings = settings_of(config)
    with input_errors():
        to = Address.parse(address)
    if place := _configured(settings).get(to):
        refuse(f"{address} is in {place}; take it out there")

    async def forget() -> int | None:
        async with open_store(settings, existing=True) as store:
            return await store.forget(to)

    if asked(forget()) is None:
        err.print(f"[red]✗[/] nobody is subscribed as {address}")
        raise typer.Exit(1)
    out.print(f"[green]✓[/] {address} is deleted")


async def _everybody(settings: Settings) -> Sequence[Subscription]:
    async with open_store(settings, existing=True) as store:
        return await store.subscriptions()


def _configured(settings: Settings) -> Mapping[Address, str]:
    """Where each address of the settings stands."""
    places = (show(("subscriptions", number, "to")) for number in range(len(settings.tables)))
    return {table.to: f"{place} of the settings" for table, place in zip(settings.tables, places, strict=True)}


def _form(file: Path | None) -> roster.Form:
    return "json" if file is not None and file.suffix.lower() == ".json" else "csv"


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return opened.read()
    except OSError as error:
        refuse(f"{file} cannot be read ({error.strerror})")
    except UnicodeDecodeError:
        refuse(f"{file} is not UTF-8 text; save it as UTF-8")
