"""Stock phrases: updates that say only that work goes on, or what their status says already. Pure."""

from __future__ import annotations

import re

_THING = r"(?:a|the|this|these) (?:issues?|incident|problem|situation|matter|fix|solution|resolution|results|recovery)"
_CONTINUES = re.compile(
    r"(?:we|our (?:team|engineers)|the team)(?: are| is|[’']re)? (?:(?:still|continuing to|continue to|actively) )+"
    rf"(?:investigat|monitor|work|look)\w*(?: (?:on|into|towards?))?(?: {_THING})?(?: for {_THING})?"
    r"(?: for any further (?:issues|updates))?[.!]?",
    re.IGNORECASE,
)
"""Nothing but these words, because what is folded away must be worth nothing: "… and expect an end soon" is news."""

_STATES = re.compile(
    r"this (?:incident|issue) has been resolved|the (?:issue|incident) has been resolved"
    r"|we are (?:currently )?investigating this (?:issue|incident)"
    r"|we are (?:currently )?investigating(?: the issue)?"
    r"|the issue has been identified and a fix is being implemented"
    r"|a fix has been implemented and we are monitoring the results"
    r"|the scheduled maintenance has been completed"
    r"|scheduled maintenance is (?:currently|still) in progress(?:\. we will provide updates as necessary)?"
    r"|verification is currently underway for the maintenance items",
    re.IGNORECASE,
)


def continues(text: str) -> bool:
    """Whether the text says nothing but that work goes on: `We are continuing to investigate this issue.`"""
    return _CONTINUES.fullmatch(" ".join(text.split())) is not None


def says_little(text: str) -> bool:
    """Whether the text adds nothing to its status."""
    said = " ".join(text.split())
    return not said or continues(said) or _STATES.fullmatch(said.rstrip(".!")) is not None
