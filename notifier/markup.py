"""A message's lines as each channel writes them: all escaping lives here. Pure.

Text is foreign: whatever it holds arrives literally. What a client would turn by itself into a mention, a command, a
link or a style is kept inert by a zero-width space behind its first character. Links come from `Span.url` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape, unescape
from itertools import groupby
from urllib.parse import quote

from notifier.fitting import largest
from notifier.message import Form, Line, Role, Span

INERT = "\u200b"
"""Zero-width space. Sources never contain it: `sources.text.clean` takes it out."""

_ELLIPSIS = "…"

NONCHARACTERS = "\ufdd0-\ufdef" + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
"""What Unicode keeps out of interchange, for a class of a regular expression."""

_UNPRINTABLE = re.compile(rf"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{NONCHARACTERS}]+")
_LIVELY = re.compile(r"(?<!\w)[@/#$](?=\w)|\.(?=[^\W\d]|\d+\.\d+\.\d)|\+(?=\d)|(?:\d[ -]*){6}(?=(?:\d[ -]*){7})")
"""The beginning of what chat clients make active: @mention, /command, #tag, $CASHTAG, host.name, 1.2.3.4, telephone and
card numbers.
"""
_SLACK_STYLE = re.compile(r"[*~`]|(?<![^\W_])_|(?<!\d):(?=[\w+'-]+:)|^(?=>)")
"""What may open *bold*, ~strike~, `code`, _italic_ (never inside a_word), :emoji: or a quotation."""

TELEGRAM_TEXT = 4_096
"""UTF-16 units after parsing: https://core.telegram.org/bots/api#sendmessage."""
TELEGRAM_ENTITIES = 90
"""Telegram shows 100 of a message: the rest is for mentions, and for styles, which it cuts at the dates within them."""
_TELEGRAM_BUTTON = re.compile(r"https?://(?!127\.)[a-z0-9-]+(\.[a-z0-9-]+)+(:\d+)?([/?#].*)?", re.IGNORECASE)
_TELEGRAM_TAGS = {"bold": "b", "italic": "i", "strike": "s", "code": "code"}
_MAIL_TAGS = {"bold": "strong", "italic": "em", "strike": "s", "code": "code"}
_PLAIN_MARKS = {"strike": "~", "bold": "*"}
_TELEGRAM_TIMES = {Form.FULL: "dt", Form.TIME: "t", Form.AGO: "r"}
_SLACK_TIMES = {Form.FULL: "{date_short_pretty} {time}", Form.TIME: "{time}", Form.AGO: "{ago}"}
_SLACK_MARKS = {"bold": "*", "italic": "_", "strike": "~", "code": "`"}


def plain(lines: Sequence[Line]) -> str:
    """For terminals and text mails: foreign lines indented, addresses of links written out."""
    return "\n".join(_plain_line(line, _visible) for line in lines)


def chat_plain(lines: Sequence[Line]) -> str:
    """`plain` for chats, which make links of what looks like one: only our own links stay active."""
    return "\n".join(_plain_line(line, _inert) for line in lines)


def _plain_line(line: Line, write: Callable[[str], str]) -> str:
    marks = _PLAIN_MARKS if line.foreign else {}

    def written(span: Span) -> str:
        mark = marks.get(span.style, "")
        return f"{mark}{write(span.text)}{mark}" + (f": {href}" if (href := _href(span)) else "")

    spans = map(written, line.spans)
    return ("    " if line.foreign else "") + _labelled(line, "".join(spans))


def _labelled(line: Line, text: str) -> str:
    return f"{line.label}: {text}" if line.label else text


def telegram_html(lines: Sequence[Line], *, dates: bool = True) -> str:
    """https://core.telegram.org/bots/api#html-style with the tags b, i, s, code, a, blockquote; tg-time for `dates`.

    Title, facts and words are apart by empty lines. The first dates only, where all would be too many entities.
    """
    html = _telegram_html(lines, TELEGRAM_ENTITIES if dates else 0)
    excess = telegram_entities(html) - TELEGRAM_ENTITIES
    return html if excess <= 0 else _telegram_html(lines, max(0, html.count("</tg-time>") - excess))


def _telegram_html(lines: Sequence[Line], dates: int) -> str:
    left = iter(range(dates))

    def write(line: Line) -> str:
        text = _labelled(line, "".join(_telegram_span(span, left) for span in line.spans))
        return f"<i>{text}</i>" if line.role is Role.NOTE else text

    html, before = "", None
    for role, group in groupby(lines, key=lambda line: line.role):
        text, foreign = "\n".join(map(write, group)), role in (Role.QUOTE, Role.EARLIER)
        if foreign:
            text = f"<blockquote{' expandable' if role is Role.EARLIER else ''}>{text}</blockquote>"
        gap = "\n" if foreign and before is Role.TEXT else "\n\n"
        html += gap + text if before else text
        before = role
    return html


def _telegram_span(span: Span, dates: Iterator[int]) -> str:
    text = _visible(span.text) if span.style == "command" else _inert(span.text)
    html = _tagged(span, text, _TELEGRAM_TAGS)
    if span.at is None or not span.text or span.style == "code":
        return html
    unix = int(span.at.timestamp())
    if not 0 < unix < 2**31 or next(dates, None) is None:
        return html
    return f'<tg-time unix="{unix}" format="{_TELEGRAM_TIMES[span.form]}">{html}</tg-time>'


def telegram_length(html: str) -> int:
    """Length of `telegram_html` as Telegram counts it: UTF-16 units of what is left after parsing."""
    return utf16_len(unescape(re.sub(r"<[^>]*>", "", html)))


def telegram_size(html: str) -> int:
    """`telegram_length`; more than Telegram takes if it is too many entities."""
    return telegram_length(html) if telegram_entities(html) <= TELEGRAM_ENTITIES else TELEGRAM_TEXT + 1


def telegram_entities(html: str) -> int:
    """How many entities Telegram makes of `telegram_html`: one of each tag."""
    return html.count("</")


def telegram_button(line: Line) -> str | None:
    """Where the line's link leads, if Telegram takes it for a button: to a host with a dot that is not this machine."""
    href = next(filter(None, map(_href, line.spans)), "")
    return href if _TELEGRAM_BUTTON.fullmatch(href) else None


def utf16_len(text: str) -> int:
    """Length in UTF-16 units: an emoji counts twice."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def slack_mrkdwn(lines: Sequence[Line]) -> str:
    """https://docs.slack.dev/messaging/formatting-message-text, instants in each reader's own time."""
    return "\n".join(map(slack_line, lines))


def slack_line(line: Line) -> str:
    """One line of `slack_mrkdwn`; a quotation where the words are not ours."""
    return ("> " if line.foreign else "") + _labelled(line, slack_spans(line.spans))


def slack_spans(spans: Sequence[Span]) -> str:
    """Spans as mrkdwn."""
    return "".join(map(_slack_span, spans))


def slack_plain(lines: Sequence[Line]) -> str:
    """For `mrkdwn: false`, where the three control characters are escaped all the same."""
    return escape(chat_plain(lines), quote=False)


def slack_literal(text: str, limit: int) -> str:
    """For `plain_text` objects: at most `limit` characters once escaped, a cut marked by "…"."""
    words = _visible(text)
    whole = escape(words, quote=False)

    def cut(width: int) -> str:
        return escape(words[:width].rstrip(), quote=False) + _ELLIPSIS

    return whole if len(whole) <= limit else cut(largest(limit, lambda width: len(cut(width)) <= limit))


def _slack_span(span: Span) -> str:
    words = _visible(span.text)
    bare = words.strip()
    if not bare:
        return words
    mark = _SLACK_MARKS.get(span.style, "")
    mark = "" if mark and mark in bare else mark  # it would end there
    text = escape(_SLACK_STYLE.sub(rf"\g<0>{INERT}", _inert(bare)), quote=False)
    if href := _href(span):
        text = f"<{escape(href, quote=False)}|{text}>"
    elif span.at:
        text = f"<!date^{int(span.at.timestamp())}^{_SLACK_TIMES[span.form]}|{re.sub('[|^]', ' ', text)}>"
    before, after = words.split(bare, 1)
    return f"{before}{mark}{text}{mark}{after}"


def mail_spans(spans: Sequence[Span], attributes: Mapping[str, str]) -> str:
    """Spans as HTML with the tags strong, em, s, code and a, each with its `attributes`, among them its style."""
    return "".join(_mail_span(span, attributes) for span in spans)


def _mail_span(span: Span, attributes: Mapping[str, str]) -> str:
    html = mail_text(span.text)
    if href := _href(span):
        html = f'<a href="{escape(href)}" {attributes["a"]}>{html}</a>'
    tag = _MAIL_TAGS.get(span.style)
    return f"<{tag} {attributes[tag]}>{html}</{tag}>" if tag else html


def mail_text(text: str) -> str:
    """Bare words as HTML, for attributes too."""
    return escape(_visible(text))


def mail_plain(spans: Sequence[Span], *, marked: bool = False) -> str:
    """Spans for the text part of mails; `marked`: ~struck~ and *bold*."""
    marks = _PLAIN_MARKS if marked else {}
    return "".join(f"{marks.get(span.style, '')}{_visible(span.text)}{marks.get(span.style, '')}" for span in spans)


def mail_url(line: Line) -> str | None:
    """Where the line's link leads, in ASCII."""
    return next(filter(None, map(_href, line.spans)), None)


def one_line(text: str, limit: int) -> str:
    """For headers: at most `limit` characters without anything that ends a line or cannot be encoded."""
    line = " ".join(_visible(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}{_ELLIPSIS}"


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
