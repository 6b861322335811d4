"""What the clients have in common: text, links and instants as HTML."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import quote

BOT = "Kraken status"
"""The name under which the bot speaks."""

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What no HTML document may hold: https://html.spec.whatwg.org/#preprocessing-the-input-stream."""

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def text(words: str) -> str:
    """Words as text or as the value of an attribute in double quotes."""
    return escape(_FORBIDDEN.sub("\ufffd", words.replace("\r\n", "\n").replace("\r", "\n")))


def link(url: str, html: str, *, style: str = "") -> str:
    """A link around `html`, or `html` alone in a span if the address does not lead to the web."""
    named = f' class="{style}"' if style else ""
    if not url.startswith(("https://", "http://")):
        return f"<span{named}>{html}</span>"
    return f'<a{named} href="{escape(quote(url, safe="%/:?#@!$&()*+,;=~", errors="replace"))}">{html}</a>'


def instant(at: datetime, words: str, *, style: str = "") -> str:
    """`words` for the moment `at`, which a pointer resting on them tells in full."""
    named = f' class="{style}"' if style else ""
    utc = at.astimezone(UTC)
    return f'<time{named} datetime="{utc:%Y-%m-%dT%H:%M:%SZ}" title="{utc:%Y-%m-%d %H:%M:%S} UTC">{text(words)}</time>'


def clock(at: datetime) -> str:
    """The hour and minute in UTC."""
    return f"{at.astimezone(UTC):%H:%M}"


def moment(unix: str) -> datetime | None:
    """Seconds since 1970 as a client reads them; None if they are no moment."""
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(unix))
    except (ValueError, OverflowError):
        return None


def ago(at: datetime, now: datetime) -> str:
    """The distance in its largest unit: "in 30 minutes", "2 hours ago"."""
    seconds = round((at - now).total_seconds())
    for size, unit in _UNITS:
        if abs(seconds) >= size:
            count = abs(seconds) // size
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "just now"


def ordinal(day: int) -> str:
    """The day of a month as it is said: 1st, 24th."""
    ending = "th" if day in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def avatar(style: str) -> str:
    """The bot's picture: a pulse, which the page defines once."""
    return f'<svg class="avatar {style}" viewBox="0 0 36 36" aria-hidden="true"><use href="#pulse"/></svg>'
