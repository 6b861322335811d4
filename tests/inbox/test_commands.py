"""What can be said to the bot, from the first Start to the last Stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.inbox.commands import COMMANDS, language_of
from notifier.inbox.talk import Place
from notifier.model import Topic
from notifier.subscription import Address, Filter, QuietHours, Subscription
from tests.builders import NOW
from tests.inbox.talking import BAD_DAY, OUTAGE, QUIET_DAY, Reader


@pytest.fixture
def reader() -> Reader:
    """Somebody who pressed Start on a quiet day."""
    found = Reader()
    found.says("/start")
    return found


def test_who_presses_start_follows_everything() -> None:
    reader = Reader()
    assert "Kraken's status news comes here from now on" in reader.says("/start")
    assert reader.mine is not None
    assert reader.mine == Subscription(address=Address("telegram", "7"), origin="self", filter=Filter())


LINKS = {
    "btc": ("BTC",),
    "websocket": ("Websocket",),
    "kraken-api": ("Kraken API",),
    "btc-eth_sol": ("BTC", "ETH", "SOL"),
}


@pytest.mark.parametrize("link", LINKS)
def test_a_deep_link_chooses_beforehand(link: str) -> None:
    reader = Reader()
    reader.says(f"/start {link}")
    assert reader.follows() == LINKS[link]


def test_a_deep_link_that_names_nothing_still_subscribes_and_says_so() -> None:
    reader = Reader()
    assert "Nothing is called “nonsense”" in reader.says("/start nonsense")
    assert reader.mine is not None
    assert reader.follows() == ()


def test_who_comes_during_an_incident_is_told_what_is_open() -> None:
    reader = Reader(scene=BAD_DAY)
    assert "WebSocket API connection errors: monitoring" in reader.says("/start")
    assert "WebSocket API connection errors: monitoring" in Reader(scene=BAD_DAY).says("/follow btc")
    assert "Nothing is open" in Reader().says("/start")


def test_start_again_keeps_what_was_chosen(reader: Reader) -> None:
    reader.says("/follow btc")
    assert "already" in reader.says("/start")
    assert reader.follows() == ("BTC",)


def test_who_had_blocked_the_bot_comes_back_to_what_he_followed(reader: Reader) -> None:
    reader.says("/follow btc")
    assert reader.mine is not None
    reader.mine = replace(reader.mine, active=False)
    assert "status news comes here from now on" in reader.says("/start")
    assert reader.mine.active
    assert reader.follows() == ("BTC",)


def test_who_comes_back_while_everything_is_muted_is_told_so(reader: Reader) -> None:
    assert "muted" not in reader.says("/start")
    reader.says("/mute 2d")
    assert "Everything is muted until" in reader.says("/start")


def test_stop_leaves_nothing_and_says_so(reader: Reader) -> None:
    assert "deleted" in reader.says("/stop")
    assert reader.mine is None
    assert "nothing is stored" in reader.says("/stop")


def test_words_that_are_no_command_are_searched_for_and_change_nothing(reader: Reader) -> None:
    before = reader.mine
    assert "“staking” may mean" in reader.says("staking")
    assert "Solana (SOL) - Staking · Earn" in reader.buttons
    assert reader.mine == before
    reader.presses("Solana (SOL) - Staking · Earn")
    assert reader.follows() == ("Earn (Solana (SOL) - Staking)",)


@pytest.mark.parametrize("words", ["/foo", "/START@", "hello there", "", "🙂", "/", "/ follow", "x" * 4096])
def test_what_nobody_understands_is_answered(reader: Reader, words: str) -> None:
    before = reader.mine
    assert reader.says(words)
    assert reader.mine == before


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_answers_who_never_subscribed(name: str) -> None:
    assert Reader(scene=BAD_DAY).says(f"/{name}")


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if not command.changes])
def test_who_only_asks_is_not_subscribed(name: str) -> None:
    reader = Reader(scene=BAD_DAY)
    reader.says(f"/{name}")
    reader.says("/follow")
    reader.says("staking")
    assert reader.mine is None


def test_help_names_every_command(reader: Reader) -> None:
    text = reader.says("/help")
    assert [name for name in COMMANDS if f"/{name} " not in text] == []


@pytest.mark.parametrize("words", ["status", "STOP", "Help"])
def test_a_command_is_understood_without_its_stroke(reader: Reader, words: str) -> None:
    other = Reader(mine=reader.mine)
    assert reader.says(words) == other.says(f"/{words}")
    assert reader.mine == other.mine


def test_several_incidents_of_a_name_are_offered(reader: Reader) -> None:
    reader.scene = BAD_DAY
    reader.says("/incident e")
    assert len(reader.buttons) == 3
    assert OUTAGE.name in reader.presses(OUTAGE.name)


def test_privacy_says_what_is_stored_and_how_to_delete_it(reader: Reader) -> None:
    assert "/stop deletes" in reader.says("/privacy")


CODES = {"de": "de", "de-AT": "de", "DE": "de", "en-GB": "en", "pt-br": "en", "": "en", None: "en", "zz-\0": "en"}


@pytest.mark.parametrize("code", CODES, ids=str)
def test_the_language_is_that_of_the_reader_where_there_is_a_catalogue(code: str | None) -> None:
    assert language_of(code) == CODES[code]
    reader = Reader(language_code=code)
    reader.says("/start")
    assert reader.mine is not None
    assert reader.mine.language == CODES[code]


class TestInGroups:
    @pytest.fixture
    def member(self) -> Reader:
        """Of a group that follows Bitcoin; no administrator."""
        found = Reader(place=Place.GROUP, scene=BAD_DAY)
        found.says("/start btc")
        found.may_change = False
        return found

    @pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.changes])
    def test_only_administrators_change_anything(self, member: Reader, name: str) -> None:
        before = member.mine
        assert "Only administrators" in member.says(f"/{name} eth")
        assert member.mine == before

    @pytest.mark.parametrize("press", ["f*", "f+ETH", "set impact major", "mute for 8h", "start", "unmute", "f-x"])
    def test_nor_by_buttons(self, member: Reader, press: str) -> None:
        before = member.mine
        assert "Only administrators" in member.forges(press)
        assert member.mine == before

    @pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if not command.changes])
    def test_everybody_may_ask(self, member: Reader, name: str) -> None:
        assert "administrators change what" not in member.says(f"/{name}") or name == "help"

    def test_people_who_talk_to_one_another_are_left_alone(self, member: Reader) -> None:
        assert member.says("lunch?") == ""
        member.addressed = False
        assert member.says("/lunch") == ""
        member.addressed = True
        assert "no command /lunch" in member.says("/lunch")


class TestOfTheConfiguration:
    @pytest.fixture
    def desk(self) -> Reader:
        """A chat that the settings file names."""
        return Reader(mine=Subscription(address=Address("telegram", "-1007")), place=Place.GROUP, scene=BAD_DAY)

    @pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if command.changes])
    def test_its_settings_are_changed_in_the_file(self, desk: Reader, name: str) -> None:
        before = desk.mine
        assert "configuration" in desk.says(f"/{name}")
        assert "configuration" in desk.forges("f*")
        assert desk.mine == before

    def test_it_may_ask(self, desk: Reader) -> None:
        assert "1 incident open" in desk.says("/status")


CHOICES: dict[tuple[str, str], Callable[[Subscription], bool]] = {
    ("Impact", "major and worse"): lambda mine: mine.filter.min_impact == "major",
    ("Updates", "milestones only"): lambda mine: mine.filter.milestones_only,
    ("Reminders", "none"): lambda mine: not mine.filter.reminders,
    ("Quiet hours", "22:00–07:00"): lambda mine: mine.filter.quiet_hours == QuietHours.parse("22:00-07:00"),
    ("Time zone", "Asia/Tokyo"): lambda mine: mine.zone == "Asia/Tokyo",
    ("Language", "Deutsch"): lambda mine: mine.language == "de",
}


class TestSettings:
    def test_kinds_are_switched_one_by_one_and_one_stays(self, reader: Reader) -> None:
        reader.says("/settings")
        reader.presses("Kinds of news")
        reader.presses("Single components")
        reader.presses("✓ Trading engine")
        reader.presses("✓ Maintenance")
        reader.presses("✓ Single components")
        assert reader.mine is not None
        assert reader.mine.filter.kinds == (Topic.INCIDENT,)
        assert "At least one" in reader.presses("✓ Incidents")
        assert reader.mine.filter.kinds == (Topic.INCIDENT,)

    def test_a_button_pressed_twice_does_the_same(self, reader: Reader) -> None:
        reader.forges("set kinds component 1")
        once = reader.mine
        reader.forges("set kinds component 1")
        assert reader.mine == once

    @pytest.mark.parametrize("choice", CHOICES)
    def test_everything_can_be_chosen(self, reader: Reader, choice: tuple[str, str]) -> None:
        menu, words = choice
        reader.says("/settings")
        reader.presses(menu)
        reader.presses(words)
        assert reader.mine is not None
        assert CHOICES[choice](reader.mine)
        assert f"✓ {words}" in reader.buttons

    def test_quiet_hours_are_those_of_the_zone_whichever_comes_first(self, reader: Reader) -> None:
        reader.says("21:30-06:45")
        reader.says("Europe/Berlin")
        assert reader.mine is not None
        assert reader.mine.filter.quiet_hours == QuietHours.parse("21:30-06:45 Europe/Berlin")
        reader.forges("set quiet off")
        reader.says("/settings 9:00-17:00")
        assert reader.mine.filter.quiet_hours == QuietHours.parse("09:00-17:00 Europe/Berlin")
        reader.says("22:00-23:00 asia/tokyo")
        assert reader.mine.zone == "Asia/Tokyo"

    @pytest.mark.parametrize(
        "words",
        ["22-7", "22:00-07:00", "22 - 7", "22h-7h", "10pm-7am", "22:00 to 07:00", "von 22 bis 7 Uhr", "2200-0700"],
    )
    def test_hours_are_understood_as_people_write_them(self, reader: Reader, words: str) -> None:
        reader.says(words)
        assert reader.mine is not None
        assert reader.mine.filter.quiet_hours == QuietHours.parse("22:00-07:00")

    def test_a_zone_is_known_by_its_city_unless_the_page_has_something_of_that_name(self, reader: Reader) -> None:
        reader.says("new york")
        assert reader.mine is not None
        assert reader.mine.zone == "America/New_York"
        assert "may mean" in reader.says("status page")

    @pytest.mark.parametrize("words", ["25:00-07:00", "22:00-22:00", "Mars/Olympus", "22:00-07:00 Mars/Olympus"])
    def test_hours_and_zones_that_do_not_exist_change_nothing(self, reader: Reader, words: str) -> None:
        before = reader.mine
        assert reader.says(words)
        assert reader.mine == before


class TestMute:
    def test_everything_for_a_while_counts_from_the_question(self, reader: Reader) -> None:
        reader.says("/mute")
        reader.presses("Everything for 8 hours")
        assert reader.mine is not None
        assert reader.mine.muted_until == NOW + timedelta(hours=8)
        assert "20:00 UTC" in reader.says("/mute")
        reader.says("/mute 30m")
        assert reader.mine.muted_until == NOW + timedelta(minutes=30)

    def test_one_incident_by_button_or_by_reply(self) -> None:
        reader = Reader(scene=BAD_DAY)
        reader.says("/start")
        reader.says("/mute")
        reader.presses(OUTAGE.name)
        assert reader.mine is not None
        assert reader.mine.muted == {OUTAGE.subject}
        reader.says("/mute", about="incident/another")
        assert reader.mine.muted == {OUTAGE.subject, "incident/another"}
        assert "comes now" in reader.says("/unmute")
        assert (reader.mine.muted, reader.mine.muted_until) == (frozenset(), None)
        assert "Nothing is muted" in reader.says("/unmute")

    @pytest.mark.parametrize("words", ["forever", "0h", "8d", "-1h", "9999h", "1h30", "∞"])
    def test_other_lengths_are_refused_with_the_cure(self, reader: Reader, words: str) -> None:
        assert "/mute 8h" in reader.says(f"/mute {words}")
        assert reader.mine is not None
        assert reader.mine.muted_until is None

    def test_an_incident_that_is_gone_cannot_be_muted(self, reader: Reader) -> None:
        assert "over" in reader.forges("mute nosuchthing1")


SAID = st.one_of(
    st.text(max_size=80),
    st.builds(lambda name, rest: f"/{name} {rest}", st.sampled_from([*COMMANDS, "broadcast"]), st.text(max_size=40)),
)
PRESSED = st.one_of(
    st.text(min_size=1, max_size=64),
    st.builds(
        lambda name, rest: f"{name} {rest}",
        st.sampled_from(["set", "set kinds", "set impact", "set zone", "set quiet", "mute", "incident", "f+", "start"]),
        st.text(max_size=30),
    ),
)


@settings(max_examples=150, deadline=None)
@given(said=st.lists(st.one_of(st.tuples(st.just("says"), SAID), st.tuples(st.just("forges"), PRESSED)), max_size=6))
def test_whatever_is_said_is_answered_the_same_when_it_comes_twice(said: list[tuple[str, str]]) -> None:
    reader = Reader(scene=replace(BAD_DAY, components={}))
    for how, words in said:
        assert getattr(reader, how)(words)
        for button in (button for row in reader.answered.buttons for button in row):
            assert bool(button.press) != bool(button.url)
            assert len(button.press.encode()) <= 64
            assert button.words.strip()
        assert len(reader.answered.toast) <= 200
        after = reader.mine
        getattr(reader, how)(words)
        assert reader.mine == after
    assert reader.mine is None or reader.mine.origin == "self"


def test_status_names_what_the_page_says() -> None:
    reader = Reader(scene=BAD_DAY)
    text = reader.says("/status")
    assert "Kraken: 1 incident open" in text
    assert "Exchange: online. Trading is open." in text
    assert "Last checked 12:00 UTC" in text
    assert "no incident open" in Reader(scene=QUIET_DAY).says("/status")


def test_who_looks_again_sees_that_it_was_checked_though_nothing_changed() -> None:
    reader = Reader(scene=BAD_DAY)
    before = reader.says("/status")
    assert (reader.presses("Refresh"), reader.answered.toast) == (before, "Last checked 12:00 UTC.")


def test_status_says_when_it_may_be_out_of_date() -> None:
    assert "out of date" in Reader(scene=replace(BAD_DAY, read_at=NOW - timedelta(hours=1))).says("/status")
    assert "not read yet" in Reader(scene=replace(BAD_DAY, read_at=None)).says("/status")


def test_an_incident_is_shown_with_its_timeline() -> None:
    reader = Reader(scene=BAD_DAY)
    reader.says("/incidents")
    text = reader.presses(OUTAGE.name)
    assert text.index("A fix is in place.") < text.index("We are investigating.")
    assert reader.says(f"/incident {OUTAGE.id}") == text
    assert reader.says("/incident websocket") == text
    assert reader.says("/incident") == text
