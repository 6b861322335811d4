"""Providers that want a pause, judged by when they were asked next. The clock of these processes runs fast."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest

from notifier import deliver
from notifier.clocks import StoryClock
from notifier.wiring import open_store
from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.receivers import Fault, Receiver, answer
from tests.receivers.mail import FakeMail, refuses_recipient
from tests.receivers.telegram import refusal

SCRIPT = story()
FAST = 20
"""Seconds of the story in one of the loop's, by which receivers tell when they were asked: a pause is much longer than
a message takes, or a new process to start.
"""
CHATS = [f"telegram:{number}" for number in range(1, 21)]
MAILBOXES = [f"mailto:desk{number}@example.com" for number in range(1, 13)]
IN_FLIGHT = 8


@pytest.fixture(autouse=True)
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender looks again before much of the story is over."""
    monkeypatch.setattr(deliver, "IDLE_SECONDS", 0.05)


def told_by(receiver: Receiver, method: str) -> list[float]:
    """When each call of this method came in, in seconds of the story since the first of them."""
    times = [time for time, call in zip(receiver.times, receiver.calls, strict=True) if call[0] == method]
    return [(time - times[0]) * FAST for time in times]


async def tries(there: Stage) -> set[int]:
    """How many tries the deliveries have cost, as the ledger of a process that is gone says."""
    async with open_store(there.settings, existing=True) as store:
        return {each.attempt for each in await store.deliveries((), 200)}


WISHES: dict[str, tuple[str, Fault, bool]] = {
    "for 30 s": ("C1", refusal(429, "Too Many Requests: retry after 30", retry_after=30), False),
    "for 30 s, over a restart": ("C1", refusal(429, "Too Many Requests: retry after 30", retry_after=30), True),
    "without saying for how long": ("C2", refusal(429, "Too Many Requests"), False),
}


def wishes() -> list[object]:
    return [
        pytest.param(wish, restarted, id=name, marks=pytest.mark.fault(row))
        for name, (row, wish, restarted) in WISHES.items()
    ]


@pytest.mark.parametrize(("wish", "restarted"), wishes())
async def test_telegram_is_left_alone_for_as_long_as_it_says_and_then_asked_slowly_at_first(
    wish: Fault, restarted: bool, tmp_path: Path
) -> None:
    async with stage(SCRIPT, tmp_path, SUBSCRIPTIONS=",".join((*CHATS, SLACK))) as there:
        before = len(there.telegram.calls)
        there.telegram.next(wish)
        time = StoryClock(clock("09:01"), FAST)
        if restarted:
            async with there.live(time):
                await there.telegram.until(lambda: len(there.telegram.calls) > before)
                await there.slack.until(lambda: len(there.slack.messages) == 2)
        async with there.live(time):
            await there.telegram.until(lambda: len(there.telegram.messages) == 2 * len(CHATS), 20)
            await there.slack.until(lambda: len(there.slack.messages) == 2)
        del there.telegram.calls[:before], there.telegram.times[:before]
        asked = told_by(there.telegram, "sendMessage")
        later = [moment for moment in asked if moment >= 30]
        assert len(asked) == len(CHATS) + 1
        assert len(asked) - len(later) <= IN_FLIGHT, "nothing but what was under way"
        assert later[-1] - later[0] >= 1.8, "at the full rate it would be half a second"
        assert sorted(each.chat for each in there.telegram.messages) == sorted(2 * [each[9:] for each in CHATS])
        assert there.slack.times[-1] < there.telegram.times[-len(later)], "Slack does not wait"
        assert await tries(there) == {1}


@pytest.mark.fault("D1")
async def test_slack_is_left_alone_for_that_method_only_and_telegram_does_not_wait(tmp_path: Path) -> None:
    more = {"SUBSCRIPTIONS": f"{SLACK},slack:C0OPS,{TELEGRAM}"}
    async with stage(SCRIPT, tmp_path, None, **more) as there:
        await there.at(clock("09:01"))
        before, posts, chats = len(there.slack.calls), len(there.slack.messages), len(there.telegram.messages)
        there.slack.next(answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "30"}))
        async with there.live(StoryClock(clock("09:21"), FAST)):
            await there.telegram.until(lambda: len(there.telegram.messages) == chats + 1)
            await there.slack.until(lambda: len(there.slack.messages) == posts + 2)
        del there.slack.calls[:before], there.slack.times[:before]
        refused, _under_way, again = told_by(there.slack, "chat.postMessage")
        assert again - refused >= 30
        asked = [method for method, _ in there.slack.calls]
        assert asked.count("chat.postMessage") == 3
        last = len(asked) - 1 - asked[::-1].index("chat.postMessage")
        assert "chat.update" in asked[:last], "what is not meant goes on"
        assert there.telegram.times[-1] < there.slack.times[-1]
        for channel in ("C0TRADING", "C0OPS"):
            told = [each.text for each in there.slack.messages if each.channel == channel]
            assert texts_in(told)[1:] == [[text] for text in TEXTS[:2]]


@pytest.mark.fault("E9")
async def test_a_mail_server_whose_quota_is_used_up_is_left_alone(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        mail = await stack.enter_async_context(FakeMail())
        more = {
            "SUBSCRIPTIONS": ",".join((*MAILBOXES, SLACK)),
            "EMAIL__SMTP_URL": mail.url,
            "EMAIL__SENDER": "Kraken status <status@example.com>",
        }
        there = await stack.enter_async_context(stage(SCRIPT, tmp_path, None, **more))
        before = mail.connections
        mail.next(refuses_recipient("454 4.7.1 Daily quota used up"))
        async with there.live(StoryClock(clock("09:01"), FAST)):
            await mail.until(lambda: len(mail.received) == 2 * len(MAILBOXES))
        times = [(time - mail.times[before]) * FAST for time in mail.times[before:]]
        longest = max(later - earlier for earlier, later in pairwise(times))
        assert longest >= 25, "a pause"
        assert len([time for time in times if time < 30]) <= IN_FLIGHT, "but for what was under way"
        assert len(times) == len(MAILBOXES) + 1 and await tries(there) == {1}
        assert sorted(each.rcpt_tos[0] for each in mail.received) == sorted(2 * [each[7:] for each in MAILBOXES])
