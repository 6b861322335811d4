"""What hosts are told of the program is true of the program."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from notifier.app import STOP_SECONDS
from notifier.cli import app
from notifier.config import FALLBACKS, NEEDS, ConfigError, load
from tests.running import ROOT

PYTHON = (ROOT / ".python-version").read_text().strip()
GIVEN_BY_HOSTS = {"DATABASE_URL", "PORT", "DYNO", "FLY_MACHINE_ID", "HOSTNAME"}
EXAMPLES = {
    "NOTIFIER_CONFIG": os.devnull,
    "NOTIFIER_SUBSCRIPTIONS": "slack:C0123456789, telegram:@my_channel, mailto:ops@example.com, slack-webhook:ops",
    "SLACK_BOT_TOKEN": "xoxb-fake",
    "NOTIFIER_SLACK__WEBHOOKS__OPS": "https://hooks.slack.com/services/T/B/fake",
    "TELEGRAM_BOT_TOKEN": "1:fake",
    "NOTIFIER_TELEGRAM__WEBHOOK_URL": "https://bot.example.com/telegram",
    "SMTP_URL": "smtps://bot%40example.com:fake@smtp.example.com:465",
    "NOTIFIER_EMAIL__SENDER": "Kraken status <status@example.com>",
    "NOTIFIER_OPERATORS__TO": "telegram:123456789,mailto:oncall@example.com",
    "NOTIFIER_OPERATORS__TELEGRAM_IDS": "123456789",
    "NOTIFIER_OPERATORS__HEARTBEAT_URL": "https://hc-ping.com/fake",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def app_json() -> Any:
    return json.loads((ROOT / "app.json").read_text(encoding="utf-8"))


def procfile() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


def fly() -> dict[str, Any]:
    return tomllib.loads((ROOT / "fly.toml").read_text())


def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(ROOT / "deploy" / "kraken-status-notifier.service")
    return parser


def compose() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def dockerfile() -> list[tuple[str, str]]:
    """Instructions and their arguments."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def commands() -> Iterator[tuple[str, list[str]]]:
    """What each host starts, as arguments of `notifier`."""
    for name, command in procfile().items():
        program = shlex.split(command.removeprefix("exec "))
        assert program[:3] == ["python", "-m", "notifier"], "nobody installs the package on Heroku"
        yield f"Procfile, {name}", program[3:]
    for name, command in fly()["processes"].items():
        yield f"fly.toml, {name}", shlex.split(command)
    [image] = [json.loads(rest) for name, rest in dockerfile() if name == "CMD"]
    yield "Dockerfile", image
    [health] = [rest for name, rest in dockerfile() if name == "HEALTHCHECK"]
    yield "Dockerfile, health", json.loads(health.partition("CMD ")[2])[1:]
    yield "systemd", shlex.split(unit()["Service"]["ExecStart"])[3:]


def test_every_command_that_a_host_starts_is_one() -> None:
    known = {each.name or (each.callback.__name__ if each.callback else "") for each in app.registered_commands}
    assert {name: arguments for name, arguments in commands() if arguments[0] not in known} == {}
    options = [argument for _, arguments in commands() for argument in arguments[1:]]
    assert options == ["--alive"]


def test_everywhere_runs_the_python_that_the_tests_run() -> None:
    images = {rest.split()[0] for name, rest in dockerfile() if name == "FROM"}
    assert images == {f"docker.io/library/python:{PYTHON}-slim-bookworm"}
    assert f"with Python {PYTHON}" in (ROOT / "requirements.txt").read_text()


def test_every_requirement_is_checked_by_its_hash() -> None:
    text = (ROOT / "requirements.txt").read_text().replace("\\\n", " ")
    pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(pins) > 30
    assert [line for line in pins if not re.match(r"[\w.-]+(\[\w+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)] == []


def test_heroku_has_one_way_to_install_and_no_web_process() -> None:
    assert set(procfile()) == {"release", "worker"}
    others = ("Pipfile.lock", "poetry.lock", "uv.lock", "runtime.txt", "setup.py")
    assert [name for name in others if (ROOT / name).exists()] == []
    form = app_json()
    assert form["formation"] == {"worker": {"quantity": 1, "size": "basic"}}
    assert form["addons"] == [{"plan": "heroku-postgresql:essential-0"}]


def test_every_variable_of_the_form_is_explained_and_taken() -> None:
    form = app_json()["env"]
    assert [name for name, each in form.items() if len(each["description"]) < 20 or each["required"]] == []
    preset = {name: each["value"] for name, each in form.items() if "value" in each}
    assert set(form) == set(EXAMPLES) | set(preset)
    found = load(None, {**preset, **EXAMPLES})
    assert len(found.subscriptions) == 4
    untouched = load(None, {"NOTIFIER_SUBSCRIPTIONS": EXAMPLES["NOTIFIER_SUBSCRIPTIONS"], **EXAMPLES, **preset})
    assert untouched == found, "what is preset is the default"


def test_every_secret_that_a_channel_needs_is_in_the_form() -> None:
    by_place = {place: name for name, place in FALLBACKS.items()}
    assert {by_place[place] for place in NEEDS.values()} <= set(app_json()["env"])
    assert set(FALLBACKS) - GIVEN_BY_HOSTS <= set(app_json()["env"])
    assert GIVEN_BY_HOSTS.isdisjoint(app_json()["env"])


def test_a_form_that_was_left_empty_tells_the_terminal() -> None:
    found = load(None, {name: each.get("value", "") for name, each in app_json()["env"].items()})
    assert [str(each.address) for each in found.subscriptions] == ["console:"]


def test_every_host_waits_longer_than_a_stop_takes() -> None:
    longest = STOP_SECONDS + 5
    assert fly()["kill_timeout"] > longest
    assert int(unit()["Service"]["TimeoutStopSec"]) > longest
    assert int(compose()["services"]["notifier"]["stop_grace_period"].removesuffix("s")) > longest
    stops = (fly()["kill_signal"], unit()["Service"]["KillSignal"], dict(dockerfile())["STOPSIGNAL"])
    assert set(stops) == {"SIGTERM"}


def test_the_database_lies_on_what_survives() -> None:
    assert load(None, {}).store.file == "notifier.db", "in the folder where it is started"
    image = dict(dockerfile())
    assert image["WORKDIR"] == image["VOLUME"] == "/data"
    assert fly()["mounts"]["destination"] == "/data"
    assert fly()["mounts"]["processes"] == list(fly()["processes"])
    service = compose()["services"]["notifier"]
    assert "data:/data" in service["volumes"] and "data" in compose()["volumes"]
    assert unit()["Service"]["WorkingDirectory"] == f"%S/{unit()['Service']['StateDirectory']}"


def test_a_database_that_the_host_offers_is_taken_everywhere() -> None:
    """A setting of `store.url` would win over DATABASE_URL."""
    everything = "".join((ROOT / name).read_text() for name in ("Dockerfile", "fly.toml", "compose.yaml", "app.json"))
    assert "NOTIFIER_STORE__URL" not in everything


def test_nothing_on_fly_is_stopped_for_want_of_visitors() -> None:
    assert {"services", "http_service", "auto_stop_machines"}.isdisjoint(fly())
    assert [each["policy"] for each in fly()["restart"]] == ["always"]
    assert [each["memory"] for each in fly()["vm"]] == ["256mb"]
    assert "release_command" not in fly()["deploy"], "its machine has no volume; `run` migrates"


def test_containers_may_do_nothing_but_their_work() -> None:
    user = dict(dockerfile())["USER"]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user), "a number, which any host can tell from root's"
    service = compose()["services"]["notifier"]
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "ports" not in service
    assert {name for name, rest in dockerfile() if name in ("CMD", "ENTRYPOINT") and not rest.startswith("[")} == set()


def test_the_postgres_of_the_compose_file_is_nobodys_default() -> None:
    services = compose()["services"]
    assert services["postgres"]["profiles"] == ["postgres"]
    assert services["notifier"]["depends_on"]["postgres"]["required"] is False


def test_settings_that_are_wrong_are_not_tried_again() -> None:
    assert unit()["Service"]["Restart"] == "always"
    assert unit()["Service"]["RestartPreventExitStatus"] == "2"


def test_the_image_is_made_of_what_it_needs() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*", "whatever else lies here, such as a .env, stays out"
    kept = {line[1:] for line in ignored if line.startswith("!")}
    assert kept == {"LICENSE", "README.md", "notifier", "pyproject.toml", "requirements.txt"}
    assert [name for name in kept if not (ROOT / name).exists()] == []


PAGES = ("README.md", "docs/hosting.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    missing = []
    for target in re.findall(r"\]\((?!https:)([^)]+)\)", (ROOT / page).read_text()):
        name, _, anchor = target.partition("#")
        there = (ROOT / page).parent / name if name else ROOT / page
        headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE) if there.suffix == ".md" else []
        anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
        missing += [target] if not there.exists() or (anchor and anchor not in anchors) else []
    assert missing == []


def test_every_variable_that_is_written_of_is_one() -> None:
    pages = (*PAGES, "app.json", "compose.yaml", "fly.toml", "Dockerfile")
    names = {name for page in pages for name in re.findall(r"NOTIFIER_[A-Z_]+[A-Z]", (ROOT / page).read_text())}
    assert len(names) > 10
    unknown = []
    for name in names - {"NOTIFIER_CONFIG"}:
        try:
            load(None, {name: "1"})
        except ConfigError as error:
            unknown += [name for problem in error.problems if "no setting has this name" in problem.message]
    assert unknown == []


def test_hadolint_finds_nothing() -> None:
    linted = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")
