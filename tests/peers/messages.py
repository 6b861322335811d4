"""What the judges get to see: every golden piece of news in every form, and news made of the nastiest words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import add
from random import Random

from notifier.message import Message, Receipt
from notifier.model import Affected, Before, Change, Kind, Moment, Phase, Topic, Window
from notifier.parcel import Part
from notifier.render import Page, render
from tests.builders import NOW, at
from tests.news import NEWS

KRAKEN = Page(url="https://status.kraken.com")
ROOT = Receipt("C000000001", "1771932540.000100")

NASTY = (
    # what is text to us and markup to somebody
    *("<b>", "</b>", "</blockquote>", "<a href='https://evil.example'>", "<br/>", "<tg-spoiler>", '<tg-time unix="1">'),
    *("<script>alert(1)</script>", "<!--", "]]>", "<", ">", "&", '"', "'", "&amp;", "&lt;b&gt;", "&#64;user", "&nbsp;"),
    *("*bold*", "_it_", "~no~", "`code`", "```", "> quote", ":warning:", "[a](https://evil.example)", "\\", "|", "^"),
    *("<!channel>", "<!here|x>", "<@U123>", "<#C1|general>", "<!subteam^S1>", "<https://evil.example|kraken.com>"),
    *("<!date^1^{time}|x>", "{0}", "%s", "${HOME}", "=?utf-8?q?x?=", "\r\nBcc: evil@evil.example", ".", "\n.\n", "--"),
    # what clients make active
    *("@name", "@all", "(@channel)", "a@b.example", "<ops@kraken.com>", "mailto:ops@kraken.com", "@user@host.example"),
    *("/start", "/start@some_bot", "#tag", "#1a", "#\u00e4_b", "#tag@chat", "$BTC", "$BTC@chat", "$A", "@gif"),
    *("kraken.com", "api.kraken.com/0/public", "https://evil.example/x?y=1#z", "HTTP://EVIL.EXAMPLE", "www.kraken.com"),
    *("1.2.3.4", "10.0.0.1:8080", "192.168.0.0/16", "[::1]", "localhost:80", "t.me/x", "tg://resolve?domain=x"),
    *("tg://user?id=1", "ton://transfer/x", "tonsite://x.ton", "foo.ton", "a-b.io", "file.py", "v1.2.3", "1.io"),
    *("\u043a\u0440\u0430\u043a\u0435\u043d.\u0440\u0444", "b\u00fccher.de", "x\u3002com", "javascript:alert(1)"),
    *("https://user:pass@host.example", "a.b.c.d.example.", "..kraken.com", "kraken.com..", "_kraken.com", "x.com_"),
    *("ftp://x.example", "+1-212-555-0123", "+442071838750", "tel:+123456789", "4242 4242 4242 4242"),
    *("4111111111111111", "5105-1051-0510-5100", "12:30", "1:02:03", "2026-02-24", "1.5 BTC", "0.00000001"),
    # characters
    *("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u200f", "\u202e", "\u2066", "\u2069", "\u061c"),
    *("\ud800", "\udfff", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0010ffff", "\ufdd0", "\u0301"),
    *("\x00", "\x07", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u2029", "\t", "\v", "\f", "\ufffc", "\u3000", "\ufe0f"),
    *("e\u0301", "\u0645\u0631\u062d\u0628\u0627", "\u4ea4\u6613\u6240", "\u00df\u00e4\u00f6", "\U0001f1e9\U0001f1ea"),
    *("", " ", "word", "Websocket", "We are", "investigating.", "a", "1", "-", "_", "x" * 300),
)  # fmt: skip
"""Fragments, each of which somebody reads as more than text."""

GLUE = ("", "", " ", " ", "\n", "\n\n", ", ", ".", "@", "/", "_", "\u200b")
STATUSES = ("investigating", "identified", "monitoring", "resolved", "scheduled", "in_progress", "completed", "")
IMPACTS = (None, "none", "minor", "major", "critical", "maintenance")


def every_message(thread: Receipt = ROOT) -> dict[str, Message]:
    """Every case of `news`, by its name and form; `thread` is what the replies hang on."""
    told = {}
    for case, make in NEWS.items():
        changes = make()
        date = max(change.at for change in changes) + timedelta(seconds=30)
        told[f"{case}, alone"] = alone = _rendered(changes, date)
        told[f"{case}, as a reply"] = replace(alone, thread=thread)
        told[f"{case}, plain"] = replace(alone, plain=True)
        told[f"{case}, kept current"] = _rendered(changes[:1], date, since=changes[-1:])
    return told


def hostile_messages(seed: int, count: int, thread: Receipt = ROOT) -> Iterator[tuple[str, Message]]:
    """Random news of nasty words. Each by its name, from which alone it is made: `hostile_message` repeats one."""
    return ((f"{seed}-{number}", hostile_message(f"{seed}-{number}", thread)) for number in range(count))


def hostile_message(name: str, thread: Receipt = ROOT) -> Message:
    random = Random(name)
    changes = [_change(random, number) for number in range(random.choice((1, 1, 1, 2, 5)))]
    later = [_change(random, number) for number in range(random.choice((0, 0, 1, 2)))]
    message = _rendered(changes, NOW + timedelta(minutes=random.randrange(120)), since=later)
    return replace(message, thread=random.choice((None, thread)), plain=random.random() < 0.1)


def nasty(random: Random, most: int = 12) -> str:
    """Up to `most` fragments; now and then many more."""
    count = random.randrange(2_000) if random.random() < 0.002 * most / 12 else random.randrange(most)
    return "".join(map(add, random.choices(NASTY, k=count), random.choices(GLUE, k=count)))


def _change(random: Random, number: int) -> Change:
    kind, phase, topic = random.choice(list(Kind)), random.choice((None, *Phase)), random.choice(list(Topic))
    started, ended = (random.choice((None, at("11:00"), at("9:00", -1))) for _ in range(2))
    return Change(
        key=f"k{number}",
        kind=kind,
        topic=topic,
        subject=random.choice(("exchange/status", "page/incident")),
        reason="",
        at=NOW - timedelta(minutes=random.randrange(2_000)),
        detected_at=NOW,
        title=nasty(random),
        phase=phase,
        status=random.choice((*STATUSES, nasty(random, 3))),
        impact=random.choice((*IMPACTS, nasty(random, 3))),
        text=nasty(random, 40),
        before=random.choice((None, nasty(random))),
        stood=random.choice((Before(), _before(random))),
        repeats=random.randrange(4),
        loud=random.random() < 0.5,
        posted_at=random.choice((None, NOW)),
        incident_id=random.choice((None, "wsincident01")),
        update_id=random.choice((None, "u1", "u2")),
        components=_components(random),
        started_at=started,
        ended_at=ended,
        window=random.choice((None, _window(random))),
        timeline=tuple(Moment(status=nasty(random, 3), at=NOW) for _ in range(random.choice((0, 0, 0, 3, 30)))),
    )


def _before(random: Random) -> Before:
    return Before(
        status=nasty(random, 3),
        impact=nasty(random, 3),
        title=nasty(random),
        window=_window(random),
        components=_components(random),
    )


def _components(random: Random) -> tuple[Affected, ...]:
    count = random.choice((0, 1, 1, 3, 20))
    return tuple(Affected(name=nasty(random, 3), group=random.choice((None, nasty(random, 3)))) for _ in range(count))


def _window(random: Random) -> Window:
    start = NOW + timedelta(minutes=random.randrange(-500, 5_000))
    return Window(start=start, end=random.choice((None, start + timedelta(hours=1))))


def _rendered(changes: Sequence[Change], date: datetime, since: Sequence[Change] = ()) -> Message:
    parts = [Part(delivery_id=number, change=change) for number, change in enumerate(changes, 1)]
    return render(parts, KRAKEN, origin="db", date=date, since=since)
