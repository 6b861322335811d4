"""What is folded away must be worth nothing; the phrases are those of real pages."""

from __future__ import annotations

import pytest

from notifier.stock import continues, says_little

IDLE = (
    "We are continuing to investigate this issue.",
    "We are continuing to monitor for any further issues.",
    "We are continuing to work on a fix for this issue.",
    "We're still investigating.",
    "We are still  investigating\nthe issue",
    "Our engineers are actively working on a resolution.",
)
NEWS = (
    "We are continuing to monitor recovery and expect a complete resolution very shortly.",
    "We are continuing to investigate delays of SOL withdrawals.",
    "We are continuing to investigate this issue. Deposits are not affected.",
    "We continue to see signs of recovery.",
    "We are investigating this issue in BTC.",
    "A fix has been implemented for some regions and we are monitoring the results.",
    "This incident has been resolved. Connections to the WebSocket API are operating normally.",
)
STATES = (
    "",
    "We are currently investigating this issue.",
    "This incident has been resolved.",
    "A fix has been implemented and we are monitoring the results.",
    "Scheduled maintenance is currently in progress. We will provide updates as necessary.",
)


@pytest.mark.parametrize("text", IDLE)
def test_work_that_goes_on_is_no_news(text: str) -> None:
    assert continues(text) and says_little(text)


@pytest.mark.parametrize("text", STATES)
def test_what_the_status_says_already_is_little(text: str) -> None:
    assert says_little(text) and not continues(text)


@pytest.mark.parametrize("text", NEWS)
def test_anything_of_its_own_is_news(text: str) -> None:
    assert not continues(text) and not says_little(text)
