"""A message in Block Kit: the first of a conversation as a card, what follows it as a few lines.

https://docs.slack.dev/reference/block-kit/blocks. Nothing in it can be pressed: a button wants a server that answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import ceil
from typing import Any

from notifier.fitting import fit
from notifier.markup import slack_line, slack_literal, slack_spans
from notifier.message import Line, Message, Role

Block = dict[str, Any]

HEADER_LIMIT = 150
SECTION_LIMIT = 3_000
SMALL_LIMIT = 2_000
"""Characters of a field, and of what stands in a context."""
FIELDS_LIMIT = 10
BLOCKS_LIMIT = 50
JSON_LIMIT = 13_000
"""Characters of all blocks together: a little more is `msg_blocks_too_long`."""

_SHORT = 120
"""Characters of a fact that fits into one of two columns."""
_FULL = 1_000


def blocks_of(message: Message) -> list[Block]:
    """The blocks that show the message, shortened to what Slack takes; none for a plain one."""
    if message.plain:
        return []
    lay_out = _card if message.thread is None else _reply

    def size(lines: Sequence[Line]) -> int:
        return _fullness(lay_out(lines, message.mention))

    return lay_out(fit(message.lines, size, _FULL, message.wording.rest), message.mention)


def _card(lines: Sequence[Line], mention: str | None) -> list[Block]:
    """How things stand, readable at a glance: mention, title, facts in columns, words, small print, link."""
    blocks = [_section(mention)] if mention else []
    for place, group in groupby(lines, key=_place):
        match place:
            case Role.TITLE:
                blocks += _heading(next(group))
            case Role.FACT:
                blocks += _columns(list(group))
            case Role.TEXT:
                blocks += _sections(group)
    return [*blocks, *_context(_at(lines, Role.NOTE)), *_context(_at(lines, Role.LINK))]


def _reply(lines: Sequence[Line], mention: str | None) -> list[Block]:
    """One piece of news in the thread: its title and words, the rest as small print that ends with the link."""
    words = [line for line in lines if _place(line) in (Role.TITLE, Role.TEXT)]
    facts = " · ".join((*_at(lines, Role.FACT), *_at(lines, Role.LINK)))
    return [
        *_sections(words, f"{mention} " if mention else ""),
        *_context([*_at(lines, Role.NOTE), facts]),
    ]


def _place(line: Line) -> Role:
    """TITLE, FACT, TEXT for all that is said, NOTE for small print, or LINK."""
    if line.past:
        return Role.NOTE
    return Role.TEXT if line.foreign else line.role


def _at(lines: Sequence[Line], place: Role) -> list[str]:
    return [slack_line(line) for line in lines if _place(line) is place]


def _heading(line: Line) -> Iterator[Block]:
    title = "".join(span.text for span in line.spans)
    text = slack_literal(title, HEADER_LIMIT)
    yield {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}
    if text != slack_literal(title, SECTION_LIMIT):
        yield _section(slack_line(line))


def _columns(lines: Sequence[Line]) -> Iterator[Block]:
    """Short facts side by side, long ones below them."""
    short = [line for line in lines if sum(len(span.text) for span in line.spans) <= _SHORT]
    for start in range(0, len(short), FIELDS_LIMIT):
        yield {"type": "section", "fields": [_mrkdwn(_fact(line)) for line in short[start : start + FIELDS_LIMIT]]}
    yield from (_section(_fact(line)) for line in lines if line not in short)


def _fact(line: Line) -> str:
    return f"*{line.label}*\n{slack_spans(line.spans)}"


def _sections(lines: Iterable[Line], before: str = "") -> Iterator[Block]:
    """As few as hold the lines, but a new one where our words follow a quotation."""
    texts: list[str] = []
    quoted = False
    for line in lines:
        text = slack_line(line)
        if texts and not (quoted and not line.foreign) and len(texts[-1]) + 1 + len(text) <= SECTION_LIMIT:
            texts[-1] += f"\n{text}"
        else:
            texts.append(text if texts else f"{before}{text}")
        quoted = line.foreign
    return (_section(text) for text in texts if text.strip())


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _context(texts: Sequence[str]) -> Iterator[Block]:
    if shown := "\n".join(text for text in texts if text.strip()):
        yield {"type": "context", "elements": [_mrkdwn(shown)]}


def _mrkdwn(text: str) -> Block:
    """`verbatim` leaves addresses and names in the text alone and formats the rest."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _fullness(blocks: Sequence[Block]) -> int:
    """How much of what Slack takes is used, in thousandths; beyond 1,000 it refuses."""
    shares = [len(blocks) / BLOCKS_LIMIT, len(json.dumps(blocks)) / JSON_LIMIT]
    for block in blocks:
        shares += [len(small["text"]) / SMALL_LIMIT for small in (*block.get("fields", ()), *block.get("elements", ()))]
        shares += [len(block["text"]["text"]) / SECTION_LIMIT] if "text" in block else []
    return ceil(_FULL * max(shares))
