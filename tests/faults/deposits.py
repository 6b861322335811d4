"""One incident from its opening to its end, in four updates, as the stories of faults tell it."""

from __future__ import annotations

from datetime import UTC, datetime

from notifier.simulator import Script, load

STORY = """
[page]
start = 2026-05-12T08:50:00Z
end = 12:00:00
history = 3

[[incidents]]
name = "outage"
title = "Deposits are delayed"
components = ["Kraken API (Websocket)"]
  [[incidents.updates]]
  at = 09:00:03.250
  status = "investigating"
  text = "We look into it."
  [[incidents.updates]]
  at = 09:20:05.500
  status = "identified"
  text = "We found it."
  [[incidents.updates]]
  at = 09:40:55.500
  status = "monitoring"
  text = "We mended it."
  [[incidents.updates]]
  at = 10:10:00.750
  status = "resolved"
  text = "It is over."
"""
TEXTS = ["We look into it.", "We found it.", "We mended it.", "It is over."]


def story(more: str = "") -> Script:
    """The incident, and whatever else is to happen on that day."""
    return load(f"{STORY}\n{more}")


def clock(text: str) -> datetime:
    """An instant of the story's day."""
    return datetime.fromisoformat(f"2026-05-12T{text}").replace(tzinfo=UTC)


def texts_in(messages: list[str]) -> list[list[str]]:
    """Which of the story's texts each message holds."""
    return [[text for text in TEXTS if text in message] for message in messages]
