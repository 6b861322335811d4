"""Settings: all that is wrong is told at once, each with its place and its cure, and without any value."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from notifier.config import ConfigError, load
from tests.channels.contract import table

SECRET = "canary-7f3a"
SLACK = '[slack]\nbot_token = "xoxb-1"\n'


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No config.toml of the project's folder is ever read."""
    monkeypatch.chdir(tmp_path)


def problems_of(text: str = "", **environ: str) -> ConfigError:
    path = Path("given.toml")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        load(path, environ)
    return raised.value


BAD: dict[str, tuple[str, dict[str, str]]] = {
    "a key with a slip": ("[status_page]\npol_seconds = 9", {"status_page.pol_seconds": "did you mean poll_seconds?"}),
    "a section with a slip": ("[slak]", {"slak": "did you mean slack?"}),
    "a key like no other": ("[log]\nxyzzy = 1", {"log.xyzzy": "there are format, level"}),
    "a key of a subscription with a slip": (
        '[[subscriptions]]\nto = "console:"\ncomponent = ["BTC"]',
        {"subscriptions[0].component": "did you mean components?"},
    ),
    "a port in the file": ("port = 80", {"port": "there is no such setting"}),
    "words for a number": ('[status_page]\npoll_seconds = "often"', {"status_page.poll_seconds": "must be a number"}),
    "no number at all": ("[status_page]\npoll_seconds = nan", {"status_page.poll_seconds": "must be a finite number"}),
    "a fraction for a whole number": ("[telegram]\nmax_in_flight = 1.5", {"telegram.max_in_flight": "a whole number"}),
    "a number too small": ("[telegram]\nmax_in_flight = 0", {"telegram.max_in_flight": "greater than or equal to 1"}),
    "a word for yes or no": ('[announce]\nwelcome = "maybe"', {"announce.welcome": "must be true or false"}),
    "a number for a string": ("[store]\nurl = 5", {"store.url": "must be a string"}),
    "a string for a list": (
        '[[subscriptions]]\nto = "console:"\ncomponents = "BTC"',
        {"subscriptions[0].components": "must be a list"},
    ),
    "a string for a table": ('slack = "xoxb-1"', {"slack": "must be a table"}),
    "one subscription without double brackets": ('[subscriptions]\nto = "console:"', {"subscriptions": "a list"}),
    "an unknown word": ('[slack]\nstyle = "threads"', {"slack.style": "must be 'thread' or 'flat'"}),
    "polling too often": ("[status_page]\npoll_seconds = 4.9", {"status_page.poll_seconds": "must be at least 5"}),
    "asking the exchange too often": ("[exchange]\npoll_seconds = 1", {"exchange.poll_seconds": "must be at least 5"}),
    "polling never": (
        '[status_page]\nurl = "http://[::1]:80"\nfeed_poll_seconds = 0',
        {"status_page.feed_poll_seconds": "must be greater than 0"},
    ),
    "plain http": ('[status_page]\nurl = "http://status.kraken.com"', {"status_page.url": "must be https"}),
    "plain http to an API": ('[telegram]\napi_url = "http://api.example"', {"telegram.api_url": "must be https"}),
    "not the web": ('[exchange]\napi_url = "ftp://x"', {"exchange.api_url": "must be a web address"}),
    "a password in a web address": ('[slack]\napi_url = "https://u:p@x"', {"slack.api_url": "must not hold a user"}),
    "a port beyond all": ('[slack]\napi_url = "https://x:99999"', {"slack.api_url": "a port from 1 to 65535"}),
    "a space in a web address": ('[slack]\napi_url = "https://x y"', {"slack.api_url": "must not hold spaces"}),
    "a webhook in plain http": (
        '[slack.webhooks]\nops = "http://hooks.example"',
        {"slack.webhooks.ops": "must be https"},
    ),
    "a webhook that no address can name": (
        '[slack.webhooks]\n"o p" = "https://hooks.example"',
        {"slack.webhooks.o p": "letters, digits"},
    ),
    "a heartbeat in plain http": (
        '[operators]\nheartbeat_url = "http://hc.example"',
        {"operators.heartbeat_url": "https"},
    ),
    "a webhook for commands in plain http": (
        '[telegram]\nwebhook_url = "http://bot.example"',
        {"telegram.webhook_url": "must be https"},
    ),
    "a webhook where Telegram does not send": (
        '[telegram]\nwebhook_url = "https://bot.example:8080/"',
        {"telegram.webhook_url": "must have the port 443, 80, 88 or 8443"},
    ),
    "an operator's name for his number": (
        '[operators]\ntelegram_ids = [7, "@olga"]',
        {"operators.telegram_ids[1]": "a person's number like 123456789"},
    ),
    "a group for an operator": (
        "[operators]\ntelegram_ids = [-1001234]",
        {"operators.telegram_ids[0]": "a person's number"},
    ),
    "one operator without brackets": ("[operators]\ntelegram_ids = 7", {"operators.telegram_ids": "must be a list"}),
    "no mail server": ('[email]\nsmtp_url = "mail.example"', {"email.smtp_url": "must be a mail server like"}),
    "a mail server's port in words": ('[email]\nsmtp_url = "smtp://x:smtp"', {"email.smtp_url": "a port from 1"}),
    "a mail user without a password": (
        '[email]\nsmtp_url = "smtps://bot@x"',
        {"email.smtp_url": "both a user name and"},
    ),
    "a slash in a mail password": ('[email]\nsmtp_url = "smtps://bot:a/b@x"', {"email.smtp_url": "port"}),
    "a path after a mail server": (
        '[email]\nsmtp_url = "smtps://a:b@x/y"',
        {"email.smtp_url": "must end after the port"},
    ),
    "port 0": ('[email]\nsmtp_url = "smtp://x:0"', {"email.smtp_url": "a port from 1"}),
    "an unknown option of a mail server": ('[email]\nsmtp_url = "smtp://x?tls=no"', {"email.smtp_url": "?tls=none"}),
    "TLS from the start, and none": ('[email]\nsmtp_url = "smtps://x?tls=none"', {"email.smtp_url": "from the start"}),
    "two senders": ('[email]\nsender = "a@b.c, d@e.f"', {"email.sender": "must be one sender"}),
    "a sender without an address": ('[email]\nsender = "Kraken"', {"email.sender": "must be one sender"}),
    "an unknown database": ('[store]\nurl = "mysql://h/d"', {"store.url": "must be sqlite:///"}),
    "no address": ("[[subscriptions]]", {"subscriptions[0].to": "is missing"}),
    "not an address": ('[[subscriptions]]\nto = "C1"', {"subscriptions[0].to": "is not an address"}),
    "not a mail address": ('[[subscriptions]]\nto = "mailto:a@b..c"', {"subscriptions[0].to": "mail address"}),
    "a number for an address": ("[operators]\nto = [5]", {"operators.to[0]": "must be a string"}),
    "an operator nobody can reach": (
        '[operators]\nto = ["console:", "slack:C1"]',
        {"operators.to[1]": "SLACK_BOT_TOKEN"},
    ),
    "Slack without a token": ('[[subscriptions]]\nto = "slack:C1"', {"subscriptions[0].to": "slack.bot_token"}),
    "Slack with an empty token": (
        '[slack]\nbot_token = " "\n[[subscriptions]]\nto = "slack:C1"',
        {"subscriptions[0].to": "slack.bot_token"},
    ),
    "a webhook that is not there": (
        f'{SLACK}[slack.webhooks]\nops = "https://hooks.example"\n[[subscriptions]]\nto = "slack-webhook:dev"',
        {"subscriptions[0].to": "set dev = "},
    ),
    "Telegram without a token": (
        '[[subscriptions]]\nto = "telegram:@x"',
        {"subscriptions[0].to": "TELEGRAM_BOT_TOKEN"},
    ),
    "mail without a server": ('[[subscriptions]]\nto = "mailto:a@b.c"', {"subscriptions[0].to": "email.smtp_url"}),
    "one address twice": (
        f'{SLACK}[[subscriptions]]\nto = "slack:C1"\n[[subscriptions]]\nto = " slack:C1"',
        {"subscriptions[1].to": "slack:C1 is told by subscriptions[0].to already"},
    ),
    "an unknown kind": (
        '[[subscriptions]]\nto = "console:"\nkinds = ["incident", "incidents"]',
        {"subscriptions[0].kinds[1]": "must be 'incident', 'maintenance', 'exchange' or 'component'"},
    ),
    "no kind at all": ('[[subscriptions]]\nto = "console:"\nkinds = []', {"subscriptions[0].kinds": "at least one"}),
    "an empty component": (
        '[[subscriptions]]\nto = "console:"\ncomponents = ["BTC", " "]',
        {"subscriptions[0].components[1]": "must have at least 1 character"},
    ),
    "a language that does not exist": (
        '[[subscriptions]]\nto = "console:"\nlanguage = "tlh"',
        {"subscriptions[0].language": "there are en, de"},
    ),
    "quiet hours in words": (
        '[[subscriptions]]\nto = "console:"\nquiet_hours = "at night"',
        {"subscriptions[0].quiet_hours": "must be a string like"},
    ),
    "quiet hours that no clock shows": (
        '[[subscriptions]]\nto = "console:"\nquiet_hours = "22:00-25:00"',
        {"subscriptions[0].quiet_hours": "must be a string like"},
    ),
    "quiet hours that never end": (
        '[[subscriptions]]\nto = "console:"\nquiet_hours = "22:00-22:00"',
        {"subscriptions[0].quiet_hours": "must not end when they begin"},
    ),
    "quiet hours in no known zone": (
        '[[subscriptions]]\nto = "console:"\nquiet_hours = "22:00-07:00 Europe/Atlantis"',
        {"subscriptions[0].quiet_hours": "Europe/Atlantis is no time zone"},
    ),
    "quiet hours in a whole continent": (
        '[[subscriptions]]\nto = "console:"\nquiet_hours = "22:00-07:00 Europe"',
        {"subscriptions[0].quiet_hours": "Europe is no time zone"},
    ),
    "a variable that is not set": (
        '[slack]\nbot_token = "${NOPE}"',
        {"slack.bot_token": "the variable NOPE is not set"},
    ),
    "a variable that is not set, deep inside": (
        f'{SLACK}[[subscriptions]]\nto = "slack:C1"\ncomponents = ["BTC", "${{NOPE}}"]',
        {"subscriptions[0].components[1]": "the variable NOPE is not set"},
    ),
    "a variable without a name": ('[slack]\nbot_token = "a${}"', {"slack.bot_token": "write ${NAME}"}),
    "a variable that does not end": ('[slack]\nbot_token = "a${NAME"', {"slack.bot_token": "write ${NAME}"}),
    "a missing variable is the only problem with what needs it": (
        '[slack]\nbot_token = "${NOPE}"\n[[subscriptions]]\nto = "slack:C1"',
        {"slack.bot_token": "NOPE"},
    ),
}


@table(BAD)
def test_what_is_wrong_is_told_with_its_place_and_its_cure(row: tuple[str, dict[str, str]]) -> None:
    text, expected = row

    found = dict(problems_of(text).problems)

    assert found.keys() == expected.keys()
    assert [path for path, cure in expected.items() if cure not in found[path]] == []


BAD_ENVIRONMENT = {
    "an override with a slip": ("NOTIFIER_LOG__LEVL", "x", "NOTIFIER_LOG__LEVL", "did you mean NOTIFIER_LOG__LEVEL?"),
    "a section alone": ("NOTIFIER_SLACK", "x", "NOTIFIER_SLACK", "no setting has this name"),
    "a subscription by number": ("NOTIFIER_SUBSCRIPTIONS__0", "x", "NOTIFIER_SUBSCRIPTIONS__0", "no setting"),
    "a bad value of an override": ("NOTIFIER_LOG__LEVEL", "x", "log.level", "(from NOTIFIER_LOG__LEVEL)"),
    "a bad value of the host's": ("LOG_LEVEL", "x", "log.level", "(from LOG_LEVEL)"),
    "a bad port": ("PORT", "http", "PORT", "must be a whole number"),
    "a list that does not end": (
        "NOTIFIER_OPERATORS__TO",
        '["console:"',
        "NOTIFIER_OPERATORS__TO",
        "write the list as",
    ),
    "a bad subscription": ("NOTIFIER_SUBSCRIPTIONS", "C1", "subscriptions[0].to", "(from NOTIFIER_SUBSCRIPTIONS)"),
    "a subscription nobody can reach": ("NOTIFIER_SUBSCRIPTIONS", "slack:C1", "subscriptions[0].to", "SLACK_BOT_TOKEN"),
}


@table(BAD_ENVIRONMENT)
def test_what_is_wrong_in_the_environment_names_the_variable(row: tuple[str, str, str, str]) -> None:
    variable, value, path, cure = row

    found = dict(problems_of(**{variable: value}).problems)

    assert found.keys() == {path}
    assert cure in found[path]


def test_an_override_does_not_mend_what_is_no_section() -> None:
    error = problems_of('log = "info"', NOTIFIER_LOG__LEVEL="info")

    assert dict(error.problems) == {"log": "must be a table"}


def test_all_problems_are_told_at_once() -> None:
    text = 'slack = 5\n[log]\nlevel = "${NOPE}"\n[status_page]\nurl = "x"\n[[subscriptions]]\nto = "telegram:@x"\n'

    error = problems_of(text, NOTIFIER_NOPE="1", PORT="0")

    assert sorted(dict(error.problems)) == [
        "NOTIFIER_NOPE",
        "PORT",
        "log.level",
        "slack",
        "status_page.url",
        "subscriptions[0].to",
    ]
    assert len(str(error).splitlines()) == 6


FILES: dict[str, tuple[bytes, str]] = {
    "no TOML": (b"[slack\n", "is not TOML"),
    "a slip in line 3": (b"\n\nx = = 1\n", "line 3, column 5"),
    "not UTF-8": (b'x = "\xff"', "is not UTF-8 text"),
}


@table(FILES)
def test_a_file_that_is_not_toml_is_named(row: tuple[bytes, str]) -> None:
    content, reason = row
    Path("bad.toml").write_bytes(content)

    with pytest.raises(ConfigError) as raised:
        load(Path("bad.toml"), {})

    [problem] = raised.value.problems
    assert problem.path == "bad.toml"
    assert reason in problem.message


@pytest.mark.parametrize("environ", [{}, {"NOTIFIER_CONFIG": "missing.toml"}], ids=["by argument", "by variable"])
def test_a_file_that_was_named_must_be_there(environ: Mapping[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"missing\.toml: there is no such file"):
        load(None if environ else Path("missing.toml"), environ)


def test_a_folder_is_no_file() -> None:
    Path("folder.toml").mkdir()

    with pytest.raises(ConfigError, match=r"folder\.toml: cannot be read: Is a directory"):
        load(Path("folder.toml"), {})


def test_no_problem_repeats_a_value_that_may_be_secret() -> None:
    text = f"""
        slack = {{ bot_token = ["{SECRET}"], webhooks = {{ ops = "http://{SECRET}" }} }}
        telegram = {{ bot_token = 5, api_url = "{SECRET}" }}
        email = {{ smtp_url = "smtp://u:{SECRET}@h:port" }}
        store = {{ url = "oracle://u:{SECRET}@h" }}
        operators = {{ heartbeat_url = "http://hc.example/{SECRET}" }}
    """

    error = problems_of(text)

    assert len(error.problems) == 7
    assert SECRET not in f"{error} {error!r}"


def test_links_in_mails_lead_to_https_only() -> None:
    with pytest.raises(ConfigError, match="must begin with https://"):
        load(None, {"NOTIFIER_WEB__PUBLIC_URL": "http://127.0.0.1:8080"})
    assert load(None, {"NOTIFIER_WEB__PUBLIC_URL": "https://status.example.com"}).web.public_url
