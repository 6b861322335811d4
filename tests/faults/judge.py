"""What each reader is owed, by the told-rule as ARCHITECTURE.md has it, and whether they have it."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from notifier.message import Message, Tone
from notifier.model import Change, Kind, Phase, State, impact_rank
from notifier.retry import END_HORIZON, POLICIES
from notifier.store.told import loaded
from tests.faults.model_page import ModelPage
from tests.faults.providers import Post, Provider, incident_of, title, words

MARK = re.compile(r"\bu(\d+)e(\d+)\b")
"""How an update says its number and its edition."""


@dataclass(frozen=True)
class Reader:
    address: str
    """As the configuration has it; a chat that moved has another."""
    min_impact: str = "none"


READERS = (
    Reader("slack:C1"),
    Reader("slack:C2", min_impact="major"),
    Reader("telegram:-1"),
    Reader("telegram:-2", min_impact="major"),
    Reader("mailto:ops@example.com"),
)


@dataclass(frozen=True)
class Row:
    """A delivery as the database has it."""

    id: int
    change_id: int
    reader: str
    state: str


@dataclass
class Judge:
    path: Path
    page: ModelPage
    readers: Sequence[Reader]
    providers: Sequence[Provider]
    latest: datetime
    """The latest that any host's clock ever showed."""
    silent: set[int] = field(default_factory=set)
    """Numbers of the updates that were there at the baseline."""
    seen: int = 0
    """The newest change judged so far."""
    first_told: dict[str, int] = field(default_factory=dict)
    """Incident → how many readers had joined when it was first told."""
    joined: list[str] = field(default_factory=list)
    told: set[tuple[str, str]] = field(default_factory=set)
    """Reader and incident."""
    owed: set[tuple[str, int]] = field(default_factory=set)
    """Reader and number of an update."""
    off: set[str] = field(default_factory=set)
    """Readers that are told nothing, as of the end of the last step."""
    offs: Counter[str] = field(default_factory=Counter)
    counted: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def after_step(self) -> None:
        """Promises that hold at every moment."""
        with closing(sqlite3.connect(self.path)) as self._db:
            self._owe()
            active, known = set(), dict[str, str]()
            for address, written, is_active in self._db.execute("SELECT address, written, active FROM subscriptions"):
                known[address] = written
                active |= {written} if is_active else set()
            self._nothing_to_who_was_off(known, active)
            gone = {each.address for each in self.readers} - active
            for reader in gone - self.off:
                self.owed = {(who, number) for who, number in self.owed if who != reader}
                self.offs[reader] += 1
            self.off = gone
            self.joined += [reader for reader in sorted(active) if reader not in self.joined]
            self._nothing_ended_by_itself()
            self._no_repetition()
            self._in_order()

    def once_quiet(self) -> None:
        """Promises that hold when everybody could be reached for long enough."""
        with closing(sqlite3.connect(self.path)) as self._db:
            self._every_update_is_a_change()
            self._everybody_has_what_is_owed()
            self._nobody_hears_only_of_the_end()
            self._messages_are_current()

    def mark_unclean(self, process: int) -> None:
        """What a process that died had sent, and not written down."""
        with closing(sqlite3.connect(self.path)) as db:
            query = "SELECT id FROM deliveries WHERE state = 'sending' AND token = ?"
            under_way = {number for (number,) in db.execute(query, (process,))}
        for post in self._posts():
            if post.by == process and not under_way.isdisjoint(delivery_ids(post.message)):
                post.clean = False

    # What is owed.

    def _changes(self, after: int = 0) -> Iterator[tuple[int, Change]]:
        for number, doc in self._db.execute("SELECT id, doc FROM changes WHERE id > ? ORDER BY id", (after,)):
            yield number, loaded(doc)

    def _owe(self) -> None:
        for number, change in self._changes(after=self.seen):
            self.seen = number
            if change.incident_id is None:
                continue
            incident = change.incident_id
            first = incident not in self.first_told and not self._was_open_at_baseline(incident)
            self.first_told.setdefault(incident, len(self.joined))
            for reader in self.readers:
                if reader.address in self.joined and reader.address not in self.off:
                    self._owe_to(reader, incident, change, first=first)

    def _owe_to(self, reader: Reader, incident: str, change: Change, *, first: bool) -> None:
        late = change.phase is Phase.RESOLVED or change.phase is Phase.POSTMORTEM or self._follows_an_end(change)
        if change.kind is Kind.UPDATE_POSTED:
            introduces = first or not late
        else:
            rose = change.kind is Kind.INCIDENT_RETITLED and change.phase is Phase.WORSENED
            introduces = rose and change.ended_at is None
        told = (reader.address, incident) in self.told
        ends = change.phase is Phase.RESOLVED
        newcomer = self.joined.index(reader.address) >= self.first_told[incident]
        whoever = change.kind is Kind.UPDATE_POSTED and ends and (newcomer or self._was_open_at_baseline(incident))
        wants = change.impact is None or impact_rank(change.impact) >= impact_rank(reader.min_impact)
        if told or (wants and (introduces or whoever)):
            self.told.add((reader.address, incident))
            if change.kind is Kind.UPDATE_POSTED:
                self.owed |= {(reader.address, number) for number in marks(change.text)}

    def _follows_an_end(self, change: Change) -> bool:
        return change.phase is Phase.PROGRESS and change.ended_at is not None

    def _was_open_at_baseline(self, incident: str) -> bool:
        return any(self.page.posted[number] == incident for number in self.silent)

    # What holds at every moment.

    def _posts(self) -> list[Post]:
        return [post for provider in self.providers for post in provider.posts]

    def _reader_of(self, provider: Provider, post: Post) -> str:
        return next((old for old, new in provider.moved.items() if new == post.to), post.to)

    def _by_reader(self, provider: Provider) -> Mapping[str, list[Post]]:
        found: dict[str, list[Post]] = defaultdict(list)
        for post in provider.posts:
            found[self._reader_of(provider, post)].append(post)
        return found

    def _nothing_to_who_was_off(self, known: Mapping[str, str], active: set[str]) -> None:
        for provider in self.providers:
            for post in provider.posts[self.counted[provider.name] :]:
                reader = self._reader_of(provider, post)
                assert reader not in self.off or reader in active, f"{reader} was off and got {title(post.message)}"
            self.counted[provider.name] = len(provider.posts)

    def _nothing_ended_by_itself(self) -> None:
        for post in self._posts():
            incident = incident_of(post.message)
            for message in (post.message, *post.edits):
                over = message.tone is Tone.GOOD or "Resolved" in title(message)
                assert not (over and incident) or self.page.was_ever_over(incident), f"{title(message)}: it is not over"

    def _no_repetition(self) -> None:
        for provider in self.providers:
            for posts in self._by_reader(provider).values():
                by_delivery: dict[int, list[Post]] = defaultdict(list)
                for post in posts:
                    for number in delivery_ids(post.message):
                        by_delivery[number].append(post)
                for number, copies in by_delivery.items():
                    told = f"delivery {number} on {provider.name}: {[title(post.message) for post in copies]}"
                    assert not provider.can_find or len(copies) == 1, f"told twice: {told}"
                    assert not any(post.clean for post in copies[:-1]), f"told again after it was sent: {told}"

    def _in_order(self) -> None:
        """By the page's own order; a repetition is judged elsewhere."""
        updates = {row.id: mark for (_, mark), row in self._rows().items()}
        for provider in self.providers:
            for reader, posts in self._by_reader(provider).items():
                newest: dict[str | None, int] = defaultdict(int)
                heard: set[int] = set()
                for post in posts:
                    ids = set(delivery_ids(post.message))
                    told = [updates[each] for each in ids - heard if each in updates]
                    heard |= ids
                    if told:
                        incident = incident_of(post.message)
                        assert max(told) > newest[incident], f"{reader} got older news later: {words(post.message)}"
                        newest[incident] = max(told)

    # What holds once all is quiet.

    def _every_update_is_a_change(self) -> None:
        posted: Counter[int] = Counter()
        for _, change in self._changes():
            if change.kind is Kind.UPDATE_POSTED:
                posted.update(marks(change.text))
        wanted = {number: 1 for number in self.page.posted if number not in self.silent}
        assert posted == wanted, f"change rows {dict(posted)} for updates {sorted(wanted)}"

    def _rows(self) -> dict[tuple[str, int], Row]:
        """By reader and number of the update."""
        query = """SELECT d.id, d.change_id, s.written, d.state, c.doc FROM deliveries d
            JOIN subscriptions s ON s.id = d.subscription_id JOIN changes c ON c.id = d.change_id"""
        found = {}
        for number, change_id, reader, state, doc in self._db.execute(query):
            change = loaded(doc)
            if change.kind is Kind.UPDATE_POSTED:
                for mark in marks(change.text):
                    found[reader, mark] = Row(number, change_id, reader, state)
        return found

    def _everybody_has_what_is_owed(self) -> None:
        rows = self._rows()
        for provider in self.providers:
            posts = self._by_reader(provider)
            for reader, number in sorted(self.owed):
                if reader.split(":")[0] != provider.name:
                    continue
                row = rows.get((reader, number))
                assert row is not None, f"{reader} is owed u{number} and nobody wrote that down"
                if row.state == State.EXPIRED and self._was_too_old(provider, number):
                    continue
                has = [post for post in posts.get(reader, ()) if row.id in delivery_ids(post.message)]
                assert has, f"{reader} never got u{number}, which is {row.state}"
                assert any(number in marks(words(post.message)) for post in has), f"u{number} is not in its message"

    def _was_too_old(self, provider: Provider, number: int) -> bool:
        detected = min(change.detected_at for _, change in self._changes() if number in marks(change.text))
        return self.latest - detected >= min(POLICIES[provider.name].horizon, END_HORIZON)

    def _nobody_hears_only_of_the_end(self) -> None:
        for provider in self.providers:
            for reader, posts in self._by_reader(provider).items():
                heard = set()
                for post in posts:
                    incident = incident_of(post.message)
                    alone = title(post.message).partition(" ")[2].startswith("Resolved") and incident not in heard
                    if incident and alone and len(marks(words(post.message))) == 1:
                        newcomer = self.joined.index(reader) >= self.first_told.get(incident, 0)
                        stood_open = newcomer or self._was_open_at_baseline(incident)
                        expired = any(
                            row.reader == reader and row.state == State.EXPIRED for row in self._rows().values()
                        )
                        assert stood_open or expired, f"{reader} only heard {title(post.message)}"
                    heard.add(incident)

    def _messages_are_current(self) -> None:
        rows = {row.id: (mark, row) for (_, mark), row in self._rows().items()}
        for provider in self.providers:
            if not provider.can_edit:
                continue
            for reader, posts in self._by_reader(provider).items():
                if reader in self.off or self.offs[reader]:
                    continue
                last: dict[int, Post] = {}
                for post in posts:
                    for number in delivery_ids(post.message):
                        last[number] = post
                for number, post in last.items():
                    if number not in rows:
                        continue
                    mark, _ = rows[number]
                    newest = f"u{mark}e{self.page.editions[mark]}"
                    assert newest in words(post.now), f"{reader} still reads, without {newest}: {words(post.now)}"


def delivery_ids(message: Message) -> list[int]:
    return [int(each.rpartition("-")[2]) for each in message.delivery_ids]


def marks(text: str) -> list[int]:
    """The numbers of the updates that a text tells."""
    return [int(number) for number, _ in MARK.findall(text)]
