"""What is read of a payload, as plain text for a terminal: links with their addresses, quotations with a bar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from notifier.markup import INERT

_DATE = re.compile(r"<!date\^[^|<>]*\|([^<>]*)>")
_LINK = re.compile(r"<(https?://[^|<>]*)\|([^<>]*)>")
_MARK = re.compile(r"(?<!\S)[*~](\S[^*~\n]*)[*~](?!\S)")
_ANCHOR = re.compile(r'<a href="([^"]*)">(.*?)</a>')
_QUOTE = re.compile(r"<blockquote[^>]*>(.*?)</blockquote>", re.DOTALL)


def slack_words(text: str) -> str:
    """`text` as in chat.postMessage, in mrkdwn; instants in UTC."""
    text = _LINK.sub(r"\2: \1", _DATE.sub(r"\1", text))
    text = re.sub(r"(?m)^> ", "│ ", _MARK.sub(r"\1", text))
    return unescape(text).replace(INERT, "")


def telegram_words(payload: Mapping[str, Any]) -> str:
    """The arguments of sendMessage, with the buttons below the text; instants in UTC."""
    text = str(payload["text"])
    if payload.get("parse_mode") == "HTML":
        text = _QUOTE.sub(lambda found: re.sub(r"(?m)^", "│ ", found[1]), text)
        text = unescape(re.sub(r"<[^<>]*>", "", _ANCHOR.sub(r"\2: \1", text)))
    rows = (payload.get("reply_markup") or {}).get("inline_keyboard", ())
    buttons = [f"[{button['text']}] {button['url']}" for row in rows for button in row]
    return "\n".join([text.replace(INERT, ""), *buttons])
