"""Mails as a mail program shows a conversation: the newest one open, the earlier ones folded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from html.parser import HTMLParser
from math import ceil

from notifier.facsimile.ink import clock, instant, text

_LINE, _BLOCK, _MARGIN = 22, 5, 270
"""Pixels that a line of text, the gap around a block and what surrounds a mail's words take, as measured."""
_CHARACTERS = 36
"""In a line, where three clients stand side by side."""
_TALLEST = 1_600
"""Pixels after which a reader scrolls within the mail."""

_BLOCKS = frozenset({"p", "div", "tr", "li", "blockquote", "h1", "h2", "h3", "h4", "pre", "br"})
_UNSEEN = frozenset({"head", "style", "title", "script"})
_VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "col", "wbr"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """`raw` are the very bytes that go to the SMTP server."""

    raw: bytes
    at: datetime


def draw(mails: Sequence[Mail]) -> str:
    """The conversation, oldest first."""
    rows = "".join(_mail(mail, newest=mail is mails[-1]) for mail in mails)
    return (
        '<section class="client mail"><h3>Mail</h3>\n<div class="window">'
        f'<p class="bar"><b>Inbox</b> <span class="small">{len(mails)} in this conversation</span></p>'
        f"<ol>{rows}</ol></div></section>"
    )


def _mail(mail: Mail, *, newest: bool) -> str:
    read = message_from_bytes(mail.raw, policy=default)
    day = mail.at.astimezone(UTC)
    subject, sender = _head(read, "Subject"), _head(read, "From")
    name = sender.partition("<")[0].strip(' "') or sender
    html, plain = _part(read, "html"), _part(read, "plain")
    body = _frame(html, subject) if html else f"<pre>{text(plain)}</pre>"
    folded = f"<details class=plain><summary>Text part</summary><pre>{text(plain)}</pre></details>" if html else ""
    parts = "".join(f"<li>{text(part)}</li>" for part in _attached(read))
    attached = f'<ul class="parts" aria-label="Attachments">{parts}</ul>' if parts else ""
    return (
        f'<li><details class="letter"{" open" if newest else ""}><summary><span class="initial" aria-hidden="true">'
        f'{text(name[:1].upper())}</span><span class="who"><b>{text(name)}</b>'
        f"{instant(mail.at, f'{day:%b} {day.day}, {clock(mail.at)}', style='small')}</span>"
        f'<span class="subject">{text(subject)}</span></summary>'
        f'<dl class="small"><dt>From</dt><dd>{text(sender)}</dd><dt>To</dt><dd>{text(_head(read, "To"))}</dd>'
        f"<dt>Date</dt><dd>{text(_head(read, 'Date') or f'{day:%Y-%m-%d %H:%M}')}</dd></dl>"
        f"{body}{attached}{folded}</details></li>"
    )


def _frame(html: str, subject: str) -> str:
    """Without scripts, forms or an origin of its own; the page's policy, which it inherits, lets it load nothing."""
    return (
        f'<iframe sandbox="" title="{text(f"Mail: {subject}")}" style="height:{_height(html)}px" srcdoc="{text(html)}">'
        "</iframe>"
    )


def _head(mail: EmailMessage, name: str) -> str:
    try:
        return str(mail[name] or "")
    except (ValueError, TypeError, LookupError, AttributeError, NameError):  # the email package, of broken headers
        return ""


def _part(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    return "" if part is None else _words(part)  # one without headers is falsy


def _words(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode(errors="replace") if isinstance(payload, bytes) else ""


def _attached(mail: EmailMessage) -> Iterator[str]:
    """What is neither shown as HTML nor as text, by name."""
    shown = [mail.get_body((subtype,)) for subtype in ("html", "plain")]
    for part in mail.walk():
        if part.is_multipart() or any(part is each for each in shown):
            continue
        method = part.get_param("method")
        kind = f"{part.get_content_type()}, {method}" if method else part.get_content_type()
        name = part.get_filename()
        yield f"{name} ({kind})" if name else kind


def _height(html: str) -> int:
    """Pixels that the mail needs in a narrow column: too many rather than too few."""
    measure = _Measure()
    measure.feed(re.sub(r"<!--.*?-->|<(?=[!?])", "", html, flags=re.DOTALL))
    measure.close()
    lines = [len(words) for words in "".join(measure.words).split("\n") if words.strip()]
    return min(_MARGIN + sum(_BLOCK + _LINE * ceil(length / _CHARACTERS) for length in lines), _TALLEST)


class _Measure(HTMLParser):
    """The words that are seen, a line for each block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unseen: list[str] = []
        """The open elements from the outermost on that is not shown."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        hidden = "display:none" in (dict(attrs).get("style") or "").replace(" ", "")
        if tag not in _VOID and (self._unseen or tag in _UNSEEN or hidden):
            self._unseen.append(tag)
        elif tag in _BLOCKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            while self._unseen.pop() != tag:
                pass
        elif tag in _BLOCKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(" ".join(data.split()))
