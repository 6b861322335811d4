"""Three judges of Slack's blocks, which have different gaps: slackblocks, slack_sdk.models and Slack's own types."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import slackblocks
from slack_sdk.models.blocks import Block

from tests.peers.node import MODULES, NODE, module, run

Blocks = list[dict[str, Any]]
Payload = Mapping[str, Any]

BLOCKS = 50
SECTION, FIELD, FIELDS = 3_000, 2_000, 10
HEADER = 150
ELEMENTS = 10
"""Of a context."""
ALL_BLOCKS = 13_000
"""Characters of JSON. Slack refuses somewhat more: https://github.com/slackapi/bolt-js/issues/2509."""
TEXT = 4_000
"""Bytes, that `chat.update` may take it."""


def blocks_of(payload: Payload) -> Blocks:
    """All blocks of a message, those of its attachments too."""
    attachments = payload.get("attachments") or ()
    return [*(payload.get("blocks") or ()), *(block for each in attachments for block in each.get("blocks") or ())]


def problems(payload: Payload) -> list[str]:
    """What slackblocks, slack_sdk and the documented limits find wrong."""
    blocks = blocks_of(payload)
    return [*(each for block in blocks for each in _refusals(block)), *_excess(payload, blocks)]


def _refusals(block: dict[str, Any]) -> Iterator[str]:
    try:
        parsed = Block.parse(block)
        written = parsed.to_dict() if parsed else None
    except Exception as error:  # noqa: BLE001 its own errors, and whatever bad values lead to
        yield f"slack_sdk: {error} in {block}"
    else:
        if written != block:
            yield f"slack_sdk makes {written} of {block}"
    try:
        slackblocks.Block.from_dict(block)
    except NotImplementedError:
        pass  # actions and accessories: the other two judge them
    except Exception as error:  # noqa: BLE001 as above
        yield f"slackblocks: {error} in {block}"


def _excess(payload: Payload, blocks: Blocks) -> Iterator[str]:
    if (size := len(str(payload["text"]).encode())) > TEXT:
        yield f"{size} bytes of text"
    if len(blocks) > BLOCKS:
        yield f"{len(blocks)} blocks"
    if (size := len(json.dumps(blocks, ensure_ascii=False))) > ALL_BLOCKS:
        yield f"{size} characters of blocks"
    for block in blocks:
        match block:
            case {"type": "section"}:
                fields = block.get("fields") or ()
                if len(block.get("text", {}).get("text", "")) > SECTION or len(fields) > FIELDS:
                    yield f"too large a section: {block}"
                if any(not 0 < len(field["text"]) <= FIELD for field in fields):
                    yield f"too large or too small a field: {block}"
            case {"type": "header", "text": {"text": str(text)}} if not 0 < len(text) <= HEADER:
                yield f"too large or too small a header: {block}"
            case {"type": "context", "elements": elements} if len(elements) > ELEMENTS:
                yield f"too many elements: {block}"


def active(payload: Payload) -> set[str]:
    """All that Slack would make a link, a mention or a date of, wherever it reads markup."""
    return {found for text in _marked_up(dict(payload)) for found in re.findall(r"<([^<>]*)>", text)}


def _marked_up(value: Any) -> Iterator[str]:
    match value:
        case {"type": "plain_text"}:
            return
        case {"type": "mrkdwn", "text": str(text)}:
            yield text
        case dict():
            if isinstance(value.get("text"), str):
                yield value["text"]
            yield from (each for part in value.values() for each in _marked_up(part))
        case list():
            yield from (each for part in value for each in _marked_up(part))


def type_errors(folder: Path, payloads: Mapping[str, Payload]) -> list[str]:
    """What the TypeScript compiler has against the blocks, by one run for all of them."""
    types, compiler = module("@slack/types"), module("typescript/bin/tsc")
    names = list(payloads)
    lines = ['import type { KnownBlock } from "@slack/types";']
    lines += [
        f"export const n{n}: KnownBlock[] = {json.dumps(blocks_of(payloads[name]))};" for n, name in enumerate(names)
    ]
    (folder / "payloads.ts").write_text("\n".join(lines))
    options = {
        "strict": True,
        "noEmit": True,
        "module": "nodenext",
        "types": [],
        "paths": {"@slack/types": [str(types)]},
        "skipLibCheck": True,
    }
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": ["payloads.ts"]}))
    judged = run(NODE, compiler, "--pretty", "false", "-p", folder, cwd=MODULES.parent)
    found = re.findall(r"payloads\.ts\((\d+),\d+\): error (.*)", judged.stdout)
    return [f"{names[int(line) - 2]}: {text}" for line, text in found] or _unless_clean(
        judged.returncode, judged.stdout
    )


def _unless_clean(code: int, said: str) -> list[str]:
    return [said] if code else []
