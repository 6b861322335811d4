"""Every kind of news as each channel sends it, kept as goldens: `--update-goldens` writes them anew, for a review."""

from __future__ import annotations

import json
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from notifier.channels import email, slack, telegram
from notifier.languages import tongues
from notifier.markup import plain
from notifier.message import Message, Receipt
from notifier.subscription import Address
from tests.news import NEWS, STANDING, told

GOLDEN = Path(__file__).parent / "golden"
SLACK, TELEGRAM, MAIL = (
    Address.parse(each) for each in ("slack:C0TRADING", "telegram:-1001234567890", "mailto:ops@example.com")
)
CASES = (*NEWS, *STANDING)


def on_terminal(message: Message) -> str:
    return f"{message.subject}\n{message.tone}, {'loud' if message.loud else 'quiet'}\n\n{plain(message.lines)}\n"


def in_slack(message: Message) -> str:
    return _json(slack.compose(SLACK, message))


def in_telegram(message: Message) -> str:
    return _json(telegram.compose(TELEGRAM, message))


def by_mail(message: Message) -> str:
    """The headers, the words of the text part, the calendar; the HTML part has goldens of its own."""
    mail = email.compose(MAIL, message, "Kraken status <status@example.com>")
    heads = "\n".join(f"{name}: {value}" for name, value in mail.items())
    parts = [
        f"--- {part.get_content_type()} {part.get_filename() or ''}".rstrip() + f"\n{_content(part)}"
        for part in mail.walk()
    ]
    return "\n".join([heads, *parts]) + "\n"


def as_html(message: Message) -> str:
    body = email.compose(MAIL, message, "Kraken status <status@example.com>").get_body(("html",))
    return str(body.get_content()) if body else ""


def _content(part: EmailMessage) -> str:
    if part.get_content_type() in ("text/plain", "text/calendar"):
        return str(part.get_content()).replace("\r\n", "\n").strip()
    return ""


def _json(payload: object) -> str:
    return json.dumps(payload, indent=1, ensure_ascii=False) + "\n"


WRITERS: dict[str, tuple[Callable[[Message], str], str]] = {
    "terminal": (on_terminal, "txt"),
    "slack": (in_slack, "json"),
    "telegram": (in_telegram, "json"),
    "mail": (by_mail, "txt"),
}
IN_GERMAN = (
    *("opened", "worsened", "resolved", "withdrawn", "a backlog in one message", "an edit in a backlog"),
    *("maintenance scheduled", "maintenance rescheduled", "maintenance due", "exchange leaving", "exchange returning"),
    *("first message, edited in one word", "first message, resolved", "the third idle update in a row"),
    *("300 components", "advisory of an emergency", "hostile text"),
)
WITH_HTML = ("opened", "resolved", "first message, edited in one word", "maintenance rescheduled", "hostile text")


def message(case: str, **more: Any) -> Message:
    """As a reply, where the news is not the first of its conversation."""
    own, _ = STANDING.get(case, (NEWS.get(case), None))
    newest = own()[-1] if own else None
    follows = newest is not None and (not newest.introduces or len(newest.timeline) > 1) and "backlog" not in case
    return told(case, thread=Receipt("there", "1001") if follows and case not in STANDING else None, **more)


def check(channel: str, case: str, ending: str, said: str, pytestconfig: pytest.Config) -> None:
    golden = GOLDEN / channel / f"{case.replace(',', '').replace(' ', '-')}.{ending}"
    if pytestconfig.getoption("--update-goldens"):
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(said)
    assert said == golden.read_text()


@pytest.mark.parametrize("channel", WRITERS)
@pytest.mark.parametrize("case", CASES)
def test_the_message_is_that_of_the_golden(case: str, channel: str, pytestconfig: pytest.Config) -> None:
    write, ending = WRITERS[channel]
    check(channel, case, ending, write(message(case)), pytestconfig)


@pytest.mark.parametrize("case", WITH_HTML)
def test_the_html_is_that_of_the_golden(case: str, pytestconfig: pytest.Config) -> None:
    check("mail", case, "html", as_html(message(case)), pytestconfig)


@pytest.mark.parametrize("case", IN_GERMAN)
def test_the_german_message_is_that_of_the_golden(case: str, pytestconfig: pytest.Config) -> None:
    check("telegram-de", case, "json", in_telegram(message(case, tongue=tongues()["de"])), pytestconfig)


def test_no_golden_is_left_over() -> None:
    cases = {case.replace(",", "").replace(" ", "-") for case in CASES}
    assert {path.stem for path in GOLDEN.rglob("*") if path.is_file()} == cases
