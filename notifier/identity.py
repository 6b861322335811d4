"""Which update is which. An update's identity is its id; one that has none (the feed's) is found again by status,
minute, text and place, and takes the API's id when the API shows it. Nothing here looks at an incident's dates.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence

from notifier.known import KnownUpdate
from notifier.model import Update, fingerprint


def is_provisional(update_id: str) -> bool:
    """Whether an id is ours, until the API gives one."""
    return update_id.startswith(("feed:", "implied:"))


def pair(known: Sequence[KnownUpdate], seen: Sequence[Update]) -> list[KnownUpdate | None]:
    """For each update seen (oldest first) the known one that it is, or None if it is new.

    Equal ones are told apart by their order: the second of two identical updates is the second one known, even if the
    first was edited meanwhile.
    An update with an API id is only ever paired with that id or with one that still waits for an id.
    """
    by_id = {update.id: update for update in known}
    paired: list[KnownUpdate | None] = [by_id.get(update.id) if update.id else None for update in seen]
    taken = {update.id for update in paired if update}

    def match(
        keys: Callable[[int, KnownUpdate], Iterable[Hashable]],
        key: Callable[[int, Update], Hashable],
        accept: Callable[[KnownUpdate], bool] = lambda _: True,
    ) -> None:
        waiting: defaultdict[Hashable, deque[KnownUpdate]] = defaultdict(deque)
        for place, update in enumerate(known):
            if update.id not in taken and accept(update):
                for each in keys(place, update):
                    waiting[each].append(update)
        for place, new in enumerate(seen):
            if paired[place] is not None:
                continue
            candidates = waiting[key(place, new)]
            while candidates:
                candidate = candidates.popleft()
                if candidate.id not in taken and (new.id is None or is_provisional(candidate.id)):
                    paired[place] = candidate
                    taken.add(candidate.id)
                    break

    def words(text: str) -> str:
        return " ".join(text.split())

    match(lambda n, k: [(n, form) for form in k.fingerprints], lambda n, u: (n, fingerprint(u.status, u.at, u.text)))
    match(lambda _, k: k.fingerprints, lambda _, u: fingerprint(u.status, u.at, u.text))
    match(lambda _, k: [(k.status, _minute(k))], lambda _, u: (u.status, _minute(u)))
    match(lambda _, k: [(k.status, words(k.text))], lambda _, u: (u.status, words(u.text)))
    match(lambda n, k: [(n, _minute(k))], lambda n, u: (n, _minute(u)), lambda k: not _is_implied(k))
    match(lambda _, k: [k.status], lambda _, u: u.status, _is_implied)
    return paired


def _is_implied(update: KnownUpdate) -> bool:
    """Whether nobody posted it: it stands for an end that was stated without an update."""
    return update.id.startswith("implied:")


def _minute(update: KnownUpdate | Update) -> str:
    return f"{update.at:%Y-%m-%dT%H:%M}"
