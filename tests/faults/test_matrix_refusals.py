"""Messages that a provider refuses or perhaps took, judged by what its readers have, and how often it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.receivers import Fault, answer, html, reply_lost
from tests.receivers.mail import FakeMail, refuses_mail
from tests.receivers.telegram import refusal

SCRIPT = story()
NAME = SCRIPT.incidents[0].id
OPS, MAIL = "slack:C0OPS", "mailto:ops@example.com"
CHATS = [f"telegram:{number}" for number in range(1, 31)]
IN_FLIGHT = 8

PERHAPS: Mapping[str, tuple[str, list[Fault]]] = {
    "502 with a page of HTML": ("C10", [html(502)]),
    "502 with a page of HTML, and it was taken": ("C10", [html(502, accepted=True)]),
    "500, restart": ("C10", [refusal(500, "Internal Server Error: restart")]),
    "the line is cut after the request": ("C11", [reply_lost()]),
    "twice in a row": ("C11", [reply_lost(), html(502)]),
}


def perhaps() -> list[object]:
    return [pytest.param(faults, id=name, marks=pytest.mark.fault(row)) for name, (row, faults) in PERHAPS.items()]


async def told_to_the_end(there: Stage) -> None:
    await there.at(*(clock("09:21") + timedelta(seconds=seconds) for seconds in (0, 30, 300)))
    await there.at(clock("09:41"), clock("10:11"))


@pytest.mark.parametrize("faults", perhaps())
async def test_what_telegram_perhaps_has_is_sent_again(faults: list[Fault], tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        await there.at(clock("09:01"))
        there.telegram.next(*faults)
        await told_to_the_end(there)
        taken = sum(each.accepted for each in faults)
        told = texts_in(there.told(NAME)[TELEGRAM])
        assert told == [[text] for text in (TEXTS[0], *[TEXTS[1]] * (taken + 1), *TEXTS[2:])]


@pytest.mark.fault("C10", "C11")
@pytest.mark.parametrize("fault", [html(502), reply_lost()], ids=["it has not", "it has"])
async def test_what_telegram_perhaps_has_is_not_sent_again_to_those_who_want_nothing_twice(
    fault: Fault, tmp_path: Path
) -> None:
    async with stage(SCRIPT, tmp_path, TELEGRAM__ON_AMBIGUOUS="drop") as there:
        await there.at(clock("09:01"))
        there.telegram.next(fault)
        await told_to_the_end(there)
        told = texts_in(there.told(NAME)[TELEGRAM])
        assert told == [[text] for text in (TEXTS[0], *[TEXTS[1]] * fault.accepted, *TEXTS[2:])]


@pytest.mark.fault("C5")
async def test_refused_markup_goes_out_as_plain_words_and_is_refused_no_oftener_than_sends_are_under_way(
    tmp_path: Path,
) -> None:
    async with stage(SCRIPT, tmp_path, SUBSCRIPTIONS=",".join(CHATS)) as there:
        before, calls = len(there.telegram.messages), len(there.telegram.calls)
        there.telegram.takes_markup = False
        await there.at(clock("09:01"))
        told = there.telegram.messages[before:]
        assert sorted(each.chat for each in told) == sorted(each[9:] for each in CHATS)
        assert {each.text for each in told} == {told[0].text} and TEXTS[0] in told[0].text and not told[0].entities
        assert len(there.telegram.calls) - calls <= len(CHATS) + IN_FLIGHT


@pytest.mark.fault("D7")
async def test_blocks_that_slack_refuses_are_left_out_and_the_text_arrives_once(tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path) as there:
        there.slack.next(answer(200, {"ok": False, "error": "invalid_blocks"}))
        await there.at(clock("09:01"))
        await told_to_the_end(there)
        assert texts_in(there.told(NAME)[SLACK]) == [[text] for text in TEXTS]
        assert not there.slack.messages[1].arguments.get("blocks")


@pytest.mark.fault("D7")
async def test_a_text_that_slack_never_takes_is_given_up_and_nobody_waits_for_it(tmp_path: Path) -> None:
    async with stage(SCRIPT, tmp_path, SUBSCRIPTIONS=f"{OPS},{SLACK},{TELEGRAM}") as there:
        there.slack.refusals["C0OPS"] = "msg_too_long"
        await there.at(clock("09:01"))
        assert [len(texts) for texts in there.told(NAME).values()] == [1, 1], "at once"
        for wait in range(1, 8):
            await there.at(clock("09:01") + timedelta(seconds=wait * 100))
        asked = [each["channel"] for method, each in there.slack.calls if method == "chat.postMessage"]
        assert asked.count("C0OPS") == 1 + 3, "the welcome, and three times in vain"
        del there.slack.refusals["C0OPS"]
        await told_to_the_end(there)
        posts = [each.text for each in there.slack.messages if each.channel == "C0OPS"]
        assert texts_in(posts)[1:] == [[text] for text in TEXTS[1:]], "the conversation goes on without it"


@pytest.mark.fault("E3")
@pytest.mark.parametrize(
    ("reply", "always"),
    [("552 5.3.4 Message too big", False), ("554 5.6.0 Content rejected", True)],
    ids=["in its rich form", "in any form"],
)
async def test_a_mail_that_is_refused_for_its_content_goes_out_plain_or_not_at_all_and_holds_up_nobody(
    reply: str, always: bool, tmp_path: Path
) -> None:
    async with FakeMail() as mail:
        more = {
            "SUBSCRIPTIONS": f"{MAIL},{SLACK}",
            "EMAIL__SMTP_URL": mail.url,
            "EMAIL__SENDER": "Kraken status <status@example.com>",
        }
        async with stage(SCRIPT, tmp_path, None, **more) as there:
            welcomed = mail.connections
            mail.next(refuses_mail(reply))
            if always:
                mail.breaks(refuses_mail(reply))
            await there.at(clock("09:01"), clock("09:10"))
            assert texts_in(there.told(NAME)[SLACK]) == [TEXTS[:1]]
            assert mail.connections - welcomed == (3 if always else 2)
            mail.mends()
            await told_to_the_end(there)
            mails = mail.received[1:]
            texts = texts_in([" ".join(each.part("plain").split()) for each in mails])
            assert texts == [[text] for text in (TEXTS[1:] if always else TEXTS)]
            assert always or not mails[0].message.is_multipart()
