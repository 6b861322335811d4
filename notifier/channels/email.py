"""Mail over SMTP: one recipient, one mail, one connection. What is tried again is the same mail, byte for byte."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address as Mailbox
from email.headerregistry import BaseHeader, HeaderRegistry, MessageIDHeader, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from notifier.channels.mail_body import fitted, html
from notifier.channels.mail_text import text
from notifier.channels.smtp import Envelope, converse
from notifier.markup import INERT, one_line
from notifier.message import Appointment, Message, Receipt
from notifier.ports import BadMessage, ChannelFailure, Gone, Throttles
from notifier.subscription import Address
from notifier.transport import only_failures
from notifier.urls import mail_server

TIMEOUT = 30
"""Seconds for each answer of the server."""

_SUBJECT_LENGTH = 200


class _Verbatim(UnstructuredHeader, BaseHeader):
    """On one line as it is: folded, a long URL would become encoded words."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
for _name in ("In-Reply-To", "References"):
    # As plain text a long id would be folded into encoded words.
    _HEADERS.map_to_type(_name, MessageIDHeader)  # type: ignore[arg-type]
_HEADERS.map_to_type("List-Unsubscribe", _Verbatim)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def compose(
    to: Address, message: Message, sender: str, *, stable_subject: bool = False, unsubscribe: str | None = None
) -> EmailMessage:
    """The mail, equal on every call. Raises ValueError if it cannot be written.

    `stable_subject`: the conversation's instead of the message's; `unsubscribe`: an https URL that one POST obeys.
    """
    author, recipient = author_of(sender), recipient_of(to)
    digest = sha256("\n".join(message.delivery_ids).encode()).hexdigest()[:32]
    subject = message.topic if stable_subject and message.topic else message.subject
    leave = one_click(unsubscribe) if unsubscribe else None
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = author
    mail["To"] = recipient
    mail["Subject"] = one_line(subject, _SUBJECT_LENGTH).replace("=?", f"={INERT}?")  # else read as an encoded word
    mail["Date"] = message.date
    mail["Message-ID"] = f"<{digest}@{author.domain}>"
    if message.thread is not None:
        mail["In-Reply-To"] = message.thread.ref
        mail["References"] = message.thread.ref
    mail["List-Id"] = f"<kraken-status.{author.domain}>"
    if leave:
        mail["List-Unsubscribe"] = f"<{leave}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # https://www.rfc-editor.org/rfc/rfc8058
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers from those on holiday
    mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    mail["Precedence"] = "bulk"
    lines = fitted(message, unsubscribe=leave)
    mail.set_content(text(lines, message.wording, unsubscribe=leave), cte="quoted-printable")
    if not message.plain:
        mail.add_alternative(html(message, lines, unsubscribe=leave), subtype="html", cte="quoted-printable")
        if message.appointment is not None:
            _invite(mail, message.appointment, organizer=author, attendee=recipient, stamp=message.date)
    for number, part in enumerate(each for each in mail.walk() if each.is_multipart()):
        part.set_boundary(f"=_{number}{digest}")  # "=_" never occurs within quoted-printable or base64
    return mail


def _invite(
    mail: EmailMessage, appointment: Appointment, *, organizer: Mailbox, attendee: Mailbox, stamp: datetime
) -> None:
    """Twice, as Gmail and Outlook want it: Gmail reads the alternative, others offer the file."""
    from notifier.channels.mail_calendar import invitation, method_of

    method = method_of(appointment)
    entry = invitation(appointment, organizer=organizer, attendee=attendee, stamp=stamp)
    mail.add_alternative(entry, subtype="calendar", cte="quoted-printable", params={"method": method})
    mail.add_attachment(entry.encode(), maintype="application", subtype="ics", filename="maintenance.ics")


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


def one_click(url: str) -> str:
    """The URL with everything quoted that could end a header or a link early. Raises ValueError unless it is https."""
    if not url.startswith("https://"):
        raise ValueError("who unsubscribes with one click does so over https")
    return quote(url, safe="%/:?#[]@!$&'()*+,;=~", errors="replace")


class Email:
    """`smtp_url` as in `urls.mail_server`; `sender` like `Kraken status <status@example.com>`. Raises ValueError.

    `stable_subject`: all mails of a conversation have one subject, by which Gmail threads.
    `unsubscribe`: a recipient's https URL, always the same, that ends the subscription at a POST.
    Certificates are checked against the system's authorities, or against those of `tls_context`.
    """

    name = "mailto"
    throttles: Throttles = "all"
    can_edit = False
    can_find = False
    keeps_root = False

    def __init__(
        self,
        smtp_url: str,
        sender: str,
        *,
        stable_subject: bool = False,
        unsubscribe: Callable[[Address], str] | None = None,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.notes: list[str] = []
        self._server = mail_server(smtp_url)
        self._sender = sender
        self._author = author_of(sender)
        self._stable_subject = stable_subject
        self._unsubscribe = unsubscribe
        self._tls_context = tls_context

    async def send(self, to: Address, message: Message) -> Receipt:
        try:
            recipient = recipient_of(to)
        except ValueError:
            raise Gone(f"{to} is not one mail address") from None
        with only_failures("the mail", _explain):
            leave = self._unsubscribe(to) if self._unsubscribe else None
            mail = compose(to, message, self._sender, stable_subject=self._stable_subject, unsubscribe=leave)
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
