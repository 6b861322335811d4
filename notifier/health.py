"""What is wrong with the bot itself, since when, and the cure: in words for a tired operator. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from notifier.known import (
    Backlog,
    ChannelState,
    DeadLetters,
    InboxState,
    KnownExchange,
    KnownIncident,
    Owed,
    SourceHealth,
    SwitchedOff,
)
from notifier.model import IMPACTS, TERMINAL
from notifier.ports import INBOX, POLL, sending
from notifier.states import meaning
from notifier.subscription import Address
from notifier.times import duration
from notifier.tongue import ENGLISH

UNREACHABLE = timedelta(minutes=5)
"""How long a source may fail, or give old answers, before that is a trouble."""

STALE = timedelta(minutes=5)
"""How old an answer from a cache may be. A status page's own cache keeps ten seconds."""

BROKEN = timedelta(minutes=1)

CONTESTED = timedelta(minutes=1)
"""How long somebody else may read the bot's commands: an old process lets go within that."""

SILENT = timedelta(minutes=2)
"""How long nothing may be heard of the inbox: a question to Telegram takes half a minute."""

OLD = timedelta(minutes=10)
"""How long news may wait for its channel."""

CREDENTIALS: Mapping[str, str] = {
    "slack": "set slack.bot_token to the bot token (xoxb-…) of your app, installed in the workspace",
    "slack-webhook": "make the webhook anew in your Slack app and set it in [slack.webhooks]",
    "telegram": "set telegram.bot_token to what @BotFather gave you",
    "mailto": "check user, password and port in email.smtp_url; an account with two factors wants an app password",
}
"""The cure for refused credentials, by channel."""

_ADMISSION = {
    "slack": "/invite the bot to the channel, or correct the channel's id",
    "slack-webhook": "make the webhook anew in your Slack app and set it in [slack.webhooks]",
    "telegram": "let the bot in again: only the recipient can unblock it, and a channel must make it an administrator",
    "mailto": "correct the address; the mail server does not take it",
}
_STATUSES = {"investigating", "identified", "monitoring", "scheduled", "in_progress", "verifying", *TERMINAL}
_API = ("summary", "incidents", "maintenances")


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """All that says how the bot itself fares."""

    sources: tuple[SourceHealth, ...] = ()
    wrong_page: str = ""
    """Why what answers under the page's URL is not the page that is known; empty if it is."""
    channels: tuple[ChannelState, ...] = ()
    owed: Owed = field(default_factory=Owed)
    inbox: InboxState | None = None
    """None if nobody's words are read."""
    oddities: tuple[str, ...] = ()
    """Words of Kraken's that this version does not know, such as `status on_fire`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trouble:
    """Something wrong. It is told from `told_from` on; None: only if it is told already is it not over."""

    title: str
    since: datetime
    told_from: datetime | None
    text: str = ""
    """Reason and cure, one paragraph a line."""
    lasts: bool = True
    """False for what is told once for ever."""


def troubles(health: Health, now: datetime) -> Mapping[str, Trouble]:
    """What is wrong, by a key that stays the same as long as it is."""
    found = dict(_of_sources(health, now))
    for channel in health.channels:
        found.update(_of_channel(channel, now))
    broken = {key.partition("/")[2] for key, each in found.items() if each.told_from and key.startswith("channel/")}
    if health.inbox is not None:
        _add_inbox(found, health.inbox, health.owed.raised, now)
    heard = {channel.name for channel in health.channels if channel.heard}
    for backlog in health.owed.backlogs:
        if backlog.channel not in broken and now - backlog.oldest > OLD:
            found[f"waiting/{backlog.channel}"] = _waiting(backlog, now, told=backlog.channel in heard)
    for off in health.owed.switched_off:
        found[f"off/{off.address}"] = _off(off, now)
    for dead in health.owed.dead:
        found[f"dead/{dead.channel}"] = _dead(dead, now)
    for word in health.oddities:
        found[f"odd/{word}"] = Trouble(
            title=f"Kraken uses the {word.partition(' ')[0]} “{word.partition(' ')[2]}”, which is new to the notifier",
            since=now,
            told_from=now,
            text="It is shown as it is, ends no incident, and an unknown impact counts as major. A newer version may "
            "know it.",
            lasts=False,
        )
    return found


def duty_of(key: str) -> str:
    """Who knows of a trouble: whoever sends on that channel, reads what people say, or polls."""
    kind, _, channel = key.partition("/")
    if kind in ("channel", "waiting", "dead"):
        return sending(channel)
    return INBOX if kind == "inbox" else POLL


def odd_words(incidents: Iterable[KnownIncident], exchange: KnownExchange | None = None) -> Iterator[str]:
    """The statuses and impacts among these that nobody knows."""
    for incident in incidents:
        if incident.status not in _STATUSES:
            yield f"status {incident.status}"
        if incident.impact is not None and incident.impact not in (*IMPACTS, "maintenance"):
            yield f"impact {incident.impact}"
    if exchange is not None and meaning(exchange.status, ENGLISH) is None:
        yield f"state {exchange.status}"


def _of_sources(health: Health, now: datetime) -> Iterator[tuple[str, Trouble]]:
    named = {source.name: source for source in health.sources}
    api = [named[name] for name in _API if name in named]
    silent = [source for source in api if not source.heard]
    if health.wrong_page:
        cure = "Use another store.url for another page, or correct status_page.url."
        yield "page-id", _at_once("Another page answers under the status page's URL", health.wrong_page, cure, now)
    elif failing := [source for source in api if source.failing_since]:
        yield "page", _unreachable(failing, named.get("feed"), now)
    elif silent:
        yield "page", _unproven(now)
    if silent and not health.wrong_page:
        yield "page-id", _unproven(now)
    if stale := [source for source in api if source.stale_since]:
        yield "page-stale", _stale(stale)
    elif any(not source.heard or source.failing_since for source in api):
        yield "page-stale", _unproven(now)
    engine = named.get("exchange")
    if engine is not None and engine.failing_since:
        yield "exchange", _source_failing("Kraken's exchange API cannot be read", engine.failing_since, engine.reason)
    elif engine is not None and not engine.heard:
        yield "exchange", _unproven(now)


def _unreachable(failing: list[SourceHealth], feed: SourceHealth | None, now: datetime) -> Trouble:
    first = min(failing, key=lambda source: source.failing_since or now)
    lives = feed is not None and feed.heard and feed.failing_since is None
    means = (
        "Its feed still answers: updates are told from there, without impact and components."
        if lives
        else "Its feed does not answer either: nothing new is seen until one of them does."
    )
    return _source_failing("Kraken's status page cannot be read", first.failing_since or now, first.reason, means)


def _source_failing(title: str, since: datetime, reason: str, means: str = "") -> Trouble:
    cure = "Open its URL from this machine; check network, proxy and firewall. It is asked again by itself."
    text = "\n".join(filter(None, (f"The answer was: {reason}.", means, cure)))
    return Trouble(title=title, since=since, told_from=since + UNREACHABLE, text=text)


def _stale(stale: list[SourceHealth]) -> Trouble:
    since = min(source.stale_since for source in stale if source.stale_since)
    age = max(source.age or timedelta() for source in stale)
    text = (
        f"A cache in between gives an answer that is {duration(age, ENGLISH)} old, so news may be missing.\n"
        "If you use a proxy, let it pass status_page.url uncached; else only Kraken's host can mend it."
    )
    title = "Kraken's status page is served from an old copy"
    return Trouble(title=title, since=since, told_from=since + UNREACHABLE, text=text)


def _of_channel(state: ChannelState, now: datetime) -> Iterator[tuple[str, Trouble]]:
    key, since = f"channel/{state.name}", state.broken_since
    if state.refused and since is not None:
        cure = f"To mend it, {CREDENTIALS.get(state.name, 'check the credentials')}; then restart the notifier."
        text = f"{state.reason}.\nNothing is lost: what is due waits.\n{cure}"
        yield (
            key,
            Trouble(
                title=f"{_named(state.name)} refuses the bot's credentials", since=since, told_from=since, text=text
            ),
        )
    elif since is not None:
        means = "Nothing is lost: what is due waits and is tried again by itself."
        text = f"{state.reason}.\n{means}\nCheck the network, and whether the provider itself is down."
        title = f"{_named(state.name)} does not take messages"
        yield key, Trouble(title=title, since=since, told_from=since + BROKEN, text=text)
    elif not state.heard:
        yield key, _unproven(now)


def _add_inbox(found: dict[str, Trouble], state: InboxState, raised: Collection[str], now: datetime) -> None:
    """What keeps commands from being read and news from being sent is told once, of whichever is told first. While
    another reader is the trouble, nobody can say whether any other is over, and the other way round.
    """
    channel, contested, unread = f"channel/{state.name}", f"inbox/{state.name}/contested", f"inbox/{state.name}"
    since = state.failing_since
    if since is None and state.heard_at is not None and now - state.heard_at > SILENT:
        since = state.heard_at
    if since is None:
        if state.heard_at is None:
            found[contested] = found[unread] = _unproven(now)
    elif state.conflict:
        found[contested], found[unread] = _contested(state, since), _unproven(now)
    else:
        found[contested] = _unproven(now)
        channel_is_told = channel in raised or (channel in found and found[channel].told_from is not None)
        if state.refused and unread in raised and channel not in raised:
            found.pop(channel, None)
        if unread in raised or not channel_is_told:
            found[unread] = _not_read(state, since)


def _contested(state: InboxState, since: datetime) -> Trouble:
    text = (
        f"{state.reason[:1].upper()}{state.reason[1:]}.\nNews goes out as before. What people say to the bot is read "
        "by turns.\nStop the other program that uses this token; if you know of none, let @BotFather make a new token: "
        "the old one is known to somebody."
    )
    title = "Another reader takes the bot's commands"
    return Trouble(title=title, since=since, told_from=since + CONTESTED, text=text)


def _not_read(state: InboxState, since: datetime) -> Trouble:
    reason = f"{state.reason or 'Nothing was heard of Telegram'}."
    if state.refused:
        cure = f"To mend it, {CREDENTIALS.get(state.name, 'check the credentials')}; then restart the notifier."
        title = f"{_named(state.name)} refuses the bot's credentials"
        return Trouble(title=title, since=since, told_from=since, text=f"{reason}\n{cure}")
    means = "What people say to the bot waits, for a day at most. It is asked for again by itself."
    text = f"{reason}\n{means}\nCheck the network, and whether Telegram itself is down."
    title = "What people say to the bot is not read"
    return Trouble(title=title, since=since, told_from=since + UNREACHABLE, text=text)


def _waiting(backlog: Backlog, now: datetime, *, told: bool) -> Trouble:
    many = f"{backlog.count} messages wait" if backlog.count > 1 else "One message waits"
    text = (
        f"{many}, the oldest for {duration(now - backlog.oldest, ENGLISH)}.\n"
        "They go out by themselves. `notifier deliveries` shows what stands in their way."
    )
    title = f"News for {_named(backlog.channel)} waits too long"
    return Trouble(title=title, since=backlog.oldest, told_from=now if told else None, text=text)


def _off(off: SwitchedOff, now: datetime) -> Trouble:
    if off.again:
        return _unproven(now)
    way = _ADMISSION.get(Address.parse(off.address).channel, "check the address")
    cure = f"To mend it, {way}; then restart the notifier, or `notifier deliveries retry ID`."
    return _at_once(f"{off.address} is switched off", off.reason, cure, now)


def _dead(dead: DeadLetters, now: datetime) -> Trouble:
    many = f"{dead.count} messages are" if dead.count > 1 else "One message is"
    cure = "`notifier deliveries --failed` lists them; `notifier deliveries retry ID` or `drop ID` settles each."
    return _at_once(f"{_named(dead.channel)}: {many} given up", dead.reason, cure, now)


def _at_once(title: str, reason: str, cure: str, now: datetime) -> Trouble:
    return Trouble(
        title=title, since=now, told_from=now, text="\n".join(filter(None, (f"{reason}." if reason else "", cure)))
    )


def _unproven(now: datetime) -> Trouble:
    """Nobody can say yet whether it is over."""
    return Trouble(title="", since=now, told_from=None)


def _named(channel: str) -> str:
    names = {"slack": "Slack", "slack-webhook": "A Slack webhook", "telegram": "Telegram", "mailto": "The mail server"}
    return names.get(channel, "The terminal")
