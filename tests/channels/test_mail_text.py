"""The text part as a terminal shows it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from notifier.channels.mail_text import text
from notifier.message import Line, Role, Span, Wording
from tests.channels.contract import message, said

FACT = Line(role=Role.FACT, label="Affected", spans=(Span(text="Kraken API (Websocket)"),))
TIMELINE = Line(
    role=Role.FACT,
    label="Since",
    spans=(Span(text="11:29 UTC"), Span(text=" investigating"), Span(text=" · "), Span(text="11:35 monitoring")),
)


def below(*lines: Line) -> str:
    """What stands between the title and the link."""
    return text(message(*lines).lines, Wording()).partition("\n\n")[2].partition("\n\nDetails")[0]


def test_a_mail_reads_well_in_a_terminal() -> None:
    told = message(
        FACT,
        TIMELINE,
        said("Kraken, 11:35 UTC:", role=Role.TEXT),
        said("We are investigating reports of connection errors of the WebSocket API, which began this morning."),
        said("Orders over REST are not affected."),
        said("Before that:", role=Role.TEXT, style="bold"),
        said("11:29 UTC Investigating: We see errors on many of the endpoints that traders use.", role=Role.EARLIER),
        said("11:28 UTC Investigating: It began.", role=Role.EARLIER),
        said("Late: posted 11:35 UTC, delivered 12:00 UTC", role=Role.NOTE),
    )

    assert text(told.lines, Wording(), unsubscribe="https://n.example/u?t=1") == (
        "🟡 Investigating: WebSocket API connection errors\n"
        "\n"
        "Affected: Kraken API (Websocket)\n"
        "Since:    11:29 UTC investigating\n"
        "          11:35 monitoring\n"
        "\n"
        "Kraken, 11:35 UTC:\n"
        "\n"
        "    We are investigating reports of connection errors of the WebSocket API,\n"
        "    which began this morning.\n"
        "\n"
        "    Orders over REST are not affected.\n"
        "\n"
        "Before that:\n"
        "\n"
        "- 11:29 UTC Investigating: We see errors on many of the endpoints that\n"
        "  traders use.\n"
        "- 11:28 UTC Investigating: It began.\n"
        "\n"
        "Late: posted 11:35 UTC, delivered 12:00 UTC\n"
        "\n"
        "Details on the status page\n"
        "https://status.kraken.com/incidents/wsincident01\n"
        "\n"
        "-- \n"
        "You get this because this address subscribes to Kraken status news.\n"
        "Unsubscribe: https://n.example/u?t=1\n"
    )


def test_without_a_way_to_leave_none_is_named() -> None:
    assert text(message().lines, Wording()).endswith(
        "\n\n-- \nYou get this because this address subscribes to Kraken status news.\n"
    )


def test_a_long_address_is_never_broken() -> None:
    url = f"https://status.example/{'a-long-path/' * 12}"

    assert url in below(said(f"See {url} for more.")).split()


def test_an_edit_is_marked() -> None:
    edit = (Span(text="On "), Span(text="all", style="strike"), Span(text=" "), Span(text="some", style="bold"))

    assert below(Line(role=Role.QUOTE, spans=edit)) == "    On ~all~ *some*"
    assert below(said("Before that:", role=Role.TEXT, style="bold")) == "Before that:"


def test_the_end_of_a_line_in_a_word_ends_no_line() -> None:
    assert below(said("a\r\n-- \nb\u2028c\x00d\ud83d")) == "    a --  b c d"


def test_nothing_at_all_is_an_empty_line() -> None:
    assert below(said("")) == ""


words = st.lists(st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1), min_size=1)


@given(words, st.sampled_from((Role.FACT, Role.TEXT, Role.QUOTE, Role.EARLIER, Role.NOTE)))
def test_every_word_arrives_in_76_columns(some: list[str], role: Role) -> None:
    shown = below(said(" ".join(some), role=role))

    kept = shown.split()[1:] if role in (Role.EARLIER, Role.FACT) else shown.split()
    assert kept == some
    assert all(len(line) <= 76 or len(line.split()) <= 2 for line in shown.split("\n"))
