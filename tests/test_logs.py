"""One line for each event, readable by machines, and no secret in any of them."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from notifier.logs import logging_to

SECRET = "xoxb-111-CANARY-222"
OTHER = "hunter2.*CANARY+"
ODD = 'in "quotes\\CANARYü'
LONG = f"https://hooks.example/services/T0/B0/CANARY{'x' * 60}"

EVIL = 'A "title"\r\n2026-02-24 [info ] forged \x1b[31mred\x1b[0m \x07 \u2028 end'


@contextmanager
def restored() -> Iterator[None]:
    """Leaves the process's logging as it was found."""
    root = logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in (*logging.root.manager.loggerDict, "")}
    handlers, configuration = list(root.handlers), structlog.get_config()
    try:
        yield
    finally:
        structlog.configure(**configuration)
        root.handlers[:] = handlers
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


@pytest.fixture(autouse=True)
def logging_left_alone() -> Iterator[None]:
    with restored():
        yield


def logged(say: Callable[[], Any], *, as_json: bool = True, level: str = "debug") -> list[str]:
    """The lines that come of it."""
    stream = io.StringIO()
    with logging_to(stream, level=level, as_json=as_json, secrets=[SECRET, OTHER, LONG, ODD, "", "abc"]):
        say()
    return stream.getvalue().splitlines()


def raises() -> None:
    secret_argument = SECRET
    try:
        raise ValueError(f"https://host/{secret_argument}/x")
    except ValueError as error:
        raise RuntimeError(f"refused {OTHER}") from error


def with_traceback() -> None:
    try:
        raises()
    except RuntimeError:
        structlog.get_logger("app").exception("it broke")


def with_variables() -> None:
    """As one that a terminal has no room for."""
    long_address = LONG
    try:
        raise ValueError(long_address)
    except ValueError:
        structlog.get_logger("app").exception("it broke")


def by_the_standard_library() -> None:
    try:
        raises()
    except RuntimeError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved: %s", SECRET)


SAID: dict[str, Callable[[], Any]] = {
    "in a message": lambda: structlog.get_logger("app").info(f"the token is {SECRET}"),
    "in a value": lambda: structlog.get_logger("app").info("asked", url=f"https://api/bot{SECRET}/sendMessage"),
    "in a value within a value": lambda: structlog.get_logger("app").info("asked", headers={"auth": [SECRET]}),
    "in the name of a value": lambda: structlog.get_logger("app").info("asked", **{SECRET: 1}),
    "in a traceback": with_traceback,
    "in a variable of a traceback": with_variables,
    "in the standard library's traceback": by_the_standard_library,
    "in an argument of another's message": lambda: logging.getLogger("another").debug("POST %s", OTHER),
    "in a chatty library's warning": lambda: logging.getLogger("httpx").warning("HTTP Request: %s", SECRET),
    "as Python writes it": lambda: structlog.get_logger("app").info(f"asked with {[ODD]}", headers=[ODD]),
    "as a URL holds it": lambda: structlog.get_logger("app").info(f"smtp://bot:{quote(ODD, safe='')}@host"),
    "as it is, however odd": lambda: structlog.get_logger("app").info(ODD, value=ODD),
    "twice": lambda: structlog.get_logger("app").info(SECRET, again=SECRET, other=OTHER),
}


@pytest.mark.parametrize("as_json", [True, False], ids=["JSON lines", "for a terminal"])
@pytest.mark.parametrize("case", SAID)
def test_a_secret_is_blotted_out(case: str, as_json: bool) -> None:
    lines = logged(SAID[case], as_json=as_json)
    assert lines
    assert [line for line in lines if "CANARY" in line] == []
    assert "***" in "\n".join(lines)


@pytest.mark.parametrize("case", SAID)
def test_every_line_is_a_document(case: str) -> None:
    for line in logged(SAID[case]):
        document = json.loads(line)
        assert document["event"] and document["level"] and document["timestamp"].endswith("Z")
        assert document["logger"] in ("app", "asyncio", "another", "httpx")


LIBRARIES = (
    "httpx",
    "httpcore.connection",
    "telegram.Bot",
    "slack_sdk.web.async_client",
    "aiohttp.client",
    "apscheduler",
)


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries_that_log_their_requests_are_kept_quiet_even_when_all_is_wanted(library: str) -> None:
    assert logged(lambda: logging.getLogger(library).info("POST https://api.telegram.org/bot…")) == []


def test_a_secret_too_short_to_be_one_blots_nothing_out() -> None:
    [line] = logged(lambda: structlog.get_logger("app").info("abc of logging"))
    assert json.loads(line)["event"] == "abc of logging"


@pytest.mark.parametrize("as_json", [True, False], ids=["JSON lines", "for a terminal"])
@pytest.mark.parametrize(
    "say",
    [
        lambda: structlog.get_logger("app").info("news", title=EVIL),
        lambda: structlog.get_logger("app").info("news", title=EVIL.replace(" ", "-")),
        lambda: structlog.get_logger("app").info(EVIL),
        lambda: logging.getLogger("another").warning("said %s", EVIL),
    ],
    ids=["as a value", "as one word", "as the message", "by another"],
)
def test_foreign_words_stay_on_their_line_and_colour_nothing(say: Callable[[], Any], as_json: bool) -> None:
    [line] = logged(say, as_json=as_json)
    assert "forged" in line
    assert [sign for sign in "\r\n\x1b\x07\u2028" if sign in line] == []


def test_the_level_decides() -> None:
    def say() -> None:
        structlog.get_logger("app").info("quiet")
        structlog.get_logger("app").error("loud")

    assert [json.loads(line)["event"] for line in logged(say, level="warning")] == ["loud"]


def test_the_last_lines_are_written_before_it_is_left_and_none_afterwards() -> None:
    stream = io.StringIO()
    with logging_to(stream, level="info", as_json=True, secrets=[]):
        for number in range(500):
            structlog.get_logger("app").info("line", number=number)
    logging.getLogger("app").info("too late")
    assert [json.loads(line)["number"] for line in stream.getvalue().splitlines()] == list(range(500))


@pytest.mark.fault("F12")
def test_a_blocked_output_blocks_nobody() -> None:
    released = threading.Event()

    class Blocked(io.StringIO):
        def write(self, text: str) -> int:
            assert released.wait(10), "whoever logs is blocked"
            return super().write(text)

    stream = Blocked()
    with logging_to(stream, level="info", as_json=True, secrets=[]):
        for number in range(3):
            structlog.get_logger("app").info("line", number=number)
        released.set()
    assert [json.loads(line)["number"] for line in stream.getvalue().splitlines()] == [0, 1, 2]
