"""Mail through a real server, judged by what lies in the mailbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import pytest

from notifier.channels.email import Email, compose
from notifier.message import Message, Receipt
from notifier.ports import BadCredentials, ChannelFailure, Gone, NotSent
from notifier.subscription import Address
from tests.channels.contract import failure_of
from tests.peers.exim import Exim, exim
from tests.peers.messages import every_message, hostile_messages
from tests.receivers.certificates import trusting
from tests.receivers.mail import Mail

DESK = Address("mailto", "desk@trading.example")
SENDER = "Kraken status <status@notifier.example>"
ROOT = Receipt("desk@trading.example", "<root@notifier.example>")
SEED = 20260224
COUNT = 100


@pytest.fixture
async def server() -> AsyncIterator[Exim]:
    async with exim() as running:
        yield running


@pytest.fixture
def channel(server: Exim) -> Email:
    return Email(server.url(), SENDER, tls_context=server.trusting)


async def through(server: Exim, channel: Email, messages: Mapping[str, Message]) -> dict[str, Mail]:
    """The mails as they arrived, by the names of the messages."""
    gate = asyncio.Semaphore(8)

    async def send(message: Message) -> str:
        async with gate:
            return (await channel.send(DESK, message)).ref

    ids = await asyncio.gather(*(send(message) for message in messages.values()))
    arrived = {str(mail.message["Message-ID"]): mail for mail in await server.delivered()}
    assert len(arrived) == len(messages)
    return {name: arrived[ref] for name, ref in zip(messages, ids, strict=True)}


def told_apart(messages: Mapping[str, Message]) -> dict[str, Message]:
    """Each with a Message-ID of its own."""
    return {name: replace(message, delivery_ids=(name,)) for name, message in messages.items()}


async def test_every_kind_of_news_arrives_whole(server: Exim, channel: Email) -> None:
    sent = {name: message for name, message in every_message(ROOT).items() if not name.endswith("kept current")}
    messages = told_apart(sent)

    mails = await through(server, channel, messages)

    for name, mail in mails.items():
        message, read = messages[name], mail.message
        assert mail.defects == [], name
        assert mail.raw == compose(DESK, message, SENDER).as_bytes().replace(b"\r\n", b"\n"), name
        assert (mail.mail_from, mail.rcpt_tos) == ("status@notifier.example", ("desk@trading.example",)), name
        assert mail.private, name
        assert (read["From"], read["To"]) == (SENDER, "desk@trading.example"), name
        assert read["Date"].datetime == message.date.replace(microsecond=0), name
        assert read["Subject"].startswith(("[Kraken] ", "[Kraken notifier] ")), name
        assert (read["References"], read["In-Reply-To"]) == ((ROOT.ref,) * 2 if message.thread else (None,) * 2), name
        assert (read["Auto-Submitted"], read["List-Id"] is None) == ("auto-generated", False), name
        assert mail.part("plain").strip(), name
        assert (read.get_body(("html",)) is None) is message.plain, name


async def test_no_words_break_a_mail_or_its_headers(server: Exim, channel: Email) -> None:
    messages = told_apart(dict(hostile_messages(SEED, COUNT, ROOT)))

    mails = await through(server, channel, messages)

    for name, mail in mails.items():
        read = mail.message
        assert mail.defects == [], name
        assert mail.rcpt_tos == ("desk@trading.example",) and read["Bcc"] is None, name
        assert mail.raw == compose(DESK, messages[name], SENDER).as_bytes().replace(b"\r\n", b"\n"), name


async def test_what_is_sent_again_is_the_same_mail(server: Exim, channel: Email) -> None:
    message = every_message(ROOT)["resolved, as a reply"]
    for _ in range(2):
        await channel.send(DESK, message)

    first, second = await server.delivered()
    assert first.raw == second.raw


async def test_the_server_lets_the_bot_in(server: Exim, channel: Email) -> None:
    assert "bot" in await channel.check()


REFUSED: dict[str, tuple[Address, type[ChannelFailure], str]] = {
    "nobody is there": (Address("mailto", "nobody@trading.example"), Gone, "no such user here"),
    "not at the first time": (Address("mailto", "later@trading.example"), NotSent, "greylisted"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_refused_recipient_means_what_it_means(channel: Email, server: Exim, case: str) -> None:
    to, expected, reason = REFUSED[case]

    failure = await failure_of(channel, to, text=every_message()["opened, alone"])

    assert type(failure) is expected
    assert reason in failure.reason
    assert await server.delivered() == []


async def test_after_a_refusal_the_connection_is_closed(channel: Email, server: Exim) -> None:
    await failure_of(channel, Address("mailto", "nobody@trading.example"), text=every_message()["opened, alone"])

    assert await server.hung_up()


async def test_a_wrong_password_is_a_bad_credential_and_stays_secret(server: Exim) -> None:
    channel = Email(server.url("not-the-password"), SENDER, tls_context=server.trusting)

    failure = await failure_of(channel, DESK, text=every_message()["opened, alone"])

    assert type(failure) is BadCredentials
    assert "535" in failure.reason and "not-the-password" not in failure.reason


async def test_an_unknown_authority_gets_no_password(server: Exim) -> None:
    channel = Email(server.url(), SENDER, tls_context=trusting())

    failure = await failure_of(channel, DESK, text=every_message()["opened, alone"])

    assert type(failure) is BadCredentials
    assert "certificate" in failure.reason
    assert "A=" not in server.log
