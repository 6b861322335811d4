"""What operators are told of a source in trouble: once when it begins, once when it is over, and readers never."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.deposits import clock, story
from tests.faults.rawpage import RawPage
from tests.faults.stage import SLACK, TELEGRAM, stage
from tests.receivers.mail import FakeMail
from tests.sources.wire import Answer, breaking_off, saying, stalling

SCRIPT = story()
ONCALL = "oncall@example.com"

STALE: dict[str, tuple[str, Answer]] = {
    "errors": ("A4", saying(b"", "503 Service Unavailable")),
    "silence": ("A5", stalling(b"")),
    "no page at all": ("A5", breaking_off(b"")),
    "another page": ("H12", saying(b'{"page": {"id": "another"}, "incidents": [], "scheduled_maintenances": []}')),
}


def stale() -> list[object]:
    return [pytest.param(answer, id=name, marks=pytest.mark.fault(row)) for name, (row, answer) in STALE.items()]


def subjects(mail: FakeMail) -> list[str]:
    """Of the mails to those on call."""
    return [str(each.message["Subject"]) for each in mail.received if each.rcpt_tos == (ONCALL,)]


def settings(mail: FakeMail) -> dict[str, str]:
    return {
        "SUBSCRIPTIONS": f"{SLACK},{TELEGRAM}",
        "OPERATORS__TO": f'["mailto:{ONCALL}"]',
        "EMAIL__SMTP_URL": mail.url,
        "EMAIL__SENDER": "Kraken status <status@example.com>",
    }


@pytest.mark.parametrize("answer", stale())
async def test_a_page_in_trouble_is_told_to_operators_once_and_once_more_when_it_is_over(
    answer: Answer, tmp_path: Path
) -> None:
    page = RawPage(SCRIPT)
    async with FakeMail() as mail, stage(SCRIPT, tmp_path, page, **settings(mail)) as there:
        await there.at(clock("09:01"))
        readers = len(there.slack.messages), len(there.telegram.messages)
        for source in there.running.page_sources:
            source._deadline = 0.1
        page.answer("api", answer)
        page.answer("feed", breaking_off(b""))
        for minute in range(0, 16, 2):
            await there.at(clock("09:02") + timedelta(minutes=minute))
        assert [subject.count("Trouble:") for subject in subjects(mail)] == [1]
        page.heal()
        await there.at(clock("09:19"), clock("09:19:30"))
        assert [("Trouble:" in subject, "Over:" in subject) for subject in subjects(mail)] == [
            (True, False),
            (False, True),
        ]
        assert (len(there.slack.messages), len(there.telegram.messages)) == readers, "readers hear nothing of it"


@pytest.mark.fault("A27")
async def test_a_word_that_nobody_knows_is_told_to_operators_once(tmp_path: Path) -> None:
    page = RawPage(SCRIPT)
    page.rewrite("api", lambda body: body.replace(b'"identified"', b'"under_appeal"'))
    page.answer("feed", breaking_off(b""))
    async with FakeMail() as mail, stage(SCRIPT, tmp_path, page, **settings(mail)) as there:
        await there.at(clock("09:01"), clock("09:21"), clock("09:22"), clock("09:41"), clock("10:11"))
        told = [str(each.message) for each in mail.received if "under_appeal" in str(each.message)]
        assert len(told) == 1 and "Note:" in told[0]
