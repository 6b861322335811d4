"""What an operator tells everybody, as its readers see it."""

from __future__ import annotations

from datetime import timedelta

from notifier.markup import plain, telegram_html
from notifier.message import Message, Role
from notifier.notice import broadcast
from notifier.parcel import Part
from notifier.render import render
from tests.builders import NOW
from tests.news import KRAKEN


def told(text: str, late: timedelta = timedelta()) -> Message:
    part = Part(delivery_id=1, change=broadcast(7, text, NOW))
    return render([part], KRAKEN, origin="db", date=NOW + late)


def test_it_says_whose_word_it_is_and_nothing_of_krakens() -> None:
    message = told("We move house.\n\nNothing changes for you.")
    assert message.subject == "[Kraken notifier] From the operators of this bot"
    assert message.loud and message.lines[0].role is Role.TITLE
    assert plain(message.lines).splitlines() == [
        "📣 From the operators of this bot",
        "We move house.",
        "Nothing changes for you.",
        "From the notifier itself; this is no news of Kraken's.",
    ]


def test_who_hears_of_it_late_is_told_when_it_was_written() -> None:
    assert "Late: written 12:00 UTC, delivered 20:00 UTC" in plain(told("Hello", timedelta(hours=8)).lines)


def test_its_words_are_literal() -> None:
    assert "&lt;b&gt;Free &amp; easy" in telegram_html(told("<b>Free & easy").lines)
