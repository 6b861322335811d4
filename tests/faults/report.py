"""A pytest plugin that prints the fault matrix after the tests that prove it; exit code 1 on any ✗.

python -m pytest -p tests.faults.report -m fault
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from tests.faults.matrix import ROWS, SECTIONS, Row

WIDTH = 120
MARKS = {"proven": ("✓", "green"), "broken": ("✗", "red")}


@dataclass(slots=True)
class Verdict:
    """What the tests of one row have shown."""

    row: Row
    passed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    skipped: set[str] = field(default_factory=set)

    @property
    def state(self) -> str:
        """`proven` or `broken`."""
        return "broken" if self.failed or not self.passed else "proven"

    def lines(self) -> Iterator[str]:
        """One line, and for what is broken the reasons below it."""
        row = self.row
        yield f" {MARKS[self.state][0]} {row.id:<4} {row.fault:<45} {row.expected}"
        if self.state == "broken":
            reasons = [f"fails: {test}" for test in sorted(self.failed)]
            reasons = reasons or [f"skipped: {test}" for test in sorted(self.skipped)] or ["no test proves it"]
            for reason in reasons:
                yield f"        {reason}"


def rows_of(item: pytest.Item) -> set[str]:
    """The rows that a test says it proves."""
    return {row for mark in item.iter_markers("fault") for row in mark.args}


class Matrix:
    """Collects verdicts while the tests run."""

    def __init__(self) -> None:
        self.verdicts: Mapping[str, Verdict] = {key: Verdict(row) for key, row in ROWS.items()}
        self._proves: dict[str, set[str]] = defaultdict(set)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """What a test proves travels with its reports, from other processes too."""
        item.user_properties += [("fault", row) for row in sorted(rows_of(item))]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if strange := rows_of(item) - ROWS.keys():
                raise pytest.UsageError(f"{item.nodeid} proves rows that do not exist: {', '.join(sorted(strange))}")
            if item.get_closest_marker("skip") is None:
                self._proves[item.nodeid] = rows_of(item)

    @property
    def unproven(self) -> list[str]:
        """The rows for which no test was collected that runs."""
        proven = set[str]().union(*self._proves.values())
        return [key for key in ROWS if key not in proven]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        rows = {str(value) for name, value in report.user_properties if name == "fault"}
        self._proves[report.nodeid] |= rows
        for key in rows:
            verdict = self.verdicts[key]
            if report.failed:
                verdict.failed.add(report.nodeid)
            elif report.skipped:
                verdict.skipped.add(report.nodeid)
            elif report.when == "call":
                verdict.passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        collected_only = session.config.option.collectonly
        broken = (
            self.unproven if collected_only else [each for each in self.verdicts.values() if each.state == "broken"]
        )
        if session.exitstatus == pytest.ExitCode.OK and broken:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        write = terminalreporter.write_line
        if terminalreporter.config.option.collectonly:
            write(f"rows without a test: {', '.join(self.unproven) or 'none'}")
            return
        for section, title in SECTIONS.items():
            own = [verdict for key, verdict in self.verdicts.items() if key.startswith(section)]
            proven = sum(verdict.state == "proven" for verdict in own)
            write("")
            write(f" {section}  {title:<{WIDTH - 14}} {proven:>2} of {len(own)}", bold=True)
            for verdict in own:
                first, *reasons = verdict.lines()
                write(first, **{MARKS[verdict.state][1]: True})
                for reason in reasons:
                    write(reason)
        states = [verdict.state for verdict in self.verdicts.values()]
        counts = ", ".join(f"{states.count(state)} {state}" for state in MARKS if state in states)
        tests = sum(map(bool, self._proves.values()))
        write("")
        write(f" {len(states)} rows: {counts}; {tests} tests", bold=True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Matrix(), "fault-matrix")
