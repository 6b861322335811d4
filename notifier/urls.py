"""The addresses that the bot connects to: what is allowed, and what a mail server's URL means. Pure.

No error text repeats a URL: it may hold a password or a token.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit


class Tls(StrEnum):
    """How a connection to a mail server becomes private."""

    IMPLICIT = "implicit"
    """From the first byte on (`smtps://`)."""
    STARTTLS = "starttls"
    """Demanded: nothing is said to a server that does not offer it."""
    OFFERED = "offered"
    """Used where offered; only ever the rule for loopback."""
    NONE = "none"
    """Plain, because the URL spells it out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MailServer:
    """What an SMTP URL says."""

    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def at_loopback(url: str) -> bool:
    """Whether a URL leads to this machine only."""
    return is_loopback(urlsplit(url).hostname or "")


def web_url(text: str) -> str:
    """`text` itself, if it is https, or http to loopback. Raises ValueError with the cure."""
    url = _split(text, "https://host/…")
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError("must be a web address like https://host/…")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise ValueError("must be https; plain http is for loopback only")
    if url.username is not None or url.password is not None:
        raise ValueError("must not hold a user name or password")
    return text


def mail_server(text: str) -> MailServer:
    """What `smtps://user:pass@host:465` or `smtp://user:pass@host:587` means. Raises ValueError with the cure.

    `smtp` demands STARTTLS, except to loopback; `?tls=starttls` demands it there too, `?tls=none` does without.
    The user and password are percent-encoded.
    """
    url = _split(text, "smtps://user:password@host:465")
    if url.scheme not in ("smtp", "smtps") or not url.hostname:
        raise ValueError("must be a mail server like smtps://user:password@host:465 or smtp://user:password@host:587")
    if (url.username is None) != (url.password is None):
        raise ValueError("must hold both a user name and a password, or neither: smtps://user:password@host:465")
    if url.path not in ("", "/") or url.fragment:
        raise ValueError("must end after the port; write / ? # and @ in a password as %2F %3F %23 and %40")
    return MailServer(
        host=url.hostname,
        port=url.port or (465 if url.scheme == "smtps" else 587),
        tls=_tls(url),
        username=unquote(url.username) if url.username is not None else None,
        password=unquote(url.password) if url.password is not None else None,
    )


def database_url(text: str) -> str:
    """As SQLAlchemy takes it; hosts say postgres:// for postgresql://. Raises ValueError, without any of it."""
    url = re.sub(r"^postgres://", "postgresql://", text)
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", url):
        raise ValueError("must be sqlite:///notifier.db or postgresql://user:password@host/name")
    if url.startswith("postgresql") and urlsplit(url).netloc.count("@") > 1:
        raise ValueError("must have one @, before the host; in a password write %40 for it")
    return url


def unsubscribe_url(public_url: str, key: str, address: str) -> str:
    """Where one press ends the subscription of `address`; nobody without the key can make one for another."""
    mark = hmac.digest(key.encode(), address.encode(), "sha256")[:24]
    return f"{public_url.rstrip('/')}/unsubscribe/{urlsafe_b64encode(mark).decode()}"


def _tls(url: SplitResult) -> Tls:
    options = parse_qs(url.query, keep_blank_values=True)
    wish = options.pop("tls", [""])[-1]
    if options or wish not in ("", "none", "starttls"):
        raise ValueError("knows the options ?tls=none and ?tls=starttls only")
    if url.scheme == "smtps":
        if wish:
            raise ValueError("smtps:// is TLS from the start; take ?tls= away, or write smtp://")
        return Tls.IMPLICIT
    if wish:
        return Tls(wish)
    return Tls.OFFERED if is_loopback(url.hostname or "") else Tls.STARTTLS


def _split(text: str, example: str) -> SplitResult:
    """Splits and looks at the port, which urlsplit leaves unread."""
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError("must not hold spaces or control characters")
    try:
        url = urlsplit(text)
        if url.port == 0:
            raise ValueError
    except ValueError:
        raise ValueError(f"must be an address like {example}, with a port from 1 to 65535 if any") from None
    return url
