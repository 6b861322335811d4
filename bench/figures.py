"""A measured figure, and the little statistics that it takes."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One row of the table. Without a budget it is there for information."""

    number: str
    """Of the budget: P1, P2, …"""
    what: str
    unit: str
    measured: float
    spread: tuple[float, float] | None = None
    """The quartiles of what `measured` sums up; of a ratio its 95 % interval."""
    budget: float | None = None
    at_least: bool = False
    """Whether the budget is the least that is wanted, and not the most."""
    floor: float | None = None
    """What the same work costs without the program, in the same run."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        if self.budget is None:
            return None
        return self.measured >= self.budget if self.at_least else self.measured <= self.budget


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that is at least as large as `share` of them."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    return percentile(values, 0.25), percentile(values, 0.75)


def summed_up(values: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """The median and its spread."""
    return median(values), quartiles(values)


def interval(values: Sequence[float], times: int = 2000) -> tuple[float, tuple[float, float]]:
    """The median and its 95 % interval, from as many redrawn samples."""
    draw = random.Random(len(values))
    medians = [median(draw.choices(values, k=len(values))) for _ in range(times)]
    return median(values), (percentile(medians, 0.025), percentile(medians, 0.975))
