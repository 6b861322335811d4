"""The dialogue in other languages: no word of ours is outside the catalogues, and clients take what they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.health import Trouble
from notifier.inbox import commands, operators
from notifier.inbox.choosing import ZONES
from notifier.inbox.desk import DESCRIPTION, SHORT_DESCRIPTION
from notifier.inbox.talk import Answer
from notifier.known import Tally
from notifier.languages import tongues
from notifier.tongue import LANGUAGES, Tongue
from tests.builders import NOW
from tests.inbox.talking import BAD_DAY, COMPONENTS, QUIET_DAY, Reader
from tests.masked import Masked, latin

SAID = (
    *(
        "/start",
        "/start btc",
        "/start nowhere",
        "/help",
        "/status",
        "/incidents",
        "/incident",
        "/incident maintenance1",
    ),
    *("/incident nowhere", "/follow", "/follow sol", "sol", "zzzz", "/follow btc", "/unfollow", "/unfollow nowhere"),
    *("/unfollow btc sol", "/settings", "/mute", "/mute 8h", "/mute 900d", "/mute", "/unmute", "/privacy", "/nowhere"),
    *("/follow all", "/unfollow", "/settings 21:30-06:45", "/settings Europe/Berlin", "", "/stop", "/mute", "/stop"),
)
PRESSED = (
    *("set kinds", "set impact", "set updates", "set reminders", "set quiet", "set zone", "set language"),
    *("mute wsincident01", "mute gone", "f+#gone", "gone"),
)
WRITTEN = (*SAID, *PRESSED, *LANGUAGES.values(), *commands.COMMANDS, "UTC", "Kraken", "ZZZZ")
"""What comes back as it was said, and names."""

every_language = pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])


def shown(answer: Answer) -> Iterator[str]:
    yield answer.toast
    yield from (button.words for row in answer.buttons for button in row)
    for line in answer.lines:
        yield line.label
        yield from (span.text for span in line.spans if span.style != "code")


def talked(tongue: Tongue) -> Iterator[str]:
    for scene in (
        QUIET_DAY,
        BAD_DAY,
        replace(BAD_DAY, read_at=NOW - timedelta(hours=1)),
        replace(BAD_DAY, read_at=None),
    ):
        reader = Reader(scene=scene, tongues={"en": tongue})
        for words in SAID:
            reader.says(words)
            yield from shown(reader.answered)
        reader.says("/start")
        for press in PRESSED:
            reader.forges(press)
            yield from shown(reader.answered)


def of_operators(tongue: Tongue) -> Iterator[str]:
    troubles: Mapping[str, Trouble] = {"x": Trouble(title="X", since=NOW, told_from=NOW)}
    for answer in (
        operators.stats(Tally(), tongue),
        operators.health({}, tongue, NOW),
        operators.health(troubles, tongue, NOW),
        operators.preview("", 1, 2, tongue),
        operators.preview("X", 1, 2, tongue),
        operators.sent(2, tongue),
        operators.sent(None, tongue),
        operators.cancelled(tongue),
    ):
        yield from shown(answer)


def test_every_word_of_the_dialogue_is_from_the_catalogue() -> None:
    kraken = [each.name for each in COMPONENTS.values()]
    for each in BAD_DAY.incidents:
        kraken += [each.name, *map(str, each.components), *(update.text for update in each.updates)]
    assert latin(talked(Masked())) <= latin([*kraken, *WRITTEN, *ZONES])
    assert latin(of_operators(Masked())) <= {"UTC"}


@every_language
def test_a_client_takes_every_description(code: str) -> None:
    """https://core.telegram.org/bots/api#setmydescription, #setmyshortdescription, #botcommand."""
    t = tongues()[code].gettext
    assert len(t(DESCRIPTION).format(page="Kraken")) <= 512 and len(t(SHORT_DESCRIPTION).format(page="Kraken")) <= 120
    about = [*(each.about for each in commands.COMMANDS.values()), *operators.COMMANDS.values()]
    assert max(len(t(each)) for each in about) <= 256


@every_language
def test_an_answer_in_another_language_offers_the_same(code: str) -> None:
    """What stands behind the buttons is no text."""
    english, other = Reader(scene=BAD_DAY), Reader(scene=BAD_DAY, tongues={"en": tongues()[code]})
    for words in SAID:
        answers = [(reader.says(words), reader.answered)[1] for reader in (english, other)]
        presses = [[button.press or button.url for row in each.buttons for button in row] for each in answers]
        assert presses[0] == presses[1]
        assert english.mine == other.mine


def test_a_german_conversation() -> None:
    reader = Reader(scene=BAD_DAY, tongues={"en": tongues()["de"]})
    assert reader.says("/start btc").startswith("👋 Hier kommen die Statusmeldungen von Kraken.\nAbonniert: BTC.\n🟠 ")
    assert "wird beobachtet, seit 11:29 UTC" in reader.says("/status")
    assert reader.says("/mute 8h").startswith("🔕 Stumm bis 20:00 UTC: auch Kritisches.")
    assert reader.says("/stop").startswith("Es kommt nichts mehr.")
