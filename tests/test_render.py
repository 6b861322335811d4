"""The words of every kind of news, kept as goldens: `pytest --update-goldens` writes them anew, for a review."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from notifier.diff import diff_exchange, diff_page
from notifier.known import Known
from notifier.markup import INERT, chat_plain, plain, slack_mrkdwn, telegram_html
from notifier.model import (
    Advisory,
    Affected,
    Change,
    Component,
    Exchange,
    Message,
    Receipt,
    Snapshot,
    Window,
)
from notifier.notice import remind, welcome, withdraw
from notifier.ports import Part
from notifier.render import LATE, Page, duration, moment, render
from tests.builders import NOW, after, at, incident, maintenance, page, update, watched

GOLDEN = Path(__file__).parent / "golden"
KRAKEN = Page(url="https://status.kraken.com")
API = Component(id="g-api", name="Kraken API", is_group=True)
COINS = tuple(Component(id=f"c{n}", name=f"Coin {n} (C{n})", group_id="g-coins") for n in range(300))
ALL = (
    API,
    Component(id="c-ws", name="Websocket", group_id="g-api"),
    Component(id="g-coins", name="Digital Currency Funding", is_group=True),
    *COINS,
)

OPEN = update("11:29", "investigating", "We see connection errors.\n\nOrders placed over REST are not affected.")
FIXED = update("11:35", "monitoring", "A fix is in.")
OVER = update("11:41", "resolved", "This incident has been resolved.")
AGAIN = update("11:50", "investigating", "It is back.")
POSTMORTEM = update("11:58", "postmortem", "A certificate had expired.")

WINDOW = Window(start=at("12:30"), end=at("13:30"))
PLANNED = update("11:20", "scheduled", "We will replace a switch.")
BEGUN = update("12:30", "in_progress", "We are replacing the switch.")
DONE = update("13:10", "completed", "The switch is replaced.")


def play(*readings: Snapshot, known: Known | None = None) -> tuple[list[Change], Known]:
    """The changes of the last of these readings, and what is known then."""
    known, changes = known or watched("10:00"), list[Change]()
    for reading in readings:
        diff = diff_page if reading.exchange is None else diff_exchange
        news = diff(known, reading, NOW, baseline=False)
        known, changes = after(known, news), list(news.changes)
    return changes, known


def newest(*readings: Snapshot) -> list[Change]:
    return play(*readings)[0]


def api(*incidents: object, **more: object) -> Snapshot:
    return page(*incidents, components=ALL, source="summary", **more)  # type: ignore[arg-type]


def exchange(status: str, *advisories: Advisory) -> Snapshot:
    return Snapshot(source="exchange", exchange=Exchange(status=status, advisories=advisories))


def websocket(status: str, when: str) -> Snapshot:
    return page(
        source="summary",
        components=(API, Component(id="c", name="Websocket", group_id="g-api", status=status, updated_at=at(when))),
    )


def planned(*updates: object, window: Window = WINDOW) -> Snapshot:
    return api(maintenance(*updates, name="Network maintenance", window=window))  # type: ignore[arg-type]


def advisory(**more: object) -> Advisory:
    given: dict[str, object] = {
        "event_id": "21",
        "title": "Elevated errors on spot trading",
        "emergency": True,
        "impact": "critical",
        "services": ("spot ws", "spot rest"),
        "starts_at": at("11:31"),
    }
    return Advisory(**{**given, **more})  # type: ignore[arg-type]


def withdrawn() -> list[Change]:
    _, known = play(api(incident(OPEN)))
    return list(withdraw(known.incidents["wsincident01"], NOW).changes)


def due() -> list[Change]:
    _, known = play(planned(PLANNED))
    return list(remind(known.incidents.values(), timedelta(minutes=40), NOW).changes)


def welcomed(*readings: Snapshot) -> list[Change]:
    return [welcome(7, play(*readings)[1], "Kraken", NOW)]


HOSTILE = update(
    "11:29", text="<!channel> <https://evil.example|kraken.com>\n</blockquote><b>bold *x* _y_ `z` @all $BTC\n%s {0} \\n"
)
BAD = update("11:33", "identified", "All connections fail.")
WORSE = api(incident(OPEN)), api(incident(OPEN, BAD, impact="critical"))

NEWS: dict[str, Callable[[], Sequence[Change]]] = {
    "opened": lambda: newest(api(incident(OPEN))),
    "progress": lambda: newest(api(incident(OPEN)), api(incident(OPEN, FIXED))),
    "worsened": lambda: newest(*WORSE),
    "resolved": lambda: newest(api(incident(OPEN, FIXED)), api(incident(OPEN, FIXED, OVER))),
    "resolved without a word": lambda: newest(
        api(incident(OPEN)), api(incident(OPEN, status="resolved", resolved_at=at("11:41")))
    ),
    "reopened": lambda: newest(api(incident(OPEN, OVER)), api(incident(OPEN, OVER, AGAIN, resolved_at=None))),
    "postmortem": lambda: newest(
        api(incident(OPEN, OVER)), api(incident(OPEN, OVER, POSTMORTEM, resolved_at=at("11:41")))
    ),
    "edited": lambda: newest(api(incident(OPEN)), api(incident(replace(OPEN, text="Only some connections fail.")))),
    "renamed": lambda: newest(api(incident(OPEN)), api(incident(OPEN, name="Data is late", updated_at=at("11:31")))),
    "worsened without a word": lambda: newest(
        api(incident(OPEN)), api(incident(OPEN, impact="major", updated_at=at("11:31")))
    ),
    "withdrawn": withdrawn,
    "maintenance scheduled": lambda: newest(planned(PLANNED)),
    "maintenance rescheduled": lambda: newest(
        planned(PLANNED),
        planned(PLANNED, update("11:40", "scheduled", "Tomorrow."), window=Window(start=at("12:30", 1))),
    ),
    "maintenance due": due,
    "maintenance started": lambda: newest(planned(PLANNED), planned(PLANNED, BEGUN)),
    "maintenance being verified": lambda: newest(
        planned(PLANNED, BEGUN), planned(PLANNED, BEGUN, update("12:50", "verifying", "Looks good."))
    ),
    "maintenance overdue": lambda: newest(
        planned(PLANNED, BEGUN), planned(PLANNED, BEGUN, update("13:45", "in_progress", "It takes longer."))
    ),
    "maintenance completed": lambda: newest(planned(PLANNED, BEGUN), planned(PLANNED, BEGUN, DONE)),
    "component down": lambda: newest(websocket("operational", "9:00"), websocket("major_outage", "11:30")),
    "component back": lambda: newest(
        websocket("operational", "9:00"), websocket("major_outage", "11:30"), websocket("operational", "11:45")
    ),
    "exchange leaving": lambda: newest(exchange("online"), exchange("cancel_only")),
    "exchange returning": lambda: newest(exchange("online"), exchange("cancel_only"), exchange("online")),
    "advisory of an emergency": lambda: newest(
        exchange("online"), exchange("online", advisory(action="stop_new_orders"))
    ),
    "advisory of a maintenance": lambda: newest(
        exchange("online"),
        exchange("online", advisory(emergency=False, impact=None, starts_at=at("12:30"), ends_at=at("13:00"))),
    ),
    "welcome with nothing open": welcomed,
    "welcome with something open": lambda: welcomed(
        api(incident(OPEN)), planned(PLANNED), exchange("online"), exchange("post_only")
    ),
    "a backlog in one message": lambda: newest(api(), api(incident(OPEN, FIXED, OVER))),
    "an edit in a backlog": lambda: [
        *newest(*WORSE),
        *newest(*WORSE, api(incident(OPEN, replace(BAD, text="Most fail."), impact="critical"))),
        *newest(*WORSE, api(incident(replace(OPEN, text="We see many errors."), BAD))),
    ],
    "late news": lambda: newest(api(), api(incident(update("8:15", "investigating", "We are late.")))),
    "published after the fact": lambda: newest(
        api(), api(incident(update("8:15", "identified", "It was slow.", created_at=at("11:58"))))
    ),
    "300 components": lambda: newest(api(incident(OPEN, components=(*COINS, ALL[1])))),
    "hostile text": lambda: newest(api(incident(HOSTILE, name="</b> <!here> *x* & more"))),
    "empty text": lambda: newest(api(incident(replace(OPEN, text="")))),
    "an impact and a status that nobody knows": lambda: newest(
        api(incident(update("11:55", "on_fire"), impact="apocalyptic"))
    ),
}  # fmt: skip


def message(changes: Sequence[Change], date: datetime | None = None, **more: object) -> Message:
    """As if it went out half a minute after the newest of it, or as late as it is, if that is what it is about."""
    parts = [Part(delivery_id=number, change=change) for number, change in enumerate(changes, 1)]
    return render(parts, KRAKEN, origin="db", date=date or NOW, **more)  # type: ignore[arg-type]


def sent_at(case: str, changes: Sequence[Change]) -> datetime:
    late = case in ("late news", "a backlog in one message")
    return NOW if late else max(change.at for change in changes) + timedelta(seconds=30)


@pytest.mark.parametrize("case", NEWS)
def test_the_words_are_those_of_the_golden(case: str, pytestconfig: pytest.Config) -> None:
    changes = NEWS[case]()
    told = message(changes, sent_at(case, changes))
    said = f"{told.subject}\n{'loud' if told.loud else 'quiet'}\n\n{plain(told.lines)}\n"
    golden = GOLDEN / f"{case.replace(' ', '-')}.txt"
    if pytestconfig.getoption("--update-goldens"):
        golden.write_text(said)
    assert said == golden.read_text()


def test_no_golden_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {case.replace(" ", "-") for case in NEWS}


@pytest.mark.parametrize("case", NEWS)
def test_every_message_says_what_it_is_about_and_leads_to_the_page_only(case: str) -> None:
    told = message(NEWS[case]())
    urls = [span.url for line in told.lines for span in line.spans if span.url]
    assert len(urls) == 1 and urls[0].startswith(KRAKEN.url)
    assert told.lines[-1].spans[-1].url == urls[0]
    assert told.lines[0].spans[0].text.endswith(told.subject.removeprefix("[Kraken] "))
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
    assert duration(length) == expected


def test_moments_name_the_day_only_where_it_is_another() -> None:
    assert moment(at("9:05"), NOW).text == "09:05 UTC"
    assert moment(at("9:05", day=1), NOW).text == "25 Feb 09:05 UTC"
    assert moment(at("9:05", day=365), NOW).text == "24 Feb 2027 09:05 UTC"
    assert moment(at("9:05"), NOW).at == at("9:05")
