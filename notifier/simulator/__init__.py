'''A Kraken status page, its feeds and the exchange API on loopback, playing a script of incidents.

    async with Simulator(load(shipped()["websocket-2026-02-24"]), clock) as simulator:
        ...  # poll simulator.url: /api/v2/*.json, /history.atom, /history.rss, /incidents/<id>, /0/public/SystemStatus

`clock` tells the time *in the story*; whoever calls decides how fast that runs. What is served depends on the script
and on that time alone, so any moment can be asked for in any order.

A script is TOML. An instant is a time of the story's first day (`11:29:00`) or whole (`2026-02-24T11:29:00.457Z`);
a component is written as on the web page, `Kraken API (Websocket)`, or by its bare name where only one has it.

    [page]
    start = 2026-02-24T11:28:00Z
    end = 11:43:00
    history = 50                      # incidents over before, so that the windows are full; also: name, id, url

    [[incidents]]                     # and [[maintenances]], which add scheduled_for, scheduled_until
    name = "websocket"                # in the script only; ids are made of it
    title = "WebSocket API connection errors"
    impact = "minor"                  # none | minor | major | critical | maintenance
    components = ["Kraken API (Websocket)"]
    deleted_at = 12:00:00             # withdrawn: gone from every list, 404 at its own URL

      [[incidents.updates]]
      at = 11:29:00                   # when it is posted
      status = "investigating"        # identified | monitoring | resolved | postmortem;
                                      # of a maintenance: scheduled | in_progress | verifying | completed
      text = """…"""
      display_at = 11:20:00           # the time shown, where that is another
      impact = "major"                # from here on; title likewise
      components = "partial_outage"   # all of them, or { "Kraken API (Websocket)" = "major_outage" }; by default
                                      # what the impact implies, and operational at the end

      [[incidents.edits]]             # the text of an update, counted from the oldest, is replaced
      at = 11:50:00
      update = 1
      text = "…"

      [[incidents.retitles]]          # title or impact change without an update
      at = 11:51:00
      title = "…"

      [[maintenances.reschedules]]    # the planned time moves
      at = 11:52:00
      scheduled_for = 2026-02-26T09:00:00Z
      scheduled_until = 2026-02-26T10:00:00Z

    [[components]]                    # a component moves by itself, without an incident
    at = 11:53:00
    name = "Website"
    status = "degraded_performance"   # operational | under_maintenance | partial_outage | major_outage

    [[exchange]]                      # what SystemStatus says from here on; online before the first
    at = 11:54:00
    status = "post_only"              # online | maintenance | cancel_only | post_only
    upcoming = [{ of = "upgrade" }]   # maintenances by name; also: services, action, orders, cancel_before
    emergency = [{ of = "websocket" }]  # incidents by name; also: services, restart

    [[faults]]                        # the first that fits an answer strikes
    from = 11:55:00
    to = 11:56:00
    target = "api"                    # feed | exchange | a glob of paths
    answer = 503                      # any status, with `body` if its page is not wanted; or
                                      # empty | html | truncated (in half) | cut (in half, against its Content-Length) |
                                      # drop (no answer) | hang (none until the end) | stale (`behind` seconds old)
    retry_after = 30                  # the header, as seconds or as any text
    alternate = true                  # only every second answer
'''

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from notifier.simulator.script import Script, ScriptError, load
from notifier.simulator.server import Simulator

__all__ = ["Script", "ScriptError", "Simulator", "load", "shipped"]


def shipped() -> dict[str, Path]:
    """The scripts that come with the package, by name."""
    folder = Path(str(files(__name__) / "scripts"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}
