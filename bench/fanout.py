"""P7 and P8: what one change over 100,000 subscriptions costs in time and in bytes of database."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.figures import Figure
from bench.peer import Peer
from bench.world import TEN, people, running, settings, subscribe
from notifier.app import Service
from notifier.message import Receipt
from notifier.model import State
from notifier.parcel import Settlement
from notifier.subscription import Filter

PEOPLE = 100_000
FILTERS = 500
BATCH = 500


async def fanout(peer: Peer, folder: Path) -> list[Figure]:
    """All filters are distinct, and all of them want the change."""
    peer.show(0)
    database = folder / "notifier.db"
    async with running(settings(folder, peer)) as program:
        filters = [Filter(components=("Websocket", f"T{number}")) for number in range(FILTERS)]
        await subscribe(program.store, people(PEOPLE), filters)
        before = in_use(database)
        peer.show(1)
        wall, cpu = time.monotonic(), time.process_time()
        outcome = await program.poll.page(program.page_sources[0])
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        assert len(outcome.changes) == 1
        assert (await program.store.counts())["pending"] == PEOPLE + len(TEN)
        written = in_use(database)
        fan_out_floor, delivery_floor = _bare(database, folder / "bare.db")
        began = time.process_time()
        await _deliver_all(program)
        delivering = time.process_time() - began
        assert (await program.store.counts())["sent"] == PEOPLE + len(TEN)
        sent = in_use(database)
    return [
        Figure(
            number="P8",
            what=f"one change, {PEOPLE:,} subscriptions, {FILTERS} filters: all rows",
            unit="s",
            measured=wall,
            budget=1,
            floor=fan_out_floor,
            note=f"{cpu:.2f} s of CPU; reading the page included",
        ),
        Figure(
            number="P7",
            what="database for each delivery, waiting",
            unit="bytes",
            measured=(written - before) / PEOPLE,
        ),
        Figure(
            number="P7",
            what="database for each delivery, sent",
            unit="bytes",
            measured=(sent - before) / PEOPLE,
            budget=250,
            note="with its receipt and its thread",
        ),
        Figure(
            number="P7",
            what=f"intent and result of each delivery, by {BATCH}",
            unit="µs CPU",
            measured=delivering / PEOPLE * 1e6,
            floor=delivery_floor / PEOPLE * 1e6,
        ),
    ]


async def _deliver_all(program: Service) -> None:
    """As the senders do, without sending."""
    for channel in {sender.channel.name for sender in program.senders}:
        while parcels := await program.store.claim(channel, BATCH, datetime.now(UTC)):
            async with asyncio.TaskGroup() as settling:
                for parcel in parcels:
                    receipt = Receipt(to=parcel.address.target, ref=str(parcel.parts[-1].delivery_id), root=True)
                    settlement = Settlement(parcel=parcel, state=State.SENT, receipt=receipt)
                    settling.create_task(program.store.settle(settlement))


def in_use(database: Path) -> int:
    """Bytes in use, whatever still stands in the log."""
    with sqlite3.connect(database) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    connection.close()
    return int((pages - free) * size)


def _bare(database: Path, copy: Path) -> tuple[float, float]:
    """Seconds for the same rows by one statement, and seconds of CPU for their intents and results, on a copy."""
    with sqlite3.connect(database) as source, sqlite3.connect(copy) as bare:
        source.backup(bare)
        bare.execute("PRAGMA journal_mode=WAL")
        change, subject = bare.execute("SELECT max(change_id), max(subject_id) FROM deliveries").fetchone()
        bare.execute("DELETE FROM deliveries")
        bare.commit()
        began = time.monotonic()
        bare.execute(
            "INSERT INTO deliveries (change_id, subscription_id, subject_id, channel, state, attempt, due_at, news_at) "
            "SELECT ?, id, ?, channel, 'pending', 0, 0, 0 FROM subscriptions ORDER BY id",
            (change, subject),
        )
        bare.commit()
        fan_out = time.monotonic() - began
        rows = bare.execute("SELECT id FROM deliveries").fetchall()
        began = time.process_time()
        for first in range(0, len(rows), BATCH):
            batch = rows[first : first + BATCH]
            bare.executemany(
                "UPDATE deliveries SET state = 'sending', tried_at = 1, parcel_id = id WHERE id = ?", batch
            )
            bare.commit()
            bare.executemany(
                "UPDATE deliveries SET state = 'sent', due_at = NULL, receipt_ref = id WHERE id = ?", batch
            )
            bare.executemany(
                "INSERT INTO threads (subscription_id, subject_id, receipt_to, receipt_ref) "
                "SELECT subscription_id, subject_id, id, id FROM deliveries WHERE id = ?",
                batch,
            )
            bare.commit()
        return fan_out, time.process_time() - began
