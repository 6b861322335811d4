"""What Slack, Telegram and a mail server answer while news goes out, judged by what their readers have in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.markup import INERT
from notifier.store.sql import SqlStore
from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.receivers import Fault, answer, html, refused, reply_lost, truncated
from tests.receivers.mail import FakeMail, MailFault, busy, refuses_content, refuses_mail, refuses_recipient
from tests.receivers.slack import FakeSlack

SCRIPT = story()
NAME = SCRIPT.incidents[0].id
OTHER, HOOK, MAIL = "slack:C0OPS", "slack-webhook:ops", "mailto:ops@example.com"


async def told_to_the_end(there: Stage) -> None:
    """The second update is due; what stands in its way gets half an hour, then the story goes on."""
    start = clock("09:21")
    await there.at(*(start + timedelta(seconds=seconds) for seconds in (0, 40, 360, 900)))
    await there.at(clock("09:41"), clock("10:11"))


SLACK_FAULTS: Mapping[str, tuple[str, list[Fault]]] = {
    "the reply is lost": ("D2", [reply_lost()]),
    "half of the reply arrives": ("D2", [truncated()]),
    "an error inside Slack": ("D3", [answer(200, {"ok": False, "error": "internal_error"})]),
    "503": ("D3", [answer(503, {"ok": False, "error": "service_unavailable"})]),
    "a page of HTML": ("D3", [html(502)]),
    "a page of HTML after it was taken": ("D3", [html(502, accepted=True)]),
    "all of it in a row": ("D3", [html(502), refused(), html(502)]),
}


@pytest.mark.parametrize(
    "faults",
    [pytest.param(faults, id=name, marks=pytest.mark.fault(row)) for name, (row, faults) in SLACK_FAULTS.items()],
)
async def test_slack_has_each_update_once_although(faults: list[Fault], tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        await there.at(clock("09:01"))
        there.slack.next(*faults)
        await told_to_the_end(there)
        for told in there.told(NAME).values():
            assert texts_in(told) == [[text] for text in TEXTS]


UNREACHABLE = ["channel_not_found", "is_archived", "not_in_channel"]


@pytest.mark.fault("D5")
@pytest.mark.parametrize("error", UNREACHABLE)
async def test_a_channel_that_cannot_be_posted_to_is_asked_no_more_and_operators_hear_the_cure(
    error: str, tmp_path: Path
) -> None:
    more = {"SUBSCRIPTIONS": f"{SLACK},{OTHER},{TELEGRAM}", "OPERATORS__TO": '["telegram:-1009"]'}
    async with stage(SCRIPT, tmp_path, None, **more) as there:
        await there.at(clock("09:01"))
        there.slack.refusals["C0OPS"] = error
        await told_to_the_end(there)
        asked = [arguments for method, arguments in there.slack.calls if method == "chat.postMessage"]
        assert [each["channel"] for each in asked].count("C0OPS") == 3, "the welcome, the start, and one in vain"
        mine = [each.text for each in there.slack.messages if each.channel == "C0TRADING"]
        assert texts_in(mine)[1:] == [[text] for text in TEXTS]
        [trouble] = [each.text.replace(INERT, "") for each in there.telegram.messages if each.chat == "-1009"]
        assert f"{OTHER} is switched off" in trouble and error in trouble and "/invite the bot" in trouble


@pytest.mark.fault("D6")
@pytest.mark.parametrize(
    "gone", [answer(404, "no_service"), answer(410, "channel_is_archived"), answer(403, "action_prohibited")]
)
async def test_a_webhook_that_was_removed_is_asked_no_more(gone: Fault, tmp_path: Path) -> None:
    async with FakeSlack() as hooks:
        more = {
            "SUBSCRIPTIONS": f"{HOOK},{TELEGRAM}",
            "SLACK__WEBHOOKS__OPS": hooks.webhook("ops"),
        }
        async with stage(SCRIPT, tmp_path, None, **more) as there:
            await there.at(clock("09:01"))
            hooks.next(gone)
            await told_to_the_end(there)
            assert len(hooks.messages) == 2 and len(hooks.calls) == 3
            assert texts_in(there.told(NAME)[TELEGRAM]) == [[text] for text in TEXTS]


MAIL_FAULTS: Mapping[str, MailFault] = {
    "421 at the door": busy(),
    "450 for the recipient": refuses_recipient("450 4.2.1 Greylisted"),
    "451 before the content": refuses_content("451 4.3.0 Try later"),
    "451 after the dot": refuses_mail("451 4.3.0 Try later"),
}


@pytest.mark.fault("E1")
@pytest.mark.parametrize("fault", MAIL_FAULTS.values(), ids=MAIL_FAULTS)
async def test_a_mail_server_that_says_later_gets_it_later_and_holds_up_nobody(
    fault: MailFault, tmp_path: Path
) -> None:
    async with FakeMail() as mail:
        more = {"EMAIL__SMTP_URL": mail.url, "EMAIL__SENDER": "Kraken status <status@example.com>"}
        async with stage(SCRIPT, tmp_path, None, SUBSCRIPTIONS=f"{SLACK},{MAIL}", **more) as there:
            await there.at(clock("09:01"))
            mail.next(fault)
            await there.at(clock("09:21"))
            assert texts_in(there.told(NAME)[SLACK]) == [[text] for text in TEXTS[:2]]
            await told_to_the_end(there)
            mails = [" ".join(each.part("plain").split()) for each in mail.received]
            assert [text for texts in texts_in(mails) for text in texts] == TEXTS


@pytest.mark.fault("B16")
async def test_two_processes_bring_a_new_database_up_to_date_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'notifier.db'}"
    stores = await asyncio.gather(*(SqlStore.open(url, token=token) for token in (1, 2, 3)))
    for store in stores:
        assert await store.counts() == {}
        await store.close()
