"""Payloads of the two chats as their clients draw them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.facsimile import Conversation, SlackPost, TelegramPost, page
from notifier.facsimile.mrkdwn import mrkdwn
from notifier.markup import INERT

AT = datetime(2026, 2, 24, 11, 29, tzinfo=UTC)
UNIX = int(AT.timestamp())
LINK = "https://status.kraken.com/incidents/wsincident01"
FULL = '<time datetime="2026-02-24T11:29:00Z" title="2026-02-24 11:29:00 UTC">'

MRKDWN = {
    "bold, italic, strike and code": (
        "*a* _b_ ~c~ `d`",
        "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>",
    ),
    "styles within styles": ("*_a_ b*", "<p><strong><em>a</em> b</strong></p>"),
    "a style around a link": (f"*<{LINK}|a*b>*", f'<p><strong><a href="{LINK}">a*b</a></strong></p>'),
    "no style within a word": ("a_b_c 2*3*4", "<p>a_b_c 2*3*4</p>"),
    "no style before a space": ("* a* _ b_", "<p>* a* _ b_</p>"),
    "no style that was made inert": (f"*{INERT}a* `{INERT}b", f"<p>*{INERT}a* `{INERT}b</p>"),
    "no style over the end of a line": ("*a\nb*", "<p>*a\nb*</p>"),
    "code is literal": ("`*a* &lt;b&gt;`", "<p><code>*a* &lt;b&gt;</code></p>"),
    "a quotation of two lines": ("a\n> b\n> *c*\nd", "<p>a</p><blockquote>b\n<strong>c</strong></blockquote><p>d</p>"),
    "an escaped quotation": ("&gt; b", "<blockquote>b</blockquote>"),
    "a link without a label": (f"<{LINK}>", f'<p><a href="{LINK}">{LINK}</a></p>'),
    "an address in a link": ("<https://x/?a=1&amp;b=2|x>", '<p><a href="https://x/?a=1&amp;b=2">x</a></p>'),
    "a link that leads nowhere on the web": ("<javascript:alert(1)|x>", "<p><span>x</span></p>"),
    "those who are here": ("<!here>", '<p><span class="mention here">@here</span></p>'),
    "a person, a channel": (
        "<@U1> <#C1|ops>",
        '<p><span class="mention">@U1</span> <span class="mention">#ops</span></p>',
    ),
    "a group": ("<!subteam^S1|@desk>", '<p><span class="mention">@desk</span></p>'),
    "a link to nowhere": ("<|x>", "<p><span>x</span></p>"),
    "escaped mentions are words": ("&lt;!here&gt; &amp;lt;", "<p>&lt;!here&gt; &amp;lt;</p>"),
    "a date and time": (
        f"<!date^{UNIX}^{{date_short_pretty}} {{time}}|11:29 UTC>",
        f"<p>{FULL}Feb 24, 2026 11:29</time></p>",
    ),
    "a distance in time": (f"<!date^{UNIX + 1800}^{{ago}}|soon>", "in 30 minutes</time>"),
    "a time with a link": (f"<!date^{UNIX}^{{time}}^{LINK}|x>", f'<a href="{LINK}">{FULL}11:29</time></a>'),
    "a date that is none": ("<!date^soon^{time}|later>", "<p>later</p>"),
}


@pytest.mark.parametrize(("source", "drawn"), MRKDWN.values(), ids=MRKDWN.keys())
def test_mrkdwn_is_drawn_as_slack_does(source: str, drawn: str) -> None:
    assert drawn in mrkdwn(source, AT)


@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="*_~`>"), min_size=1))
def test_words_escaped_for_slack_are_drawn_as_they_were(words: str) -> None:
    assert unescape(mrkdwn(escape(words, quote=False), AT)) == f"<p>{words}</p>"


def post(ts: str, minute: int, **payload: Any) -> SlackPost:
    return SlackPost(payload={"channel": "#ops", **payload}, ts=ts, at=AT.replace(minute=minute))


def shown(*posts: SlackPost) -> tuple[str, str]:
    """What is in the channel, and in its threads."""
    html = page("x", [Conversation(title="y", slack=posts)])
    channel, _, threads = html.partition('<div class="thread">')
    return channel, threads


def test_a_reply_is_in_the_thread_and_only_a_broadcast_in_the_channel_too() -> None:
    channel, thread = shown(
        post("1", 29, text="*The incident*"),
        post("2", 35, text="a quiet reply", thread_ts="1", reply_broadcast=False),
        post("3", 41, text="a loud reply", thread_ts="1", reply_broadcast=True),
    )
    assert "a quiet reply" not in channel and "a loud reply" in channel
    assert "replied to a thread: <strong>The incident</strong>" in channel
    assert "<b>2 replies</b>" in channel and "Last reply at" in channel
    assert thread.index("<strong>The incident</strong>") < thread.index("a quiet reply") < thread.index("a loud reply")
    assert thread.count("Also sent to the channel") == 1


def test_a_card_shows_its_blocks_and_that_it_was_edited() -> None:
    text = {"type": "mrkdwn", "text": "*Impact*\nminor"}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": "🟢 Resolved: a &lt;b&gt; &amp; *c*"}},
        {"type": "section", "fields": [text, {"type": "mrkdwn", "text": "*Lasted*\n12 min"}]},
        {"type": "divider"},
        {
            "type": "actions",
            "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Page"}, "url": LINK}],
        },
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "small print"}]},
    ]
    card = SlackPost(payload={"channel": "#ops", "text": "fallback", "blocks": blocks}, ts="1", at=AT, edited=True)
    channel, threads = shown(card)
    assert '<p class="header">🟢 Resolved: a &lt;b&gt; &amp; *c*</p>' in channel
    assert (
        "<div><p><strong>Impact</strong>\nminor</p></div><div><p><strong>Lasted</strong>\n12 min</p></div>" in channel
    )
    assert "<hr>" in channel and f'<a class="button" href="{LINK}">Page</a>' in channel and "small print" in channel
    assert "(edited)" in channel and "fallback" not in channel and not threads


def test_the_flat_style_is_a_channel_of_plain_messages() -> None:
    channel, threads = shown(post("1", 29, text="*bold*"), post("2", 35, text="*literal*", mrkdwn=False))
    assert "<strong>bold</strong>" in channel and "<p>*literal*</p>" in channel and not threads


def test_each_day_of_a_channel_begins_with_its_date() -> None:
    days = [SlackPost(payload={"text": "x"}, ts=str(day), at=AT + timedelta(days=day // 2)) for day in range(4)]
    assert re.findall(r"\w+, February \w+", shown(*days)[0]) == ["Tuesday, February 24th", "Wednesday, February 25th"]


def drawn(text: str, **payload: Any) -> str:
    told = TelegramPost(payload={"text": text, "parse_mode": "HTML", **payload}, message_id=1, at=AT)
    html = page("x", [Conversation(title="y", telegram=[told])])
    [said] = re.findall(r'<div class="said">(.*?)<span class="stamp">', html, re.DOTALL)
    return str(said)


TELEGRAM = {
    "the tags of messages": ("<b>a</b><i>b</i><u>c</u><s>d</s><code>e</code>",) * 2,
    "other names of tags": ("<strong>a</strong><em>b</em><ins>c</ins><del>d</del>", "<b>a</b><i>b</i><u>c</u><s>d</s>"),
    "a link": (f'<a href="{LINK}">a</a>', f'<a href="{LINK}">a</a>'),
    "a link that leads nowhere on the web": ('<a href="javascript:x">a</a>', "<span>a</span>"),
    "a quotation ends its line": (
        "a\n<blockquote expandable>b\nc</blockquote>\nd",
        "a\n<blockquote>b\nc</blockquote>d",
    ),
    "an instant": (
        f'<tg-time unix="{UNIX}" format="dt">x <b>y</b></tg-time> z',
        f"{FULL}24.02.26 11:29<b></b></time> z",
    ),
    "an instant in its own words": (f'<tg-time unix="{UNIX}">today</tg-time>', f"{FULL}today</time>"),
    "a distance in time": (f'<tg-time unix="{UNIX - 7200}" format="r">x</tg-time>', "2 hours ago</time>"),
    "an unknown tag is text": ("<img src=x>a</img>", "&lt;img src=x&gt;a&lt;/img&gt;"),
    "tags left open are closed": ("<b>a<i>b", "<b>a<i>b</i></b>"),
    "tags closed in the wrong order": ("<b>a<i>b</b>c</i>", "<b>a<i>b</i></b>c"),
    "entities": ("&lt;b&gt; &amp; &quot;", "&lt;b&gt; &amp; &quot;"),
}


@pytest.mark.parametrize(("source", "expected"), TELEGRAM.values(), ids=TELEGRAM.keys())
def test_html_is_drawn_as_telegram_does(source: str, expected: str) -> None:
    assert expected in drawn(source)


def test_without_a_parse_mode_tags_are_text() -> None:
    assert drawn("<b>a</b>", parse_mode=None) == "&lt;b&gt;a&lt;/b&gt;"


def test_a_reply_shows_how_the_message_began_that_it_answers() -> None:
    first = TelegramPost(payload={"text": "<b>Title</b>\nmore", "parse_mode": "HTML"}, message_id=7, at=AT, edited=True)
    keyboard = {"inline_keyboard": [[{"text": "Status page", "url": LINK}, {"text": "Mute", "callback_data": "x"}]]}
    payload = {"text": "fixed", "reply_parameters": {"message_id": 7}, "disable_notification": True}
    reply = TelegramPost(payload={**payload, "reply_markup": keyboard}, message_id=8, at=AT + timedelta(minutes=1))
    head, answer = page("x", [Conversation(title="y", telegram=[first, reply])]).split('<li class="message">')[1:]
    assert "edited <time" in head and "sent without sound" not in head
    assert '<p class="strip"><b>Kraken status</b><span>Title</span></p>' in answer
    assert "edited <time" not in answer and "sent without sound" in answer
    assert f'<a class="key" href="{LINK}">Status page</a><span class="key">Mute</span>' in answer
