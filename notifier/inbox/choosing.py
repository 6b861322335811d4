"""`/settings`: what a reader wants of the news that he follows, chosen by buttons or in words. Pure.

A button names what will be, and not that it be turned round: pressed twice, or told twice, it does the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from zoneinfo import available_timezones

from notifier.inbox import muting
from notifier.inbox.talk import Answer, Button, Reply, Talk
from notifier.inbox.wording import example, fact, headed, in_rows, marked, noted, toast
from notifier.message import Line
from notifier.model import Topic
from notifier.subscription import QuietHours, Subscription, known_zone
from notifier.tongue import LANGUAGES, N_

KINDS = {
    Topic.INCIDENT: N_("Incidents"),
    Topic.MAINTENANCE: N_("Maintenance"),
    Topic.EXCHANGE: N_("Trading engine"),
    Topic.COMPONENT: N_("Single components"),
}
IMPACTS = {
    "none": N_("all"),
    "minor": N_("minor and worse"),
    "major": N_("major and worse"),
    "critical": N_("critical only"),
}
UPDATES = {"all": N_("every update"), "milestones": N_("milestones only")}
QUIET = ("22:00-07:00", "23:00-08:00", "00:00-06:00")
_HOURS = re.compile(
    r"(?:from |von )?(\d{1,2})(?:[:.]?(\d\d))? ?(am|pm|h|uhr)? ?(?:-|–|to|until|till|bis) ?"
    r"(\d{1,2})(?:[:.]?(\d\d))? ?(am|pm|h|uhr)?(?: +(\S+))?",
    re.IGNORECASE,
)
"""`22:00-07:00`, `22 - 7`, `10pm to 6:30am Europe/Berlin`, `von 22 bis 7 Uhr`."""

ZONES = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
)


def settings(talk: Talk, mine: Subscription) -> Reply:
    """The menu, with how everything is set."""
    t = talk.t
    where = N_("What this chat gets") if talk.asked.address.target.startswith(("-", "@")) else N_("What you get")
    rows = [
        Button(words=t("Kinds of news"), press="set kinds"),
        Button(words=t("Impact"), press="set impact"),
        Button(words=t("Updates"), press="set updates"),
        Button(words=t("Reminders"), press="set reminders"),
        Button(words=t("Quiet hours"), press="set quiet"),
        Button(words=t("Time zone"), press="set zone"),
        Button(words=t("Language"), press="set language"),
        Button(words=t("What you follow"), press="follow"),
    ]
    return Reply(
        answer=Answer(lines=(headed(t(where)), *_state(talk, mine)), buttons=in_rows(rows, 2)), subscription=mine
    )


def pressed(talk: Talk, mine: Subscription, what: str) -> Reply:
    """A button of ours: `kinds`, which opens a menu, or `kinds incident 0`, which sets something."""
    name, _, value = what.partition(" ")
    menu = _MENUS.get(name)
    if menu is None:
        return settings(talk, mine)
    if not value:
        return menu(talk, mine)
    changed = _set(mine, name, value)
    if changed is None:
        return Reply(answer=toast(talk.t("At least one kind of news stays.")), subscription=mine)
    return menu(replace(talk, mine=changed, language=changed.language), changed)


def in_words(talk: Talk, mine: Subscription, words: str) -> Reply | None:
    """Quiet hours or a time zone that somebody typed; None if it is neither."""
    hours = _HOURS.fullmatch(words)
    if hours is None:
        return _zone_in_words(talk, mine, words)
    try:
        quiet = QuietHours.parse(f"{_clock(*hours.group(1, 2, 3))}-{_clock(*hours.group(4, 5, 6))}", mine.zone)
        quiet = replace(quiet, zone=known_zone(hours[7])) if hours[7] else quiet
    except ValueError:
        return _quiet(talk, mine)
    wish = replace(mine.filter, quiet_hours=quiet)
    return settings(talk, replace(mine, filter=wish, zone=quiet.zone))


def _clock(hour: str, minute: str | None, half: str | None) -> str:
    """`10`, `pm` → `22:00`."""
    afternoon = {"am": 0, "pm": 12}.get((half or "").lower())
    return f"{int(hour) if afternoon is None else int(hour) % 12 + afternoon:02}:{minute or '00'}"


def in_city(talk: Talk, mine: Subscription, words: str) -> Reply | None:
    """The time zone that is named for a city; None if none is."""
    city = words.casefold().replace(" ", "_")
    zones = sorted(zone for zone in available_timezones() if "/" in zone and zone.casefold().endswith(f"/{city}"))
    return settings(talk, _in_zone(mine, zones[0])) if zones else None


def _zone_in_words(talk: Talk, mine: Subscription, words: str) -> Reply | None:
    if "/" not in words and words.upper() != "UTC":
        return None
    try:
        zone = known_zone(words)
    except ValueError:
        return None
    return settings(talk, _in_zone(mine, zone))


def _set(mine: Subscription, name: str, value: str) -> Subscription | None:
    """With one thing changed; as it was if no button of ours says so, None if nothing would be left."""
    wish, (first, _, second) = mine.filter, value.partition(" ")
    match name:
        case "kinds" if first in {str(kind) for kind in KINDS}:
            kinds = {*wish.kinds, Topic(first)} if second == "1" else {*wish.kinds} - {Topic(first)}
            if not kinds:
                return None
            return replace(mine, filter=replace(wish, kinds=tuple(kind for kind in Topic if kind in kinds)))
        case "impact" if value in IMPACTS:
            return replace(mine, filter=replace(wish, min_impact=value))
        case "updates" if value in UPDATES:
            return replace(mine, filter=replace(wish, milestones_only=value == "milestones"))
        case "reminders":
            return replace(mine, filter=replace(wish, reminders=value == "1"))
        case "quiet":
            quiet = QuietHours.parse(value, mine.zone) if value in QUIET else None
            return replace(mine, filter=replace(wish, quiet_hours=quiet))
        case "zone" if value in ZONES:
            return _in_zone(mine, value)
        case "language" if value in LANGUAGES:
            return replace(mine, language=value)
    return mine


def _in_zone(mine: Subscription, zone: str) -> Subscription:
    quiet = mine.filter.quiet_hours
    wish = replace(mine.filter, quiet_hours=replace(quiet, zone=zone)) if quiet else mine.filter
    return replace(mine, zone=zone, filter=wish)


def _state(talk: Talk, mine: Subscription) -> Iterator[Line]:
    t, wish = talk.t, mine.filter
    follows = ", ".join(wish.components[:8]) + (" …" if len(wish.components) > 8 else "")
    yield from muting.until_when(talk, mine)
    yield fact(t("Follows"), follows or t("everything"))
    yield fact(t("Kinds of news"), ", ".join(t(KINDS[kind]) for kind in wish.kinds if kind in KINDS))
    yield fact(t("Impact"), t(IMPACTS[wish.min_impact]))
    yield fact(t("Updates"), t(UPDATES["milestones" if wish.milestones_only else "all"]))
    yield fact(t("Reminders"), t("before a maintenance") if wish.reminders else t("none"))
    yield fact(t("Quiet hours"), f"{wish.quiet_hours} {wish.quiet_hours.zone}" if wish.quiet_hours else t("none"))
    yield fact(t("Time zone"), mine.zone)
    yield fact(t("Language"), LANGUAGES[mine.language])


def _kinds(talk: Talk, mine: Subscription) -> Reply:
    chosen = mine.filter.kinds
    buttons = [
        Button(words=marked(kind in chosen, talk.t(name)), press=f"set kinds {kind} {int(kind not in chosen)}")
        for kind, name in KINDS.items()
    ]
    about = talk.t("Single components change often without an incident: there are more than 800 of them.")
    return _menu(talk, mine, talk.t("Which kinds of news?"), buttons, noted(about))


def _impact(talk: Talk, mine: Subscription) -> Reply:
    return _choice(talk, mine, "impact", talk.t("From which impact on?"), IMPACTS, mine.filter.min_impact)


def _updates(talk: Talk, mine: Subscription) -> Reply:
    now = "milestones" if mine.filter.milestones_only else "all"
    about = talk.t(
        "Milestones: it begins, gets worse, is resolved. Every update tells what Kraken writes in between, too."
    )
    return _choice(talk, mine, "updates", talk.t("How much of an incident?"), UPDATES, now, noted(about))


def _reminders(talk: Talk, mine: Subscription) -> Reply:
    words = {"1": N_("before a maintenance"), "0": N_("none")}
    return _choice(talk, mine, "reminders", talk.t("Reminders"), words, str(int(mine.filter.reminders)))


def _quiet(talk: Talk, mine: Subscription) -> Reply:
    now = mine.filter.quiet_hours
    shown = {value: str(QuietHours.parse(value)) for value in QUIET}
    buttons = [Button(words=marked(now is None, talk.t("none")), press="set quiet off")]
    buttons += [
        Button(words=marked(str(now) == name, name), press=f"set quiet {value}") for value, name in shown.items()
    ]
    about = talk.t(
        "News waits until they end, and is then told in short; critical news does not wait. The hours are in {zone}."
    )
    others = talk.t("Other hours: send {example}.")
    example_hours = example("21:30-06:45")
    lines = (noted(about, zone=mine.zone), noted(others, example=example_hours))
    return _menu(talk, mine, talk.t("When is it quiet?"), buttons, *lines)


def _zone(talk: Talk, mine: Subscription) -> Reply:
    names = dict.fromkeys((mine.zone, *ZONES))
    buttons = [Button(words=marked(zone == mine.zone, zone), press=f"set zone {zone}") for zone in names]
    about = noted(talk.t("Any other: send its name, like {example}."), example=example("America/Sao_Paulo"))
    return _menu(talk, mine, talk.t("Which time zone?"), buttons, about)


def _language(talk: Talk, mine: Subscription) -> Reply:
    about = noted(talk.t("Kraken's own words stay in English."))
    return _choice(talk, mine, "language", talk.t("Language"), LANGUAGES, mine.language, about)


def _choice(
    talk: Talk, mine: Subscription, name: str, title: str, values: Mapping[str, str], now: str, *about: Line
) -> Reply:
    buttons = [
        Button(words=marked(value == now, talk.t(words)), press=f"set {name} {value}")
        for value, words in values.items()
    ]
    return _menu(talk, mine, title, buttons, *about)


def _menu(talk: Talk, mine: Subscription, title: str, buttons: list[Button], *about: Line) -> Reply:
    rows = (*in_rows(buttons, 2), (Button(words=talk.t("« Settings"), press="set"),))
    return Reply(answer=Answer(lines=(headed("{title}", title=title), *about), buttons=rows), subscription=mine)


_MENUS: Mapping[str, Callable[[Talk, Subscription], Reply]] = {
    "kinds": _kinds,
    "impact": _impact,
    "updates": _updates,
    "reminders": _reminders,
    "quiet": _quiet,
    "zone": _zone,
    "language": _language,
}
