"""The catalogues are what the code says, whole and harmless, and no word of ours is outside them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import astuple, replace
from gettext import NullTranslations
from pathlib import Path
from string import Formatter

import pytest
from babel.messages import Message

from notifier.languages import LOCALE, tongues
from notifier.message import Message as Told
from notifier.message import Role
from notifier.model import Before, Change
from notifier.notice import broadcast
from notifier.parcel import Part
from notifier.render import render
from notifier.states import words
from notifier.times import duration, moment, ordinal
from notifier.tongue import ENGLISH, ENGLISH_ONLY, LANGUAGES
from tests import catalogues
from tests.builders import NOW, at, incident
from tests.masked import Masked, latin
from tests.news import KRAKEN, NEWS, OPEN, OWN, PLANNED, STANDING, api, exchange, newest, planned, told, welcomed

MARKUP = re.compile(r"[<>&*_~`|\\\n]|^\s|\s$")
"""What a channel may read as markup, or what the eye does not see."""

every_language = pytest.mark.parametrize("code", catalogues.OTHERS)


def forms(text: object) -> tuple[str, ...]:
    """A text, or its singular and plural."""
    return (text,) if isinstance(text, str) else tuple(text) if isinstance(text, Iterable) else ()


def entries(code: str) -> list[Message]:
    return list(catalogues.translated(code))[1:]


def names(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_template_is_what_the_code_says() -> None:
    said = catalogues.written(catalogues.template())
    assert said == catalogues.TEMPLATE.read_bytes(), "run `make catalogues` and translate what is new"


def test_what_is_translated_is_a_text_or_comes_from_a_table() -> None:
    for path in catalogues.CODE.rglob("*.py"):
        for call in catalogues.calls(path):
            put_together = isinstance(call.args[0], ast.JoinedStr | ast.BinOp | ast.IfExp | ast.BoolOp)
            assert not put_together, f"{path.name}:{call.lineno} is in no catalogue"


@every_language
def test_a_language_is_complete_and_compiled(code: str) -> None:
    catalogue = catalogues.updated(code)
    assert catalogues.po_of(code).read_bytes() == catalogues.written(catalogue), "run `make catalogues`"
    assert catalogues.mo_of(code).read_bytes() == catalogues.compiled(catalogue), "run `make catalogues`"
    for message in entries(code):
        assert all(forms(message.string)) and not message.fuzzy, f"{message.id} is not translated"
        plural = not isinstance(message.id, str)
        assert len(forms(message.string)) == (catalogue.num_plurals if plural else 1)


@every_language
def test_a_translation_has_the_same_names_and_no_markup(code: str) -> None:
    for message in entries(code):
        for translated in forms(message.string):
            assert names(translated) == set[str | None]().union(*map(names, forms(message.id))), translated
            assert not MARKUP.search(translated), translated


@every_language
def test_a_translation_names_the_same_commands(code: str) -> None:
    for message in entries(code):
        for translated in forms(message.string):
            assert commands(translated) == commands(forms(message.id)[0]), translated


def commands(text: str) -> list[str]:
    return sorted(re.findall(r"(?<![\w/])/[a-z]+", text))


def test_every_language_is_shipped_and_says_which_it_is() -> None:
    spoken = tongues()
    assert spoken.keys() == LANGUAGES.keys() == {*ENGLISH_ONLY, *catalogues.OTHERS}
    assert {code: tongue.info().get("language", "en") for code, tongue in spoken.items()} == {
        code: code for code in LANGUAGES
    }
    shipped = tomllib.loads(Path("pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["notifier"]
    packed = {path for pattern in shipped for path in catalogues.CODE.glob(pattern)}
    assert {catalogues.mo_of(code) for code in catalogues.OTHERS} == set(LOCALE.rglob("*.mo")) <= packed


def said(message: Told) -> Iterator[str]:
    yield from (message.subject.partition("] ")[2], message.topic.partition("] ")[2])
    yield from astuple(message.wording)[1:]
    for line in message.lines:
        yield line.label
        yield from (span.text for span in line.spans)


def foreign(changes: Iterable[Change]) -> Iterator[str]:
    """All that is Kraken's."""
    for change in changes:
        stood = (change.stood.title or "", *(change.stood.components or ()))
        yield from map(str, (change.first_title, change.text, change.before, change.action, *change.components, *stood))
        yield from (change.title,) if change.title != "Kraken exchange" else ()
    yield from ("UTC", "Kraken", "on fire", "On fire", "apocalyptic")


CASES = [case for case in (*NEWS, *STANDING) if "welcome" not in case]


@pytest.mark.parametrize("case", [case for case in CASES if case not in OWN and "trouble" not in case])
def test_every_word_that_is_not_krakens_is_from_the_catalogue(case: str) -> None:
    own, since = STANDING[case] if case in STANDING else (NEWS[case], list)
    assert latin(said(told(case, tongue=Masked()))) <= latin(foreign([*own(), *since()]))


def test_every_word_of_a_welcome_is_from_the_catalogue() -> None:
    readings = api(incident(OPEN)), planned(PLANNED), exchange("online"), exchange("post_only")
    greeting = welcomed(*readings, tongue=Masked())[0]
    message = rendered([Part(delivery_id=1, change=greeting)], Masked())
    assert latin(said(message)) == latin(["WebSocket API connection errors"]) | {"Kraken"}


def test_every_word_around_an_operators_word_is_from_the_catalogue() -> None:
    message = rendered([Part(delivery_id=1, change=broadcast(7, "Wir ziehen um.", at("11:00")))], Masked())
    assert latin(said(message)) == {"Wir", "ziehen", "um", "UTC"}


def rendered(parts: list[Part], tongue: NullTranslations) -> Told:
    return render(parts, KRAKEN, origin="db", date=NOW, tongue=tongue)


@every_language
@pytest.mark.parametrize("case", CASES)
def test_state_and_title_stay_apart(case: str, code: str) -> None:
    """A mail shows them in two places, and finds the one by the first colon."""
    tongue = tongues()[code]
    state, title = apart(told(case, tongue=tongue))
    english_state, english_title = apart(told(case))
    engine = "Kraken exchange"
    assert title == (tongue.gettext(engine) if english_title == engine else english_title)
    assert state and (state != english_state or case in OWN or "trouble" in case or state in ("Online", "On fire"))


def apart(message: Told) -> list[str]:
    return message.subject.partition("] ")[2].split(": ", 1)


@every_language
def test_what_looks_like_a_name_in_krakens_words_stays_as_it_is(code: str) -> None:
    hostile = "{0} {title} %s {{x}} {"
    [change] = newest(api(incident(replace(OPEN, text=hostile), name=hostile)))
    renamed = replace(change, stood=Before(title=hostile, impact=hostile, status=hostile), impact=hostile)
    greeting = welcomed(api(incident(OPEN, name=hostile)))[0]
    for tongue in (ENGLISH, tongues()[code]):
        text = "\n".join(said(rendered([Part(delivery_id=1, change=renamed)], tongue)))
        assert text.count(hostile) >= 6
        assert hostile in "\n".join(said(rendered([Part(delivery_id=1, change=greeting)], tongue)))


def test_what_the_bot_says_of_itself_is_english_for_every_operator() -> None:
    for case in OWN:
        assert told(case, tongue=tongues()["de"]) == told(case)


def facts(message: Told) -> dict[str, str]:
    return {line.label: "".join(span.text for span in line.spans) for line in message.lines if line.role is Role.FACT}


def test_german_reads_like_german() -> None:
    german = tongues()["de"]
    assert moment(at("9:05", day=1), NOW, german).text == "25. Feb. 09:05 UTC"
    assert moment(at("9:05", day=365), NOW, german).text == "24. Feb. 2027 09:05 UTC"
    assert [ordinal(number, german) for number in (1, 2, 3, 11)] == ["1.", "2.", "3.", "11."]
    assert duration(NOW - at("11:59"), german) == "1 min" and duration(NOW - NOW, german) == "unter 1 min"
    assert words("on_fire", german) == "on fire" and words("in_progress", german) == "läuft"
    assert facts(told("worsened", tongue=german)) == {
        "Geändert": "wird untersucht → Ursache gefunden · Auswirkung gering → kritisch",
        "Betroffen": "Kraken API (Websocket)",
        "Auswirkung": "kritisch",
        "Seit": "11:29 UTC",
    }
    assert " und 296 weitere), Kraken API" in facts(told("300 components", tongue=german))["Betroffen"]


def test_a_welcome_is_said_in_german() -> None:
    greeting = welcomed(api(incident(OPEN)), exchange("online"), exchange("post_only"), tongue=tongues()["de"])
    lines = rendered([Part(delivery_id=1, change=greeting[0])], tongues()["de"]).lines
    assert ["".join(span.text for span in line.spans) for line in lines] == [
        "👋 Hier kommen die Statusmeldungen von Kraken",
        "Jetzt offen:",
        "• WebSocket API connection errors (wird untersucht)",
        "Status der Börse: nur Post-only-Orders.",
        "Statusseite",
    ]
