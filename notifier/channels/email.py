"""Mail over SMTP: one recipient, one mail, one connection. What is tried again is the same mail, byte for byte."""

from __future__ import annotations

import re
import ssl
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address as Mailbox
from email.headerregistry import HeaderRegistry, MessageIDHeader
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import Any

from notifier.channels.smtp import Envelope, converse
from notifier.channels.transport import only_failures
from notifier.markup import INERT, mail_html, plain
from notifier.model import Address, Message, Receipt
from notifier.ports import BadMessage, ChannelFailure, Gone
from notifier.urls import mail_server

TIMEOUT = 30
"""Seconds for each answer of the server."""

_SUBJECT_LENGTH = 200
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")

_HEADERS = HeaderRegistry()
for _name in ("In-Reply-To", "References"):
    # As plain text a long id would be folded into encoded words.
    _HEADERS.map_to_type(_name, MessageIDHeader)  # type: ignore[arg-type]
_POLICY = SMTP.clone(header_factory=_HEADERS)


def compose(to: Address, message: Message, sender: str) -> EmailMessage:
    """The mail, equal on every call. Raises ValueError if it cannot be written."""
    author = author_of(sender)
    digest = sha256("\n".join(message.delivery_ids).encode()).hexdigest()[:32]
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = author
    mail["To"] = recipient_of(to)
    mail["Subject"] = _subject(message.subject)
    mail["Date"] = message.date
    mail["Message-ID"] = f"<{digest}@{author.domain}>"
    if message.thread is not None:
        mail["In-Reply-To"] = message.thread.ref
        mail["References"] = message.thread.ref
    mail["List-Id"] = f"<kraken-status.{author.domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from those on holiday
    mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    mail["Precedence"] = "bulk"
    mail.set_content(f"{plain(message.lines)}\n", cte="quoted-printable")
    if not message.plain:
        mail.add_alternative(mail_html(message.lines), subtype="html", cte="quoted-printable")
        mail.set_boundary(f"=_{digest}")  # "=_" never occurs within quoted-printable
    return mail


def author_of(sender: str) -> Mailbox:
    """The mailbox in `Kraken status <status@example.com>`. Raises ValueError."""
    header: Any = HeaderRegistry()("from", sender)
    if len(header.addresses) != 1 or not header.addresses[0].domain:
        raise ValueError("the sender is not one mailbox")
    [mailbox] = header.addresses
    return _in_ascii(mailbox)


def recipient_of(to: Address) -> Mailbox:
    """Exactly one, whatever the address holds. Raises ValueError."""
    try:
        mailbox = Mailbox(addr_spec=to.target)
    except (MessageError, IndexError) as error:
        raise ValueError(f"{to} is not one mail address") from error
    if mailbox.addr_spec != to.target:
        raise ValueError(f"{to} holds more than a mail address")
    return _in_ascii(mailbox)


def _in_ascii(mailbox: Mailbox) -> Mailbox:
    return Mailbox(mailbox.display_name, mailbox.username, mailbox.domain.encode("idna").decode())


def _subject(text: str) -> str:
    line = " ".join(_UNPRINTABLE.sub(" ", text).split()).replace("=?", f"={INERT}?")  # else read as an encoded word
    return line if len(line) <= _SUBJECT_LENGTH else f"{line[: _SUBJECT_LENGTH - 1]}…"


class Email:
    """`smtp_url` as in `urls.mail_server`; `sender` like `Kraken status <status@example.com>`. Raises ValueError.

    Certificates are checked against the system's authorities, or against those of `tls_context`.
    """

    name = "mailto"
    can_edit = False
    can_find = False

    def __init__(self, smtp_url: str, sender: str, *, tls_context: ssl.SSLContext | None = None) -> None:
        self.notes: list[str] = []
        self._server = mail_server(smtp_url)
        self._sender = sender
        self._author = author_of(sender)
        self._tls_context = tls_context

    async def send(self, to: Address, message: Message) -> Receipt:
        try:
            recipient = recipient_of(to)
        except ValueError:
            raise Gone(f"{to} is not one mail address") from None
        with only_failures("the mail", _explain):
            mail = compose(to, message, self._sender)
            written = mail.as_bytes()
        await self._converse(Envelope(sender=self._author.addr_spec, recipient=recipient.addr_spec, mail=written))
        return Receipt(to=to.target, ref=str(mail["Message-ID"]), root=message.thread is None)

    async def edit(self, receipt: Receipt, message: Message) -> None:
        raise BadMessage("a mail that was sent cannot be edited")

    async def find(self, to: Address, message: Message, since: datetime) -> Receipt | None:
        return None

    async def check(self) -> str:
        """Everything but a mail: connects, secures the connection, logs in, says goodbye."""
        await self._converse(None)
        server = f"{self._server.host}:{self._server.port}"
        return f"{self._server.username} at {server}" if self._server.username else server

    async def close(self) -> None:
        """Nothing to do: every mail has a connection of its own."""

    async def _converse(self, envelope: Envelope | None) -> None:
        hello = self._author.domain
        await converse(self._server, envelope, hello=hello, timeout=TIMEOUT, tls_context=self._tls_context)


def _explain(error: Exception) -> ChannelFailure | None:
    """What the email package refuses to write: its text quotes the message, so only its type is told."""
    return BadMessage(f"the mail cannot be written: {type(error).__name__}") if isinstance(error, ValueError) else None
