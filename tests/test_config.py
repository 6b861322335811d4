"""Settings: what a file and the environment may say; what they may not is in test_config_problems."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Any, get_args

import pytest

from notifier.config import Settings, load
from notifier.model import Topic
from notifier.subscription import Address, Filter, QuietHours, Subscription
from notifier.wishes import Table
from tests.channels.contract import table

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
SECRET = "canary-7f3a"

TOKENS = {
    "SLACK_BOT_TOKEN": f"xoxb-{SECRET}",
    "SLACK_WEBHOOK_URL": f"https://hooks.slack.com/services/{SECRET}",
    "TELEGRAM_BOT_TOKEN": f"1:{SECRET}",
    "SMTP_URL": f"smtps://bot%40desk.example:{SECRET}@mail.example:465",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No config.toml of the project's folder is ever read."""
    monkeypatch.chdir(tmp_path)


def settings(text: str = "", **environ: str) -> Settings:
    path = Path("given.toml")
    path.write_text(text, encoding="utf-8")
    return load(path, environ)


def test_nothing_at_all_is_enough_and_tells_the_terminal() -> None:
    found = load(environ={})

    assert found == Settings(HOSTNAME=found.hostname)
    assert found.subscriptions == (Subscription(address=Address("console", "")),)


def test_one_variable_is_enough_to_tell_every_channel() -> None:
    found = load(environ={**TOKENS, "NOTIFIER_SUBSCRIPTIONS": "slack:C1, telegram:@x,mailto:a@b.c,,"})

    assert [str(each.address) for each in found.subscriptions] == ["slack:C1", "telegram:@x", "mailto:a@b.c"]
    assert found.email.sender == "Kraken status <bot@desk.example>"


def test_subscriptions_of_the_environment_are_added_to_those_of_the_file() -> None:
    found = settings(
        '[[subscriptions]]\nname = "desk"\nto = "slack:C1"\n',
        **TOKENS,
        NOTIFIER_SUBSCRIPTIONS="slack:C1,slack:C2,slack:C2",
    )

    assert [(str(each.address), each.name) for each in found.subscriptions] == [("slack:C1", "desk"), ("slack:C2", "")]


def test_a_subscription_says_all_that_it_wants() -> None:
    found = settings(
        """
        [[subscriptions]]
        name = "desk"
        to = "console:"
        components = ["Websocket", "BTC", "BTC"]
        kinds = ["component", "incident"]
        min_impact = "minor"
        updates = "milestones"
        mention = "<!here>"
        strict_components = true
        quiet_hours = "22:00-07:00 Europe/Berlin"
        reminders = false
        language = "de"
        """
    )

    assert found.subscriptions == (
        Subscription(
            address=Address("console", ""),
            name="desk",
            mention="<!here>",
            filter=Filter(
                kinds=(Topic.INCIDENT, Topic.COMPONENT),
                components=("BTC", "Websocket"),
                strict_components=True,
                min_impact="minor",
                milestones_only=True,
                quiet_hours=QuietHours(start=time(22), end=time(7), zone="Europe/Berlin"),
                reminders=False,
            ),
            language="de",
        ),
    )


def test_a_bare_subscription_wants_what_the_model_says() -> None:
    [subscription] = settings('subscriptions = [{ to = "console:" }]').subscriptions

    assert subscription == Subscription(address=Address("console", ""))


ENVIRONMENT: dict[str, tuple[str, dict[str, str], str, object]] = {
    "a variable is filled in": ('log.level = "${LEVEL}"', {"LEVEL": "debug"}, "log.level", "debug"),
    "within a string": ('[email]\nsender = "${N} <a@b.c>"', {"N": "Me"}, "email.sender", "Me <a@b.c>"),
    "twice": ('[email]\nsender = "${N}${N} <a@b.c>"', {"N": "Me"}, "email.sender", "MeMe <a@b.c>"),
    "what is filled in is not read again": (
        '[email]\nsender = "${N} <a@b.c>"',
        {"N": "$${M}", "M": "no"},
        "email.sender",
        "$${M} <a@b.c>",
    ),
    "an escape stands for itself": ('[email]\nsender = "$${N} <a@b.c>"', {}, "email.sender", "${N} <a@b.c>"),
    "an override wins": ('log.level = "info"', {"NOTIFIER_LOG__LEVEL": "debug"}, "log.level", "debug"),
    "an override needs no section": (
        "",
        {"NOTIFIER_STATUS_PAGE__POLL_SECONDS": "7.5"},
        "status_page.poll_seconds",
        7.5,
    ),
    "an override can say no": ("", {"NOTIFIER_EXCHANGE__ENABLED": "false"}, "exchange.enabled", False),
    "a list by commas": (
        "",
        {"NOTIFIER_OPERATORS__TO": "console:, mailto:a@b.c", "SMTP_URL": TOKENS["SMTP_URL"]},
        "operators.to",
        (Address("console", ""), Address("mailto", "a@b.c")),
    ),
    "a list in brackets": ("", {"NOTIFIER_OPERATORS__TO": '["console:"]'}, "operators.to", (Address("console", ""),)),
    "people by their numbers": (
        "",
        {"NOTIFIER_OPERATORS__TELEGRAM_IDS": "7, 8"},
        "operators.telegram_ids",
        (7, 8),
    ),
    "people by their numbers in brackets": (
        "[operators]\ntelegram_ids = [7]",
        {"NOTIFIER_OPERATORS__TELEGRAM_IDS": "[8]"},
        "operators.telegram_ids",
        (8,),
    ),
    "nobody's words are read": ("", {"NOTIFIER_TELEGRAM__COMMANDS": "false"}, "telegram.commands", False),
    "everybody's words are read": ("", {}, "telegram.commands", True),
    "an empty webhook for commands is none": ('[telegram]\nwebhook_url = ""', {}, "telegram.webhook_url", None),
    "a webhook for commands": (
        "",
        {"NOTIFIER_TELEGRAM__WEBHOOK_URL": "https://bot.example:8443/x"},
        "telegram.webhook_url",
        "https://bot.example:8443/x",
    ),
    "the host's database": ("", {"DATABASE_URL": "postgresql://u:p@h/d"}, "store.url", "postgresql://u:p@h/d"),
    "an old name of PostgreSQL": ("", {"DATABASE_URL": "postgres://u:p@h/d"}, "store.url", "postgresql://u:p@h/d"),
    "the file's database wins over the host's": (
        '[store]\nurl = "sqlite:///mine.db"',
        {"DATABASE_URL": "postgresql://u:p@h/d"},
        "store.url",
        "sqlite:///mine.db",
    ),
    "an override wins over the host's": (
        "",
        {"DATABASE_URL": "postgresql://u:p@h/d", "NOTIFIER_STORE__URL": "sqlite:///mine.db"},
        "store.url",
        "sqlite:///mine.db",
    ),
    "the host's port": ("", {"PORT": "8080"}, "port", 8080),
    "no port": ("", {}, "port", None),
    "an empty port": ("", {"PORT": ""}, "port", None),
    "the host's log level, in capitals": ("", {"LOG_LEVEL": "WARNING"}, "log.level", "warning"),
    "an empty variable of the host's": ("", {"LOG_LEVEL": ""}, "log.level", "info"),
    "replies are shown in the channel": ("", {}, "slack.reply_broadcast", True),
    "replies stay in their threads": ("", {"NOTIFIER_SLACK__REPLY_BROADCAST": "false"}, "slack.reply_broadcast", False),
    "an empty token is none": ('[slack]\nbot_token = ""', {}, "slack.bot_token", None),
    "an empty heartbeat is none": ('[operators]\nheartbeat_url = ""', {}, "operators.heartbeat_url", None),
    "an empty webhook is none": ('[slack.webhooks]\nops = ""', {}, "slack.webhooks", {}),
    "often is fine for loopback": (
        '[status_page]\nurl = "http://127.0.0.1:8000"\npoll_seconds = 0.2',
        {},
        "status_page.poll_seconds",
        0.2,
    ),
    "a mail server that takes mails from its own host": (
        '[email]\nsmtp_url = "smtp://localhost:25"',
        {},
        "email.sender",
        "Kraken status <kraken-status@localhost>",
    ),
    "one subject for all mails of an incident": (
        "",
        {"NOTIFIER_EMAIL__STABLE_SUBJECT": "true"},
        "email.stable_subject",
        True,
    ),
    "a subject that says the state": ("", {}, "email.stable_subject", False),
    "a mail server with a bare user name": (
        '[email]\nsmtp_url = "smtp://bot:word@mail.example"',
        {},
        "email.sender",
        "Kraken status <kraken-status@mail.example>",
    ),
}


@table(ENVIRONMENT)
def test_the_environment_has_its_say(row: tuple[str, dict[str, str], str, object]) -> None:
    text, environ, path, expected = row

    value: Any = settings(text, **environ)
    for part in path.split("."):
        value = getattr(value, part)

    assert value == expected


def test_a_token_of_the_environment_fills_an_empty_key() -> None:
    found = settings('[slack]\nbot_token = ""\n[[subscriptions]]\nto = "slack:C1"', SLACK_BOT_TOKEN="xoxb-1")

    assert found.slack.bot_token is not None
    assert found.slack.bot_token.get_secret_value() == "xoxb-1"


def test_webhooks_can_come_from_the_environment() -> None:
    url = "https://hooks.slack.com/services/T/B/X"

    found = settings('[[subscriptions]]\nto = "slack-webhook:ops"', NOTIFIER_SLACK__WEBHOOKS__OPS=url)

    assert found.slack.webhooks["ops"].get_secret_value() == url


@pytest.mark.parametrize("named", ["argument", "variable"])
def test_the_file_is_named_by_the_argument_or_a_variable(named: str) -> None:
    Path("mine.toml").write_text("[announce]\nwelcome = false")

    found = load(Path("mine.toml"), {}) if named == "argument" else load(environ={"NOTIFIER_CONFIG": "mine.toml"})

    assert not found.announce.welcome


def test_the_default_file_is_read_if_it_is_there() -> None:
    Path("config.toml").write_text("[announce]\nwelcome = false")

    assert not load(environ={}).announce.welcome


def test_secrets_print_masked() -> None:
    found = load(EXAMPLE, {**TOKENS, "DATABASE_URL": f"postgres://u:{SECRET}@h/d"})
    other = load(None, {"DATABASE_URL": f"postgres://u:{SECRET}@h/d"})

    assert SECRET in other.store.url, "the secret is in use"
    assert [text for text in (repr(found), str(found), repr(other), repr(found.email)) if SECRET in text] == []


def keys_of(model: type[Table], place: str = "") -> set[str]:
    """Every key that a file may hold, sections included."""
    found = set()
    for name, value in model.model_fields.items():
        key = f"{place}{value.alias or name}"
        inner = [each for each in (value.annotation, *get_args(value.annotation)) if _is_table(each)]
        found |= {key} if not key.isupper() else set()
        found |= {deeper for each in inner for deeper in keys_of(each, f"{key}.")}
    return found


def _is_table(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Table)


def _keys_in(value: Mapping[str, Any], place: str = "") -> set[str]:
    found = set()
    for key, each in value.items():
        found.add(f"{place}{key}")
        for inner in each if isinstance(each, list) else [each]:
            found |= _keys_in(inner, f"{place}{key}.") if isinstance(inner, dict) else set()
    return found


def example_with_its_database() -> str:
    """That line is left out of effect, so that a copy of the file leaves DATABASE_URL its say."""
    before, line, after = EXAMPLE.read_text(encoding="utf-8").partition("\n# url = ")
    assert line
    return f"{before}\nurl = {after}"


def test_the_example_holds_every_key_and_no_other() -> None:
    example = _keys_in(tomllib.loads(example_with_its_database()))

    assert example - {"slack.webhooks.ops"} == keys_of(Settings)


def test_the_example_says_what_every_key_is_for() -> None:
    lines = example_with_its_database().splitlines()

    assert [line for line in lines if "=" in line.partition("#")[0] and "  # " not in line] == []


def test_the_example_loads() -> None:
    found = load(EXAMPLE, TOKENS)

    assert [str(each.address) for each in found.subscriptions] == ["slack:C0123456789"]
    assert found.operators.to == (Address("slack", "C0OPS"), Address("mailto", "oncall@example.com"))


APART = {"tables", "operators", "slack", "telegram", "email", "hostname"}
"""What the example cannot leave at its default, and what no file says."""


def test_a_copy_of_the_example_takes_the_hosts_database() -> None:
    assert load(EXAMPLE, {**TOKENS, "DATABASE_URL": "postgresql://u:p@h/d"}).store.url == "postgresql://u:p@h/d"


def test_the_example_shows_the_defaults() -> None:
    found = settings(example_with_its_database(), **TOKENS).model_dump(exclude=APART)

    assert found == Settings().model_dump(exclude=APART)
