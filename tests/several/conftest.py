"""A server that only one module's tests use, and may end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.postgres import OWNER, Server, new_folder


@pytest.fixture
def own_server() -> Iterator[Server]:
    """What was committed is there after a crash."""
    folder = new_folder()
    owner = os.open(folder / "owner", os.O_RDWR)
    made = Server(folder)
    made.make()
    made.follow()
    with made.admin() as admin:
        admin.execute(f"ALTER ROLE {OWNER} SET synchronous_commit = on")
    yield made
    made.stop()
    os.close(owner)
