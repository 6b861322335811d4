"""Words that wish their readers ill, from the page to every reader's eyes: literal, once, and leading nowhere."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from notifier.logs import logging_to
from notifier.markup import INERT
from tests.faults.deposits import TEXTS, clock, story, texts_in
from tests.faults.rawpage import Document, RawPage
from tests.faults.stage import SLACK, TELEGRAM, Stage, stage
from tests.receivers.mail import FakeMail
from tests.receivers.telegram_html import units
from tests.sources.wire import breaking_off

SCRIPT = story()
TITLE = "Deposits are delayed"
MAIL = "mailto:ops@example.com"
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200c-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Read:
    """What readers have once the incident was told to its end, with other words in the place of its own."""

    there: Stage
    mail: FakeMail
    home: str

    @property
    def told(self) -> Mapping[str, list[str]]:
        mails = [mail.part("plain") for mail in self.mail.received[1:]]
        return {**self.there.told(), MAIL: [" ".join(text.split()) for text in mails]}

    def slack_marks(self) -> Iterator[str]:
        """Whatever stands in angle brackets where Slack acts on it."""
        for post in self.there.slack.messages:
            for text in (post.text, *post.edits, *_mrkdwn(post.blocks)):
                yield from re.findall(r"<([^<>]*)>", text)

    def links(self) -> list[str]:
        """Every address that can be pressed, on any channel; the page's own left out."""
        found = [mark.partition("|")[0] for mark in self.slack_marks() if not mark.startswith("!date^")]
        for bubble in self.there.telegram.messages:
            found += [entity["url"] for entity in bubble.entities if "url" in entity]
            found += [url for _, url in bubble.buttons]
        for mail in self.mail.received:
            found += re.findall(r'(?:href|src|action)="([^"]*)"', mail.part("html"))
        return [url for url in found if not url.startswith(self.home)]


def _mrkdwn(value: Any) -> Iterator[str]:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _mrkdwn(child)
    if isinstance(value, dict) and value.get("type") == "mrkdwn":
        yield value["text"]


@asynccontextmanager
async def read(change: Callable[[Document], object], folder: Path) -> AsyncIterator[Read]:
    """`change` has its way with every incident of the API; the feed says nothing."""
    page = RawPage(SCRIPT)

    def edit(document: Document) -> None:
        for incident in (*document.get("incidents", ()), *filter(None, [document.get("incident")])):
            if incident["name"] == TITLE:
                change(incident)

    page.edit("api", edit)
    page.answer("feed", breaking_off(b""))
    async with FakeMail() as mail:
        more = {"EMAIL__SMTP_URL": mail.url, "EMAIL__SENDER": "Kraken status <status@example.com>"}
        async with stage(SCRIPT, folder, page, SUBSCRIPTIONS=f"{SLACK},{TELEGRAM},{MAIL}", **more) as there:
            await there.at(clock("09:01"), clock("09:21"), clock("09:42"), clock("10:11"))
            yield Read(there=there, mail=mail, home=page.url)


def titled(title: str) -> Callable[[Document], object]:
    return lambda incident: incident.update(name=title)


def written(words: str) -> Callable[[Document], object]:
    """As the title, and in the place of what its first update says."""

    def change(incident: Document) -> None:
        incident["name"] = incident["incident_updates"][-1]["body"] = words

    return change


def everywhere(words: str) -> Callable[[Document], object]:
    """In the title, in every update, and as the name of a component."""

    def change(incident: Document) -> None:
        incident["name"] = words
        for update in incident["incident_updates"]:
            update["body"] = f"{words} {update['body']}"
        for component in incident["components"]:
            component["name"] = words

    return change


def once_each(seen: Read) -> None:
    for told in seen.told.values():
        assert texts_in(told) == [[text] for text in TEXTS]


CALLS = [
    "<!channel> <!here|here> <@U123> <#C1|general> <!subteam^S1>",
    "<https://evil.example|kraken.com> [kraken.com](https://evil.example) https://evil.example/x",
    "@everyone @kraken /start@bot #tag $BTC tg://user?id=1",
]


@pytest.mark.fault("G1")
@pytest.mark.parametrize("words", CALLS)
async def test_nobody_is_called_and_no_link_is_another_s(words: str, tmp_path: Path) -> None:
    async with read(everywhere(words), tmp_path) as seen:
        once_each(seen)
        assert all(mark.startswith(("!date^", seen.home)) for mark in seen.slack_marks())
        assert seen.links() == []
        for bubble in seen.there.telegram.messages[1:]:
            assert words in bubble.text.replace(INERT, ""), "literal"
            assert not re.search(r"(?:^|\s)[@#$/]\w", bubble.text)
            assert {each["type"] for each in bubble.entities} & {
                "mention",
                "hashtag",
                "cashtag",
                "bot_command",
            } == set()
        assert all(" ".join(words.split()) in text for text in seen.told[MAIL])


TAGS = [
    "<b>unclosed & <script>alert(1)</script>",
    "</b></a></blockquote><a href='https://evil.example'>x",
    "&lt;b&gt; &#60;",
]


@pytest.mark.fault("G2")
@pytest.mark.parametrize("words", TAGS)
async def test_tags_that_do_not_close_arrive_as_they_are(words: str, tmp_path: Path) -> None:
    async with read(titled(words), tmp_path) as seen:
        once_each(seen)
        assert seen.links() == []
        sent = [arguments for method, arguments in seen.there.telegram.calls if method == "sendMessage"]
        assert len(sent) == len(seen.there.telegram.messages) == 5, "none was refused and sent in plain words"
        assert all(words in bubble.text.replace(INERT, "") for bubble in seen.there.telegram.messages[1:])


BURIED = {
    "turned around": "Deposits are \u202edeyaled\u202c \u2066fine\u2069",
    "with letters that nobody sees": "Dep\u200bosits\u200d are\u2060 del\ufeffayed",
    "of 100 KB": "word " * 20_000,
    "one word of 100 KB": "w" * 100_000,
    "of ten thousand marks on a letter": "e" + "\u0301" * 10_000 + " end",
    "of 5,000 emoji": "\U0001f600" * 5_000,
}


@pytest.mark.fault("G3")
@pytest.mark.parametrize("words", BURIED.values(), ids=BURIED)
async def test_what_cannot_be_read_is_taken_out_and_what_is_too_long_is_cut(words: str, tmp_path: Path) -> None:
    async with read(written(words), tmp_path) as seen:
        for told in seen.told.values():
            assert len(told) == 4
            assert texts_in(told)[1:] == [[text] for text in TEXTS[1:]]
        shown = [post.shown for post in seen.there.slack.messages] + [
            each.shown for each in seen.there.telegram.messages
        ]
        shown += [mail.part("plain") for mail in seen.mail.received] + [
            str(post.blocks) for post in seen.there.slack.messages
        ]
        assert [text for text in shown if UNSEEN.search(text.replace(INERT, ""))] == []
        assert not any("\u0301" * 5 in text for text in shown)
        assert max(units(each.text) for each in seen.there.telegram.messages) <= 4_096
        assert max(len(post.text.encode()) for post in seen.there.slack.messages) <= 4_000
        assert seen.links() == [], "the way to the rest leads to the page"


LINES = {
    "CR and LF": "Deposits\r\nBcc: all@example.com\r\n\r\nare delayed",
    "LF": "Deposits\nBcc: all@example.com",
    "a line separator": "Deposits\u2028Bcc: all@example.com\u2029\x85are delayed",
    "form feed and NUL": "Deposits\x0c\x0b\x00Bcc: all@example.com",
}


@pytest.mark.fault("G4", "E8")
@pytest.mark.parametrize("title", LINES.values(), ids=LINES)
async def test_a_title_of_many_lines_is_one_header_and_one_line_of_the_log(title: str, tmp_path: Path) -> None:
    lines = io.StringIO()
    with logging_to(lines, level="info", as_json=True, secrets=()):
        async with read(titled(title), tmp_path) as seen:
            once_each(seen)
            for mail in seen.mail.received:
                assert mail.defects == []
                assert mail.rcpt_tos == ("ops@example.com",) and "Bcc" not in mail.message
                assert len(mail.message.get_all("Subject", [])) == 1
            subjects = [str(mail.message["Subject"]) for mail in seen.mail.received[1:]]
            assert all("Bcc: all@example.com" in subject for subject in subjects), "as words"
    news = [line for line in map(json.loads, lines.getvalue().splitlines()) if line.get("event") == "news"]
    assert [line["phase"] for line in news] == ["opened", "progress", "progress", "resolved"]
    assert all("\n" not in line["title"] for line in news)


SHORTLINKS = [
    "javascript:alert(1)",
    "http://169.254.169.254/latest/meta-data",
    "https://evil.example/stspg.io",
    "https://stspg.io@evil.example/x",
    "data:text/html,<script>alert(1)</script>",
    None,
]


@pytest.mark.fault("G5")
@pytest.mark.parametrize("shortlink", SHORTLINKS)
async def test_links_lead_to_the_page_only(shortlink: str | None, tmp_path: Path) -> None:
    async with read(lambda incident: incident.update(shortlink=shortlink), tmp_path) as seen:
        once_each(seen)
        assert seen.links() == []
        everything = [str(post.arguments) for post in seen.there.slack.messages]
        everything += [str(each.arguments) for each in seen.there.telegram.messages]
        everything += [mail.part("html") + mail.part("plain") for mail in seen.mail.received]
        assert not shortlink or [text for text in everything if shortlink in text] == []
