"""The HTML part of a mail: one column of tables with every style inline, as mail clients want it. Pure.

Gmail drops the style sheet and turns the colours around by itself, so each text carries its own colours and none relies
on pure white; Outlook knows no `max-width` and reads its own comments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from notifier.channels.mail_style import (
    BODY,
    BUTTON,
    BUTTON_LINK,
    CARD,
    CENTRE,
    EDITED,
    FACT_LABEL,
    FACT_VALUE,
    FACTS,
    FOOTER,
    HEAD,
    HEADING,
    ITEM,
    LEAD,
    LIST,
    MARKS,
    NOTE,
    PAGE,
    PARAGRAPH,
    PREHEADER,
    PRESS,
    QUOTED,
    STEP,
    TITLE,
    band,
    dark,
    quote,
)
from notifier.channels.mail_text import steps
from notifier.fitting import fit
from notifier.markup import mail_plain, mail_spans, mail_text, mail_url, one_line
from notifier.message import Line, Message, Role

LIMIT = 60_000
"""Bytes of the HTML part. Gmail shows no more than 102 KB of a mail."""

_TITLE = 200
_PREVIEW = 140
"""Characters that an inbox shows behind the subject at most."""
_PADDING = "&#847;&zwnj;&nbsp;" * _PREVIEW
"""Nothing to be seen, so that no client goes on with the words below."""


def fitted(message: Message, *, unsubscribe: str | None = None) -> tuple[Line, ...]:
    """The lines that both parts show: shortened where the HTML would be longer than `LIMIT`."""

    def size(lines: Sequence[Line]) -> int:
        return len(html(message, lines, unsubscribe=unsubscribe).encode())

    return fit(message.lines, size, LIMIT, message.wording.rest)


def html(message: Message, lines: Sequence[Line], *, unsubscribe: str | None = None) -> str:
    """A whole document. `unsubscribe` is a URL."""
    said = message.wording
    icon, state, title = _headline(lines)
    leave = f'<br><a href="{mail_text(unsubscribe)}" {FOOTER}>{mail_text(said.leave)}</a>' if unsubscribe else ""
    blocks = "\n".join(_blocks(lines, message))
    return f"""\
<!DOCTYPE html>
<html lang="{mail_text(said.language)}" dir="ltr">
<head>
{HEAD}
<title>{mail_text(one_line(message.subject, _TITLE))}</title>
{dark(message.tone)}
</head>
<body {BODY}>
<div {PREHEADER}>{mail_text(_preview(state or title, lines))}{_PADDING}</div>
<table role="presentation" {PAGE}><tr><td {CENTRE}>
<!--[if mso]><table role="presentation" align="center" width="600"><tr><td><![endif]-->
<table role="presentation" {CARD}>
<tr><td {band(message.tone)}>{mail_text(icon)}&nbsp; {mail_text(state or said.news)}</td></tr>
<tr><td {TITLE}>
<h1 {HEADING}>{mail_text(title)}</h1>
{blocks}
</td></tr>
</table>
<p {FOOTER}>{mail_text(said.why)}{leave}</p>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</body>
</html>
"""


def _headline(lines: Sequence[Line]) -> tuple[str, str, str]:
    """Icon, state and title of `🟡 Investigating: WebSocket is down`; a greeting has no state."""
    icon, _, words = "".join(mail_plain(line.spans) for line in lines if line.role is Role.TITLE).partition(" ")
    state, colon, title = words.partition(": ")
    return (icon, state, title) if colon else (icon, "", words)


def _preview(state: str, lines: Sequence[Line]) -> str:
    quoted = [mail_plain(line.spans) for line in lines if line.role is Role.QUOTE]
    facts = [f"{line.label} {mail_plain(line.spans)}." for line in lines if line.role is Role.FACT]
    return one_line(f"{state}. {' '.join(quoted or facts)}", _PREVIEW)


def _blocks(lines: Sequence[Line], message: Message) -> Iterator[str]:
    """The lines below the title; neighbours of one role stand together."""
    rest = [line for line in lines if line.role is not Role.TITLE]
    runs = [(role, list(run)) for role, run in groupby(rest, key=lambda line: line.role)]
    for (role, run), (following, _) in zip(runs, [*runs[1:], (None, [])], strict=True):
        match role:
            case Role.FACT:
                yield f"<table {FACTS}>{''.join(map(_fact, run))}</table>"
            case Role.QUOTE:
                yield f"<blockquote {quote(message.tone)}>{_paragraphs(run, QUOTED)}</blockquote>"
            case Role.EARLIER:
                items = "".join(f"<li {ITEM}>{_spans(line)}</li>" for line in run)
                yield f"<ul {LIST}>{items}</ul>"
            case Role.NOTE:
                yield _paragraphs(run, NOTE)
            case Role.LINK:
                yield "".join(map(_button, run))
            case _ if following in (Role.QUOTE, Role.EARLIER):
                yield _paragraphs(run[:-1], PARAGRAPH) + _paragraphs(run[-1:], LEAD)
            case _:
                yield _paragraphs(run, PARAGRAPH)


def _paragraphs(lines: Iterable[Line], attributes: str) -> str:
    return "".join(f"<p {attributes}>{_spans(line)}</p>" for line in lines)


def _spans(line: Line) -> str:
    return mail_spans(line.spans, EDITED if line.foreign else MARKS)


def _fact(line: Line) -> str:
    parts = [mail_spans(step, MARKS) for step in steps(line.spans)]
    value = "".join(f"<div {STEP}>{part}</div>" for part in parts) if len(parts) > 1 else parts[0]
    return f'<tr><th scope="row" {FACT_LABEL}>{mail_text(line.label)}</th><td {FACT_VALUE}>{value}</td></tr>'


def _button(line: Line) -> str:
    """A cell with a background, as Outlook paints none behind a link."""
    words, url = mail_text(mail_plain(line.spans)), mail_url(line)
    link = f'<a href="{mail_text(url)}" {BUTTON_LINK}>{words}</a>' if url else words
    return f'<table role="presentation" {PRESS}><tr><td {BUTTON}>{link}</td></tr></table>'
