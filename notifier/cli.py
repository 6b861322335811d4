"""The command line: reads arguments, prints, never decides. Exit codes: 0 done, 1 the world said no, 2 your input.

`rehearsal` is imported where it is used: the service does without the simulator and its memory.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import structlog
import typer
from rich.console import Console
from rich.markup import escape

from notifier import app as composition
from notifier import doctor, printing
from notifier.config import ConfigError, Settings, load
from notifier.logs import logging_to
from notifier.model import State
from notifier.ports import ChannelFailure, SourceFailed, StoreFailed, StoreRefused
from notifier.settings import secrets_of
from notifier.subscription import Address
from notifier.wiring import open_store

T = TypeVar("T")

log = structlog.get_logger("app")

out = printing.Output(highlight=False, width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def _version(wanted: bool) -> None:
    if wanted:
        _line(f"kraken-status-notifier {metadata.version('kraken-status-notifier')}")
        raise typer.Exit


app = typer.Typer(
    help="Tells Slack, Telegram and mail what Kraken's status page says: once each, in order, within seconds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ledger = typer.Typer(help="The deliveries and their dead letters.", invoke_without_command=True)
app.add_typer(ledger, name="deliveries")

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="PATH", help="Settings file; default ./config.toml or $NOTIFIER_CONFIG."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def main() -> None:
    """The entry point of the `notifier` command."""
    app()


@app.callback()
def notifier(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Every command that needs settings takes --config PATH, after its name."""


@app.command()
def demo() -> None:
    """Play the WebSocket incident of February 2026: no account, no network."""
    from notifier import rehearsal

    out.print(printing.demo_head(rehearsal.DEMO_SPEED))
    with _logging("error"):
        shown: list[rehearsal.Shown] = []

        def show(each: rehearsal.Shown) -> None:
            shown.append(each)
            out.print(printing.shown(each))

        _asked(rehearsal.demo(show))
    out.print(printing.demo_summary(shown))
    if not any("resolved" in each.text.lower() for each in shown):
        raise typer.Exit(1)


@app.command()
def run(
    config: Config = None,
    once: Annotated[
        bool, typer.Option("--once", help="One round of polls, empty the outbox, exit (for cron).")
    ] = False,
) -> None:
    """Watch Kraken and tell everyone who asked, until stopped."""
    settings = _settings(config)
    with _logging(settings.log.level, settings):

        def started() -> None:
            err.print(printing.started(settings), style="dim")

        counts = _asked(composition.run(settings, _line, once=once, started=started))
        err.print(printing.counts(counts), style="dim")


@app.command()
def check(config: Config = None, as_json: AsJson = False) -> None:
    """Ask everything that the settings name, really, and say what to do about what does not answer."""
    settings = _settings(config)
    findings = []

    async def examine() -> None:
        async for finding in doctor.examine(settings):
            findings.append(finding)
            if not as_json:
                out.print(printing.finding(finding))

    with _logging("error", settings):
        _asked(examine())
    if as_json:
        _json(printing.findings_json(findings))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def status(config: Config = None, as_json: AsJson = False) -> None:
    """What Kraken says right now."""
    settings = _settings(config)
    with _logging("error", settings):
        now = _asked(doctor.look(settings))
    _json(printing.look_json(now)) if as_json else out.print(printing.look(now))
    if not now.reached:
        raise typer.Exit(1)


@app.command()
def incidents(
    config: Config = None,
    as_json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
) -> None:
    """The incidents and maintenances that the notifier knows."""
    settings = _settings(config)

    async def known() -> tuple[Any, Any]:
        async with open_store(settings, existing=True) as store:
            return [each for each in await store.incidents() if everything or each.open], await store.sources()

    found, sources = _asked(known())
    _json(printing.incidents_json(found)) if as_json else out.print(printing.incidents(found, sources))


@app.command()
def preview(
    what: Annotated[
        str,
        typer.Argument(metavar="SCRIPT|FILE|INCIDENT", help="A script, an API answer in a file, or an incident's id."),
    ],
    config: Config = None,
    as_json: AsJson = False,
    output: Annotated[
        Path | None,
        typer.Option(help="The page that shows it as the clients draw it; default preview.html."),
    ] = None,
) -> None:
    """Show what every channel would say, as text and on an HTML page. Sends nothing."""
    from notifier import preview as previewing

    settings = _settings(config)
    with _logging("error", settings):
        found = _asked(previewing.preview(settings, what))
    target = output or (None if as_json else Path("preview.html"))
    if target is not None:
        try:
            target.write_text(found.html, encoding="utf-8")
        except OSError as error:
            _refuse(f"the page cannot be written to {target} ({error.strerror}); name another file with --output")
    if as_json:
        _json(printing.preview_json(found.changes))
    else:
        out.print(printing.preview(found.changes))
        out.print(f"The same as Slack, Telegram and a mail program draw it: {target}")


@app.command("test")
def send_test(
    address: Annotated[str, typer.Argument(help="slack:C0123456789, telegram:@channel, mailto:ops@example.com, …")],
    config: Config = None,
) -> None:
    """Send one marked test message."""
    settings = _settings(config)
    with _input_errors():
        to = Address.parse(address)
        if to.channel == "slack-webhook" and to.target not in settings.slack.webhooks:
            raise ValueError(f"{address} is not defined; name its URL in [slack.webhooks]")
    with _logging("error", settings):
        try:
            _asked(doctor.send_test(settings, to, composition.SystemClock(), _line))
        except KeyError:
            _refuse(f"the channel of {address} is not configured; see config.example.toml")
    out.print(f"[green]✓[/] sent to {address}")


@app.command()
def migrate(config: Config = None) -> None:
    """Bring the database schema up to date."""
    settings = _settings(config)

    async def up_to_date() -> None:
        async with open_store(settings):
            return

    _asked(up_to_date())
    out.print("[green]✓[/] the database is up to date")


@app.command()
def simulate(
    script: Annotated[
        str, typer.Argument(help="A script file, or the name of a shipped one.")
    ] = "websocket-2026-02-24",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0 takes a free one.")] = 8080,
    speed: Annotated[float, typer.Option(min=0.1, max=3600, help="How many times as fast as the wall's clock.")] = 1,
) -> None:
    """Serve a script of incidents on loopback, to try your own settings against."""
    from notifier import rehearsal

    with _input_errors():
        loaded = rehearsal.script_named(script)

    def started(url: str, at: datetime) -> None:
        _line(f"{url} plays {script} from {at:%Y-%m-%d %H:%M} UTC; set status_page.url and exchange.api_url to it")

    with _logging("error"):
        _asked(rehearsal.simulate(loaded, speed=speed, port=port, started=started))


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
    settings = _settings(config)
    states = (State.FAILED, State.DEAD) if failed else ()

    async def entries() -> Any:
        async with open_store(settings, existing=True) as store:
            return await store.deliveries(states, limit)

    found = _asked(entries())
    _json(printing.entries_json(found)) if as_json else out.print(printing.entries(found))


@ledger.command()
def retry(number: Annotated[int, typer.Argument(metavar="ID")], config: Config = None) -> None:
    """Try a given-up delivery again, and switch its subscription on again."""
    _mend(config, number, "revive", "waits to be sent again", "was not given up; nothing to retry")


@ledger.command()
def drop(number: Annotated[int, typer.Argument(metavar="ID")], config: Config = None) -> None:
    """Give a delivery up for good."""
    _mend(config, number, "drop", "is dropped", "is sent or under way; nothing to drop")


def _mend(config: Path | None, number: int, action: str, done: str, refused: str) -> None:
    settings = _settings(config)

    async def mend() -> bool:
        async with open_store(settings, existing=True) as store:
            return await (
                store.revive(number, composition.SystemClock().now()) if action == "revive" else store.drop(number)
            )

    if not _asked(mend()):
        err.print(f"[red]✗[/] there is no delivery {number}, or it {refused}")
        raise typer.Exit(1)
    out.print(f"[green]✓[/] delivery {number} {done}")


def _settings(config: Path | None) -> Settings:
    try:
        return load(config)
    except ConfigError as error:
        _refuse(str(error))


@contextmanager
def _input_errors() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        _refuse(str(error))


def _asked(work: Coroutine[Any, Any, T]) -> T:
    """Runs it; what the world refuses ends the command with 1, what the user got wrong with 2."""
    try:
        with _input_errors():
            return asyncio.run(work)
    except (StoreRefused, StoreFailed, SourceFailed, ChannelFailure, OSError) as error:
        err.print(f"[red]✗[/] {escape(str(error))}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _refuse(text: str) -> NoReturn:
    err.print(escape(text), style="red")
    raise typer.Exit(2)


@contextmanager
def _logging(level: str, settings: Settings | None = None) -> Iterator[None]:
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


def _line(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _json(value: Any) -> None:
    out.print_json(data=value) if sys.stdout.isatty() else _line(printing.dumped(value))
