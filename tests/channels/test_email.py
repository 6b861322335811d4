"""Mail on its way: what arrives, and what each end of a conversation means. The mail itself: test_email_written."""

from __future__ import annotations

import asyncio
import logging
import traceback
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest

from notifier.channels.email import Email, compose
from notifier.message import Appointment, Message, Receipt, Role
from notifier.ports import Ambiguous, BadCredentials, BadMessage, Gone, NotSent, Throttled
from notifier.subscription import Address
from tests.channels.contract import AT, failure_of, message, said, table
from tests.receivers.certificates import trusting
from tests.receivers.mail import (
    FakeMail,
    busy,
    drops_after_the_dot,
    drops_before_the_dot,
    refuses_content,
    refuses_login,
    refuses_mail,
    refuses_recipient,
    refuses_sender,
    silent_after_the_dot,
    silent_at_the_greeting,
)

DESK = Address("mailto", "desk@trading.example")
SENDER = "Kraken status <status@notifier.example>"
SECRET = "pass:word/with@signs"


@pytest.fixture
async def mailbox() -> AsyncIterator[FakeMail]:
    async with FakeMail(tls="starttls", users={"bot": SECRET}) as server:
        yield server


@pytest.fixture
def channel(mailbox: FakeMail) -> Email:
    return Email(mailbox.url, SENDER, tls_context=trusting())


async def test_a_mail_arrives_privately_under_its_login(channel: Email, mailbox: FakeMail) -> None:
    receipt = await channel.send(DESK, message())

    [mail] = mailbox.received
    assert (mail.mail_from, mail.rcpt_tos) == ("status@notifier.example", ("desk@trading.example",))
    assert (mail.private, mail.user) == (True, "bot")
    assert mail.raw == compose(DESK, message(), SENDER).as_bytes()
    assert receipt == Receipt(to="desk@trading.example", ref=mail.message["Message-ID"], root=True)
    assert mail.defects == []


async def test_a_reply_is_no_root(channel: Email, mailbox: FakeMail) -> None:
    receipt = await channel.send(DESK, message(thread=Receipt("desk@trading.example", "<1@notifier.example>")))

    assert not receipt.root
    assert mailbox.received[0].message["References"] == "<1@notifier.example>"


async def test_a_channel_writes_as_it_was_told_to(mailbox: FakeMail) -> None:
    channel = Email(
        mailbox.url,
        SENDER,
        stable_subject=True,
        unsubscribe=lambda to: f"https://notifier.example/leave/{to.target}",
        tls_context=trusting(),
    )

    await channel.send(DESK, message(topic="[Kraken] WebSocket API connection errors"))

    [mail] = mailbox.received
    assert mail.message["Subject"] == "[Kraken] WebSocket API connection errors"
    assert mail.message["List-Unsubscribe"] == "<https://notifier.example/leave/desk@trading.example>"
    assert mail.defects == []


async def test_lines_that_begin_with_a_dot_arrive_whole(channel: Email, mailbox: FakeMail) -> None:
    dots = message(said(".", role=Role.TEXT), said("..two", role=Role.TEXT), said(".three", role=Role.TEXT))

    await channel.send(DESK, dots)

    [mail] = mailbox.received
    assert mail.raw == compose(DESK, dots, SENDER).as_bytes()
    assert mail.part("plain").splitlines()[2:5] == [".", "..two", ".three"]


async def test_a_foreign_domain_is_written_in_ascii(channel: Email, mailbox: FakeMail) -> None:
    await channel.send(Address("mailto", "desk@bücher.example"), message())

    assert mailbox.received[0].rcpt_tos == ("desk@xn--bcher-kva.example",)


SERVERS: dict[str, tuple[dict[str, Any], bool]] = {
    "smtps is private from the start": ({"tls": "implicit", "users": {"bot": SECRET}}, True),
    "smtp becomes private before the login": ({"tls": "starttls", "users": {"bot": SECRET}}, True),
    "?tls=none stays plain": ({"tls": "none"}, False),
}


@table(SERVERS)
async def test_the_url_says_how_it_is_secured(row: tuple[dict[str, Any], bool]) -> None:
    kind, private = row
    async with FakeMail(**kind) as server:
        channel = Email(server.url, SENDER, tls_context=trusting())

        await channel.send(DESK, message())
        who = await channel.check()

    [mail] = server.received
    assert mail.private is private
    assert f"127.0.0.1:{server.port}" in who


@pytest.mark.parametrize(("tls", "private"), [("starttls", True), ("none", False)])
async def test_to_loopback_what_is_offered_is_enough(tls: Any, private: bool) -> None:
    async with FakeMail(tls=tls) as server:
        await Email(f"smtp://127.0.0.1:{server.port}", SENDER, tls_context=trusting()).send(DESK, message())

        assert server.received[0].private is private


REFUSALS = {
    "too many connections": (busy(), Throttled),
    "no service here": (busy("554 5.3.2 No SMTP service here"), BadCredentials),
    "the greeting is no SMTP": (busy("HTTP/1.1 400 Bad Request"), NotSent),
    "the password is wrong": (refuses_login("535 5.7.8 Authentication failed"), BadCredentials),
    "the login is out of order": (refuses_login("454 4.7.0 Temporary authentication failure"), Throttled),
    "a login is needed": (refuses_sender("530 5.7.0 Authentication required"), BadCredentials),
    "the sender is not ours": (refuses_sender("553 5.7.1 Sender address not owned by user"), BadCredentials),
    "the mail is too big": (refuses_sender("552 5.3.4 Message size exceeds limit"), BadMessage),
    "sending too fast": (refuses_sender("450 4.7.1 Error: too much mail from you"), Throttled),
    "the provider's quota is used up": (refuses_recipient("454 Throttling failure: Daily message quota"), Throttled),
    "greylisting": (refuses_recipient("450 4.7.1 Greylisted, try again in 300 seconds"), NotSent),
    "the mailbox is full": (refuses_recipient("452 4.2.2 Over quota"), NotSent),
    "one mailbox gets too much": (refuses_recipient("450 4.2.1 Receiving mail at a rate that prevents more"), NotSent),
    "no such mailbox": (refuses_recipient("550 5.1.1 User unknown"), Gone),
    "no such mailbox, in bare words": (refuses_recipient("550 No such user"), Gone),
    "the mailbox moved": (refuses_recipient("551 5.1.6 User not local"), Gone),
    "the mailbox name is not allowed": (refuses_recipient("553 5.1.3 Bad address"), Gone),
    "no such mailbox, found out late": (refuses_mail("550 5.1.1 User unknown"), Gone),
    "the sender's domain does not exist": (refuses_recipient("550 5.1.8 Sender domain not found"), BadCredentials),
    "a policy against us": (refuses_recipient("550 5.7.1 Blocked"), BadMessage),
    "no content now": (refuses_content("451 4.3.5 Server configuration problem"), NotSent),
    "an error at the end": (refuses_mail("451 4.3.0 Local error in processing"), NotSent),
    "too much content": (refuses_mail("552 5.3.4 Message too big"), BadMessage),
    "it looks like spam": (refuses_mail("554 5.7.1 Spam message rejected"), BadMessage),
    "the content is forbidden": (refuses_mail("550 5.7.0 Content rejected"), BadMessage),
    "the server goes down at the end": (refuses_mail("421 4.3.2 Shutting down"), Throttled),
    "the line breaks before the dot": (drops_before_the_dot(), NotSent),
}


@pytest.mark.fault("E1", "E2")
@table(REFUSALS)
async def test_every_refusal_becomes_the_failure_that_it_means(channel: Email, mailbox: FakeMail, row: Any) -> None:
    fault, expected = row
    mailbox.next(fault)

    failure = await failure_of(channel, DESK)

    assert type(failure) is expected
    assert mailbox.received == []
    assert mailbox.connections == 1, "a channel never tries again by itself"


PLAN = Appointment(uid="m1@kraken", sequence=0, summary="Kraken: Maintenance", start=AT)


@pytest.mark.fault("E5")
@table({"a mail": message(), "a mail with a calendar entry": message(appointment=PLAN)})
async def test_a_receipt_lost_after_the_dot_is_unclear_and_the_next_try_is_the_same_mail(
    channel: Email, mailbox: FakeMail, row: Message
) -> None:
    mailbox.next(drops_after_the_dot())

    failure = await failure_of(channel, DESK, text=row)
    await channel.send(DESK, row)

    first, second = mailbox.received
    assert type(failure) is Ambiguous
    assert first.raw == second.raw
    assert first.defects == []


@pytest.mark.fault("E5")
async def test_silence_after_the_dot_is_unclear(
    channel: Email, mailbox: FakeMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifier.channels.email.TIMEOUT", 0.3)
    mailbox.next(silent_after_the_dot())

    failure = await failure_of(channel, DESK)

    assert type(failure) is Ambiguous
    assert len(mailbox.received) == 1


@pytest.mark.parametrize("host", ["127.0.0.1:1", "mail.invalid"], ids=["nobody listens", "there is no such host"])
async def test_without_a_connection_nothing_is_sent(host: str) -> None:
    assert type(await failure_of(Email(f"smtps://{host}", SENDER), DESK)) is NotSent


async def test_silence_at_the_greeting_is_not_sent(
    channel: Email, mailbox: FakeMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifier.channels.email.TIMEOUT", 0.1)
    mailbox.next(silent_at_the_greeting())

    assert type(await failure_of(channel, DESK)) is NotSent


INSECURE = {
    "the certificate is another host's": ("starttls", "elsewhere.example", True),
    "the certificate of smtps is another host's": ("implicit", "elsewhere.example", True),
    "nobody vouches for the certificate": ("starttls", "127.0.0.1", False),
    "somebody took STARTTLS away": ("none", "127.0.0.1", True),
}


@pytest.mark.fault("E6")
@table(INSECURE)
async def test_nothing_is_said_on_a_line_that_is_not_secure(row: tuple[Any, str, bool]) -> None:
    tls, host, trusted = row
    async with FakeMail(tls=tls, certificate_for=host) as server:
        url = server.url.replace("tls=none", "tls=starttls")
        channel = Email(url, SENDER, tls_context=trusting() if trusted else None)

        failure = await failure_of(channel, DESK)

    assert type(failure) is BadCredentials
    assert server.received == []


async def test_a_wrong_password_is_refused_by_the_server() -> None:
    async with FakeMail(tls="starttls", users={"bot": "right"}) as server:
        url = server.url.replace("right", "wrong")

        failure = await failure_of(Email(url, SENDER, tls_context=trusting()), DESK)

    assert type(failure) is BadCredentials
    assert "535" in failure.reason


async def test_a_login_that_the_server_repeats_is_not_repeated_by_us() -> None:
    async with FakeMail(users={"bot": "fake-canary-smtp-77"}) as mailbox:
        repeated = b64encode(b"\0bot\0fake-canary-smtp-77").decode()
        mailbox.next(refuses_login(f"535 5.7.8 Authentication failed for {repeated}"))
        with pytest.raises(BadCredentials, match=r"535 5\.7\.8 Authentication failed for …") as refused:
            await Email(mailbox.url, "a@example.com").check()
        assert repeated not in str(refused.value)


async def test_a_login_that_the_server_does_not_offer_is_refused() -> None:
    async with FakeMail(tls="none") as server:
        url = server.url.replace("//", "//bot:word@")

        failure = await failure_of(Email(url, SENDER), DESK)

    assert type(failure) is BadCredentials
    assert server.received == []


async def test_check_logs_in_and_sends_nothing(channel: Email, mailbox: FakeMail) -> None:
    assert await channel.check() == f"bot at 127.0.0.1:{mailbox.port}"
    assert mailbox.connections == 1
    assert mailbox.received == []


async def test_check_raises_what_a_mail_would_meet(channel: Email, mailbox: FakeMail) -> None:
    mailbox.next(refuses_login("535 5.7.8 Authentication failed"))

    with pytest.raises(BadCredentials):
        await channel.check()


async def test_a_mail_can_neither_be_edited_nor_found(channel: Email, mailbox: FakeMail) -> None:
    receipt = await channel.send(DESK, message())

    assert (channel.can_edit, channel.can_find, channel.keeps_root) == (False, False, False)
    assert await channel.find(DESK, message(), AT) is None
    with pytest.raises(BadMessage):
        await channel.edit(receipt, message())


async def test_no_secret_is_said_or_logged(channel: Email, mailbox: FakeMail, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    mailbox.next(*(fault for fault, _ in REFUSALS.values()), drops_after_the_dot())
    told = [repr(channel), str(vars(channel))]
    for _ in range(len(REFUSALS) + 1):
        failure = await failure_of(channel, DESK)
        told.append("".join(traceback.format_exception(failure)) + repr(failure))
    await channel.send(DESK, message())

    assert mailbox.received[-1].user == "bot", "the secret is in use"
    assert [text for text in (*told, caplog.text) if SECRET in text] == []


async def test_cancellation_passes(channel: Email, mailbox: FakeMail) -> None:
    mailbox.next(silent_after_the_dot())
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(channel.send(DESK, message()))
        await mailbox.until(lambda: len(mailbox.received) == 1)
        sending.cancel()

    assert sending.cancelled()
