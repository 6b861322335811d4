"""The HTML of mails as the W3C's checker reads it."""

from __future__ import annotations

from pathlib import Path

from notifier.channels.email import compose
from notifier.message import Message
from notifier.subscription import Address
from tests.peers.messages import every_message, hostile_messages
from tests.peers.vnu import problems

DESK = Address("mailto", "desk@trading.example")
SENDER = "Kraken status <status@notifier.example>"
SEED = 20260224
COUNT = 100

PAGE = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>x</title></head><body>{}</body></html>'
JUDGED = {
    "right": ("<h1>Resolved</h1>", True),
    "an unknown tag": ("<blink>x</blink>", False),
    "an unclosed tag": ("<p><b>x</p>", False),
    "an unquoted link with a space": ("<a href=a b>x</a>", False),
    "a picture without words": ('<img src="https://status.kraken.com/x.png">', False),
}
THEIRS = ("Unicode Normalization Form C", "starts with a composing character", "Empty heading")
"""What the checker would have otherwise in words that are not ours; only here a title may be empty."""


def write(folder: Path, messages: dict[str, Message]) -> int:
    """One file for each mail that has HTML; how many there are."""
    written = 0
    for name, message in messages.items():
        body = compose(DESK, message, SENDER).get_body(("html",))
        if body is not None:
            (folder / f"{name}.html").write_text(body.get_content(), encoding="utf-8")
            written += 1
    return written


def test_the_checker_tells_right_from_wrong(tmp_path: Path) -> None:
    for case, (body, _) in JUDGED.items():
        (tmp_path / f"{case}.html").write_text(PAGE.format(body))

    wrong = {each.split(".html:")[0] for each in problems(tmp_path)}
    assert wrong == {case for case, (_, right) in JUDGED.items() if not right}


def test_every_kind_of_news_is_valid_html(tmp_path: Path) -> None:
    assert write(tmp_path, every_message()) > 0
    assert problems(tmp_path) == []


def test_no_words_make_a_mail_invalid(tmp_path: Path) -> None:
    assert write(tmp_path, dict(hostile_messages(SEED, COUNT))) > 0
    assert [each for each in problems(tmp_path) if not any(words in each for words in THEIRS)] == []
