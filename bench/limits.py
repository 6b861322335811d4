"""P5: how much of an enforced rate is used, and how many messages are refused for coming too soon."""

from __future__ import annotations

from pathlib import Path

from bench.bot_api import TOLERANCE, Rule
from bench.figures import Figure
from bench.peer import Peer
from bench.world import outbox_filled, settings, telegram_of

SECONDS = 12
LIMITS = ((30, 8, 0.99), (1000, 128, 0.97))
"""Messages a second, sends at once, and the share that is to be reached."""


async def limits(peer: Peer, folder: Path) -> list[Figure]:
    return [each for number, limit in enumerate(LIMITS) for each in await _limit(peer, folder / str(number), *limit)]


async def _limit(peer: Peer, folder: Path, per_second: int, in_flight: int, share: float) -> list[Figure]:
    wanted = settings(folder, peer, messages_per_second=per_second, max_in_flight=in_flight)
    async with outbox_filled(wanted, peer, per_second * SECONDS) as program:
        peer.telegram(Rule(per_second=per_second))
        await telegram_of(program).run(until_empty=True)
        tally = peer.tally()
        peer.telegram(Rule())
    what = f"{per_second:,}/s enforced, {in_flight} at once"
    return [
        Figure(
            number="P5",
            what=f"{what}: share of it used",
            unit="",
            measured=(tally.sent - 1) / tally.seconds / per_second,
            budget=share,
            at_least=True,
            note=f"{tally.sent:,} messages in {tally.seconds:.1f} s",
        ),
        Figure(
            number="P5",
            what=f"{what}: answers 429",
            unit="",
            measured=tally.refused,
            budget=0,
            note=f"{tally.early * 1000:.0f} ms early at most, {TOLERANCE * 1000:.0f} tolerated",
        ),
    ]
