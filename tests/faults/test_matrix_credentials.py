"""A provider that refuses the bot itself: it is left alone until it takes the bot again, and no news is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from notifier import deliver
from notifier.app import StoryClock
from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.receivers import answer
from tests.receivers.mail import FakeMail, refuses_login
from tests.receivers.slack import FakeSlack
from tests.receivers.telegram import FakeTelegram

SCRIPT = story()
MAIL = "mailto:ops@example.com"
FAST = 1000
"""So that five minutes between two probes take 0.3 s."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Everybody who is told on that stage."""

    there: Stage
    mail: FakeMail

    def texts(self) -> dict[str, list[list[str]]]:
        """Which of the story's texts is in each message that a reader has, the welcome left out."""
        slack = [each.text for each in self.there.slack.messages]
        telegram = [each.text for each in self.there.telegram.messages]
        mails = [" ".join(each.part("plain").split()) for each in self.mail.received]
        return {to: texts_in(told)[1:] for to, told in ((SLACK, slack), (TELEGRAM, telegram), (MAIL, mails))}

    @property
    def receivers(self) -> Mapping[str, FakeSlack | FakeTelegram | FakeMail]:
        return {SLACK: self.there.slack, TELEGRAM: self.there.telegram, MAIL: self.mail}

    def has(self, to: str, messages: int) -> bool:
        return len(self.texts()[to]) == messages


@asynccontextmanager
async def cast(folder: Path) -> AsyncIterator[Cast]:
    async with FakeMail(users={"bot": "right"}) as mail:
        more = {
            "SUBSCRIPTIONS": f"{SLACK},{TELEGRAM},{MAIL}",
            "EMAIL__SMTP_URL": mail.url,
            "EMAIL__SENDER": "Kraken status <status@example.com>",
        }
        async with stage(SCRIPT, folder, None, **more) as there:
            await there.at(clock("09:01"))
            yield Cast(there=there, mail=mail)


def slack_says(error: str) -> Callable[[Cast], None]:
    return lambda them: them.there.slack.breaks(answer(200, {"ok": False, "error": error}))


REFUSED: dict[str, tuple[str, str, Callable[[Cast], None]]] = {
    "Telegram: 401": (
        "C9",
        TELEGRAM,
        lambda them: them.there.telegram.breaks(
            answer(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
        ),
    ),
    **{
        f"Slack: {error}": ("D4", SLACK, slack_says(error))
        for error in ("invalid_auth", "token_revoked", "account_inactive")
    },
    "mail: 535": ("E7", MAIL, lambda them: them.mail.breaks(refuses_login("535 5.7.8 Authentication failed"))),
}


def refused() -> Sequence[object]:
    return [
        pytest.param(to, refuse, id=name, marks=pytest.mark.fault(row)) for name, (row, to, refuse) in REFUSED.items()
    ]


@pytest.mark.parametrize(("to", "refuse"), refused())
async def test_refused_credentials_cost_no_news_and_the_provider_is_not_pestered(
    to: str, refuse: Callable[[Cast], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "IDLE_SECONDS", 0.05)
    async with cast(tmp_path) as them:
        refuse(them)
        receiver = them.receivers[to]
        before = len(receiver.times)
        async with them.there.live(StoryClock(clock("09:21"), FAST)):
            for other in set(them.receivers) - {to}:
                await them.receivers[other].until(partial(them.has, other, 2))
            await receiver.until(lambda: len(receiver.times) == before + 3)
            assert them.texts()[to] == [TEXTS[:1]]
            receiver.mends()
            await receiver.until(partial(them.has, to, 2))
        tried, probe, again, *_ = ((time - receiver.times[before]) * FAST for time in receiver.times[before:])
        assert probe - tried >= 300 and again - probe >= 300, "five minutes between one question and the next"
        assert them.texts() == {each: [TEXTS[:1], TEXTS[1:2]] for each in (SLACK, TELEGRAM, MAIL)}
