"""A message's lines as each channel writes them: all escaping lives here. Pure.

Text is foreign: whatever it holds arrives literally. What a client would turn by itself into a mention, a command, a
link or a style is kept inert by a zero-width space behind its first character. Links come from `Span.url` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import escape, unescape
from itertools import groupby
from urllib.parse import quote

from notifier.model import Line, Span

INERT = "\u200b"
"""Zero-width space. Sources never contain it: `sources.text.clean` takes it out."""

_ELLIPSIS = "…"
_READABLE = 60
"""Characters to which a quoted line may be cut before whole lines go instead."""

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_LIVELY = re.compile(r"(?<!\w)[@/#$](?=\w)|\.(?=[^\W\d]|\d+\.\d+\.\d)")
"""The first character of what chat clients make active: @mention, /command, #tag, $CASHTAG, host.name, 1.2.3.4."""
_SLACK_STYLE = re.compile(r"[*~`]|(?<![^\W_])_|(?<!\d):(?=[\w+'-]+:)|^(?=>)")
"""What may open *bold*, ~strike~, `code`, _italic_ (never inside a_word), :emoji: or a quotation."""

_TELEGRAM_TAGS = {"bold": "b", "italic": "i", "strike": "s", "code": "code"}
_MAIL_TAGS = {"bold": "strong", "italic": "em", "strike": "s", "code": "code"}
_SLACK_MARKS = {"bold": "*", "italic": "_", "strike": "~", "code": "`"}


def plain(lines: Sequence[Line]) -> str:
    """For terminals and text mails: quoted lines indented, addresses of links written out."""
    return "\n".join(_plain_line(line, _visible) for line in lines)


def chat_plain(lines: Sequence[Line]) -> str:
    """`plain` for chats, which make links of what looks like one: only our own links stay active."""
    return "\n".join(_plain_line(line, _inert) for line in lines)


def _plain_line(line: Line, write: Callable[[str], str]) -> str:
    spans = (f"{write(span.text)}: {href}" if (href := _href(span)) else write(span.text) for span in line.spans)
    return ("    " if line.quoted else "") + "".join(spans)


def telegram_html(lines: Sequence[Line]) -> str:
    """https://core.telegram.org/bots/api#html-style with the tags b, i, s, code, a and blockquote only."""
    return "\n".join(
        f"<blockquote>{text}</blockquote>" if quoted else text for quoted, text in _blocks(lines, _telegram_span, "\n")
    )


def _telegram_span(span: Span) -> str:
    return _tagged(span, _inert(span.text), _TELEGRAM_TAGS)


def telegram_length(html: str) -> int:
    """Length of `telegram_html` as Telegram counts it: UTF-16 units of what is left after parsing."""
    return utf16_len(unescape(re.sub(r"<[^>]*>", "", html)))


def utf16_len(text: str) -> int:
    """Length in UTF-16 units: an emoji counts twice."""
    return len(text) + sum(character > "\uffff" for character in text)


def slack_mrkdwn(lines: Sequence[Line]) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text, instants in each reader's own time."""
    return "\n".join(("> " if line.quoted else "") + "".join(map(_slack_span, line.spans)) for line in lines)


def slack_plain(lines: Sequence[Line]) -> str:
    """For `mrkdwn: false`, where the three control characters are escaped all the same."""
    return escape(chat_plain(lines), quote=False)


def _slack_span(span: Span) -> str:
    words = _visible(span.text)
    bare = words.strip()
    if not bare:
        return words
    mark = _SLACK_MARKS.get(span.style, "")
    text = escape(_SLACK_STYLE.sub(rf"\g<0>{INERT}", _inert(bare)), quote=False)
    if href := _href(span):
        text = f"<{escape(href, quote=False)}|{text}>"
    elif span.at:
        text = f"<!date^{int(span.at.timestamp())}^{{date_short_pretty}} {{time}}^{re.sub('[|^]', ' ', text)}>"
    before, after = words.split(bare, 1)
    return f"{before}{mark}{text}{mark}{after}"


_BODY = "margin:0;padding:16px;font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1d1c1d"
_QUOTE = "margin:8px 0;padding:4px 12px;border-left:3px solid #c9c9d1;color:#44424a"


def mail_html(lines: Sequence[Line]) -> str:
    """A whole document with its styles inline: mail clients drop style sheets."""
    body = "\n".join(
        f'<blockquote style="{_QUOTE}">{text}</blockquote>' if quoted else f'<div style="margin:4px 0">{text}</div>'
        for quoted, text in _blocks(lines, _mail_span, "<br>\n")
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title></title></head>\n'
        f'<body style="{_BODY}">\n{body}\n</body>\n</html>\n'
    )


def _mail_span(span: Span) -> str:
    return _tagged(span, _visible(span.text), _MAIL_TAGS)


def _visible(text: str) -> str:
    """A span is one line: what would break it, or cannot be encoded, becomes a space."""
    return _UNPRINTABLE.sub(" ", text)


def _inert(text: str) -> str:
    return _LIVELY.sub(rf"\g<0>{INERT}", _visible(text))


def _href(span: Span) -> str | None:
    """The span's link with everything quoted that could end it early; None unless it leads to the web."""
    if span.url is None or not span.url.startswith(("https://", "http://")):
        return None
    return quote(span.url, safe="%/:?#[]@!$&'()*+,;=~", errors="replace")


def _tagged(span: Span, text: str, tags: dict[str, str]) -> str:
    html = escape(text, quote=False)
    if href := _href(span):
        html = f'<a href="{escape(href)}">{html}</a>'
    tag = tags.get(span.style)
    return f"<{tag}>{html}</{tag}>" if tag else html


def _blocks(lines: Sequence[Line], write: Callable[[Span], str], glue: str) -> Iterator[tuple[bool, str]]:
    """Each line by itself, but quoted neighbours as one block."""
    for quoted, group in groupby(lines, key=lambda line: line.quoted):
        written = ["".join(map(write, line.spans)) for line in group]
        yield from [(True, glue.join(written))] if quoted else [(False, text) for text in written]


def fit(lines: Sequence[Line], size: Callable[[Sequence[Line]], int], limit: int) -> tuple[Line, ...]:
    """The lines, shortened until their `size` is within `limit`; every cut is marked by "…".

    Quoted lines are cut first, the longest first; then lines go, the last but one first, as the last one holds the
    link; the title stays longest. Nothing is left where not even a shortened last line fits.
    """
    if size(lines) <= limit:
        return tuple(lines)
    *body, last = lines

    def shortened(kept: int, width: int) -> tuple[Line, ...]:
        mark = (Line(spans=(Span(text=_ELLIPSIS),)),) if kept < len(body) else ()
        return (*(_cut(line, width) if line.quoted else line for line in body[:kept]), *mark, last)

    def fits(kept: int, width: int) -> bool:
        return size(shortened(kept, width)) <= limit

    kept = len(body) if fits(len(body), _READABLE) else _largest(len(body), lambda n: fits(n, _READABLE))
    if kept:
        longest = max(_length(line) for line in body)
        return shortened(kept, _READABLE + _largest(longest - _READABLE, lambda n: fits(kept, _READABLE + n)))
    return _squeezed(body[:1], [last], size, limit) or _squeezed([last], [], size, limit)


def _squeezed(
    cut: Sequence[Line], whole: Sequence[Line], size: Callable[[Sequence[Line]], int], limit: int
) -> tuple[Line, ...]:
    def at(width: int) -> tuple[Line, ...]:
        return (*(_cut(line, width) for line in cut), *whole)

    width = _largest(max(map(_length, cut), default=0), lambda n: size(at(n)) <= limit)
    return at(width) if width else ()


def _largest(top: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `top` that fits, found by halving; 0 if none does. Only a number that was tried."""
    low, high = 0, top
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _length(line: Line) -> int:
    return sum(len(span.text) for span in line.spans)


def _cut(line: Line, width: int) -> Line:
    """At most `width` characters of the line, the last of them "…" where something is missing."""
    if _length(line) <= width:
        return line
    spans: list[Span] = []
    room = width - 1
    for span in line.spans:
        if len(span.text) > room:
            shown = span.text[:room].rstrip() + _ELLIPSIS
            spans.append(Span(text=shown, style=span.style, url=span.url))
            break
        spans.append(span)
        room -= len(span.text)
    return Line(spans=tuple(spans), quoted=line.quoted)
