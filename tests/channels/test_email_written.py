"""Mail as it is written, before any server sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.channels.email import Email, compose
from notifier.markup import INERT
from notifier.message import Message, Receipt
from notifier.ports import BadMessage, Gone
from notifier.subscription import Address
from tests.channels.contract import HOSTILE, failure_of, message, said, table
from tests.receivers.mail import Mail
from tests.receivers.mail_client import read

DESK = Address("mailto", "desk@trading.example")
SENDER = "Kraken status <status@notifier.example>"
NOWHERE = "smtp://127.0.0.1:1"
"""Whoever tries to connect there hears NotSent."""


BODIES = {
    "no words": "",
    "twenty thousand characters": "wörd & more " * 1_667,
    "a line without a space": "x" * 5_000,
    "nothing but emoji": "😀" * 3_000,
}


def written(text: Message, to: Address = DESK, sender: str = SENDER) -> Mail:
    """A composed mail as it would lie in a mailbox."""
    raw = compose(to, text, sender).as_bytes()
    return Mail(mail_from="", rcpt_tos=(), raw=raw, private=True, user=None)


def test_the_headers_are_exactly_these() -> None:
    head, _, _ = compose(DESK, message(), SENDER).as_bytes().decode().partition("\r\n\r\n")

    assert head.split("\r\n") == [
        "From: Kraken status <status@notifier.example>",
        "To: desk@trading.example",
        "Subject: [Kraken] Investigating: WebSocket API connection errors",
        "Date: Tue, 24 Feb 2026 11:29:00 +0000",
        "Message-ID: <68150cfc45bd62a7a166bb670b0a71ae@notifier.example>",
        "List-Id: <kraken-status.notifier.example>",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "Precedence: bulk",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        ' boundary="=_068150cfc45bd62a7a166bb670b0a71ae"',
    ]


def test_both_parts_say_the_same() -> None:
    mail = written(message(said("We are on it.")))

    assert [part.get_content_type() for part in mail.message.iter_parts()] == ["text/plain", "text/html"]
    assert mail.part("plain").startswith(
        "🟡 Investigating: WebSocket API connection errors\n\n    We are on it.\n\nDetails on the status page\n"
    )
    assert read(mail.part("html")).within("blockquote") == ["We are on it."]


def test_where_markup_was_refused_only_text_goes() -> None:
    mail = written(message(said("We are on it."), plain=True))

    assert mail.message.get_content_type() == "text/plain"
    assert "We are on it." in mail.part("plain")


@pytest.mark.fault("E4", "E5")
def test_every_try_is_the_same_mail() -> None:
    text = message(thread=Receipt("desk@trading.example", "<root@notifier.example>"))

    assert compose(DESK, text, SENDER).as_bytes() == compose(DESK, text, SENDER).as_bytes()


def test_all_mails_of_a_conversation_can_have_one_subject() -> None:
    topic = "[Kraken] WebSocket API connection errors"
    mails = [compose(DESK, message(topic=topic), SENDER, stable_subject=stable) for stable in (False, True)]

    assert [mail["Subject"] for mail in mails] == ["[Kraken] Investigating: WebSocket API connection errors", topic]


def test_without_a_topic_the_subject_stays() -> None:
    assert compose(DESK, message(), SENDER, stable_subject=True)["Subject"] == message().subject


LEAVE = f"https://notifier.example/leave?who={'x' * 120}&list=1"


def test_a_recipient_can_leave_with_one_click() -> None:
    raw = compose(DESK, message(), SENDER, unsubscribe=LEAVE).as_bytes()
    mail = Mail(mail_from="", rcpt_tos=(), raw=raw, private=True, user=None)

    assert f"\r\nList-Unsubscribe: <{LEAVE}>\r\n".encode() in raw, "in one piece"
    assert mail.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"\nUnsubscribe: {LEAVE}\n" in mail.part("plain")
    assert LEAVE in read(mail.part("html")).links
    assert mail.defects == []


def test_what_an_address_to_leave_holds_stays_within_it() -> None:
    raw = compose(DESK, message(), SENDER, unsubscribe="https://n.example/>\r\nBcc: e@x.example\u2028").as_bytes()

    assert b"\r\nList-Unsubscribe: <https://n.example/%3E%0D%0ABcc:%20e@x.example%E2%80%A8>\r\n" in raw


def test_leaving_goes_over_https_only() -> None:
    with pytest.raises(ValueError, match="https"):
        compose(DESK, message(), SENDER, unsubscribe="http://notifier.example/leave")


def test_other_deliveries_have_another_message_id() -> None:
    folds: list[tuple[str, ...]] = [("db-1",), ("db-2",), ("db-1", "db-2"), ("other-1",), ("db-12",)]

    assert len({compose(DESK, message(delivery_ids=fold), SENDER)["Message-ID"] for fold in folds}) == len(folds)


@pytest.mark.parametrize("domain", ["n.example", f"{'long.' * 20}example", "bücher.example"])
def test_later_mails_hang_on_the_first(domain: str) -> None:
    sender = f"Kraken <status@{domain}>"
    root = written(message(), sender=sender).message["Message-ID"]

    reply = written(message(delivery_ids=("db-2",), thread=Receipt("x", root)), sender=sender)

    assert reply.message["In-Reply-To"] == reply.message["References"] == root
    assert root.encode() in reply.raw, "written as it is, not as an encoded word"


SUBJECTS = {
    "line breaks": ("Down\r\nBcc: evil@x.example", "Down Bcc: evil@x.example"),
    "a NUL": ("Do\x00wn", "Do wn"),
    "Unicode's own line breaks": ("Down\u2028now\u2029here\x85there", "Down now here there"),
    "half an emoji": ("Down \ud83d now", "Down now"),
    "escapes of a terminal": ("\x1b[31mDown\x1b[0m", "[31mDown [0m"),
    "nothing at all": ("", ""),
    "more than a line": ("wörd " * 100, "wörd " * 39 + "wörd…"),
    "an encoded word": ("=?utf-8?q?Bcc=3A?= x", f"={INERT}?utf-8?q?Bcc=3A?= x"),
    "an emoji": ("🔴 Down", "🔴 Down"),
}


@pytest.mark.fault("E8")
@table(SUBJECTS)
def test_a_subject_is_one_clean_line(row: tuple[str, str]) -> None:
    given_subject, expected = row

    mail = written(message(subject=given_subject))

    assert mail.message["Subject"] == expected
    assert mail.message["Bcc"] is None
    assert mail.defects == []


@given(subject=st.text(), text=st.text(), plain=st.booleans())
def test_any_words_make_a_sound_mail(subject: str, text: str, plain: bool) -> None:
    mail = written(message(said(text), subject=subject, plain=plain))

    assert mail.defects == []
    assert mail.message["To"] == "desk@trading.example"
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 998
    assert mail.raw.isascii()
    assert b"\n" not in mail.raw.replace(b"\r\n", b"")


@table(BODIES)
def test_a_text_of_any_length_arrives_whole(row: str) -> None:
    mail = written(message(said(row)))

    assert "".join(row.split()) in "".join(mail.part("plain").split())
    assert row in read(mail.part("html")).text
    assert mail.defects == []
    assert max(map(len, mail.raw.split(b"\r\n"))) <= 78, "quoted-printable"


def test_hostile_words_arrive_literally() -> None:
    mail = written(message(*map(said, HOSTILE)))

    assert [line for line in HOSTILE if " ".join(line.split()) not in " ".join(mail.part("plain").split())] == []
    assert read(mail.part("html")).within("blockquote") == list(HOSTILE)
    assert mail.defects == []


RECIPIENTS = {
    "two at once": "a@b.example, evil@x.example",
    "a comment": "a@b.example (evil@x.example)",
    "a name": "Desk <a@b.example>",
    "a line break": "a@b.example\r\nBcc: evil@x.example",
    "no domain": "desk",
    "an empty label": "a@b..example",
    "nothing": "",
    "a label that no name server knows": f"a@{'x' * 64}.example",
}


@table(RECIPIENTS)
async def test_what_is_not_one_recipient_is_gone(row: str) -> None:
    failure = await failure_of(Email(NOWHERE, SENDER), Address("mailto", row))

    assert type(failure) is Gone


async def test_a_mail_that_cannot_be_written_is_a_bad_message() -> None:
    text = message(thread=Receipt("desk@trading.example", "<1@x.example>\r\nBcc: evil@x.example"))

    failure = await failure_of(Email(NOWHERE, SENDER), DESK, text=text)

    assert type(failure) is BadMessage


@pytest.mark.parametrize("sender", ["", "Kraken", "a@b.example, c@d.example"])
def test_a_sender_must_be_one_mailbox(sender: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        Email("smtp://localhost", sender)
