"""One piece of every kind of news, by a sentence; each is made by the real diff from what a page said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from notifier.alarm import turn
from notifier.diff import diff_exchange, diff_page
from notifier.health import Health, troubles
from notifier.known import ChannelState, Known
from notifier.message import Message
from notifier.model import Advisory, Change, Component, Exchange, Snapshot, Window
from notifier.notice import remind, welcome, withdraw
from notifier.parcel import Part
from notifier.render import Page, render
from notifier.tongue import ENGLISH, Tongue
from tests.builders import NOW, after, at, from_feed, incident, maintenance, page, update, watched

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


def back() -> list[Change]:
    _, known = play(api(incident(OPEN)))
    gone = withdraw(known.incidents["wsincident01"], NOW)
    return play(api(incident(OPEN)), known=after(known, gone))[0]


def due() -> list[Change]:
    _, known = play(planned(PLANNED))
    return list(remind(known.incidents.values(), timedelta(minutes=40), NOW).changes)


def welcomed(*readings: Snapshot, tongue: Tongue = ENGLISH) -> list[Change]:
    return [welcome(7, play(*readings)[1], "Kraken", NOW, tongue)]


REFUSED = ChannelState(
    name="slack", broken_since=at("11:48"), refused=True, reason="Slack refuses the bot: token_revoked"
)


def trouble(health: Health) -> list[Change]:
    return list(turn({}, troubles(health, at("11:48")), at("11:48")).raised.values())


def trouble_over() -> list[Change]:
    raised = {each.reason: each for each in NEWS["trouble of the bot"]()}
    return list(turn(raised, {}, NOW).over.values())


HOSTILE = update(
    "11:29", text="<!channel> <https://evil.example|kraken.com>\n</blockquote><b>bold *x* _y_ `z` @all $BTC\n%s {0} \\n"
)
BAD = update("11:33", "identified", "All connections fail.")
IDLE = tuple(update(f"11:{minute}", text="We are continuing to investigate this issue.") for minute in (30, 31, 32))
MANY = tuple(
    update(f"11:{minute}", status, f"This is update {minute - 29}.")
    for minute, status in zip(range(30, 49), ("investigating", "identified", "monitoring") * 7, strict=False)
)
LONG = "\n\n".join(f"{number}. " + "Funding over this network is delayed. " * 15 for number in range(1, 11))[:6000]
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
    "rated once the impact was known": lambda: newest(
        from_feed(incident(OPEN)), api(incident(OPEN, impact="critical"))
    ),
    "withdrawn": withdrawn,
    "back on the page": back,
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
    "a backlog of idle updates": lambda: newest(api(), api(incident(OPEN, *IDLE, BAD))),
    "the third idle update in a row": lambda: newest(api(incident(OPEN, *IDLE[:2])), api(incident(OPEN, *IDLE[:3]))),
    "the twentieth update": lambda: newest(api(incident(OPEN, *MANY[:-1])), api(incident(OPEN, *MANY))),
    "other components": lambda: newest(
        api(incident(OPEN, components=(ALL[1], COINS[0]))), api(incident(OPEN, FIXED, components=(ALL[1], COINS[1])))
    ),
    "maintenance cancelled": lambda: newest(
        planned(PLANNED), planned(PLANNED, update("11:40", "completed", "We will not do it."))
    ),
    "a body of 6,000 characters": lambda: newest(api(incident(replace(OPEN, text=LONG)))),
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
    "trouble of the bot": lambda: trouble(Health(channels=(REFUSED,))),
    "trouble of the bot over": trouble_over,
    "a word that is new to the bot": lambda: trouble(Health(oddities=("status on_fire",))),
}  # fmt: skip


OWN = ("trouble of the bot", "trouble of the bot over", "a word that is new to the bot")
"""What the bot says of itself: it leads nowhere, as it is no news of Kraken's."""


STANDING: dict[str, tuple[Callable[[], Sequence[Change]], Callable[[], Sequence[Change]]]] = {
    "first message, edited": (NEWS["opened"], NEWS["edited"]),
    "first message, edited in one word": (
        NEWS["opened"],
        lambda: newest(api(incident(OPEN)), api(incident(replace(OPEN, text=OPEN.text.replace("errors", "timeouts"))))),
    ),
    "first message, monitoring": (NEWS["opened"], NEWS["progress"]),
    "first message, resolved": (NEWS["opened"], lambda: [*NEWS["progress"](), *NEWS["resolved"]()]),
    "first message, reopened": (NEWS["opened"], NEWS["reopened"]),
    "first message, with a postmortem": (NEWS["opened"], NEWS["postmortem"]),
    "first message, renamed": (NEWS["opened"], NEWS["renamed"]),
    "first message, withdrawn": (NEWS["opened"], NEWS["withdrawn"]),
    "first message, the twentieth update": (NEWS["opened"], NEWS["the twentieth update"]),
    "first message of a maintenance, started": (
        NEWS["maintenance scheduled"],
        lambda: [*NEWS["maintenance due"](), *NEWS["maintenance started"]()],
    ),
    "first message of a maintenance, completed": (NEWS["maintenance scheduled"], NEWS["maintenance completed"]),
    "first message of a trouble, over": (NEWS["trouble of the bot"], NEWS["trouble of the bot over"]),
    "first message of the exchange, online again": (NEWS["exchange leaving"], NEWS["exchange returning"]),
}
"""First messages of conversations as they read later: what they told, and what happened since."""


def told(case: str, **more: Any) -> Message:
    """The message of a case, by either table: as if it went out half a minute after the newest of it, or late."""
    own, since = STANDING[case] if case in STANDING else (NEWS[case], list)
    changes = own()
    parts = [Part(delivery_id=number, change=change) for number, change in enumerate(changes, 1)]
    date = NOW if "late" in case or "backlog" in case else max(change.at for change in changes) + timedelta(seconds=30)
    return render(parts, KRAKEN, origin="db", since=since(), **{"date": date, **more})
