"""What every command shares: how it reads the settings, what it prints on, and how it ends.

Exit codes: 0 done, 1 the world said no, 2 your input.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import structlog
import typer
from rich.console import Console
from rich.markup import escape

from notifier import printing
from notifier.config import ConfigError, Settings, load
from notifier.logs import logging_to
from notifier.ports import ChannelFailure, SourceFailed, StoreFailed, StoreRefused
from notifier.settings import secrets_of

T = TypeVar("T")

log = structlog.get_logger("app")

out = printing.Output(highlight=False, width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="Settings file; default ./config.toml or $NOTIFIER_CONFIG."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def settings_of(config: Path | None) -> Settings:
    try:
        return load(config)
    except ConfigError as error:
        refuse(str(error))


@contextmanager
def input_errors() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        refuse(str(error))


def asked(work: Coroutine[Any, Any, T]) -> T:
    """Runs it; what the world refuses ends the command with 1, what the user got wrong with 2."""
    try:
        with input_errors():
            return asyncio.run(work)
    except (StoreRefused, StoreFailed, SourceFailed, ChannelFailure, OSError) as error:
        err.print(f"[red]✗[/] {escape(str(error))}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def refuse(text: str) -> NoReturn:
    err.print(escape(text), style="red")
    raise typer.Exit(2)


@contextmanager
def logging_for(level: str, settings: Settings | None = None) -> Iterator[None]:
    form = settings.log.format if settings else "auto"
    secrets = secrets_of(settings) if settings else []
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    with logging_to(sys.stderr, level=level, as_json=as_json, secrets=secrets):
        try:
            yield
        except (typer.Exit, typer.Abort):
            raise
        except Exception:  # Python itself would print it with whatever secret is in it
            log.exception("a bug ends the program")
            raise typer.Exit(1) from None


def line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def print_json(value: Any) -> None:
    out.print_json(printing.dumped(value)) if sys.stdout.isatty() else line(printing.dumped(value))
