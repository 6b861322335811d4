"""Which update is which, where a source has no ids."""

from __future__ import annotations

from dataclasses import replace

import pytest

from notifier.identity import is_provisional, pair
from notifier.known import KnownUpdate
from notifier.model import Update, fingerprint
from tests.builders import at, update


def known(said: Update, born: str | None = None) -> KnownUpdate:
    name = said.id or born or "feed:0"
    return KnownUpdate(
        id=name,
        born=born or name,
        status=said.status,
        at=said.at,
        created_at=said.created_at,
        text=said.text,
        fingerprints=(fingerprint(said.status, said.at, said.text),),
    )


def from_api(number: int, clock: str = "11:29", status: str = "investigating", text: str = "We look.") -> Update:
    return update(clock, status, text, id=f"u{number}")


def in_feed(said: Update) -> Update:
    return replace(said, id=None, created_at=None)


ONE, TWO, THREE = from_api(1), from_api(2, "11:35", "identified", "Found."), from_api(3, "11:41", "resolved", "Over.")

PAIRED: dict[str, tuple[list[KnownUpdate], list[Update], list[str | None]]] = {
    "nothing known, all new": ([], [ONE, TWO], [None, None]),
    "the same ids": ([known(ONE), known(TWO)], [ONE, TWO], ["u1", "u2"]),
    "the same id, everything else changed": (
        [known(ONE)],
        [replace(ONE, status="resolved", text="!", at=at("1:00"))],
        ["u1"],
    ),
    "another id is another update, however equal": ([known(ONE)], [replace(ONE, id="u9")], [None]),
    "the feed's words for what the API said": ([known(ONE), known(TWO)], [in_feed(ONE), in_feed(TWO)], ["u1", "u2"]),
    "the feed has one more": ([known(ONE)], [in_feed(ONE), in_feed(TWO)], ["u1", None]),
    "the feed's newest only": ([known(ONE), known(TWO)], [in_feed(TWO)], ["u2"]),
    "the API gives the feed's update its id": ([known(in_feed(ONE), "feed:0")], [ONE], ["feed:0"]),
    "the API has an older one that the feed had not": (
        [known(in_feed(TWO), "feed:0")],
        [ONE, TWO],
        [None, "feed:0"],
    ),
    "two of one minute and label are told apart by their words": (
        [known(in_feed(from_api(1, text="A")), "feed:0"), known(in_feed(from_api(2, text="B")), "feed:1")],
        [from_api(2, text="B"), from_api(1, text="A")],
        ["feed:1", "feed:0"],
    ),
    "two identical ones are told apart by their order": (
        [known(in_feed(ONE), "feed:0"), known(in_feed(ONE), "feed:1")],
        [ONE, replace(ONE, id="u2"), replace(ONE, id="u3")],
        ["feed:0", "feed:1", None],
    ),
    "the first of two identical ones was edited": (
        [known(ONE), known(in_feed(ONE), "feed:1")],
        [in_feed(replace(ONE, text="We know.")), in_feed(ONE)],
        ["u1", "feed:1"],
    ),
    "edited words, same minute and status": (
        [known(in_feed(ONE), "feed:0")],
        [replace(ONE, text="Quite other words.")],
        ["feed:0"],
    ),
    "another minute, same words": ([known(in_feed(ONE), "feed:0")], [replace(ONE, at=at("11:31"))], ["feed:0"]),
    "another status and other words, same place and minute": (
        [known(in_feed(ONE), "feed:0")],
        [replace(ONE, status="identified", text="!")],
        ["feed:0"],
    ),
    "another status, other words and another minute": (
        [known(in_feed(ONE), "feed:0")],
        [replace(TWO, text="!")],
        [None],
    ),
    "white space is no word": ([known(in_feed(ONE), "feed:0")], [replace(ONE, text=" We\n look. ")], ["feed:0"]),
    "an end that was only stated waits for whoever posts it": (
        [known(ONE), known(replace(THREE, id=None, text="", at=at("11:40")), "implied:resolved")],
        [ONE, THREE],
        ["u1", "implied:resolved"],
    ),
    "an end that was only stated is nothing else that comes in its minute": (
        [known(ONE), known(replace(THREE, id=None, text=""), "implied:resolved")],
        [ONE, from_api(4, "11:41", "investigating", "It is back.")],
        ["u1", None],
    ),
    "what has the API's id gives it to no other": (
        [known(replace(ONE, id="u1"), "feed:0")],
        [replace(ONE, id="u9")],
        [None],
    ),
}


@pytest.mark.parametrize("case", PAIRED)
def test_which_is_which(case: str) -> None:
    there, seen, expected = PAIRED[case]
    assert [found.id if found else None for found in pair(there, seen)] == expected


@pytest.mark.parametrize("case", PAIRED)
def test_nothing_known_is_two_of_those_seen(case: str) -> None:
    there, seen, _ = PAIRED[case]
    found = [each.id for each in pair(there, seen) if each]
    assert len(found) == len(set(found))


def test_ids_of_our_own_are_known_as_such() -> None:
    assert is_provisional("feed:0") and is_provisional("implied:resolved")
    assert not is_provisional("kf3c7lq0zvtk")


SEEN: dict[str, tuple[Update, bool]] = {
    "seconds are cut by an edit": (replace(ONE, at=ONE.at.replace(second=59, microsecond=7)), True),
    "white space is no difference": (replace(ONE, text="\n We \t look. "), True),
    "its id and posting time are not seen": (replace(ONE, id="other", created_at=at("9:00")), True),
    "another minute": (replace(ONE, at=at("11:30")), False),
    "another status": (replace(ONE, status="identified"), False),
    "another word": (replace(ONE, text="We looked."), False),
    "other capitals": (replace(ONE, text="WE look."), False),
}


@pytest.mark.parametrize("case", SEEN)
def test_a_fingerprint_is_what_a_reader_sees(case: str) -> None:
    said, same = SEEN[case]
    assert (fingerprint(said.status, said.at, said.text) == fingerprint(ONE.status, ONE.at, ONE.text)) is same
