"""826 components, found by the words that people type."""

from __future__ import annotations

import sys

import pytest

from notifier.inbox.following import MOST_TERMS, Catalogue
from notifier.route import Verdict, verdict
from notifier.subscription import Filter
from tests.inbox.talking import COMPONENTS, Reader
from tests.store.telling import change

CATALOGUE = Catalogue(COMPONENTS)

IN_FULL = {
    "btc": ("BTC",),
    "Bitcoin": ("BTC",),
    "kraken api": ("Kraken API",),
    "Kraken API (Websocket)": ("Kraken API (Websocket)",),
    "WEBSOCKET": ("Websocket",),
    "btc, eth sol": ("BTC", "ETH", "SOL"),
    "ach": ("ACH",),
    "kbtc": ("kBTC",),
    "btc and others": (),
    "sola": (),
    "": (),
}


@pytest.mark.parametrize("words", IN_FULL)
def test_words_that_name_something_in_full_are_terms(words: str) -> None:
    assert CATALOGUE.each_exactly(words) == IN_FULL[words]


MEANT = {
    "sol": ["Solana (SOL)", "Solana (SOL) - Solana · Digital Currency Funding", "Solana (SOL) - Staking · Earn"],
    "staking": ["Ethereum (ETH) - Staking · Earn", "Solana (SOL) - Staking · Earn"],
    "sol stak": ["Solana (SOL) - Staking · Earn"],
    "webs": ["Websocket · Kraken API", "WebSocket · Kraken Derivatives"],
    "funding": ["Digital Currency Funding"],
    "bonk": ["Bonk (BONK)"],
}


@pytest.mark.parametrize("words", MEANT)
def test_search_offers_what_the_words_may_mean(words: str) -> None:
    found = [offer.name for offer in CATALOGUE.search(words)]
    assert [name for name in MEANT[words] if name not in found] == []
    assert len(found) <= 8


@pytest.mark.parametrize("words", ["zzzz", "", "()", "sol zzzz", "\0"])
def test_what_nothing_is_called_finds_nothing(words: str) -> None:
    assert CATALOGUE.search(words) == ()


@pytest.mark.parametrize("words", ["/follow x", "/start x", "f", "d di dig digi digit c cu cur fu fun fund"])
def test_a_page_full_of_words_is_no_more_work_than_a_few(words: str) -> None:
    command, _, word = words.rpartition(" ") if words.startswith("/") else ("", "", words)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    reader = Reader()
    reader.says("/start")
    sys.setprofile(count)
    try:
        reader.says(f"{command} {' '.join([word] * (4000 // (len(word) + 1)))}".strip())
    finally:
        sys.setprofile(None)
    assert calls < 500_000, "the news waits meanwhile"


def test_what_is_offered_is_what_the_filter_then_lets_through() -> None:
    for offer in CATALOGUE.search("sol"):
        assert CATALOGUE.behind(offer.code) == offer.term
        assert CATALOGUE.count(offer.term) > 0


def test_a_ticker_counts_in_titles_too() -> None:
    reader = Reader()
    reader.says("/follow bonk")
    told = change(title="Bonk (BONK) Deposits Delayed", components=())
    assert reader.follows() == ("BONK",)
    assert verdict(Filter(components=reader.follows(), strict_components=True), told) is Verdict.WANTED


def test_a_ticker_that_no_component_has_can_be_followed_all_the_same() -> None:
    reader = Reader()
    reader.says("/follow qqq")
    reader.presses("Follow QQQ anyway: titles may name it")
    assert reader.follows() == ("QQQ",)


def test_following_one_thing_ends_following_everything_and_says_so() -> None:
    reader = Reader()
    reader.says("/start")
    assert "until now you got everything" in reader.says("/follow btc")
    assert "until now you got" not in reader.says("/follow eth")
    assert reader.follows() == ("BTC", "ETH")
    reader.presses("Everything")
    assert reader.follows() == ()


def test_a_part_takes_the_place_of_the_whole() -> None:
    reader = Reader()
    reader.says("/follow btc")
    reader.says("/follow sol")
    reader.presses("Solana (SOL) - Staking · Earn")
    assert reader.follows() == ("BTC", "Earn (Solana (SOL) - Staking)")


def test_groups_and_the_popular_few_are_offered_without_words() -> None:
    reader = Reader()
    reader.says("/follow")
    assert reader.buttons[:6] == ["BTC", "ETH", "SOL", "XRP", "USDT", "USDC"]
    assert "Kraken Institutional" in reader.buttons
    assert "Everything" in reader.buttons


def test_unfollow_takes_words_or_a_button() -> None:
    reader = Reader()
    reader.says("/follow btc, eth sol")
    reader.says("/unfollow bitcoin")
    assert reader.follows() == ("ETH", "SOL")
    reader.says("/unfollow")
    reader.presses("✕ SOL")
    assert reader.follows() == ("ETH",)
    assert "You do not follow “doge”" in reader.says("/unfollow doge")
    assert reader.follows() == ("ETH",)


def test_who_follows_nothing_in_particular_any_more_hears_everything_and_is_told_so() -> None:
    reader = Reader()
    reader.says("/follow btc")
    assert "everything again" in reader.says("/unfollow btc")
    assert reader.mine is not None
    assert reader.follows() == ()
    assert "nothing to leave out" in reader.says("/unfollow btc")


def test_there_is_an_end_to_what_one_follows() -> None:
    reader = Reader()
    tickers = list(
        dict.fromkeys(offer.code for c in "abcdefghijklmn" for offer in CATALOGUE.search(c) if offer.code[0] != "#")
    )
    for ticker in tickers[: MOST_TERMS + 1]:
        reader.says(f"/follow {ticker}")
    assert len(tickers) > MOST_TERMS
    assert len(reader.follows()) == MOST_TERMS
    before = reader.follows()
    assert "more than 50" in reader.says(f"/start {tickers[MOST_TERMS]}") and reader.follows() == before
    assert "more than 50" not in reader.says("/start")


@pytest.mark.parametrize("press", ["f+", "f+#nosuchid0000", "f-0123456789ab", "f~x#y", "f~", "f+" + "A" * 60, "f+<b>"])
def test_a_button_of_another_time_changes_nothing(press: str) -> None:
    reader = Reader()
    reader.says("/follow btc")
    before = reader.mine
    assert "not on offer" in reader.forges(press)
    assert reader.mine == before
