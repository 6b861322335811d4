"""A fake mail server on loopback, by aiosmtpd: takes mails, keeps what arrived, and fails as real ones do.

`next(...)` queues what goes wrong, one fault for each coming connection.
"""

from __future__ import annotations

import asyncio
import email
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from typing import Any, Literal, Self
from urllib.parse import quote

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.receivers.certificates import server_context

HOST = "127.0.0.1"

Tls = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True, kw_only=True)
class MailFault:
    """What one connection meets: at a step an answer, or none and the connection cut, or silence."""

    at: Literal["greeting", "login", "sender", "recipient", "content", "dot"]
    reply: str | None = None
    accepted: bool = False
    """Whether the mail was taken before it went wrong."""
    held: bool = False
    """Silence until `release()`."""


def busy(reply: str = "421 4.3.2 Too many connections") -> MailFault:
    return MailFault(at="greeting", reply=reply)


def silent_at_the_greeting() -> MailFault:
    return MailFault(at="greeting")


def refuses_login(reply: str) -> MailFault:
    return MailFault(at="login", reply=reply)


def refuses_sender(reply: str) -> MailFault:
    return MailFault(at="sender", reply=reply)


def refuses_recipient(reply: str) -> MailFault:
    return MailFault(at="recipient", reply=reply)


def refuses_content(reply: str) -> MailFault:
    """Before a byte of the mail."""
    return MailFault(at="content", reply=reply)


def refuses_mail(reply: str) -> MailFault:
    """After the final dot."""
    return MailFault(at="dot", reply=reply)


def drops_before_the_dot() -> MailFault:
    return MailFault(at="content")


def drops_after_the_dot() -> MailFault:
    """The mail is taken, its receipt is lost."""
    return MailFault(at="dot", accepted=True)


def silent_after_the_dot() -> MailFault:
    """The mail is taken, and nothing is said until `release()`."""
    return MailFault(at="dot", accepted=True, held=True)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One mail as it lies in the mailbox."""

    mail_from: str
    rcpt_tos: tuple[str, ...]
    raw: bytes
    private: bool
    """Whether it came over TLS."""
    user: str | None
    """Who had logged in."""

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=policy.default)

    @property
    def defects(self) -> list[Any]:
        """Of the mail, its parts and their headers."""
        return [
            defect
            for part in self.message.walk()
            for defect in (*part.defects, *(each for header in part.values() for each in header.defects))
        ]

    def part(self, kind: str) -> str:
        """The text of the part `plain` or `html`; its lines end as in Python."""
        body = self.message.get_body((kind,))
        assert body is not None
        text: str = body.get_content()
        return text.replace("\r\n", "\n")


class FakeMail:
    """Serves on loopback as long as its `async with`. With `users` (name → password) nobody else may send."""

    def __init__(
        self,
        *,
        tls: Tls = "none",
        users: Mapping[str, str] | None = None,
        certificate_for: str = HOST,
    ) -> None:
        self.received: list[Mail] = []
        """Oldest first."""
        self.times: list[float] = []
        """When each connection came in, by the clock of the event loop."""
        self._lasting: MailFault | None = None
        self._tls = tls
        self._users = users or {}
        self._faults: deque[MailFault] = deque()
        self._moved = asyncio.Condition()
        self._released = asyncio.Event()
        self._certificate_for = certificate_for
        self._open: set[asyncio.BaseTransport] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def connections(self) -> int:
        return len(self.times)

    @property
    def url(self) -> str:
        """As in the configuration, with the first user's password."""
        login = "".join(f"{quote(name, safe='')}:{quote(word, safe='')}@" for name, word in [*self._users.items()][:1])
        scheme, option = ("smtps", "") if self._tls == "implicit" else ("smtp", f"?tls={self._tls}")
        return f"{scheme}://{login}{HOST}:{self.port}{option}"

    def next(self, *faults: MailFault) -> None:
        self._faults.extend(faults)

    def breaks(self, fault: MailFault) -> None:
        """From now on every connection meets this fault, until it `mends`."""
        self._lasting = fault

    def mends(self) -> None:
        self._lasting = None

    def release(self) -> None:
        """Ends every silence."""
        self._released.set()

    async def until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        """Waits for something that a login or a mail brings about."""
        async with asyncio.timeout(seconds), self._moved:
            await self._moved.wait_for(condition)

    async def __aenter__(self) -> Self:
        context = server_context(self._certificate_for) if self._tls == "implicit" else None
        self._server = await asyncio.get_running_loop().create_server(self._connection, HOST, 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()
        assert self._server is not None
        self._server.close()
        for transport in [*self._open]:
            transport.close()
        await self._server.wait_closed()

    def _connection(self) -> asyncio.BaseProtocol:
        self.times.append(asyncio.get_running_loop().time())
        fault = self._faults.popleft() if self._faults else self._lasting
        if fault is not None and fault.at == "greeting":
            return _Doorkeeper(fault.reply, self._open)
        return _Connection(
            _Handler(self, fault),
            fault,
            self._open,
            hostname="mail.example",
            tls_context=server_context(self._certificate_for) if self._tls == "starttls" else None,
            auth_require_tls=False,
            authenticator=self._authenticate,
            loop=asyncio.get_running_loop(),
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: LoginPassword
    ) -> AuthResult:
        name, word = login.login.decode(), login.password.decode()
        return AuthResult(success=self._users.get(name) == word, handled=False, auth_data=name)

    async def take(self, session: Session, envelope: Envelope) -> None:
        """Puts a mail into the mailbox."""
        self.received.append(
            Mail(
                mail_from=envelope.mail_from or "",
                rcpt_tos=tuple(envelope.rcpt_tos),
                raw=envelope.original_content or b"",
                private=session.ssl is not None or self._tls == "implicit",
                user=session.auth_data if session.authenticated else None,
            )
        )
        await self.stir()

    async def stir(self) -> None:
        """Wakes who waits in `until`."""
        async with self._moved:
            self._moved.notify_all()

    async def silence(self) -> None:
        await self._released.wait()

    def admits(self, session: Session) -> bool:
        return bool(session.authenticated) or not self._users


class _Handler:
    """The hooks that aiosmtpd calls, by their names."""

    def __init__(self, mail: FakeMail, fault: MailFault | None) -> None:
        self._mail = mail
        self._fault = fault

    def _reply(self, step: str) -> str | None:
        return self._fault.reply if self._fault is not None and self._fault.at == step else None

    async def handle_AUTH(self, server: SMTP, session: Session, envelope: Envelope, args: list[str]) -> Any:
        await self._mail.stir()
        return self._reply("login") or MISSING

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._mail.admits(session):
            return "530 5.7.0 Authentication required"
        if reply := self._reply("sender"):
            return reply
        envelope.mail_from = address
        return "250 2.1.0 Ok"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if reply := self._reply("recipient"):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if reply := self._reply("dot"):
            return reply
        await self._mail.take(session, envelope)
        if self._fault is not None and self._fault.at == "dot":
            if self._fault.held:
                await self._mail.silence()
            elif isinstance(server.transport, asyncio.Transport):
                server.transport.abort()
        return "250 2.0.0 Ok: queued"


class _Connection(SMTP):
    def __init__(
        self, handler: _Handler, fault: MailFault | None, opened: set[asyncio.BaseTransport], **more: Any
    ) -> None:
        super().__init__(handler, **more)
        self._fault = fault
        self._opened = opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._mine = transport
        self._opened.add(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._opened.discard(self._mine)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:
        if self._fault is not None and self._fault.at == "content":
            await self.push(self._fault.reply or "354 End data with <CR><LF>.<CR><LF>")
            if self._fault.reply is None and isinstance(self.transport, asyncio.Transport):
                self.transport.abort()
            return
        await super().smtp_DATA(arg)


class _Doorkeeper(asyncio.Protocol):
    """Turns a connection away, or lets it wait for ever."""

    def __init__(self, reply: str | None, opened: set[asyncio.BaseTransport]) -> None:
        self._reply = reply
        self._opened = opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._opened.add(transport)
        if self._reply is not None:
            transport.write(f"{self._reply}\r\n".encode())
            transport.close()
