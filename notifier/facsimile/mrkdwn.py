"""Slack's mrkdwn as its desktop client draws it: https://docs.slack.dev/messaging/formatting-message-text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from itertools import groupby

from notifier.facsimile.ink import ago, clock, instant, link, moment, ordinal, text
from notifier.markup import INERT

_TAGS = {"*": "strong", "_": "em", "~": "s"}
_QUOTE = re.compile(r"(?:>|&gt;) ?")
_MENTIONS = {"!here": "@here", "!channel": "@channel", "!everyone": "@everyone"}


def mrkdwn(source: str, now: datetime) -> str:
    """Paragraphs and quotations; `now` is when it is read."""
    parts: list[str] = []
    for quoted, lines in groupby(source.split("\n"), key=lambda line: bool(_QUOTE.match(line))):
        drawn = "\n".join(_inline(_QUOTE.sub("", line, count=1) if quoted else line, now) for line in lines)
        if drawn.strip():
            parts.append(f"<blockquote>{drawn}</blockquote>" if quoted else f"<p>{drawn}</p>")
    return "".join(parts)


def literal(source: str) -> str:
    """A `plain_text` object, in which only the three control characters are written as entities."""
    return text(_decoded(source))


def first_line(source: str, now: datetime) -> str:
    """The first line that is not empty, with its styles."""
    return _inline(next((line for line in source.split("\n") if line.strip()), ""), now)


@cache
def _marked(styles: str) -> re.Pattern[str]:
    """What is in angle brackets, code, and `styles`, which hug words and begin and end beside them."""
    return re.compile(
        r"<(?P<angle>[^<>\n]+)>"
        r"|`(?P<code>[^`\n]+)`"
        rf"|(?<!\w)(?P<mark>[{styles}])(?![\s{INERT}])(?P<inner>(?:<[^<>\n]*>|[^<\n])+?)(?<![\s{INERT}])(?P=mark)(?!\w)"
    )


def _inline(source: str, now: datetime, styles: str = "*_~") -> str:
    """A style does not hold itself, so nesting ends."""
    drawn: list[str] = []
    end = 0
    for found in _marked(styles or "\0").finditer(source):
        drawn.append(literal(source[end : found.start()]))
        end = found.end()
        if found["angle"]:
            drawn.append(_angle(found["angle"], now))
        elif found["code"]:
            drawn.append(f"<code>{literal(found['code'])}</code>")
        else:
            tag = _TAGS[found["mark"]]
            drawn.append(f"<{tag}>{_inline(found['inner'], now, styles.replace(found['mark'], ''))}</{tag}>")
    return "".join((*drawn, literal(source[end:])))


def _angle(source: str, now: datetime) -> str:
    """What stands between < and >: an instant, a mention or a link."""
    target, _, label = source.partition("|")
    if target.startswith("!date^"):
        return _date(target, label, now)
    if target in _MENTIONS:
        return f'<span class="mention here">{_MENTIONS[target]}</span>'
    if target.startswith("!"):
        return f'<span class="mention">{literal(label or target)}</span>'
    if target.startswith(("@", "#")):
        return f'<span class="mention">{literal(target[0] + (label or target[1:]).lstrip(target[0]))}</span>'
    return link(_decoded(target), literal(label or target))


def _date(source: str, fallback: str, now: datetime) -> str:
    _, unix, form, *address = [*source.split("^"), ""][:4]
    at = moment(unix)
    if at is None:
        return literal(fallback or source)
    told = _tokens(at.astimezone(UTC), now)
    words = re.sub(r"\{\w+\}", lambda token: told.get(token[0], token[0]), form)
    html = instant(at, _decoded(words))
    return link(_decoded(address[0]), html) if address and address[0] else html


def _tokens(at: datetime, now: datetime) -> dict[str, str]:
    """An instant in every form, as on a later day, when no date is "today" any more."""
    short, long = f"{at:%b} {at.day}, {at.year}", f"{at:%B} {ordinal(at.day)}, {at.year}"
    return {
        "{date_num}": f"{at:%Y-%m-%d}",
        "{date_slash}": f"{at:%m/%d/%Y}",
        "{date}": long,
        "{date_pretty}": long,
        "{date_short}": short,
        "{date_short_pretty}": short,
        "{date_long}": f"{at:%A}, {long}",
        "{date_long_pretty}": f"{at:%A}, {long}",
        "{time}": clock(at),
        "{time_secs}": f"{at:%H:%M:%S}",
        "{ago}": ago(at, now),
    }


def _decoded(source: str) -> str:
    return source.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
