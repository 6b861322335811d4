"""What holds for every test: no network but loopback, and in CI no test skips for want of a package."""

from __future__ import annotations

import gc
import ipaddress
import os
import re
import socket
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trustme
from hypothesis import settings

from tests.builders import page
from tests.doubles import RecordingChannel
from tests.memory import in_memory
from tests.places import Places
from tests.postgres import Databases, one_server_for_the_run, the_server
from tests.template import laid_out
from tests.world import Born, World

settings.register_profile("steady", deadline=None)  # a slow machine is no counterexample
settings.load_profile("steady")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

PACKAGE_MISSING = re.compile(r"needs the package|could not import")
"""How a test says so: `pytest.skip("needs the package exim4")`, or `pytest.importorskip`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-goldens", action="store_true", help="write what was rendered as the new goldens")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if memory := in_memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))
    stack = ExitStack()
    stack.enter_context(one_server_for_the_run())
    config.add_cleanup(stack.close)


@pytest.fixture(scope="session", autouse=True)
def only_loopback() -> Iterator[None]:
    """Fails a test that asks for another host, by address or by name. Names under `.invalid` just do not exist.

    asyncio comes through here too: its loops call the socket's own `connect` and `socket.getaddrinfo`.
    """
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        _refuse_strangers(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        _refuse_strangers(self.family, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **keywords: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if name is not None and not _is_loopback(name):
            pytest.fail(f"tests stay on loopback, but this one looked up {name!r}")
        return getaddrinfo(host, *args, **keywords)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_strangers_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nobody here shows a certificate of the world's authorities, and to read all of those takes 20 ms a client."""
    trusted = tmp_path_factory.mktemp("trusted") / "authority.pem"
    trustme.CA().cert_pem.write_to_path(trusted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(trusted))
        yield


def _refuse_strangers(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        pytest.fail(f"tests stay on loopback, but this one connected to {address[0]!r}")


def _is_loopback(host: str) -> bool:
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def pytest_collection_finish() -> None:
    """What is imported stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _complete_in_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _complete_in_ci((yield))


def _complete_in_ci(report: Report) -> Report:
    """Elsewhere a test may skip for want of a package; in CI it would prove nothing, so there it fails."""
    if os.environ.get("CI") and report.skipped and PACKAGE_MISSING.search(str(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"CI must have what this test needs: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    with Databases(the_server()) as databases:
        yield databases


@pytest.fixture
def database() -> str:
    """Where the words say it, as `tests.world.ON_BOTH` does, a test runs on another one, too."""
    return "sqlite"


@pytest.fixture
def url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database as a first start leaves it."""
    if database == "sqlite":
        yield f"sqlite:///{laid_out(tmp_path / 'notifier.db')}"
        return
    databases: Databases = request.getfixturevalue("postgresql")
    with databases.one() as made:
        yield made


@pytest.fixture
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Places]:
    """Databases beside that one."""
    with ExitStack() as until:
        yield Places(tmp_path, lambda: request.getfixturevalue("postgresql"), until)


@pytest.fixture
async def born(url: str) -> AsyncIterator[Born]:
    """Makes processes on one database; they are gone with the test."""
    async with AsyncExitStack() as stack:

        async def make(*channels: RecordingChannel, token: int = 1) -> World:
            made = await World.born(url, *channels, token=token)
            stack.push_async_callback(made.die)
            return made

        yield make


@pytest.fixture
async def world(born: Born) -> World:
    """A page whose baseline was empty, for one subscriber."""
    made = await born()
    await made.subscribe("console:")
    await made.sees(page())
    return made
