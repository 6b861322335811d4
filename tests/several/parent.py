"""Forks `notifier` as often as it is told to, so that a start costs no imports.

    python -m tests.several.parent LEASE

Each line that it reads is one process, as JSON: its `name`, its `arguments`, and the `env` that it has to itself. The
name is the User-Agent of all that it asks, and `run` in each of its log lines. `started NAME PID` and
`ended NAME STATUS` are printed. Where LEASE, in seconds, is shorter than the program's, so are in proportion the other
lengths that follow from it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import timedelta
from typing import Any, NoReturn

import psycopg  # noqa: F401 - what a start would load
import structlog
from sqlalchemy.dialects.postgresql import psycopg as dialect  # noqa: F401

from notifier import cli, distress, duty, health, wiring
from notifier.inbox import webhook  # noqa: F401
from notifier.store import duties, sql, upgrade  # noqa: F401
from notifier.store.schema import DUTY_LEASE


class Parent:
    """Of processes, each with its name."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        signal.signal(signal.SIGCHLD, self._bury)

    def bear(self, name: str, arguments: list[str], env: dict[str, str]) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            live(name, arguments, env)
        self._names[child] = name
        say(f"started {name} {child}")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])

    def _bury(self, *_: Any) -> None:
        for child in [*self._names]:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                say(f"ended {self._names.pop(child)} {os.waitstatus_to_exitcode(status)}")


def live(name: str, arguments: list[str], env: dict[str, str]) -> NoReturn:
    """All of one process's life."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(env)
    sys.argv = ["notifier", *arguments]
    wiring.USER_AGENT = name
    structlog.contextvars.bind_contextvars(run=name)
    code = 1
    try:
        cli.main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - it goes no further than the process
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def shorten(lease: timedelta) -> None:
    share = lease / DUTY_LEASE
    for module in (duties, sql):
        setattr(module, "DUTY_LEASE", lease)  # noqa: B010 - it is another module's
    duty.RENEW_SECONDS *= share
    duty.ANSWER_SECONDS *= share
    distress.PATIENCE *= share
    health.UNREACHABLE = lease


def say(line: str) -> None:
    """In one piece, whoever else writes."""
    os.write(2, f"{line}\n".encode())


if __name__ == "__main__":
    shorten(timedelta(seconds=float(sys.argv[1])))
    parent = Parent()
    for line in sys.stdin:
        parent.bear(**json.loads(line))
