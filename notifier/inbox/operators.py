"""What only operators can say, in private: figures, how the bot fares, a word to everybody. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from notifier.health import Trouble
from notifier.inbox.talk import Answer, Button
from notifier.inbox.wording import fact, headed, noted, said
from notifier.known import Tally
from notifier.markup import utf16_len
from notifier.message import Line, Role, Span
from notifier.times import moment
from notifier.tongue import LANGUAGES, N_, Tongue

COMMANDS: Mapping[str, str] = {
    "stats": N_("who reads, in figures"),
    "health": N_("how the bot itself fares"),
    "broadcast": N_("tell every subscriber something"),
}
"""By name, with what they are about."""

LONGEST = 3_000
"""Of a broadcast, in the units that Telegram counts: with its heading it has to fit into one message."""


def stats(tally: Tally, tongue: Tongue) -> Answer:
    t = tongue.gettext
    languages = ", ".join(f"{LANGUAGES.get(code, code)} {count}" for code, count in tally.languages.items())
    terms = ", ".join(f"{term} {count}" for term, count in tally.terms)
    lines = [
        headed(t("Subscribers")),
        fact(t("Reached"), str(tally.readers)),
        fact(t("Blocked or left"), str(tally.off)),
        fact(t("Muted now"), str(tally.muted)),
        fact(t("Languages"), languages or "–"),
        fact(t("Followed most"), terms or "–"),
        fact(t("Messages in 24 hours"), str(tally.sent)),
        fact(t("Waiting"), str(tally.waiting)),
    ]
    return Answer(lines=tuple(lines))


def health(troubles: Mapping[str, Trouble], tongue: Tongue, now: datetime) -> Answer:
    """What is wrong and told, or about to be; the words are those of the alarms, which are in English."""
    told = [each for each in troubles.values() if each.told_from is not None and each.title]
    if not told:
        return Answer(lines=(headed("🟢 " + tongue.gettext("The bot itself is well.")),))
    lines = [headed("🔴 " + tongue.gettext("Something is wrong with the bot itself"))]
    for each in told:
        since = moment(each.since, now, tongue)
        lines.append(said("{title}, {since}", title=Span(text=each.title, style="bold"), since=since))
        lines += [Line(spans=(Span(text=line),)) for line in each.text.split("\n") if line]
    return Answer(lines=tuple(lines))


def preview(text: str, number: int, readers: int, tongue: Tongue) -> Answer:
    """The draft as it will be told, with its two ways on."""
    t = tongue.gettext
    if not fits(text):
        how = t("Write it after the command, in at most {count} characters: /broadcast We are moving to …")
        return Answer(lines=(said(how, count=str(LONGEST)),))
    send = tongue.ngettext("Send to {count} subscriber", "Send to {count} subscribers", readers).format(count=readers)
    buttons = ((Button(words=send, press=f"broadcast {number}"), Button(words=t("Cancel"), press="broadcast no")),)
    quoted = (Line(spans=(Span(text=line),), role=Role.QUOTE) for line in text.split("\n") if line.strip())
    note = noted(t("Nothing is sent yet. Only what you write is told, without formatting."))
    return Answer(lines=(headed(t("To every subscriber:")), *quoted, note), buttons=buttons)


def fits(text: str) -> bool:
    """Whether there is something to tell, and all of it can be."""
    return 0 < utf16_len(text) <= LONGEST


def sent(owed: int | None, tongue: Tongue) -> Answer:
    """`owed`: to how many it goes; None if it was sent before, or replaced by another draft."""
    if owed is None:
        return Answer(lines=(said(tongue.gettext("That was sent before, or replaced by another draft.")),))
    words = tongue.ngettext("It goes out to {count} subscriber.", "It goes out to {count} subscribers.", owed)
    return Answer(lines=(said(words, count=str(owed)),))


def cancelled(tongue: Tongue) -> Answer:
    return Answer(lines=(said(tongue.gettext("Nothing is sent.")),))
