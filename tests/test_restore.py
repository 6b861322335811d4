"""What is told of the time between a backup and its restoring, as the pure rule has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from notifier.diff import diff_page
from notifier.known import EPOCH, Known
from notifier.model import Kind, Snapshot, Update
from notifier.parcel import News
from notifier.restore import OLD, without_old
from notifier.retry import END_HORIZON
from tests.builders import NOW, after, at, incident, page, update, watched

LONG_AGO = at("11:00", -3)


def ago(hours: float, status: str = "investigating", text: str = "") -> Update:
    return update(status=status, text=text, at=NOW - timedelta(hours=hours))


def known(*seen: Snapshot) -> Known:
    """What the backup knows: made of these readings, three days ago."""
    found = replace(watched(), page=replace(watched().page, watched_since=at("11:00", -9)))
    for each in seen:
        found = after(found, diff_page(found, each, LONG_AGO, baseline=False))
    return found


def restored(before: Known, *updates: Update) -> News:
    seen = page(incident(*updates))
    return without_old(diff_page(before, seen, NOW, baseline=False), before, NOW)


def told(news: News) -> list[str]:
    return [str(each.phase or each.kind) for each in news.changes if each.key not in news.silent]


CASES = {
    "an old incident that is over": ([ago(60), ago(30, "resolved")], []),
    "an old incident that is still open": ([ago(60), ago(30, "identified")], []),
    "an old incident with a new update": ([ago(60), ago(2, "identified")], ["progress"]),
    "an old incident that is newly over": ([ago(60), ago(2, "resolved")], ["resolved"]),
    "a new incident": ([ago(3), ago(2, "identified")], ["opened", "progress"]),
    "one as old as the limit": ([ago(24)], []),
    "one not quite as old": ([ago(23.9)], ["opened"]),
    "an old one that was published lately": (
        [update(at=NOW - timedelta(hours=60), created_at=NOW - timedelta(hours=1))],
        ["opened"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_of_what_began_since_the_backup_is_told(case: str) -> None:
    updates, expected = CASES[case]
    news = restored(known(), *updates)
    assert told(news) == expected
    assert len(news.changes) == len(updates), "all of it is recorded"


def test_what_began_long_ago_counts_as_told_from_the_beginning() -> None:
    news = restored(known(), ago(60), ago(2, "identified"))
    assert news.known.incidents["wsincident01"].told_since == EPOCH
    assert [each.told_since for each in news.changes] == [EPOCH, EPOCH], "its end goes to all who want it"


def test_what_began_and_ended_long_ago_was_never_told() -> None:
    news = restored(known(), ago(60), ago(30, "resolved"))
    assert news.known.incidents["wsincident01"].told_since is None


def test_the_end_of_what_was_recorded_only_is_news_for_all_who_want_it() -> None:
    before = known()
    news = restored(before, ago(60))
    end = diff_page(after(before, news), page(incident(ago(60), ago(0, "resolved"))), NOW, baseline=False)
    [change] = end.changes
    assert change.told_since == EPOCH and not change.introduces


def test_what_the_backup_told_stays_told_since_then() -> None:
    before = known(page(incident(ago(80))))
    news = restored(before, ago(80), ago(30, "identified"), ago(1, "resolved"))
    assert told(news) == ["resolved"]
    assert news.changes[-1].told_since == LONG_AGO
    assert news.known.incidents["wsincident01"].told_since == LONG_AGO


def test_an_edit_of_an_old_update_reaches_the_message_that_is_out() -> None:
    before = known(page(incident(ago(80, text="One."))))
    news = restored(before, replace(ago(80, text="One."), text="Two."))
    assert [each.kind for each in news.changes] == [Kind.UPDATE_EDITED] and not news.silent


def test_news_without_anything_old_stays_as_it_is() -> None:
    before = known()
    news = diff_page(before, page(incident(ago(2))), NOW, baseline=False)
    assert without_old(news, before, NOW) is news


def test_the_limit_is_that_of_the_longest_lived_news() -> None:
    assert OLD == END_HORIZON
