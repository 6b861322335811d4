"""Which disks forget, by what Linux says of its mounts; what a process is called, and where its database is."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from notifier.config import load
from notifier.hosting import mount_of, why_forgotten

MACHINE = """\
24 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
25 24 0:22 / /tmp rw,nosuid shared:5 - tmpfs tmpfs rw
26 24 8:17 / /srv/the\\040disk rw - xfs /dev/sdb1 rw
"""
CONTAINER = """\
583 469 0:121 / / ro,relatime master:197 - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d
584 583 0:124 / /proc rw,nosuid - proc proc rw
585 583 0:125 / /tmp rw,nosuid - tmpfs tmpfs rw,size=16384k
586 583 254:1 /var/lib/docker/volumes/data/_data /data rw,relatime master:1 - ext4 /dev/vda1 rw
"""
FLY = """\
20 1 254:0 / / rw,relatime - ext4 /dev/vda rw
21 20 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw,mode=755
22 20 0:19 / /dev/shm rw,nosuid - tmpfs shm rw
"""
FLY_WITH_VOLUME = FLY + "23 20 254:16 / /data rw,relatime - ext4 /dev/vdb rw\n"


@pytest.mark.parametrize(
    ("path", "table", "there"),
    [
        ("/var/lib/notifier.db", MACHINE, ("/", "ext4")),
        ("/tmp/try.db", MACHINE, ("/tmp", "tmpfs")),
        ("/tmpfile.db", MACHINE, ("/", "ext4")),
        ("/srv/the disk/notifier.db", MACHINE, ("/srv/the disk", "xfs")),
        ("/data/notifier.db", CONTAINER, ("/data", "ext4")),
        ("/data", CONTAINER + CONTAINER.splitlines()[-1].replace("ext4", "xfs"), ("/data", "xfs")),
        ("/data/notifier.db", "", None),
        ("/data/notifier.db", "no - table\n\nat all", None),
    ],
)
def test_a_path_lies_on_the_mount_that_is_seen_there(path: str, table: str, there: tuple[str, str] | None) -> None:
    assert mount_of(path, table) == there


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("/app/notifier.db", CONTAINER),
        ("/tmp/notifier.db", CONTAINER),
        ("/home/app/notifier.db", CONTAINER.replace("overlay overlay", "fuse.fuse-overlayfs fuse-overlayfs")),
    ],
)
def test_what_is_written_into_a_container_is_lost_with_it(path: str, table: str) -> None:
    why = why_forgotten(path, table, heroku=False, fly=False)
    assert path in why
    assert "mount a volume there, or set DATABASE_URL" in why


def test_fly_forgets_all_but_volumes() -> None:
    for path in ("/data/notifier.db", "/dev/shm/notifier.db"):
        assert "the next deploy empties it: mount one there" in why_forgotten(path, FLY, heroku=False, fly=True)
    assert why_forgotten("/data/notifier.db", FLY_WITH_VOLUME, heroku=False, fly=True) == ""


def test_heroku_forgets_everything() -> None:
    assert "heroku addons:create" in why_forgotten("/app/notifier.db", MACHINE, heroku=True, fly=False)
    assert "heroku addons:create" in why_forgotten("/app/notifier.db", "", heroku=True, fly=False)


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("/var/lib/notifier.db", MACHINE),
        ("/tmp/try.db", MACHINE),  # somebody tries it out, and knows
        ("/data/notifier.db", CONTAINER),
        ("/Users/me/notifier.db", ""),
    ],
)
def test_nobody_is_warned_without_need(path: str, table: str) -> None:
    assert why_forgotten(path, table, heroku=False, fly=False) == ""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"DYNO": "worker.1", "HOSTNAME": "a1b2"}, "worker.1"),
        ({"FLY_MACHINE_ID": "148e", "HOSTNAME": "a1b2"}, "148e"),
        ({"HOSTNAME": "a1b2"}, "a1b2"),
        ({}, socket.gethostname()),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_a_process_is_called_as_its_host_calls_it(environ: Mapping[str, str], name: str) -> None:
    assert load(None, environ).process == name


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("sqlite:///notifier.db", "notifier.db"),
        ("sqlite+aiosqlite:////data/a.db?x=1", "/data/a.db"),
        ("sqlite:///:memory:", ""),
        ("postgres://u:p@h/d", ""),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_only_sqlite_has_a_file(url: str, file: str) -> None:
    assert load(None, {"DATABASE_URL": url}).store.file == file
