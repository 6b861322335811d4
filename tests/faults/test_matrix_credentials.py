"""A provider that refuses the bot itself: it is left alone until it takes the bot again, and no news is lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from notifier import deliver
from notifier.clocks import StoryClock
from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.receivers import answer
from tests.receivers.mail import FakeMail, refuses_login
from tests.receivers.slack import FakeSlack
from tests.receivers.telegram import FakeTelegram

SCRIPT = story()
MAIL = "mailto:ops@example.com"
OPERATORS = ("slack:C0DESK", "telegram:-1009", "mailto:oncall@example.com")
FAST = 1000
"""So that five minutes between two probes take 0.3 s."""


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Everybody who is told on that stage."""

    there: Stage
    mail: FakeMail

    def read(self) -> dict[str, list[str]]:
        """What everybody reads, by address."""
        found: dict[str, list[str]] = {to: [] for to in (SLACK, TELEGRAM, MAIL, *OPERATORS)}
        for post in self.there.slack.messages:
            found[f"slack:{post.channel}"].append(post.text)
        for bubble in self.there.telegram.messages:
            found[f"telegram:{bubble.chat}"].append(bubble.text)
        for each in self.mail.received:
            found[f"mailto:{each.rcpt_tos[0]}"].append(" ".join(each.part("plain").split()))
        return found

    def texts(self) -> dict[str, list[list[str]]]:
        """Which of the story's texts is in each message that a reader has, the welcome left out."""
        return {to: texts_in(told)[1:] for to, told in self.read().items() if to not in OPERATORS}

    def operator_reads(self, word: str, channel: str) -> bool:
        """Whether the operator on that channel read exactly one message with this word."""
        [own] = [told for to, told in self.read().items() if to in OPERATORS and to.startswith(f"{channel}:")]
        return sum(word in text for text in own) == 1

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
            "OPERATORS__TO": json.dumps(OPERATORS),
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


def questions(receiver: FakeSlack | FakeTelegram | FakeMail) -> list[float]:
    """When it was asked to take something, or whether the credentials hold."""
    if not isinstance(receiver, FakeTelegram):
        return receiver.times
    reads = zip(receiver.read_times, receiver.reads, strict=True)
    return sorted([*receiver.times, *(time for time, (method, _) in reads if method == "getMe")])


@pytest.mark.parametrize(("to", "refuse"), refused())
async def test_refused_credentials_cost_no_news_no_pestering_and_operators_hear_of_them_elsewhere(
    to: str, refuse: Callable[[Cast], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "IDLE_SECONDS", 0.05)
    async with cast(tmp_path) as them:
        refuse(them)
        receiver = them.receivers[to]
        before = len(questions(receiver))
        async with them.there.live(StoryClock(clock("09:21"), FAST)) as running:
            for other in set(them.receivers) - {to}:
                await them.receivers[other].until(partial(them.has, other, 2))
            await receiver.until(lambda: len(questions(receiver)) == before + 3)
            assert them.texts()[to] == [TEXTS[:1]]
            await running.watch.step()
            for other in set(them.receivers) - {to}:
                channel = other.partition(":")[0]
                await them.receivers[other].until(partial(them.operator_reads, "credentials", channel))
            receiver.mends()
            await receiver.until(partial(them.has, to, 2))
        tried, probe, again, *_ = (time * FAST for time in questions(receiver)[before:])
        assert probe - tried >= 300 and again - probe >= 300, "five minutes between one question and the next"
        assert them.texts() == {each: [TEXTS[:1], TEXTS[1:2]] for each in (SLACK, TELEGRAM, MAIL)}
