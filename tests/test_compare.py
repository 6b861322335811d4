"""What an edit changed is marked word by word, if that is short; nothing of the new text is ever missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.compare import LONGEST, compared
from notifier.message import Span

Shown = list[list[tuple[str, str]]]

EDITS: dict[str, tuple[str, str, Shown | None]] = {
    "a word more": (
        "Some connections fail.",
        "Some new connections fail.",
        [[("", "Some"), ("", " "), ("bold", "new"), ("", " "), ("", "connections fail.")]],
    ),
    "a word replaced": (
        "All deposits are delayed today.",
        "All withdrawals are delayed today.",
        [
            [
                ("", "All"),
                ("", " "),
                ("strike", "deposits"),
                ("", " "),
                ("bold", "withdrawals"),
                ("", " "),
                ("", "are delayed today."),
            ]
        ],
    ),
    "a paragraph more": (
        "It is slow now.",
        "It is slow now.\n\nA fix is near.",
        [[("", "It is slow now.")], [("bold", "A fix is near.")]],
    ),
    "written anew": ("We are investigating.", "A certificate has expired on all hosts.", None),
    "too long": ("a " * LONGEST, "b " * LONGEST, None),
}


def shown(paragraphs: tuple[tuple[Span, ...], ...] | None) -> Shown | None:
    return paragraphs and [[(span.style, span.text) for span in spans] for spans in paragraphs]  # type: ignore[return-value]


@pytest.mark.parametrize("case", EDITS)
def test_old_words_are_struck_and_new_ones_marked(case: str) -> None:
    old, new, expected = EDITS[case]
    assert shown(compared(old, new)) == expected


WORDS = st.lists(st.sampled_from(["all", "some", "deposits", "fail.", "\n\n", "now", "<b>"]), max_size=30).map(" ".join)


@given(WORDS, WORDS)
def test_without_what_was_struck_it_is_the_new_text(old: str, new: str) -> None:
    paragraphs = compared(old, new)
    if paragraphs is not None:
        kept = [span.text for spans in paragraphs for span in spans if span.style != "strike"]
        struck = [span.text for spans in paragraphs for span in spans if span.style != "bold"]
        assert " ".join(kept).split() == new.split()
        assert " ".join(struck).split() == old.split()
