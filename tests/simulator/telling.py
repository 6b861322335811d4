"""Small scripts for the tests: a page without background, and what is appended to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from notifier.simulator import Script, load
from notifier.simulator import page as pages

BARE = """
[page]
start = 2026-05-12T08:00:00Z
end = 20:00:00
history = 0
"""

OUTAGE = """
[[incidents]]
name = "outage"
title = "Something is wrong"
components = ["Kraken API (Websocket)"]
  [[incidents.updates]]
  at = 09:00:00.250
  status = "investigating"
  text = "We look into it."
  [[incidents.updates]]
  at = 09:30:00.500
  status = "resolved"
  text = "It is over."
"""

UPGRADE = """
[[maintenances]]
name = "upgrade"
title = "Upgrade"
scheduled_for = 2026-05-14T22:00:00Z
scheduled_until = 2026-05-15T13:00:00Z
components = ["Trading"]
  [[maintenances.updates]]
  at = 09:00:00
  status = "scheduled"
  text = "We will upgrade."
  [[maintenances.updates]]
  at = 2026-05-14T22:00:12Z
  status = "in_progress"
  text = "We are at it."
  [[maintenances.updates]]
  at = 2026-05-15T12:30:00Z
  status = "completed"
  text = "Done."
"""


def script(*parts: str) -> Script:
    return load(BARE + "".join(parts))


def at(clock: str, day: int = 12) -> datetime:
    """An instant of May 2026."""
    return datetime.fromisoformat(f"2026-05-{day:02}T{clock}").replace(tzinfo=UTC)


def body(script: Script, endpoint: str, moment: datetime) -> dict[str, Any]:
    answer = pages.answer(script, endpoint, moment)
    assert answer is not None, f"{endpoint} is 404"
    return answer
