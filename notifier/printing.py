"""How results look: rich for a person, JSON for a script. Only shapes what it is given."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from notifier import roster
from notifier.config import Settings
from notifier.doctor import Finding
from notifier.known import Entry
from notifier.subscription import Subscription

if TYPE_CHECKING:
    from notifier.preview import Previewed
    from notifier.rehearsal import Shown

_CHANNELS = {
    "slack": ("Slack", "magenta"),
    "slack-webhook": ("Slack webhook", "magenta"),
    "telegram": ("Telegram", "cyan"),
    "mailto": ("Mail", "yellow"),
    "console": ("Terminal", "green"),
}


_SUBSCRIPTIONS_SHOWN = 100


class Output(Console):
    """Goes on in silence when nobody reads any more: `notifier demo | head` is no error."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def dumped(value: Any) -> str:
    """JSON, times as the API writes them."""
    return json.dumps(_jsonable(value), ensure_ascii=False, indent=2)


def _jsonable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {key: _jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(each) for each in value]
    return value


def demo_head(speed: float) -> RenderableType:
    text = Text.assemble(
        ("24 February 2026, 11:28 UTC. ", "bold"),
        "Kraken's WebSocket API is about to fail. A simulated status page plays the incident, ",
        f"{speed:g} times as fast as it was; the notifier polls it as it would poll Kraken. ",
        "Below is what each channel gets, and when.",
    )
    return Panel(text, title="kraken-status-notifier", box=box.ROUNDED, border_style="blue")


def shown(each: Shown) -> RenderableType:
    name, colour = _CHANNELS[each.to.channel]
    kind = "in the thread" if each.message.thread else "new"
    sound = "loud" if each.message.loud else "silent"
    if each.edited:
        kind, sound = "the first message, edited", "silent"
    return Panel(
        Text(each.text, style="dim" if each.edited else ""),
        title=f"[bold]{each.at:%H:%M:%S}[/] UTC · {name} · {escape(each.to.target)}",
        title_align="left",
        subtitle=f"{kind}, {sound}",
        subtitle_align="right",
        border_style=colour,
        box=box.ROUNDED,
    )


def demo_summary(messages: Sequence[Shown]) -> RenderableType:
    table = Table(title="What each channel got", box=box.SIMPLE_HEAD, title_justify="left")
    for heading in ("channel", "messages", "of the incident", "first"):
        table.add_column(heading)
    for channel, (name, _) in _CHANNELS.items():
        got = [each for each in messages if each.to.channel == channel and not each.edited]
        news = [each for each in got if "WebSocket" in each.message.subject]
        if got:
            states = ", ".join(each.message.subject.partition("] ")[2].partition(":")[0].lower() for each in news)
            table.add_row(name, str(len(got)), states, f"{news[0].at:%H:%M:%S} UTC" if news else "–")
    advice = Text.assemble(
        "Next: write a config.toml with the channels you have (config.example.toml shows every key), then ",
        (".venv/bin/notifier check", "bold"), " and ", (".venv/bin/notifier run", "bold"), ".",
    )  # fmt: skip
    return Group(table, advice)


def started(settings: Settings) -> str:
    tally = Counter(subscription.address.channel for subscription in settings.subscriptions)
    told = ", ".join(f"{count} × {_CHANNELS[channel][0]}" for channel, count in tally.items())
    open_to_all = (
        " and whoever subscribes on Telegram" if settings.telegram.bot_token and settings.telegram.commands else ""
    )
    seconds = f"{settings.status_page.poll_seconds:g} s"
    return f"watching {settings.status_page.url} every {seconds}; telling {told}{open_to_all}"


def counts(by_state: Mapping[str, int]) -> str:
    found = ", ".join(f"{count} {state}" for state, count in sorted(by_state.items())) or "none"
    return f"deliveries: {found}"


def finding(each: Finding) -> RenderableType:
    mark = "[green]✓[/]" if each.ok else "[red]✗[/]"
    cure = f"\n  [yellow]→ {escape(each.cure)}[/]" if each.cure else ""
    return f"{mark} [bold]{each.name:<14}[/] {escape(each.said)}{cure}"


def findings_json(found: Iterable[Finding]) -> Any:
    return [{"name": each.name, "ok": each.ok, "said": each.said, "cure": each.cure or None} for each in found]


def preview(found: Sequence[Previewed]) -> RenderableType:
    parts: list[RenderableType] = []
    for each in found:
        change = each.change
        parts.append(Text(f"\n{change.at:%Y-%m-%d %H:%M} UTC · {change.phase or change.kind} · {change.title}", "bold"))
        for channel, text in each.texts.items():
            name, colour = _CHANNELS[channel]
            parts.append(Panel(Text(text), title=name, title_align="left", border_style=colour, box=box.ROUNDED))
    return Group(*parts) if parts else "nothing to tell"


def preview_json(found: Sequence[Previewed]) -> Any:
    return [
        {
            "kind": str(each.change.kind),
            "phase": each.change.phase,
            "title": each.change.title,
            "texts": dict(each.texts),
        }
        for each in found
    ]


def subscriptions(found: Sequence[Subscription]) -> RenderableType:
    if not found:
        return "nobody is subscribed"
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("to", "origin", "components", "kinds", "from impact", "updates", "language", "muted until (UTC)"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("origin", "language"))
    for each in found[:_SUBSCRIPTIONS_SHOWN]:
        row = roster.row(each)
        wanted = ", ".join(row["components"]) or "everything"
        until = f"{each.muted_until:%m-%d %H:%M}" if each.muted_until else "–"
        kinds, off = ", ".join(row["kinds"]) or "–", "" if each.active else " (off)"
        texts = (row["to"], each.origin + off, wanted, kinds, row["min_impact"], row["updates"], row["language"], until)
        table.add_row(*map(escape, texts))
    rest = len(found) - _SUBSCRIPTIONS_SHOWN
    return Group(table, f"and {rest} more; --json lists them all") if rest > 0 else table


def subscriptions_json(found: Sequence[Subscription]) -> Any:
    return [{**roster.row(each), "origin": each.origin, "active": each.active} for each in found]


def entries(found: Sequence[Entry]) -> RenderableType:
    if not found:
        return "no deliveries"
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("id", "state", "to", "what", "tries", "next try (UTC)", "reason"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("id", "state"))
    for each in found:
        what = f"{each.change.phase or each.change.kind}: {each.change.title}"
        due = f"{each.due_at:%m-%d %H:%M:%S}" if each.due_at else "–"
        table.add_row(str(each.id), each.state, each.address, escape(what), str(each.attempt), due, escape(each.reason))
    return table


def entries_json(found: Sequence[Entry]) -> Any:
    return [
        {
            **{key: _jsonable(value) for key, value in asdict(each).items() if key != "change"},
            "change": {"key": each.change.key, "kind": str(each.change.kind), "title": each.change.title},
        }
        for each in found
    ]
