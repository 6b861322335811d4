"""The command line: reads arguments, prints, never decides. Exit codes: 0 done, 1 the world said no, 2 your input.

`rehearsal` is imported where it is used: the service does without the simulator and its memory.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
from rich.markup import escape

from notifier import __version__, cli_ledger, cli_store, cli_subscribers, doctor, printing, printing_page
from notifier import app as composition
from notifier.clocks import SystemClock
from notifier.subscription import Address
from notifier.terminal import (
    AsJson,
    Config,
    asked,
    err,
    input_errors,
    line,
    logging_for,
    out,
    print_json,
    refuse,
    settings_of,
)
from notifier.wiring import forgotten, open_store

log = structlog.get_logger("app")


def _version(wanted: bool) -> None:
    if wanted:
        line(f"kraken-status-notifier {__version__}")
        raise typer.Exit


app = typer.Typer(
    help="Tells Slack, Telegram and mail what Kraken's status page says: once each, in order, within seconds.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_ledger.ledger, name="deliveries")
app.add_typer(cli_subscribers.people, name="subscribers")
app.add_typer(cli_store.databases, name="store")


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
    with logging_for("error"):
        shown: list[rehearsal.Shown] = []

        def show(each: rehearsal.Shown) -> None:
            shown.append(each)
            out.print(printing.shown(each))

        asked(rehearsal.demo(show))
    out.print(printing.demo_summary(shown))
    if not any("resolved" in each.text.lower() for each in shown):
        raise typer.Exit(1)


@app.command()
def run(
    config: Config = None,
    once: Annotated[
        bool, typer.Option("--once", help="One round of polls, empty the outbox, exit (for cron).")
    ] = False,
    replay: Annotated[
        bool, typer.Option("--replay", help="At the first start on a restored backup: tell all that came since.")
    ] = False,
) -> None:
    """Watch Kraken and tell everyone who asked, until stopped."""
    settings = settings_of(config)
    with logging_for(settings.log.level, settings):

        def started() -> None:
            err.print(printing.started(settings), style="dim")
            if lost := forgotten(settings):
                log.warning("the database will be lost", reason=lost)

        counts = asked(composition.run(settings, line, once=once, replay=replay, started=started))
        err.print(printing.counts(counts), style="dim")


@app.command()
def check(
    config: Config = None,
    as_json: AsJson = False,
    alive: Annotated[
        bool,
        typer.Option(
            "--alive",
            help="Only whether a service polled within 10 minutes, by its database: so long it stays ✓ after a stop.",
        ),
    ] = False,
) -> None:
    """Ask everything that the settings name, really, and say what to do about what does not answer."""
    settings = settings_of(config)
    findings = []

    async def examine() -> None:
        asking = doctor.alive(settings, SystemClock()) if alive else doctor.examine(settings)
        async for finding in asking:
            findings.append(finding)
            if not as_json:
                out.print(printing.finding(finding))

    with logging_for("error", settings):
        asked(examine())
    if as_json:
        print_json(printing.findings_json(findings))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def status(config: Config = None, as_json: AsJson = False) -> None:
    """What Kraken says right now, and which process does what."""
    settings = settings_of(config)
    with logging_for("error", settings):
        now = asked(doctor.look(settings))
    print_json(printing_page.look_json(now)) if as_json else out.print(printing_page.look(now))
    if not now.reached:
        raise typer.Exit(1)


@app.command()
def incidents(
    config: Config = None,
    as_json: AsJson = False,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
) -> None:
    """The incidents and maintenances that the notifier knows."""
    settings = settings_of(config)

    async def known() -> tuple[Any, Any]:
        async with open_store(settings, existing=True) as store:
            return [each for each in await store.incidents() if everything or each.open], await store.sources()

    found, sources = asked(known())
    print_json(printing_page.incidents_json(found)) if as_json else out.print(printing_page.incidents(found, sources))


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

    settings = settings_of(config)
    with logging_for("error", settings):
        found = asked(previewing.preview(settings, what))
    target = output or (None if as_json else Path("preview.html"))
    if target is not None:
        try:
            target.write_text(found.html, encoding="utf-8")
        except OSError as error:
            refuse(f"the page cannot be written to {target} ({error.strerror}); name another file with --output")
    if as_json:
        print_json(printing.preview_json(found.changes))
    else:
        out.print(printing.preview(found.changes))
        out.print(f"The same as Slack, Telegram and a mail program draw it: {target}")


@app.command("test")
def send_test(
    address: Annotated[str, typer.Argument(help="slack:C0123456789, telegram:@channel, mailto:ops@example.com, …")],
    config: Config = None,
) -> None:
    """Send one marked test message."""
    settings = settings_of(config)
    with input_errors():
        to = Address.parse(address)
        if to.channel == "slack-webhook" and to.target not in settings.slack.webhooks:
            raise ValueError(f"{address} is not defined; name its URL in [slack.webhooks]")
    with logging_for("error", settings):
        try:
            asked(doctor.send_test(settings, to, SystemClock(), line))
        except KeyError:
            refuse(f"the channel of {address} is not configured; see config.example.toml")
    out.print(f"[green]✓[/] sent to {address}")


@app.command()
def migrate(config: Config = None) -> None:
    """Bring the database schema up to date."""
    settings = settings_of(config)

    async def up_to_date() -> None:
        async with open_store(settings):
            return

    asked(up_to_date())
    if lost := forgotten(settings):
        err.print(f"[yellow]! the database will be lost: {escape(lost)}[/]")
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

    with input_errors():
        loaded = rehearsal.script_named(script)

    def started(url: str, at: datetime) -> None:
        line(f"{url} plays {script} from {at:%Y-%m-%d %H:%M} UTC; set status_page.url and exchange.api_url to it")

    with logging_for("error"):
        asked(rehearsal.simulate(loaded, speed=speed, port=port, started=started))
