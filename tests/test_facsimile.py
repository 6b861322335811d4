"""The page of the preview: one file that runs nothing, loads nothing and cannot be broken by what it shows."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.facsimile import Conversation, Mail, SlackPost, TelegramPost, page

AT = datetime(2026, 2, 24, 11, 29, tzinfo=UTC)
LINK = "https://status.kraken.com/incidents/wsincident01"

VOID = {"meta", "hr"}
TAGS = VOID | {
    *("html", "head", "title", "style", "body", "header", "main", "section", "div", "h1", "h2", "h3", "h4", "p", "pre"),
    *("ol", "ul", "li", "dl", "dt", "dd", "blockquote", "details", "summary", "iframe", "svg", "symbol", "use", "path"),
    *("a", "b", "strong", "i", "em", "u", "s", "code", "span", "time"),
}
ADDRESSES = re.compile(r"https?://|#pulse$")


class Reader(HTMLParser):
    """Reads a page as a suspicious person would."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.words: list[str] = []
        self.frames: list[Mapping[str, str]] = []
        self.links: list[str] = []
        self.feed(html.removeprefix("<!DOCTYPE html>"))
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert tag in TAGS, f"<{tag}>"
        assert not [name for name in given if name.startswith("on") or name in ("src", "action", "target")]
        assert "style" not in given or (tag == "iframe" and re.fullmatch(r"height:\d+px", given["style"]))
        assert tag not in ("a", "code", "strong", "em", "time") or tag not in self.open
        if "href" in given:
            assert ADDRESSES.match(given["href"])
            self.links.append(given["href"])
        if tag == "iframe":
            assert given["sandbox"] == ""
            self.frames.append(given)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ("use", "path")
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError("comment")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError("declaration")

    def handle_pi(self, data: str) -> None:
        raise AssertionError("processing instruction")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError("declaration")


def written(text: str, html: str = "", subject: str = "[Kraken] Resolved", filename: str = "") -> Mail:
    mail = EmailMessage()
    mail["From"] = "Kraken status <status@example.com>"
    mail["To"] = "ops@example.com"
    mail["Subject"] = subject
    mail["Date"] = AT
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    if filename:
        mail.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename=filename)
    return Mail(raw=mail.as_bytes(), at=AT)


def everywhere(words: str) -> Conversation:
    """The same words in every place that a payload has."""
    mrkdwn = {"type": "mrkdwn", "text": words}
    button = {"type": "button", "text": {"type": "plain_text", "text": words}, "url": words}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": words}},
        {"type": "section", "text": mrkdwn, "fields": [mrkdwn, mrkdwn], "accessory": button},
        {"type": "context", "elements": [mrkdwn, {"type": "image", "alt_text": words, "image_url": words}]},
        {"type": "divider"},
        {"type": "actions", "elements": [button]},
        {"type": words},
    ]
    keyboard = {"inline_keyboard": [[{"text": words, "url": words}]]}
    chat = {"chat_id": words, "text": words, "reply_markup": keyboard, "reply_parameters": {"message_id": 1}}
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", words).split())
    sendable = words.encode(errors="replace").decode()
    return Conversation(
        title=words,
        slack=[
            SlackPost(payload={"channel": words, "text": words, "blocks": blocks}, ts="1", at=AT, edited=True),
            SlackPost(payload={"text": words, "thread_ts": "1", "reply_broadcast": True}, ts="2", at=AT),
            SlackPost(payload={"text": words, "mrkdwn": False}, ts="3", at=AT),
            SlackPost(
                payload={"text": f"*<{LINK}|{words}>* <{words}|x> _{words}_ <!date^{words}^{words}|{words}>"},
                ts="4",
                at=AT,
            ),
        ],
        telegram=[
            TelegramPost(payload=chat, message_id=1, at=AT),
            TelegramPost(payload={**chat, "parse_mode": "HTML"}, message_id=2, at=AT, edited=True),
        ],
        mails=[written(sendable, f"<p>{sendable}</p>", line, line), written(sendable)],
    )


HOSTILE = {
    "a script": "<script>document.title = 'broken'</script>",
    "a script that breaks out of an attribute": '"><script>document.title = "broken"</script>',
    "a handler": "<img src=x onerror=\"document.title = 'broken'\">",
    "the end of the frame and of the page": "</iframe></section></main></body></html>",
    "quotation marks": "'\"`",
    "entities": "&lt;script&gt;&quot;&#34;&amp;amp;",
    "a comment": "<!-- --><!--[if mso]>",
    "declarations": "<!DOCTYPE x><![CDATA[x]]><![foo[ ]]> ]]>",
    "a processing instruction": "<?php ?>",
    "an address that runs": "javascript:document.title='broken'",
    "a link that runs": "<javascript:document.title='broken'|x><a href=\"javascript:alert(1)\">x</a>",
    "an address that breaks out": 'https://x/"onmouseover="document.title=1',
    "crossed styles": "*a _b* c_ ~*_`*`_*~ <b><i>x</b></i></a></blockquote>",
    "nested tags": "<b><b><blockquote><a href='https://x'><a href='https://y'><tg-time unix='1'><code><pre>x",
    "times that are none": "<tg-time unix='x' format='\"'>x</tg-time><tg-time unix='99999999999999999'>y</tg-time>",
    "control characters": "a\x00b\x1b\ud800\r\n\u2028c",
    "an unfinished tag": "x <b",
    "nothing": "",
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_breaks_out_of_its_place(words: str) -> None:
    html = page(words, [everywhere(words)])
    html.encode()
    assert [frame["sandbox"] for frame in Reader(html).frames] == [""]


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from([*HOSTILE.values(), "<", ">", "*", "_", "|", "^", "\n", "> ", "`"]) | st.text()).map(
        "".join
    )
)
def test_no_mixture_breaks_out_either(words: str) -> None:
    Reader(page(words, [everywhere(words)]))


def test_a_browser_sees_no_more_than_was_drawn(tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs the package chromium")
    file = tmp_path / "page.html"
    file.write_text(page("Preview", [everywhere(words) for words in HOSTILE.values()]), encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--dump-dom")
    seen = subprocess.run(
        [chromium, *options, f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()],
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout.decode()
    assert "<title>Preview</title>" in seen
    assert len(Reader(seen).frames) == len(HOSTILE)


def test_the_page_is_one_file_that_may_load_nothing() -> None:
    html = page("Preview", [everywhere(LINK)])
    assert "default-src 'none'" in html and not re.search(r"@import|url\(|<link|<script|<img", html)
    assert set(Reader(html).links) == {LINK, "#pulse"}


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_a_theme_is_forced_by_an_attribute_of_the_root(theme: str) -> None:
    assert f'<html lang="en" data-theme="{theme}">' in page("x", [], theme=theme)  # type: ignore[arg-type]


def test_only_the_clients_that_were_told_something_are_drawn() -> None:
    html = page("x", [Conversation(title="y", mails=[written("z")])])
    assert re.findall("<h3>(.*?)</h3>", html) == ["Mail"]


def test_the_frame_of_a_mail_holds_its_html_part_and_the_rest_is_beside_it() -> None:
    part = '<!DOCTYPE html><html lang="en"><body style="color:red">&lt;b&gt; "quoted" <b>\'é\' 🟢</b></body></html>\n'
    read = Reader(page("x", [Conversation(title="y", mails=[written("as text", part, "Subject", "window.ics")])]))
    assert read.frames[0]["srcdoc"] == part
    assert read.frames[0]["title"] == "Mail: Subject"
    words = "".join(read.words)
    assert "Kraken status <status@example.com>" in words and "ops@example.com" in words and "24 Feb 2026" in words
    assert "as text" in words and "window.ics (text/calendar)" in words


def test_the_newest_mail_is_open_and_the_earlier_ones_are_folded() -> None:
    html = page("x", [Conversation(title="y", mails=[written("1"), written("2"), written("3")])])
    assert re.findall(r'<details class="letter"( open)?>', html) == ["", "", " open"]


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "an unknown charset": lambda raw: raw.replace(b"utf-8", b"utf-9"),
    "bytes that are no text": lambda raw: raw.replace(b"words", b"\xff\xfe words"),
    "an open quotation for a sender": lambda raw: re.sub(rb"From: .*", b'From: "', raw),
    "an open bracket for a sender": lambda raw: re.sub(rb"From: .*", b"From: .<=?]:=?\\n <<", raw),
    "an open domain for a sender": lambda raw: re.sub(rb"From: .*", b"From: =?@[\\n ", raw),
    "no headers": lambda _: b"\nwords",
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_mail_is_shown_as_far_as_it_goes(broken: Callable[[bytes], bytes]) -> None:
    raw = broken(written("words", "<p>words é</p>").raw)
    html = page("x", [Conversation(title="y", mails=[Mail(raw=raw, at=AT)])])
    assert "words" in "".join(Reader(html).words)


def frame_height(html: str) -> int:
    [frame] = Reader(page("x", [Conversation(title="y", mails=[written("x", html)])])).frames
    return int(re.sub(r"\D", "", frame["style"]))


def test_a_frame_is_as_tall_as_its_mail_needs() -> None:
    line = frame_height("<p>one line</p>")
    assert 100 < line < 400
    assert line + 10 * 22 < frame_height("<p>one line</p>" * 11)
    assert line + 10 * 22 < frame_height(f"<p>{'a long line ' * 60}</p>")
    assert frame_height("<p>one line</p>" * 5_000) < 2_000


def test_what_a_mail_does_not_show_takes_no_room() -> None:
    unseen = '<div style="display: none">preheader <br> <b>x</b></div><style>p {}</style><!-- a comment -->' * 20
    assert frame_height(f"<html><head><title>x</title></head>{unseen}<p>one line</p></html>") == frame_height(
        "<p>one line</p>"
    )
