"""`/follow` and `/unfollow`: which of Kraken's components somebody hears of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import sha256

from notifier.inbox import telling
from notifier.inbox.following import MOST_TERMS, Catalogue, Offer, could_be_ticker
from notifier.inbox.talk import Answer, Button, Reply, Talk
from notifier.inbox.wording import example, headed, in_rows, noted, said, toast
from notifier.message import Line
from notifier.subscription import Subscription

_EVERYTHING = ("everything", "all", "alles", "*")


def follow(talk: Talk, mine: Subscription, words: str) -> Reply:
    """`/follow btc`: follows what is named in full, and offers what the words may mean beside it."""
    catalogue = Catalogue(talk.scene.components)
    if not words:
        return _menu(talk, mine, catalogue)
    if words.casefold() in _EVERYTHING:
        return _everything(talk, mine)
    if terms := catalogue.each_exactly(words):
        return _added(talk, mine, terms, catalogue)
    return offers(talk, words, catalogue.search(words))


def offers(talk: Talk, words: str, found: Sequence[Offer]) -> Reply:
    """What the words may mean, to choose from."""
    if found:
        title = talk.t("“{words}” may mean:")
        return talk.says(headed(title, words=words[:60]), buttons=in_rows(list(map(_button, found)), 1))
    nothing = said(talk.t("Nothing at {page} is called “{words}”."), page=talk.page.name, words=words[:60])
    how = noted(talk.t("Send an asset, as {example}, or /follow for the groups."), example=example("sol"))
    ticker = could_be_ticker(words)
    if ticker is None:
        return talk.says(nothing, how)
    anyway = talk.t("Follow {ticker} anyway: titles may name it").format(ticker=ticker)
    return talk.says(nothing, how, buttons=((Button(words=anyway, press=f"f+{ticker}"),),))


def unfollow(talk: Talk, mine: Subscription, words: str) -> Reply:
    """`/unfollow btc`; without words, what is followed to choose from."""
    followed = mine.filter.components
    if not followed:
        return talk.says(
            said(talk.t("You follow everything, so there is nothing to leave out.")),
            noted(talk.t("/follow what you trade to hear of that only; /stop to hear nothing.")),
        )
    if words.casefold() in _EVERYTHING:
        return _removed(talk, mine, followed)
    terms = _named(Catalogue(talk.scene.components), followed, words)
    if words and terms:
        return _removed(talk, mine, terms)
    lines = [headed(talk.t("What do you want to leave out?"))]
    if words:
        lines.append(said(talk.t("You do not follow “{words}”."), words=words[:60]))
    return talk.says(*lines, buttons=_removals(followed))


def pressed(talk: Talk, mine: Subscription, what: str) -> Reply:
    """A button of ours: `*`, `+BTC`, `+#id`, `-code`, or `~code#id`: this instead of that."""
    catalogue = Catalogue(talk.scene.components)
    sign, code = what[:1], what[1:]
    if sign == "*":
        return _everything(talk, mine)
    if sign == "-":
        gone = [each for each in mine.filter.components if _code(each) == code]
        return _removed(talk, mine, gone) if gone else _gone(talk, mine)
    instead_of, _, key = code.partition("#") if sign == "~" else ("", "", "")
    term = catalogue.behind(f"#{key}" if sign == "~" else code)
    if term is None or sign not in ("+", "~"):
        return _gone(talk, mine)
    kept = [each for each in mine.filter.components if _code(each) != instead_of]
    return _added(talk, _with(mine, kept), (term,), catalogue)


def followed(mine: Subscription, talk: Talk) -> str:
    """In one line what somebody follows."""
    return ", ".join(mine.filter.components) or talk.t("everything")


def only(talk: Talk) -> Line:
    """To who followed everything before."""
    return noted(talk.t("From now on only that, and incidents that name no component; until now you got everything."))


def too_many(talk: Talk) -> Line:
    """To who wants more than a filter holds, and follows what he did before."""
    words = talk.t("That would be more than {count}. Leave something out with /unfollow, or follow a whole group.")
    return said(words, count=str(MOST_TERMS))


def _menu(talk: Talk, mine: Subscription, catalogue: Catalogue) -> Reply:
    lines = [headed(talk.t("What do you want to hear of?"))]
    lines.append(said(talk.t("Now: {followed}."), followed=followed(mine, talk)))
    how = talk.t("Send the name of an asset or a product, as {example} or {other}, or choose:")
    lines.append(said(how, example=example("/follow sol"), other=example("/follow websocket")))
    few = [Button(words=ticker, press=f"f+{ticker}") for ticker in catalogue.popular()]
    groups = [Button(words=offer.name, press=f"f+{offer.code}") for offer in catalogue.groups()]
    rows = (*in_rows(few, 3), *in_rows(groups, 2), (Button(words=talk.t("Everything"), press="f*"),))
    if mine.filter.components:
        rows = (*rows, (Button(words=talk.t("Leave something out"), press="unfollow"),))
    return talk.says(*lines, buttons=rows)


def _added(talk: Talk, mine: Subscription, terms: Sequence[str], catalogue: Catalogue) -> Reply:
    before = mine.filter.components
    after = _with(mine, {*before, *terms})
    if len(after.filter.components) > MOST_TERMS:
        return Reply(answer=Answer(lines=(too_many(talk),)), subscription=mine)
    lines = [said(talk.t("✅ You follow {followed}."), followed=followed(after, talk))]
    if talk.mine is None or not talk.mine.active:
        lines += telling.overview(talk)
    elif not talk.mine.filter.components:
        lines.append(only(talk))
    buttons: list[Button] = []
    if len(terms) == 1 and (narrower := catalogue.within(terms[0])) and terms[0] not in before:
        lines.append(noted(talk.t("Only a part of it? Choose:")))
        buttons = [Button(words=each.name, press=f"f~{_code(terms[0])}{each.code}") for each in narrower]
    everything = Button(words=talk.t("Everything"), press="f*")
    return Reply(answer=Answer(lines=tuple(lines), buttons=in_rows([*buttons, everything], 1)), subscription=after)


def _removed(talk: Talk, mine: Subscription, terms: Iterable[str]) -> Reply:
    after = _with(mine, set(mine.filter.components) - set(terms))
    gone = said(talk.t("You no longer follow {terms}."), terms=", ".join(terms))
    if after.filter.components:
        still = said(talk.t("Still: {followed}."), followed=followed(after, talk))
        return Reply(answer=Answer(lines=(gone, still)), subscription=after)
    all_again = said(talk.t("That was the last, so you hear of everything again. /stop to hear nothing."))
    return Reply(answer=Answer(lines=(gone, all_again)), subscription=after)


def _everything(talk: Talk, mine: Subscription) -> Reply:
    lines: tuple[Line, ...] = (said(talk.t("✅ You follow everything.")),)
    return Reply(answer=Answer(lines=lines), subscription=_with(mine, ()))


def _gone(talk: Talk, mine: Subscription) -> Reply:
    return Reply(answer=toast(talk.t("That is not on offer any more; send /follow.")), subscription=mine)


def _named(catalogue: Catalogue, followed: Sequence[str], words: str) -> list[str]:
    """Those of the terms that the words name."""
    meant = {words.casefold(), *(term.casefold() for term in catalogue.each_exactly(words))}
    several = {word.casefold() for word in words.replace(",", " ").split()}
    known = {term.casefold() for term in followed}
    meant |= several if several <= known else set()
    return [term for term in followed if term.casefold() in meant]


def _with(mine: Subscription, terms: Iterable[str]) -> Subscription:
    return replace(mine, filter=replace(mine.filter, components=tuple(sorted(set(terms)))))


def _removals(followed: Sequence[str]) -> tuple[tuple[Button, ...], ...]:
    return in_rows([Button(words=f"✕ {term}", press=f"f-{_code(term)}") for term in followed], 1)


def _button(offer: Offer) -> Button:
    return Button(words=offer.name, press=f"f+{offer.code}")


def _code(term: str) -> str:
    """A term may be longer than what fits behind a button."""
    return sha256(term.encode()).hexdigest()[:12]
