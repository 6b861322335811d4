"""What can be set, with its defaults: the tables of the settings file, and what a value may be."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from email.headerregistry import HeaderRegistry
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    PlainValidator,
    SecretStr,
    ValidationInfo,
)

from notifier.subscription import Address, Subscription
from notifier.urls import at_loopback, database_url, is_loopback, mail_server, web_url
from notifier.wishes import Recipient, SubscriptionTable, Table

_SHORTEST_PATH = 6
"""Of a secret URL: one such as /ping is in many a log line, and gives nothing away."""

MOST_IN_FLIGHT = 256
"""Sends to Telegram at once; 1,000 a second at a quarter of a second each."""

MIN_POLL_SECONDS = 5
"""How often a host other than loopback may be asked."""


def _mailbox(text: str) -> str:
    header: Any = HeaderRegistry()("from", text)
    if len(header.addresses) != 1 or header.defects or not header.addresses[0].domain:
        raise ValueError("must be one sender like Kraken status <status@example.com>")
    return text


def _https(url: str) -> str:
    if not url.startswith("https://"):
        raise ValueError("must begin with https://: mail programs end a subscription over nothing else")
    return url


def _webhook_url(url: str) -> str:
    """https://core.telegram.org/bots/api#setwebhook."""
    web_url(url)
    if not at_loopback(url) and urlsplit(url).port not in (None, 80, 88, 443, 8443):
        raise ValueError("must have the port 443, 80, 88 or 8443: Telegram sends to no other")
    return url


def _person(value: object) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"[1-9]\d{0,15}", text):
        raise ValueError("must be a person's number like 123456789, as Telegram has it; a @name can change hands")
    return int(text)


def _secret_url(secret: SecretStr) -> SecretStr:
    web_url(secret.get_secret_value())
    return secret


def _smtp_url(secret: SecretStr) -> SecretStr:
    mail_server(secret.get_secret_value())
    return secret


def _sender(email: Mapping[str, Any]) -> str:
    """Mail comes from the account that sends it, where that is an address; else from its host."""
    url: SecretStr | None = email.get("smtp_url")
    server = mail_server(url.get_secret_value()) if url else None
    if server and server.username and "@" in server.username:
        return f"Kraken status <{server.username}>"
    host = "localhost" if server is None or is_loopback(server.host) else server.host
    return f"Kraken status <kraken-status@{host}>"


def _polite(seconds: float, info: ValidationInfo) -> float:
    """The URL that is asked stands before its intervals in every table."""
    url = info.data.get("url") or info.data.get("api_url")
    if seconds < MIN_POLL_SECONDS and url and not at_loopback(url):
        raise ValueError(f"must be at least {MIN_POLL_SECONDS}; only loopback may be asked more often")
    return seconds


def _without_blanks(value: object) -> object:
    return {name: each for name, each in value.items() if each != ""} if isinstance(value, dict) else value


def _webhook_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        raise ValueError("must be named with letters, digits, - and _ only: it is part of an address")
    return name


_blank_is_unset = BeforeValidator(lambda value: None if isinstance(value, str) and not value.strip() else value)
_lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)

WebUrl = Annotated[str, AfterValidator(web_url)]
WebhookUrl = Annotated[str, AfterValidator(_webhook_url)]
PersonNumber = Annotated[int, PlainValidator(_person)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
Interval = Annotated[float, Field(gt=0), AfterValidator(_polite)]
WebhookName = Annotated[str, AfterValidator(_webhook_name)]


class StatusPage(Table):
    url: WebUrl = "https://status.kraken.com"
    poll_seconds: Interval = 20
    active_poll_seconds: Interval = 10
    feed_poll_seconds: Interval = 60


class Exchange(Table):
    enabled: bool = True
    api_url: WebUrl = "https://api.kraken.com"
    poll_seconds: Interval = 20


class Store(Table):
    url: Annotated[str, AfterValidator(database_url), Field(repr=False)] = "sqlite:///notifier.db"

    @property
    def file(self) -> str:
        """The path of SQLite's file; empty for a server, or for memory."""
        found = re.match(r"sqlite(?:\+\w+)?:///([^?]+)", self.url)
        return found[1] if found and found[1] != ":memory:" else ""


class Slack(Table):
    bot_token: Annotated[SecretStr | None, _blank_is_unset] = None
    api_url: WebUrl = "https://slack.com/api/"
    style: Literal["thread", "flat"] = "thread"
    reply_broadcast: bool = True
    webhooks: Annotated[dict[WebhookName, SecretUrl], BeforeValidator(_without_blanks)] = Field(default_factory=dict)


class Telegram(Table):
    bot_token: Annotated[SecretStr | None, _blank_is_unset] = None
    api_url: WebUrl = "https://api.telegram.org"
    messages_per_second: Annotated[float, Field(ge=0.2, le=1000)] = 25
    max_in_flight: Annotated[int, Field(ge=1, le=MOST_IN_FLIGHT)] = 8
    on_ambiguous: Literal["resend", "drop"] = "resend"
    commands: bool = True
    webhook_url: Annotated[WebhookUrl | None, _blank_is_unset] = None


class Email(Table):
    smtp_url: Annotated[Annotated[SecretStr, AfterValidator(_smtp_url)] | None, _blank_is_unset] = None
    sender: Annotated[str, AfterValidator(_mailbox)] = Field(default_factory=_sender)
    stable_subject: bool = False


class Announce(Table):
    welcome: bool = True
    maintenance_reminder_minutes: Annotated[float, Field(ge=0)] = 30


class Operators(Table):
    to: tuple[Recipient, ...] = ()
    telegram_ids: tuple[PersonNumber, ...] = ()
    heartbeat_url: Annotated[SecretUrl | None, _blank_is_unset] = None


class Web(Table):
    public_url: Annotated[Annotated[WebUrl, AfterValidator(_https)] | None, _blank_is_unset] = None


class Log(Table):
    level: Annotated[Literal["debug", "info", "warning", "error"], _lower] = "info"
    format: Literal["auto", "console", "json"] = "auto"


class Settings(Table):
    """Everything that can be set. Secrets print masked."""

    status_page: StatusPage = StatusPage()
    exchange: Exchange = Exchange()
    store: Store = Store()
    slack: Slack = Slack()
    telegram: Telegram = Telegram()
    email: Annotated[Email, BeforeValidator(_without_blanks)] = Email()
    announce: Announce = Announce()
    operators: Operators = Operators()
    web: Web = Web()
    log: Log = Log()
    tables: tuple[SubscriptionTable, ...] = Field(default=(), alias="subscriptions")
    port: Annotated[int | None, Field(ge=1, le=65535), _blank_is_unset] = Field(default=None, alias="PORT")
    dyno: str = Field(default="", alias="DYNO")
    fly_machine: str = Field(default="", alias="FLY_MACHINE_ID")
    hostname: str = Field(default="", alias="HOSTNAME")

    @property
    def process(self) -> str:
        """What people call this process. A new dyno has the name of the old one, which may still be ending."""
        return self.dyno or self.fly_machine or self.hostname

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """As configured; the terminal, if nobody else is to be told."""
        return tuple(table.subscription() for table in self.tables) or (Subscription(address=Address("console", "")),)


def secrets_of(settings: Settings) -> list[str]:
    """Every value that no log may show."""
    found = [secret.get_secret_value() for secret in _secret_values(settings)]
    for url in (*found, settings.store.url):
        found += _secrets_within(url) if "://" in url else ()
    return [secret for secret in found if secret]


def _secrets_within(url: str) -> Iterator[str]:
    """The password, as it is written, as it is meant, and as SMTP's logins say it; what a request names of the URL."""
    parts = urlsplit(url)
    written, user = parts.password or "", unquote(parts.username or "")
    meant = unquote(written)
    yield from (written, meant)
    if meant:
        yield from (b64encode(each.encode()).decode() for each in (meant, f"\0{user}\0{meant}"))
    if parts.scheme in ("http", "https") and len(parts.path) > _SHORTEST_PATH:
        yield from (parts.path, f"{parts.path}?{parts.query}" if parts.query else "")


def _secret_values(value: object) -> Iterator[SecretStr]:
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secret_values(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from _secret_values(each)
