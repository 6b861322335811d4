"""Telegram's messages as Telegram's own code reads them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from notifier.channels.telegram import compose, compose_edit
from notifier.message import Receipt
from notifier.subscription import Address
from tests.peers.messages import KRAKEN, every_message, hostile_messages
from tests.peers.tdlib import Entity, Parsed, Refused, find_entities, parse_html, units

DESK = Address("telegram", "-1001234567890")
ROOT = Receipt("-1001234567890", "42")
UNITS = 4_096
ENTITIES = 100
SEED = 20260224
COUNT = 1_500

LIVELY = {"Mention", "Hashtag", "Cashtag", "BotCommand", "Url", "EmailAddress", "PhoneNumber", "BankCardNumber"}
STYLES = {"Bold", "Italic", "Strikethrough", "Code", "BlockQuote", "ExpandableBlockQuote", "DateTime"}
"""What our markup may become, beside links."""

REFUSED = {
    "a tag that Telegram does not know": ("<h1>x</h1>", 'Unsupported start tag "h1"'),
    "an unclosed tag": ("<b>x", "Can't find end tag"),
    "crossed tags": ("<b><i>x</b></i>", "Unmatched end tag"),
    "a bare <": ("a < b", "Unsupported start tag"),
    "an instant in a form of nobody's": ('<tg-time unix="1771932540" format="DATE">x</tg-time>', "Invalid date format"),
}
FOUND = {
    "@kraken": "Mention",
    "#tag": "Hashtag",
    "$BTC": "Cashtag",
    "/start@bot": "BotCommand",
    "kraken.com": "Url",
    "1.2.3.4": "Url",
    "tg://resolve?domain=x": "Url",
    "ops@kraken.com": "EmailAddress",
    "4242 4242 4242 4242": "BankCardNumber",
}


def problems(payload: dict[str, Any]) -> list[str]:
    """What is wrong with a text of ours, in Telegram's words where it has some."""
    try:
        shown = parse_html(payload["text"]) if payload.get("parse_mode") == "HTML" else Parsed(payload["text"], ())
    except Refused as refusal:
        return [str(refusal)]
    links = [each for each in shown.entities if each.kind == "TextUrl"]
    active = [each for each in find_entities(shown.text) if each.kind in LIVELY]
    found = [f"{len(units(shown.text)) // 2} units"] if len(units(shown.text)) > 2 * UNITS else []
    found += ["no text"] if not shown.text.strip() else []
    found += [f"{len(shown.entities)} entities"] if len(shown.entities) > ENTITIES else []
    found += [f"a link to {each.url}" for each in links if not (each.url or "").startswith(KRAKEN.url)]
    found += [f"{each.kind} by markup" for each in shown.entities if each.kind not in {*STYLES, "TextUrl"}]
    links += [each for each in active if each.kind == "Url" and shown.of(each).startswith(KRAKEN.url)]
    found += [f"{each.kind} {shown.of(each)!r}" for each in active if not any(_within(each, link) for link in links)]
    return found


def _within(inner: Entity, outer: Entity) -> bool:
    return outer.offset <= inner.offset and inner.end <= outer.end


@pytest.mark.parametrize("case", REFUSED)
def test_telegram_refuses(case: str) -> None:
    html, reason = REFUSED[case]

    with pytest.raises(Refused, match=reason):
        parse_html(html)


@pytest.mark.parametrize("text", FOUND)
def test_telegram_makes_active(text: str) -> None:
    assert [each.kind for each in find_entities(f"x {text} y")] == [FOUND[text]]


def test_telegram_counts_in_utf_16() -> None:
    shown = parse_html('\U0001f7e1 <b>\U0001f600 bold</b> <a href="https://status.kraken.com/">here</a>')

    assert [(each.kind, each.offset, shown.of(each)) for each in shown.entities] == [
        ("Bold", 3, "\U0001f600 bold"),
        ("TextUrl", 11, "here"),
    ]


def test_every_kind_of_news_is_taken_as_it_is_meant() -> None:
    wrong = {}
    for name, message in every_message(ROOT).items():
        for made, payload in {"posted": compose(DESK, message), "edited": compose_edit(ROOT, message)}.items():
            if found := problems(payload):
                wrong[f"{name}, {made}"] = found

    assert wrong == {}


def test_no_words_break_a_message_or_become_active_in_it() -> None:
    wrong: dict[str, list[str]] = {}
    for number, (name, message) in enumerate(hostile_messages(SEED, COUNT, ROOT)):
        payload = compose(DESK, message) if number % 2 else compose_edit(ROOT, message)
        if found := problems(payload):
            wrong[name] = found

    kinds = Counter(each.split("'")[0] for found in wrong.values() for each in found)
    assert not wrong, f"{len(wrong)} of {COUNT}, as {kinds}; the first: {dict([*wrong.items()][:20])}"
