"""What holds for the words of every kind of news; the words themselves are in the goldens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from notifier.markup import INERT, chat_plain, plain, slack_mrkdwn, telegram_html
from notifier.message import Message, Receipt, Role
from notifier.model import Affected, Change
from notifier.parcel import Part
from notifier.render import LATE, Page, render
from notifier.times import duration, moment
from notifier.tongue import ENGLISH
from tests.builders import NOW, at
from tests.news import KRAKEN, NEWS, OWN


def message(changes: Sequence[Change], date: datetime | None = None, **more: object) -> Message:
    parts = [Part(delivery_id=number, change=change) for number, change in enumerate(changes, 1)]
    return render(parts, KRAKEN, origin="db", date=date or NOW, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", OWN)
def test_what_the_bot_says_of_itself_does_not_pass_for_news_of_krakens(case: str) -> None:
    told = message(NEWS[case]())
    assert [span.url for line in told.lines for span in line.spans if span.url] == []
    assert told.subject.startswith("[Kraken notifier] ")
    assert told.lines[0].spans[0].text.endswith(told.subject.removeprefix("[Kraken notifier] "))
    assert "no news of Kraken's" in plain(told.lines[-1:])


@pytest.mark.parametrize("case", [case for case in NEWS if case not in OWN])
def test_every_other_message_says_what_it_is_about_and_leads_to_the_page_only(case: str) -> None:
    told = message(NEWS[case]())
    urls = [span.url for line in told.lines for span in line.spans if span.url]
    assert len(urls) == 1 and urls[0].startswith(KRAKEN.url)
    assert told.lines[-1].spans[-1].url == urls[0]
    assert told.lines[0].spans[0].text.endswith(told.subject.removeprefix("[Kraken] "))
    assert (told.lines[0].role, told.lines[-1].role) == (Role.TITLE, Role.LINK)
    assert "None" not in plain(told.lines)


def test_hostile_words_are_literal_in_every_markup() -> None:
    lines = message(NEWS["hostile text"]()).lines
    rich, slack = telegram_html(lines), slack_mrkdwn(lines)
    assert "&lt;b&gt;bold" in rich and rich.count("<b>") == rich.count("<blockquote>") == 1
    assert "&lt;!channel&gt;" in slack and "<!channel>" not in slack
    assert re.findall(r"<(http[^|>]*)", slack) == [f"{KRAKEN.url}/incidents/wsincident01"]
    for written in (rich, slack, chat_plain(lines)):
        assert f"@{INERT}all" in written


MENTIONED: dict[str, tuple[bool, str, bool]] = {
    "loud and critical": (True, "critical", True),
    "loud and major": (True, "major", True),
    "loud but minor": (True, "minor", False),
    "critical but quiet": (False, "critical", False),
}


@pytest.mark.parametrize("case", MENTIONED)
def test_people_are_mentioned_only_in_loud_news_of_weight(case: str) -> None:
    loud, impact, expected = MENTIONED[case]
    [change] = NEWS["opened"]()
    told = message([replace(change, loud=loud, impact=impact)], mention="<!here>")
    assert told.mention == ("<!here>" if expected else None)


def test_a_message_is_identified_by_its_database_and_all_its_parts() -> None:
    told = message(NEWS["a backlog in one message"](), thread=Receipt("slack:C1", "1.2"), plain=True)
    assert told.delivery_ids == ("db-1", "db-2", "db-3")
    assert (told.thread, told.plain, told.date) == (Receipt("slack:C1", "1.2"), True, NOW)


def test_news_is_late_after_ten_minutes_and_not_before() -> None:
    changes = NEWS["opened"]()
    for lateness, expected in ((LATE, False), (LATE + timedelta(seconds=1), True)):
        text = plain(message(changes, changes[0].at + lateness).lines)
        assert ("Late: posted" in text) is expected


def test_another_page_has_its_own_name_and_links() -> None:
    [change] = NEWS["opened"]()
    other = Page(url="https://status.example.com", name="Example")
    told = render([Part(delivery_id=1, change=change)], other, origin="db", date=NOW)
    assert told.subject.startswith("[Example] ")
    assert "https://status.example.com/incidents/wsincident01" in plain(told.lines)


def test_eight_components_are_named_and_the_others_counted() -> None:
    [change] = NEWS["opened"]()
    eight = replace(change, components=tuple(Affected(name=f"C{n}") for n in range(8)))
    nine = replace(eight, components=(*eight.components, Affected(name="C8")))
    assert "C7" in plain(message([eight]).lines) and "more" not in plain(message([eight]).lines)
    assert "C7 and 1 more" in plain(message([nine]).lines)


DURATIONS = {
    "nothing": (timedelta(0), "less than a minute"),
    "less than nothing": (timedelta(seconds=-90), "less than a minute"),
    "a little": (timedelta(seconds=29), "less than a minute"),
    "nearly a minute": (timedelta(seconds=31), "1 min"),
    "minutes": (timedelta(minutes=12), "12 min"),
    "nearly an hour": (timedelta(minutes=59, seconds=59), "1 h"),
    "hours and minutes": (timedelta(hours=5, minutes=48), "5 h 48 min"),
    "nearly a day": (timedelta(hours=23, minutes=59, seconds=45), "1 d"),
    "days and hours": (timedelta(days=3, hours=2, minutes=50), "3 d 2 h"),
    "weeks": (timedelta(days=35), "35 d"),
}


@pytest.mark.parametrize("case", DURATIONS)
def test_durations(case: str) -> None:
    length, expected = DURATIONS[case]
    assert duration(length, ENGLISH) == expected


def test_moments_name_the_day_only_where_it_is_another() -> None:
    assert moment(at("9:05"), NOW, ENGLISH).text == "09:05 UTC"
    assert moment(at("9:05", day=1), NOW, ENGLISH).text == "25 Feb 09:05 UTC"
    assert moment(at("9:05", day=365), NOW, ENGLISH).text == "24 Feb 2027 09:05 UTC"
    assert moment(at("9:05"), NOW, ENGLISH).at == at("9:05")


def test_the_first_message_stands_where_kraken_posted_last_and_not_where_we_saw_last() -> None:
    [opened] = NEWS["opened"]()
    [fixed] = NEWS["progress"]()
    slid_in = replace(fixed, status="identified", at=at("11:31"), posted_at=at("11:31"))
    parts = [Part(delivery_id=1, change=opened)]
    told = render(parts, KRAKEN, origin="db", date=NOW, since=[fixed, slid_in])
    assert told.subject.startswith("[Kraken] Monitoring:")
    over = replace(NEWS["resolved"]()[0], posted_at=None, at=at("11:30"))
    told = render(parts, KRAKEN, origin="db", date=NOW, since=[fixed, over])
    assert told.subject.startswith("[Kraken] Resolved:"), "the feed tells no posting time"


def test_what_the_feed_ended_within_the_minute_of_its_start_says_how_long_it_lasted() -> None:
    [over] = NEWS["resolved without a word"]()
    within = replace(over, started_at=at("11:29") + timedelta(seconds=7), ended_at=at("11:29"))
    assert "less than a minute" in plain(message([within]).lines)
