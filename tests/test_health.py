"""What counts as a trouble of the bot, from when on, and when nobody can say yet. By table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.alarm import turn
from notifier.health import Health, odd_words, troubles
from notifier.known import (
    Backlog,
    ChannelState,
    DeadLetters,
    InboxState,
    KnownExchange,
    Owed,
    SourceHealth,
    SwitchedOff,
)
from notifier.model import Kind
from tests.builders import NOW, incident, page, update, watched
from tests.news import play


def ago(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def source(name: str = "summary", failing: float | None = None, stale: float | None = None) -> SourceHealth:
    """Failing, or giving old answers, for so many minutes."""
    return SourceHealth(
        name=name,
        heard=True,
        failing_since=NOW - ago(failing) if failing is not None else None,
        stale_since=NOW - ago(stale) if stale is not None else None,
        age=ago(30) if stale is not None else None,
        reason="answered 503" if failing is not None else "",
    )


def slack(broken: float | None = None, *, refused: bool = False, heard: bool = True) -> ChannelState:
    since = NOW - ago(broken) if broken is not None else None
    return ChannelState(name="slack", broken_since=since, refused=refused, reason="no connection", heard=heard)


def telegram(broken: float, *, refused: bool = False) -> ChannelState:
    return replace(slack(broken, refused=refused), name="telegram")


def inbox(
    failing: float | None = None, *, conflict: bool = False, refused: bool = False, silent: float = 0
) -> InboxState:
    """Failing for so many minutes, or not heard of."""
    return InboxState(
        name="telegram",
        failing_since=NOW - ago(failing) if failing is not None else None,
        conflict=conflict,
        refused=refused,
        heard_at=NOW - ago(silent),
    )


def waiting(minutes: float, *channels: ChannelState) -> Health:
    backlog = Backlog(channel="slack", oldest=NOW - ago(minutes), count=3)
    return Health(channels=channels or (slack(),), owed=Owed(backlogs=(backlog,)))


def off(address: str, reason: str = "is_archived", *, again: bool = False) -> Health:
    return Health(owed=Owed(switched_off=(SwitchedOff(address=address, reason=reason, again=again),)))


UNHEARD = SourceHealth(name="summary")

CASES: dict[str, tuple[Health, set[str]]] = {
    "nothing": (Health(sources=(source(), source("feed")), channels=(slack(),)), set()),
    "a page that failed for a moment": (Health(sources=(source(failing=4.9),)), set()),
    "a page that fails": (Health(sources=(source(failing=5),)), {"page"}),
    "one of the page's readings": (Health(sources=(source(), source("incidents", failing=5))), {"page"}),
    "only the feed": (Health(sources=(source(), source("feed", failing=60))), set()),
    "another page": (Health(sources=(source(failing=60),), wrong_page="this is page x"), {"page-id"}),
    "old answers for a moment": (Health(sources=(source(stale=4.9),)), set()),
    "old answers": (Health(sources=(source(stale=5),)), {"page-stale"}),
    "an exchange that fails": (Health(sources=(source("exchange", failing=5),)), {"exchange"}),
    "an exchange that failed for a moment": (Health(sources=(source("exchange", failing=4),)), set()),
    "refused credentials, at once": (Health(channels=(slack(0, refused=True),)), {"channel/slack"}),
    "a channel that broke just now": (Health(channels=(slack(0.9),)), set()),
    "a broken channel": (Health(channels=(slack(1),)), {"channel/slack"}),
    "news that waits a little": (waiting(10), set()),
    "news that waits too long": (waiting(10.1), {"waiting/slack"}),
    "news that waits because its channel is broken": (waiting(30, slack(20)), {"channel/slack"}),
    "news that nobody tried to send yet": (waiting(30, slack(heard=False)), set()),
    "a recipient switched off": (off("slack:C1"), {"off/slack:C1"}),
    "a recipient switched on again that nothing reached yet": (off("slack:C1", again=True), set()),
    "dead letters": (
        Health(owed=Owed(dead=(DeadLetters(channel="slack", count=7, reason="invalid_blocks"),))),
        {"dead/slack"},
    ),
    "another reader of commands, for a moment": (Health(inbox=inbox(0.9, conflict=True)), set()),
    "another reader of commands": (Health(inbox=inbox(1, conflict=True)), {"inbox/telegram/contested"}),
    "commands not read for a moment": (Health(inbox=inbox(4.9)), set()),
    "commands not read": (Health(inbox=inbox(5)), {"inbox/telegram"}),
    "nothing heard of the inbox for a moment": (Health(inbox=inbox(silent=2)), set()),
    "nothing heard of the inbox": (Health(inbox=inbox(silent=5.1)), {"inbox/telegram"}),
    "an inbox that was never heard": (Health(inbox=InboxState(name="telegram")), set()),
    "a token that the inbox finds refused, at once": (Health(inbox=inbox(0, refused=True)), {"inbox/telegram"}),
    "a token that the channel finds refused too": (
        Health(channels=(telegram(0, refused=True),), inbox=inbox(0, refused=True)),
        {"channel/telegram"},
    ),
    "Telegram out of reach for both": (Health(channels=(telegram(6),), inbox=inbox(6)), {"channel/telegram"}),
    "another reader, and a broken channel": (
        Health(channels=(telegram(6),), inbox=inbox(6, conflict=True)),
        {"channel/telegram", "inbox/telegram/contested"},
    ),
    "a word nobody knows": (Health(oddities=("status on_fire",)), {"odd/status on_fire"}),
}


@pytest.mark.parametrize("case", CASES)
def test_these_are_told(case: str) -> None:
    health, expected = CASES[case]
    assert turn({}, troubles(health, NOW), NOW).raised.keys() == expected


STILL: dict[str, tuple[str, Health, bool]] = {
    "a page not asked yet": ("page", Health(sources=(UNHEARD,)), False),
    "a page that fails since a minute": ("page", Health(sources=(source(failing=1),)), False),
    "a page that answers": ("page", Health(sources=(source(),)), True),
    "commands that nobody read yet": ("inbox/telegram", Health(inbox=InboxState(name="telegram")), False),
    "commands that are contested": ("inbox/telegram", Health(inbox=inbox(0.5, conflict=True)), False),
    "a contest, and now no answer": ("inbox/telegram/contested", Health(inbox=inbox(1)), False),
    "commands that are read": ("inbox/telegram", Health(inbox=inbox()), True),
    "a contest that is over": ("inbox/telegram/contested", Health(inbox=inbox()), True),
    "nobody's words are wanted any more": ("inbox/telegram", Health(), True),
    "a page id not asked yet": ("page-id", Health(sources=(UNHEARD,)), False),
    "old answers, and now none": ("page-stale", Health(sources=(source(failing=1),)), False),
    "old answers, not asked yet": ("page-stale", Health(sources=(UNHEARD,)), False),
    "fresh answers": ("page-stale", Health(sources=(source(),)), True),
    "an exchange not asked yet": ("exchange", Health(sources=(SourceHealth(name="exchange"),)), False),
    "a channel not asked yet": ("channel/slack", Health(channels=(slack(heard=False),)), False),
    "a channel that works": ("channel/slack", Health(channels=(slack(),)), True),
    "news that still waits": ("waiting/slack", waiting(30, slack(heard=False)), False),
    "a recipient that nothing reached yet": ("off/slack:C1", off("slack:C1", again=True), False),
    "no dead letters": ("dead/slack", Health(), True),
    "a word told once": ("odd/status on_fire", Health(), False),
}

WORST = Health(
    sources=(source(failing=9), source("exchange", failing=9)),
    channels=(slack(9, refused=True),),
    oddities=("status on_fire",),
    owed=Owed(
        switched_off=(SwitchedOff(address="slack:C1", reason="is_archived"),),
        dead=(DeadLetters(channel="slack", count=1, reason=""),),
    ),
)
RAISED = {
    **turn({}, troubles(WORST, NOW), NOW).raised,
    **turn({}, troubles(waiting(30), NOW), NOW).raised,
    **turn({}, troubles(Health(sources=(source(stale=9),)), NOW), NOW).raised,
    **turn({}, troubles(Health(wrong_page="this is page x"), NOW), NOW).raised,
    **turn({}, troubles(Health(inbox=inbox(9)), NOW), NOW).raised,
    **turn({}, troubles(Health(inbox=inbox(9, conflict=True)), NOW), NOW).raised,
}


@pytest.mark.parametrize("case", STILL)
def test_what_was_told_is_over_only_when_that_is_sure(case: str) -> None:
    key, health, over = STILL[case]
    told = turn({key: RAISED[key]}, troubles(health, NOW), NOW)
    assert (told.over.keys() == {key}) is over
    assert not told.raised


def test_what_was_told_is_not_told_again() -> None:
    assert not turn(RAISED, troubles(WORST, NOW + ago(60)), NOW + ago(60)).raised


def test_the_end_is_of_the_same_conversation_and_the_next_time_of_another() -> None:
    begun = RAISED["page"]
    later = NOW + ago(12)
    over = turn({"page": begun}, troubles(Health(sources=(source(),)), later), later).over["page"]
    again = turn({}, troubles(WORST, later), later).raised["page"]
    assert (over.kind, over.subject, over.title) == (Kind.BOT_RECOVERED, begun.subject, begun.title)
    assert over.ended_at == later and over.started_at == NOW - ago(9)
    assert again.subject != begun.subject and len({begun.key, over.key, again.key}) == 3


WORDS: dict[str, tuple[Health, str, tuple[str, ...]]] = {
    "the feed helps out": (
        Health(sources=(source(failing=9), source("feed"))),
        "page",
        ("503", "Its feed still answers"),
    ),
    "the feed fails too": (
        Health(sources=(source(failing=9), source("feed", failing=9))),
        "page",
        ("Its feed does not answer either",),
    ),
    "an archived channel": (off("slack:C1"), "off/slack:C1", ("is_archived", "/invite", "deliveries retry ID")),
    "a chat that blocked it": (off("telegram:1", "blocked"), "off/telegram:1", ("only the recipient can unblock it",)),
    "a token": (Health(channels=(slack(1, refused=True),)), "channel/slack", ("slack.bot_token",)),
    "an old copy": (Health(sources=(source(stale=9),)), "page-stale", ("30 min old",)),
    "another reader": (
        Health(inbox=replace(inbox(2, conflict=True), reason="another program reads")),
        "inbox/telegram/contested",
        ("Another program reads.", "News goes out as before", "@BotFather"),
    ),
    "commands that nobody reads": (
        Health(inbox=replace(inbox(9), reason="no answer from Telegram: TimeoutError")),
        "inbox/telegram",
        ("no answer from Telegram: TimeoutError.", "waits, for a day at most"),
    ),
    "silence": (Health(inbox=inbox(silent=9)), "inbox/telegram", ("Nothing was heard of Telegram.",)),
    "a token that the inbox finds refused": (
        Health(inbox=inbox(0, refused=True)),
        "inbox/telegram",
        ("telegram.bot_token", "restart"),
    ),
    "a backlog": (waiting(25), "waiting/slack", ("3 messages wait, the oldest for 25 min",)),
}


@pytest.mark.parametrize("case", WORDS)
def test_the_words_hold_reason_and_cure(case: str) -> None:
    health, key, words = WORDS[case]
    text = troubles(health, NOW)[key].text
    assert [word for word in words if word not in text] == []


def test_unknown_words_are_found_in_what_is_known() -> None:
    _, known = play(page(incident(update("11:55", "on_fire"), impact="apocalyptic")), known=watched())
    exchange = KnownExchange(status="half_open")
    assert list(odd_words(known.incidents.values(), exchange)) == [
        "status on_fire",
        "impact apocalyptic",
        "state half_open",
    ]
    _, usual = play(page(incident(update("11:55"))), known=watched())
    assert list(odd_words(usual.incidents.values(), KnownExchange(status="post_only"))) == []
