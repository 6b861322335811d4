"""Reads the HTML part of a mail as mail clients do: which words are seen, and in which colours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "br"})


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A run of words, the elements around it from the outermost to its own, and its colours as `#rrggbb`."""

    text: str
    tags: tuple[str, ...]
    ink: str
    ground: str

    @property
    def contrast(self) -> float:
        """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
        lighter, darker = sorted((_luminance(self.ink), _luminance(self.ground)), reverse=True)
        return (lighter + 0.05) / (darker + 0.05)


@dataclass(kw_only=True)
class Reading:
    seen: list[Seen] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    title: str = ""
    language: str = ""
    bare: list[str] = field(default_factory=list)
    """Elements that would lose their looks with the style sheet."""
    tags: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        return "\n".join(run.text for run in self.seen)

    def within(self, tag: str) -> list[str]:
        """The words inside elements of this name."""
        return [run.text for run in self.seen if tag in run.tags]


def read(html: str, *, dark: bool = False) -> Reading:
    """Raises AssertionError where elements are not well nested. `dark`: for clients that know style sheets."""
    assert html.startswith("<!DOCTYPE html>\n")
    client = _Client(_rules(html) if dark else {})
    client.feed(html)
    client.close()
    assert client.open == [], "every element is closed"
    return client.reading


def _rules(html: str) -> dict[str, dict[str, str]]:
    """What the style sheet for the dark says of each class."""
    sheet = re.search(
        r"<style>\n@media \(prefers-color-scheme: dark\) \{\n(.*?)\n\}\n</style>\n</head>", html, re.DOTALL
    )
    assert sheet is not None
    return {name: _declared(css.replace("!important", "")) for name, css in re.findall(r"\.(\w+) \{(.*?)\}", sheet[1])}


def _declared(css: str) -> dict[str, str]:
    pairs = (each.partition(":") for each in css.split(";") if each.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _luminance(colour: str) -> float:
    shares = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True)
class _Element:
    tag: str
    css: dict[str, str]


class _Client(HTMLParser):
    def __init__(self, rules: dict[str, dict[str, str]]) -> None:
        super().__init__(convert_charrefs=True)
        self.rules = rules
        self.reading = Reading()
        self.open: list[_Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), "no attribute twice"
        self.reading.tags.add(tag)
        if tag == "meta":
            self.reading.meta[given.get("name", "charset")] = given.get("content", "")
        if tag == "html":
            self.reading.language = given["lang"]
        if "href" in given:
            self.reading.links.append(given["href"])
        if self._inside("body") and tag != "tr" and "style" not in given:
            self.reading.bare.append(tag)
        if tag not in VOID:
            css = _declared(given.get("style", ""))
            for name in given.get("class", "").split():
                css |= self.rules.get(name, {})
            self.open.append(_Element(tag, css))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop().tag == tag, f"</{tag}> closes what it opened"

    def handle_data(self, data: str) -> None:
        if self._inside("title"):
            self.reading.title += data
        elif self._inside("body") and any(each.css.get("display") == "none" for each in self.open):
            self.reading.hidden.append(data)
        elif self._inside("body") and data.strip():
            tags = tuple(each.tag for each in self.open)
            ink, ground = self._nearest("color"), self._nearest("background-color")
            self.reading.seen.append(Seen(text=data, tags=tags, ink=ink, ground=ground))

    def _inside(self, tag: str) -> bool:
        return any(each.tag == tag for each in self.open)

    def _nearest(self, name: str) -> str:
        return next(each.css[name] for each in reversed(self.open) if name in each.css)
