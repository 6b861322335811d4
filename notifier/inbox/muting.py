"""Quiet on request: one incident for good, or everything for a while. Nothing is lost by the latter. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from notifier.inbox.talk import Answer, Button, Reply, Talk
from notifier.inbox.wording import example, headed, in_rows, length, noted, said, short, toast
from notifier.message import Line
from notifier.subscription import Subscription
from notifier.times import moment

USUAL = timedelta(hours=8)
LONGEST = timedelta(days=7)

_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "st": timedelta(hours=1),
    "d": timedelta(days=1),
    "t": timedelta(days=1),
}
"""By how their names begin, in English and in German."""

_SHOWN = 6


def mute(talk: Talk, mine: Subscription, words: str) -> Reply:
    """`/mute`, `/mute 8h`, or as a reply to a message: the incident that it is about."""
    if talk.about is not None and not words:
        return _without(talk, mine, talk.about)
    if not words:
        return _menu(talk, mine)
    found = re.fullmatch(r"(\d{1,4}) ?(m|h|st|d|t)[a-z]*", words.lower())
    span = int(found[1]) * _UNITS[found[2]] if found else timedelta()
    if not timedelta() < span <= LONGEST:
        how = talk.t("Say for how long, up to {longest}, like {example}.")
        return talk.says(said(how, longest=length(LONGEST, talk.tongue), example=example("/mute 8h")))
    return _for_a_while(talk, mine, span)


def pressed(talk: Talk, mine: Subscription, what: str) -> Reply:
    """A button of ours: `for 8h`, or an incident's id."""
    if what.startswith("for "):
        return mute(talk, mine, what.removeprefix("for "))
    chosen = next((each for each in talk.scene.incidents if each.id == what), None)
    if chosen is None:
        return Reply(answer=toast(talk.t("That incident is over.")), subscription=mine)
    return _without(talk, mine, chosen.subject)


def unmute(talk: Talk, mine: Subscription) -> Reply:
    """`/unmute`: everything is told again, with what waited."""
    if not mine.muted and not is_muted(mine, talk):
        return talk.says(said(talk.t("Nothing is muted.")))
    lines = (said(talk.t("🔔 You hear everything that you follow again. What waited comes now, in short.")),)
    return Reply(answer=Answer(lines=lines), subscription=replace(mine, muted_until=None, muted=frozenset()))


def is_muted(mine: Subscription, talk: Talk) -> bool:
    return mine.muted_until is not None and mine.muted_until > talk.asked.at


def until_when(talk: Talk, mine: Subscription) -> Iterator[Line]:
    """For as long as everything is muted."""
    if mine.muted_until is not None and is_muted(mine, talk):
        time = moment(mine.muted_until, talk.asked.at, talk.tongue)
        yield said(talk.t("Everything is muted until {time}."), time=time)


def _menu(talk: Talk, mine: Subscription) -> Reply:
    going_on = [each for each in talk.scene.incidents if each.open and each.subject not in mine.muted]
    everything = talk.t("Everything for {length}").format(length=length(USUAL, talk.tongue))
    rows = [Button(words=everything, press="mute for 8h")]
    rows += [Button(words=short(each.name), press=f"mute {each.id}") for each in going_on[:_SHOWN]]
    lines = [headed(talk.t("What should be quiet?")), *until_when(talk, mine)]
    if is_muted(mine, talk) or mine.muted:
        rows.append(Button(words=talk.t("Unmute"), press="unmute"))
    lines.append(
        noted(talk.t("Or reply /mute to a message of an incident, or send {example}."), example=example("/mute 2h"))
    )
    return talk.says(*lines, buttons=in_rows(rows, 1))


def _for_a_while(talk: Talk, mine: Subscription, span: timedelta) -> Reply:
    until = talk.asked.at + span
    lines = (
        said(talk.t("🔕 Muted until {time}: critical news too."), time=moment(until, talk.asked.at, talk.tongue)),
        noted(talk.t("Nothing is lost: what happens meanwhile is told in short then. /unmute ends it early.")),
    )
    return Reply(answer=Answer(lines=lines), subscription=replace(mine, muted_until=until))


def _without(talk: Talk, mine: Subscription, subject: str) -> Reply:
    title = next((each.name for each in talk.scene.incidents if each.subject == subject), talk.t("this"))
    lines = (
        said(talk.t("🔕 You hear no more of “{title}”, its end included."), title=title),
        noted(talk.t("Its first message is kept current. /unmute takes it back.")),
    )
    return Reply(answer=Answer(lines=lines), subscription=replace(mine, muted=mine.muted | {subject}))
