"""Every row of the matrix has a test that runs, and every test that names a row names one that exists."""

from __future__ import annotations

from tests.faults.matrix import ROWS, SECTIONS
from tests.faults.report import Verdict
from tests.running import program

SIZES = {"A": 36, "B": 19, "C": 16, "D": 10, "E": 9, "F": 12, "G": 5, "H": 12}


def test_the_matrix_is_whole_and_in_order() -> None:
    assert list(SIZES) == list(SECTIONS)
    assert list(ROWS) == [f"{section}{number + 1}" for section, size in SIZES.items() for number in range(size)]
    assert {key: row for key, row in ROWS.items() if not (row.fault and row.expected)} == {}


def test_every_row_fits_one_line() -> None:
    assert [row.id for row in ROWS.values() if len(f"{row.fault}{row.expected}") > 110] == []
    for row in ROWS.values():
        [line, *_] = Verdict(row).lines()
        assert len(line) <= 120, line


def test_a_row_is_proven_only_by_a_test_that_ran_and_passed() -> None:
    row = ROWS["A1"]
    assert Verdict(row, passed={"one"}, skipped={"other"}).state == "proven"
    assert Verdict(row, passed={"one"}, failed={"other"}).state == "broken"
    assert Verdict(row, skipped={"one"}).state == "broken"
    assert Verdict(row).state == "broken"


async def test_every_row_has_a_test_that_runs_and_no_test_names_another() -> None:
    quickly = ("--assert=plain", "-p", "no:cacheprovider")
    collecting = ("-m", "pytest", "--collect-only", "-q", "-m", "fault", "-p", "tests.faults.report", *quickly)
    async with program(*collecting) as collected:
        code = await collected.ended(60)
    assert "rows without a test: none" in collected.out and code == 0, collected.printed[-2000:]
