"""One SMTP conversation, and what each way it can end means: https://www.rfc-editor.org/rfc/rfc5321#section-4.2."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from aiosmtplib.protocol import SMTPProtocol

from notifier.ports import Ambiguous, BadCredentials, BadMessage, ChannelFailure, Gone, NotSent, Throttled
from notifier.transport import only_failures
from notifier.urls import MailServer, Tls

QUIT_SECONDS = 2
"""What a goodbye may take; the mail is delivered by then."""

_RATE = re.compile(r"\brates?\b|\bratelimit|too (many|fast|much)|throttl|slow down", re.IGNORECASE)
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
"""https://www.rfc-editor.org/rfc/rfc3463#section-3"""
_ENCODED = re.compile(r"(?=\S*[0-9=])[A-Za-z0-9+/=]{16,}")
"""What a server may repeat of the login that it refuses."""
_LOGIN_CODES = (530, 534, 535, 538)
_SENDER_CODES = ("5.1.7", "5.1.8")
"""Complaints about the sender, which many servers only make when they hear the recipient."""


class Step(StrEnum):
    """How far the conversation came: the same answer means different things at different steps."""

    GREETING = "at the greeting"
    TLS = "at STARTTLS"
    LOGIN = "at the login"
    SENDER = "at the sender"
    RECIPIENT = "at the recipient"
    CONTENT = "before the end of the mail"
    DOT = "after the end of the mail"
    """The only step at which a lost connection leaves it open whether the server took the mail."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """Who sends what to whom. ASCII only; the headers of the mail do not matter here."""

    sender: str
    recipient: str
    mail: bytes
    """Lines end with CRLF."""


async def converse(
    server: MailServer,
    envelope: Envelope | None,
    *,
    hello: str,
    timeout: float,
    tls_context: ssl.SSLContext | None = None,
) -> None:
    """Connects, secures, logs in and hands over the envelope, if there is one. Raises a ChannelFailure.

    `hello` is the name to greet with; `timeout` in seconds holds for each answer.
    """
    step = Step.GREETING
    smtp = SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=server.tls is Tls.IMPLICIT,
        start_tls=False,
        tls_context=tls_context,
        local_hostname=hello,
        timeout=timeout,
    )
    with only_failures("the mail server", lambda error: explain(error, step)):
        try:
            await smtp.connect()
            await smtp.ehlo()
            step = Step.TLS
            offered = server.tls is Tls.OFFERED and smtp.supports_extension("starttls")
            if server.tls is Tls.STARTTLS or offered:
                await smtp.starttls()
                await smtp.ehlo()
            if server.username is not None:
                step = Step.LOGIN
                await smtp.login(server.username, server.password or "")
            if envelope is not None:
                step = Step.SENDER
                await smtp.mail(envelope.sender)
                step = Step.RECIPIENT
                await smtp.rcpt(envelope.recipient)
                step = Step.CONTENT
                connection = await _all_but_the_dot(smtp, envelope.mail)
                connection.write(b".\r\n")
                step = Step.DOT
                answer = await connection.read_response(timeout=timeout)
                if answer.code // 100 != 2:
                    raise SMTPDataError(answer.code, answer.message)
            await _goodbye(smtp)
        except SMTPResponseException:
            await _goodbye(smtp)
            raise
        finally:
            smtp.close()


async def _goodbye(smtp: SMTP) -> None:
    """Servers wait for it, and hold a connection over TLS open until it comes or they lose patience."""
    with suppress(SMTPException, OSError):
        await smtp.quit(timeout=QUIT_SECONDS)


async def _all_but_the_dot(smtp: SMTP, mail: bytes) -> SMTPProtocol:
    """`SMTP.data` would send the dot too, and hide on which side of it a connection broke."""
    answer = await smtp.execute_command(b"DATA")
    if answer.code != 354:
        raise SMTPDataError(answer.code, answer.message)
    if smtp.protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    connection = smtp.protocol
    connection.write(re.sub(rb"(?m)^\.", rb"..", mail))
    await asyncio.sleep(0)  # lets the loop see that the connection is broken already, while that does no harm
    return connection


def explain(error: Exception, step: Step) -> ChannelFailure | None:
    """The failure behind an error of the library's; None if it is not one."""
    if isinstance(error, SMTPResponseException) and error.code > 0:
        return refusal(error.code, error.message, step)
    if isinstance(bad := _certificate(error), ssl.SSLCertVerificationError):
        return BadCredentials(f"the mail server's certificate is not accepted: {bad.verify_message}")
    if isinstance(error, OSError | SMTPResponseException):
        lost = Ambiguous if step is Step.DOT else NotSent
        return lost(f"no answer from the mail server {step}: {type(error).__name__}")
    if isinstance(error, SMTPException):
        return BadCredentials(f"the mail server does not offer what the URL demands {step}: {error.message}")
    return None


def refusal(code: int, text: str, step: Step) -> ChannelFailure:
    """What the server's answer means at this step. 4xx: not taken, ask again; 5xx: not taken, do not ask again."""
    said = _ENCODED.sub("…", _one_line(text)) if step is Step.LOGIN else _one_line(text)
    about = f"the mail server says {step}: {code} {said}"
    found = _ENHANCED.match(text)
    enhanced = found[0] if found else ""
    if code < 500:
        # 4.2.x is about one recipient's mailbox; a pause of the whole channel would punish all the others.
        limited = code in (421, 454) or (_RATE.search(text) and not enhanced.startswith("4.2."))
        personal = step in (Step.RECIPIENT, Step.CONTENT, Step.DOT)
        return Throttled(about) if limited else NotSent(about, personal=personal)
    if code in _LOGIN_CODES or enhanced in _SENDER_CODES or step in (Step.GREETING, Step.TLS, Step.LOGIN, Step.SENDER):
        return BadMessage(about) if code == 552 else BadCredentials(about)
    unknown = step is Step.RECIPIENT and code in (550, 551, 553) and not enhanced.startswith("5.7.")
    return Gone(about) if unknown or enhanced.startswith("5.1.") else BadMessage(about)


def _certificate(error: BaseException | None) -> BaseException | None:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__
    return error


def _one_line(text: str) -> str:
    """The server's words, printable and short."""
    words = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return words if len(words) <= 200 else f"{words[:199]}…"
