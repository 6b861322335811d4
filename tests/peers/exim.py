"""A real mail server on loopback: exim4 with STARTTLS, a login and a mailbox for everybody but `nobody`.

https://www.exim.org/exim-html-current/doc/html/spec_html/
"""

from __future__ import annotations

import asyncio
import os
import pwd
import re
import socket
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from tests.receivers.mail import Mail

EXIM = Path("/usr/sbin/exim4")
HOST = "localhost"
USER, PASSWORD = "bot", "fake-canary-71d3"

_SETTINGS = """
exim_user = {user}
exim_group = {group}
primary_hostname = mail.example
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
tls_advertise_hosts = *
tls_certificate = {folder}/server.pem
tls_privatekey = {folder}/server.pem
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
deliver_drop_privilege = true
queue_only = true
keep_environment =
rfc1413_query_timeout = 0s

begin acl
rcpt:
  deny !authenticated = *
       message = 5.7.0 authentication required
  deny local_parts = nobody
       message = 5.1.1 no such user here
  defer local_parts = later
       message = 4.7.1 greylisted, try again later
  accept

begin routers
everybody:
  driver = accept
  transport = mailbox

begin transports
mailbox:
  driver = appendfile
  directory = {folder}/mail
  maildir_format
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{{name}}}}}{{eq{{$auth3}}{{{word}}}}}}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = <| Username: | Password:
  server_condition = ${{if and{{{{eq{{$auth1}}{{{name}}}}}{{eq{{$auth2}}{{{word}}}}}}}}}
  server_set_id = $auth1
"""


@dataclass(frozen=True, kw_only=True)
class Exim:
    folder: Path
    port: int
    authority: trustme.CA
    conversations: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """The process of each connection, which ends with it."""

    def url(self, password: str = PASSWORD) -> str:
        """As in the configuration."""
        return f"smtp://{USER}:{password}@{HOST}:{self.port}"

    @property
    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts this server and no other."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    async def delivered(self) -> list[Mail]:
        """Everything taken so far, as it lies in the mailbox."""
        await asyncio.to_thread(subprocess.run, self.command("-qff"), check=True, timeout=60)
        return [_mail(path.read_bytes()) for path in (self.folder / "mail" / "new").glob("*")]

    async def hung_up(self, seconds: float = 5) -> bool:
        """Whether every connection ends in time."""
        try:
            for each in self.conversations:
                await asyncio.to_thread(each.wait, seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def command(self, *arguments: str) -> list[str]:
        return [str(EXIM), "-C", str(self.folder / "conf"), *arguments]

    @property
    def log(self) -> str:
        """What the server says of what it did and what it refused."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*log")))


@asynccontextmanager
async def exim() -> AsyncIterator[Exim]:
    """The server as long as the `async with`: a process for each connection, as inetd would start it. Needs no root."""
    if not EXIM.exists():
        pytest.skip("needs the package exim4-daemon-light")
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listening:
        folder = Path(name)
        server = Exim(folder=folder, port=listening.getsockname()[1], authority=trustme.CA())
        server.authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
        owner = pwd.getpwnam("Debian-exim") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        settings = _SETTINGS.format(folder=folder, user=owner.pw_uid, group=owner.pw_gid, name=USER, word=PASSWORD)
        (folder / "conf").write_text(settings)
        for path in (folder, folder / "server.pem"):
            os.chown(path, owner.pw_uid, owner.pw_gid)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                command = server.command("-bs")
                server.conversations.append(
                    subprocess.Popen(command, stdin=connection.fileno(), stdout=connection.fileno())
                )

        loop = asyncio.get_running_loop()
        loop.add_reader(listening, serve)
        try:
            yield server
        finally:
            loop.remove_reader(listening)
            for each in server.conversations:
                each.kill()
                await asyncio.to_thread(each.wait)


def _mail(stored: bytes) -> Mail:
    """The mail without what the server wrote above it."""
    return_path, envelope_to, received, raw = re.match(
        rb"Return-path: <(.*?)>\nEnvelope-to: (.*?)\n(Received: .*?(?:\n[ \t].*?)*)\n(?![ \t])(.*)", stored, re.DOTALL
    ).groups()  # type: ignore[union-attr]
    return Mail(
        mail_from=return_path.decode(),
        rcpt_tos=tuple(envelope_to.decode().split(", ")),
        raw=raw,
        private=b"esmtpsa" in received,
        user=None,
    )
