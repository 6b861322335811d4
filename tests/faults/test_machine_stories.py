"""Stories that the state machine found, or nearly told, each by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.faults.model_page import Reading
from tests.faults.providers import Answer, title, words
from tests.faults.test_machine import Machine


@contextmanager
def story(*, open_before: bool = False) -> Iterator[Machine]:
    """Five readers who heard of nothing yet; in the end all promises have to hold."""
    machine = Machine()
    machine.begin(left_out=set(), open_before=open_before, others=Reading.WHOLE)
    machine.deliver_all(which=0)
    machine.holds()
    try:
        yield machine
        machine.holds()
    finally:
        machine.teardown()


@pytest.mark.parametrize("days", [1, -1])
def test_a_clock_a_day_off_repeats_nothing_where_the_provider_can_be_asked(days: int) -> None:
    with story() as machine:
        machine.set_clock(timedelta(days=days))
        machine.post_and_read("one", "investigating", "major", which=0)
        machine.deliver(which=0, channel="slack", answers=[Answer.LOST, Answer.LOST])


def test_a_death_between_the_call_and_its_result_is_asked_about_by_the_next_process() -> None:
    with story() as machine:
        machine.post_and_read("one", "investigating", "major", which=0)
        machine.die_delivering(which=0, channel="slack", answers=[], moment=7, news=False)
        machine.start()
        machine.deliver_all(which=0)
        slack = machine.providers[0]
        assert [post.to for post in slack.posts if "Trouble" in post.message.subject] == ["slack:C1", "slack:C2"]


def test_an_impact_that_rises_when_all_is_over_is_told_only_to_those_who_heard_of_it() -> None:
    with story() as machine:
        machine.post_and_read("one", "investigating", "minor", which=0)
        machine.post_and_read("one", "resolved", None, which=0)
        machine.rest()
        machine.retitle("one", None, "critical")
        machine.rest()
        machine.end("one", "postmortem")
        machine.rest()
        assert {post.to for post in machine.providers[0].posts if "Trouble" in title(post.message)} == {"slack:C1"}


def test_what_was_read_under_a_clock_a_day_behind_rides_in_the_next_mail() -> None:
    with story() as machine:
        machine.set_clock(timedelta(days=-1))
        machine.post_and_read("one", "investigating", "major", which=0)
        machine.wait(timedelta(seconds=5))
        machine.rest()
        machine.post_and_read("one", "monitoring", None, which=0)
        machine.rest()
        mails = [words(post.message) for post in machine.providers[2].posts if "Trouble" in title(post.message)]
        assert len(mails) == 1 and "u1e1" in mails[0] and "u2e1" in mails[0]


def test_what_was_open_at_the_baseline_and_ends_with_a_postmortem_has_ended_for_all() -> None:
    with story(open_before=True) as machine:
        machine.end("one", "postmortem")
        machine.rest()
        for provider in machine.providers:
            told = [post for post in provider.posts if "Resolved" in title(post.message)]
            assert {post.to for post in told} == {
                each.address for each in machine.wanted if each.address.startswith(f"{provider.name}:")
            }


def test_what_was_under_way_to_a_reader_who_left_is_not_sent_again() -> None:
    with story() as machine:
        machine.post_and_read("one", "investigating", "major", which=0)
        machine.die_delivering(which=0, channel="telegram", answers=[], moment=5, news=False)
        leaves = next(each for each in machine.wanted if each.address == "telegram:-2")
        machine.wanted.remove(leaves)
        machine.start()
        machine.holds()
        machine.rest()
        told = {post.to for post in machine.providers[1].posts if "Trouble" in title(post.message)}
        assert told == {"telegram:-1"}


def test_what_may_have_arrived_is_asked_about_however_old_it_is() -> None:
    with story() as machine:
        machine.set_clock(timedelta(days=-1))
        machine.die_delivering(which=0, channel="slack", answers=[], moment=8, news=True)
        machine.wait(timedelta(minutes=11))
        machine.rest()
        machine.retitle("one", None, "critical")
        machine.rest()
