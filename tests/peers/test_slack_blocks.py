"""Slack's messages as others read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notifier.channels.slack import compose, compose_edit
from notifier.message import Receipt
from notifier.subscription import Address
from tests.peers.block_kit import active, blocks_of, problems, type_errors
from tests.peers.messages import every_message, hostile_messages

DESK = Address("slack", "C000000001")
ROOT = Receipt("C000000001", "1771932540.000100")
SEED = 20260224
COUNT = 1_000

GOOD: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "*Resolved*"}}
BAD: dict[str, dict[str, Any]] = {
    "an unknown type": {"type": "marquee"},
    "a section too long": {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}},
    "a section without a word": {"type": "section", "text": {"type": "mrkdwn", "text": ""}},
    "a header with markup": {"type": "header", "text": {"type": "mrkdwn", "text": "*x*"}},
    "a header too long": {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
    "a button without a word": {"type": "actions", "elements": [{"type": "button", "action_id": "a"}]},
    "a key that Slack does not know": {**GOOD, "colour": "red"},
}


def payloads() -> dict[str, dict[str, Any]]:
    told = {}
    for name, message in every_message(ROOT).items():
        told[f"{name}, posted"] = compose(DESK, message)
        told[f"{name}, flat"] = compose(DESK, message, style="flat")
        told[f"{name}, edited"] = compose_edit(ROOT, message)
    return told


@pytest.mark.parametrize("case", BAD)
def test_the_judges_refuse(case: str, tmp_path: Path) -> None:
    payload = {"text": "x", "blocks": [BAD[case]]}

    assert problems(payload) or type_errors(tmp_path, {case: payload})


def test_the_judges_take_what_is_right(tmp_path: Path) -> None:
    payload = {"text": "x", "attachments": [{"color": "#2eb67d", "blocks": [GOOD]}]}

    assert blocks_of(payload) == [GOOD]
    assert problems(payload) == type_errors(tmp_path, {"right": payload}) == []


def test_every_kind_of_news_passes_slackblocks_slack_sdk_and_the_limits() -> None:
    assert {name: found for name, payload in payloads().items() if (found := problems(payload))} == {}


def test_every_kind_of_news_has_the_types_that_slack_publishes(tmp_path: Path) -> None:
    assert type_errors(tmp_path, payloads()) == []


def test_no_words_break_a_message_or_become_active_in_it(tmp_path: Path) -> None:
    broken, lively, sample = {}, {}, {}
    for number, (name, message) in enumerate(hostile_messages(SEED, COUNT, ROOT)):
        payload = compose(DESK, message) if number % 2 else compose_edit(ROOT, message)
        if found := problems(payload):
            broken[name] = found
        if foreign := {
            each for each in active(payload) if not each.startswith(("https://status.kraken.com", "!date^"))
        }:
            lively[name] = foreign
        if number < 200:
            sample[name] = payload

    assert broken == {}
    assert lively == {}
    assert type_errors(tmp_path, sample) == []
