"""What a log has to show for nobody to have held a duty twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.several.spells import FOR_EVER, in_turn, spells, wrong

START = datetime(2026, 5, 12, 9, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def on(second: float, run: str, token: int, duty: str = "poll") -> dict[str, Any]:
    return {"event": "on duty", "run": run, "duty": duty, "token": token, "timestamp": at(second).isoformat()}


def off(second: float, run: str, token: int, duty: str = "poll") -> dict[str, Any]:
    began = {"began_nothing_after": str(at(second)), "timestamp": at(second + 60).isoformat()}
    return {"event": "off duty", "run": run, "duty": duty, "token": token, **began}


def test_one_after_the_other_is_as_it_should_be() -> None:
    found = spells([on(0, "a", 1), on(0, "a", 1, "send/slack"), off(9, "a", 1), on(9, "b", 2)], {})
    assert [(each.process, each.duty, each.ends) for each in found] == [
        ("a", "poll", at(9)),
        ("a", "send/slack", FOR_EVER),
        ("b", "poll", FOR_EVER),
    ]
    assert list(wrong(found)) == []


def test_a_process_that_was_killed_holds_nothing_after_that() -> None:
    lines = [on(0, "a", 1), on(12, "b", 2)]
    assert list(wrong(spells(lines, {"a": at(11)}))) == []
    assert [problem[:10] for problem in wrong(spells(lines, {"a": at(13)}))] == ["held twice"]


def test_a_process_that_began_something_in_anothers_spell_is_found_whichever_line_came_first() -> None:
    for lines in ([on(0, "a", 1), off(12, "a", 1), on(10, "b", 2)], [on(10, "b", 2), on(0, "a", 1), off(12, "a", 1)]):
        assert [problem[:10] for problem in wrong(spells(lines, {}))] == ["held twice"]


def test_a_token_grows_with_each_hand_and_stays_only_with_the_same() -> None:
    late = [on(0, "a", 1), off(5, "a", 1), on(6, "a", 1)]
    assert list(wrong(spells(late, {}))) == []
    taken = [on(0, "a", 2), off(5, "a", 2), on(6, "b", 2)]
    assert [problem[:9] for problem in wrong(spells(taken, {}))] == ["the token"]


def test_callers_are_in_turn_if_none_comes_back_without_a_spell_of_its_own() -> None:
    found = spells([on(0, "a", 1), off(9, "a", 1), on(9, "b", 2), off(19, "b", 2), on(19, "a", 3)], {})
    assert in_turn(["a", "a", "b", "a"], found) and in_turn(["b"], found) and in_turn([], found)
    assert not in_turn(["a", "b", "a", "b"], found) and not in_turn(["c"], found)
