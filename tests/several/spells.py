"""Who did what and when, as the logs have it: from `on duty` to the last moment at which something may have begun."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Spell:
    """One process at one duty. `ends` is FOR_EVER while it goes on."""

    duty: str
    token: int
    process: str
    begins: datetime
    ends: datetime = FOR_EVER

    def __str__(self) -> str:
        return f"{self.duty} by {self.process} (token {self.token}), {self.begins:%T.%f} to {self.ends:%T.%f}"


def spells(lines: Iterable[Mapping[str, Any]], deaths: Mapping[str, datetime]) -> list[Spell]:
    """Of log lines, in each process's own order, with its name as `run`; a process without a last line ended with its
    death.
    """
    going: dict[tuple[str, str], Spell] = {}
    over = []
    for line in lines:
        key = str(line["run"]), str(line.get("duty"))
        if line["event"] == "on duty":
            assert key not in going, f"{key} began twice"
            began = datetime.fromisoformat(line["timestamp"])
            going[key] = Spell(duty=key[1], token=line["token"], process=key[0], begins=began)
        elif line["event"] == "off duty":
            assert going[key].token == line["token"], key
            over.append(replace(going.pop(key), ends=datetime.fromisoformat(line["began_nothing_after"])))
    rest = [replace(each, ends=deaths.get(each.process, FOR_EVER)) for each in going.values()]
    return sorted([*over, *rest], key=lambda each: each.begins)


def wrong(found: Iterable[Spell]) -> Iterator[str]:
    """Two at the same duty at one moment, and tokens that do not grow when it changes hands."""
    by_duty: dict[str, list[Spell]] = defaultdict(list)
    for each in found:
        by_duty[each.duty].append(each)
    for held in by_duty.values():
        for earlier, later in pairwise(held):
            if earlier.ends > later.begins:
                yield f"held twice: {earlier}; {later}"
            grows = later.token > earlier.token
            if not grows and (earlier.process, earlier.token) != (later.process, later.token):
                yield f"the token does not grow: {earlier}; {later}"


def in_turn(callers: Iterable[str], found: Iterable[Spell]) -> bool:
    """Whether those who called, repetitions left out, are those whose spells these are, in the same order."""
    turns = iter([each.process for each in found])
    last = ""
    for caller in callers:
        if caller != last and caller not in turns:
            return False
        last = caller
    return True
