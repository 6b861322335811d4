"""Logging: JSON lines for machines, colours for a terminal, and no secret in either.

Whatever is logged, by us or by a library, passes one handler, which blots out every secret in the finished line,
tracebacks included. It writes from a thread of its own, so that a blocked output never blocks the bot.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import queue
import re
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO
from urllib.parse import quote

import structlog

_CHATTY = (
    "aiohttp", "aiosqlite", "alembic", "apscheduler", "httpcore", "httpx", "slack_sdk", "sqlalchemy", "telegram", "vcr",
)  # fmt: skip
"""Libraries that log URLs, tokens or one line a call below WARNING."""

_BLOT = "***"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _forms(secret: str) -> set[str]:
    """As it is, as Python writes it, as a URL holds it, and each of them within JSON."""
    written = {secret, repr(secret)[1:-1], quote(secret, safe=""), quote(secret)}
    return written | {json.dumps(form)[1:-1] for form in written}


class _Blotting(logging.Formatter):
    """Formats with another formatter and blots out the secrets in what comes of it."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        found = sorted({form for each in secrets if len(each) > 3 for form in _forms(each)}, key=len, reverse=True)
        self._secret = re.compile("|".join(map(re.escape, found))) if found else None

    def format(self, record: logging.LogRecord) -> str:
        line = self._inner.format(record)
        return self._secret.sub(_BLOT, line) if self._secret else line


def _harmless(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Foreign words neither break a terminal's lines nor colour them. JSON escapes by itself."""
    for key, value in event.items():
        if isinstance(value, str) and key != "stack":
            event[key] = _CONTROL.sub(lambda sign: sign[0].encode("unicode_escape").decode(), value)
    return event


_plainly = structlog.dev.plain_traceback
"""Without variables: of a secret that is cut short, nothing is recognised and blotted out."""


class _Formatting(logging.handlers.QueueHandler):
    """Formats in the caller, where the traceback still is; only text goes into the queue."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        line = self.format(record)
        return logging.LogRecord(record.name, record.levelno, record.pathname, record.lineno, line, None, None)


@contextmanager
def logging_to(stream: TextIO, *, level: str, as_json: bool, secrets: Iterable[str]) -> Iterator[None]:
    """Logs to `stream` until left, when the last lines are written out."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    ends: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [_harmless, structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=_plainly)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ends],
    )
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = _Formatting(lines)
    handler.setFormatter(_Blotting(formatter, secrets))
    writer = logging.handlers.QueueListener(lines, logging.StreamHandler(stream))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    writer.start()
    try:
        yield
    finally:
        root.removeHandler(handler)
        writer.stop()
