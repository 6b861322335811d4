"""What is read on a terminal of a payload is what its reader reads in the client."""

from __future__ import annotations

from html import unescape

import pytest

from notifier.channels import slack, telegram
from notifier.facsimile import slack_words, telegram_words
from notifier.message import Line
from notifier.model import Kind
from notifier.subscription import Address
from tests.news import NEWS, OWN, told

CHAT, GROUP = Address.parse("slack:C1"), Address.parse("telegram:-1001")


def facts(lines: tuple[Line, ...]) -> list[str]:
    return [f"{line.label}: {''.join(span.text for span in line.spans)}" for line in lines if line.label]


@pytest.mark.parametrize("case", NEWS)
def test_title_and_facts_are_read_in_their_words(case: str) -> None:
    message = told(case)
    title = message.lines[0].spans[0].text
    for read in (
        slack_words(str(slack.compose(CHAT, message)["text"])),
        telegram_words(telegram.compose(GROUP, message)),
    ):
        assert title in read or "*" in title
        assert [fact for fact in facts(message.lines) if fact not in read and "…" not in read] == []
        assert "<!date" not in read and "<tg-time" not in read
        assert ("https://status.kraken.com" in read) is (case not in OWN)


def test_quotations_have_a_bar_and_entities_are_read() -> None:
    [change] = NEWS["opened"]()
    assert change.kind is Kind.UPDATE_POSTED
    read = telegram_words(telegram.compose(GROUP, told("opened")))
    assert "│ We see connection errors.\n│ Orders placed over REST are not affected." in read
    assert read.endswith("[Status page] https://status.kraken.com/incidents/wsincident01")
    hostile = slack_words(str(slack.compose(CHAT, told("hostile text"))["text"]))
    assert "│ <!channel> <https://evil.example|kraken.com>" in hostile
    assert unescape(hostile) == hostile
