"""What can be said to the bot: from (subscription, words) to (subscription, answer). Pure.

Every command may come twice, as a crash repeats what was not acknowledged: it then does what it did before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from notifier.inbox import choosing, muting, operators, telling, wishing
from notifier.inbox.following import MOST_TERMS, Catalogue
from notifier.inbox.talk import Answer, Button, Place, Reply, Talk
from notifier.inbox.wording import headed, noted, said, toast
from notifier.message import Line
from notifier.subscription import Filter, Subscription
from notifier.tongue import LANGUAGES, N_

DEFAULT = Filter()
"""What who just presses Start is told: everything but single components."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """`does` gets what follows the command."""

    does: Callable[[Talk, str], Reply]
    about: str
    changes: bool = False
    """In groups only for administrators."""


def answer(talk: Talk) -> Reply:
    """What becomes of anything that is said."""
    if talk.asked.press:
        return _pressed(talk)
    words = talk.asked.words.strip()
    if not words.startswith("/"):
        return _free(talk, words)
    name, _, rest = words[1:].partition(" ")
    command = COMMANDS.get(name.lower().replace("_", ""))
    if command is None:
        return _unknown(talk, words)
    return _run(talk, command, " ".join(rest.split()))


def _run(talk: Talk, command: Command, rest: str) -> Reply:
    return _may_not(talk) if command.changes and _is_kept_from(talk) else command.does(talk, rest)


def language_of(code: str | None) -> str:
    """The catalogue for a language code of Telegram's, an IETF tag: `de-AT` → `de`."""
    first = (code or "").lower().partition("-")[0]
    return first if first in LANGUAGES else "en"


def _start(talk: Talk, words: str) -> Reply:
    """`/start`, or `/start btc` from a link https://t.me/the_bot?start=btc, which has no blanks."""
    mine = talk.mine
    new = mine is None or not mine.active
    mine = replace(mine, active=True) if mine else _newcomer(talk)
    terms = Catalogue(talk.scene.components).each_exactly(words) if words else ()
    terms = terms or Catalogue(talk.scene.components).each_exactly(words.replace("-", " ").replace("_", " "))
    wished = tuple(sorted({*mine.filter.components, *terms}))
    fits = not terms or len(wished) <= MOST_TERMS
    if terms and fits:
        mine = replace(mine, filter=replace(mine.filter, components=wished))
    t = talk.t
    now, already = t("👋 {page}'s status news comes here from now on."), t("{page}'s status news comes here already.")
    lines = [
        headed(now if new else already, page=talk.page.name),
        said(t("You follow {followed}."), followed=wishing.followed(mine, talk)),
    ]
    lines += muting.until_when(talk, mine)
    if not fits:
        lines.append(wishing.too_many(talk))
    elif talk.mine and not new and terms and not talk.mine.filter.components:
        lines.append(wishing.only(talk))
    if words and not terms:
        lines.append(said(t("Nothing is called “{words}”; find it with /follow."), words=words[:60]))
    lines += telling.overview(talk)
    lines.append(noted(t("/follow what you trade, /settings for how much and when, /help for the rest. Unofficial.")))
    buttons = (
        (Button(words=t("Choose what to follow"), press="follow"), Button(words=t("Settings"), press="set")),
        (Button(words=t("Status now"), press="status"),),
    )
    return Reply(answer=Answer(lines=tuple(lines), buttons=buttons), subscription=mine)


def _stop(talk: Talk, _: str) -> Reply:
    gone = talk.t("You hear nothing any more. What was stored of this chat is deleted.")
    never = talk.t("You are not subscribed; nothing is stored of this chat.")
    again = noted(talk.t("/start to begin again."))
    return Reply(answer=Answer(lines=(said(gone if talk.mine else never), again)))


def _help(talk: Talk, _: str) -> Reply:
    lines = [headed(talk.t("What you can say"))]
    lines += [_line(name, talk.t(each.about)) for name, each in COMMANDS.items()]
    if talk.asked.operator:
        lines += [_line(name, talk.t(about)) for name, about in operators.COMMANDS.items()]
    if talk.asked.place is Place.PRIVATE:
        lines.append(said(talk.t("Or just send the name of an asset or a product, as sol or websocket.")))
    else:
        lines.append(said(talk.t("Only administrators change what this chat gets.")))
    lines.append(noted(talk.t("Unofficial: this bot is not Kraken's.")))
    return talk.says(*lines)


def _privacy(talk: Talk, _: str) -> Reply:
    t = talk.t
    return talk.says(
        headed(t("What is stored")),
        said(t("The number of this chat, what you follow and chose in /settings, and which news you were sent.")),
        said(t("No name and no message of yours. Nothing is passed on.")),
        said(t("/stop deletes all of it at once.")),
    )


def _settings(talk: Talk, words: str) -> Reply:
    if talk.mine is None or not talk.mine.active:
        return _not_yet(talk)
    return (choosing.in_words(talk, talk.mine, words) if words else None) or choosing.settings(talk, talk.mine)


def _mute(talk: Talk, words: str) -> Reply:
    return muting.mute(talk, talk.mine, words) if talk.mine and talk.mine.active else _not_yet(talk)


def _unmute(talk: Talk, _: str) -> Reply:
    return muting.unmute(talk, talk.mine) if talk.mine and talk.mine.active else _not_yet(talk)


def _follow(talk: Talk, words: str) -> Reply:
    return wishing.follow(talk, _mine(talk), words)


def _unfollow(talk: Talk, words: str) -> Reply:
    return wishing.unfollow(talk, talk.mine, words) if talk.mine and talk.mine.active else _not_yet(talk)


def _status(talk: Talk, _: str) -> Reply:
    return telling.status(talk)


def _incidents(talk: Talk, _: str) -> Reply:
    return telling.incidents(talk)


COMMANDS: Mapping[str, Command] = {
    "start": Command(does=_start, about=N_("hear Kraken's news here"), changes=True),
    "status": Command(does=_status, about=N_("Kraken now")),
    "incidents": Command(does=_incidents, about=N_("what is open, and what was lately")),
    "incident": Command(does=telling.incident, about=N_("one incident with its timeline")),
    "follow": Command(does=_follow, about=N_("choose assets and products to hear of"), changes=True),
    "unfollow": Command(does=_unfollow, about=N_("leave some of them out"), changes=True),
    "settings": Command(does=_settings, about=N_("kinds, impact, quiet hours, language"), changes=True),
    "mute": Command(does=_mute, about=N_("silence an incident, or everything for 8 hours"), changes=True),
    "unmute": Command(does=_unmute, about=N_("end every silence"), changes=True),
    "stop": Command(does=_stop, about=N_("hear nothing any more; deletes what is stored"), changes=True),
    "help": Command(does=_help, about=N_("what you can say")),
    "privacy": Command(does=_privacy, about=N_("what is stored of you")),
}
"""By name, in the order of the menu."""


def _pressed(talk: Talk) -> Reply:
    """What stands behind a button comes from anywhere: what no button of ours says, does nothing."""
    name, _, value = talk.asked.press.partition(" ")
    if name in ("status", "incidents"):
        return answer_to(talk, name)
    if name == "incident":
        return telling.incident(talk, value)
    if _is_kept_from(talk):
        return _may_not(talk)
    if name in ("start", "follow", "unfollow", "unmute"):
        return answer_to(talk, name)
    if name[:1] == "f" and name[1:2] in "+-~*":
        return wishing.pressed(talk, _mine(talk), talk.asked.press[1:])
    if talk.mine is None or not talk.mine.active:
        return _not_yet(talk)
    if name == "set":
        return choosing.pressed(talk, talk.mine, value)
    if name == "mute":
        return muting.pressed(talk, talk.mine, value)
    return Reply(answer=toast(talk.t("That button is of an older version; send /help.")), subscription=talk.mine)


def answer_to(talk: Talk, name: str) -> Reply:
    """The command alone, as if it had been written."""
    return COMMANDS[name].does(talk, "")


def _free(talk: Talk, words: str) -> Reply:
    """Words that are no command. In groups people talk to one another; in private, what they may mean is offered and
    not followed by itself.
    """
    if talk.asked.place is not Place.PRIVATE:
        return talk.says()
    if not words:
        return talk.says(said(talk.t("I understand words only. /help says which.")))
    command = COMMANDS.get(words.casefold())
    if command is not None:
        return _run(talk, command, "")
    mine = talk.mine if talk.mine and talk.mine.active and not _is_kept_from(talk) else None
    if mine and (chosen := choosing.in_words(talk, mine, words)):
        return chosen
    found = Catalogue(talk.scene.components).search(words)
    if mine and not found and (chosen := choosing.in_city(talk, mine, words)):
        return chosen
    return wishing.offers(talk, words, found)


def _unknown(talk: Talk, words: str) -> Reply:
    if talk.asked.place is not Place.PRIVATE and not talk.asked.addressed:
        return talk.says()
    no = said(talk.t("There is no command {command}."), command=words.split(maxsplit=1)[0][:40])
    return talk.says(
        no, *(_line(name, talk.t(COMMANDS[name].about)) for name in ("follow", "status", "settings", "help"))
    )


def _line(name: str, about: str) -> Line:
    return said(f"/{name} – {{about}}", about=about)


def _mine(talk: Talk) -> Subscription:
    return replace(talk.mine, active=True) if talk.mine else _newcomer(talk)


def _newcomer(talk: Talk) -> Subscription:
    return Subscription(
        address=talk.asked.address, filter=DEFAULT, origin="self", language=language_of(talk.asked.language_code)
    )


def _not_yet(talk: Talk) -> Reply:
    line = said(talk.t("You get no news yet. /start to begin."))
    return talk.says(line, buttons=((Button(words=talk.t("Start"), press="start"),),))


def _is_kept_from(talk: Talk) -> bool:
    return not talk.asked.may_change or (talk.mine is not None and talk.mine.origin != "self")


def _may_not(talk: Talk) -> Reply:
    configured = talk.t("This chat is set up in the notifier's own configuration; who runs it can change it there.")
    no_admin = talk.t("Only administrators change what this chat gets.")
    why = configured if talk.asked.may_change else no_admin
    if talk.asked.press:
        return Reply(answer=toast(why), subscription=talk.mine)
    return talk.says(said(why))
