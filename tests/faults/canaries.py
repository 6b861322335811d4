"""Secrets that can be recognised in whatever form they leak, and everybody who is told with them, on loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from notifier.config import Settings, load
from notifier.simulator import Script, Simulator
from tests.doubles import FrozenClock
from tests.receivers.mail import FakeMail
from tests.receivers.slack import FakeSlack
from tests.receivers.telegram import FakeTelegram
from tests.sources.wire import Wire, saying, serving

BIRD = "c4naryB1rd"
"""In every secret. No name of a test or of a file has it, as tracebacks quote those."""

SLACK, TELEGRAM = f"xoxb-1-{BIRD}-slack", f"4242:{BIRD}-telegram"
PASSWORD, DATABASE = f'"{BIRD}\\@mail/ü? +', f"{BIRD}@base/9"
PLAIN = base64.b64encode(f"\0bot\0{PASSWORD}".encode()).decode()
"""The password as SMTP's AUTH PLAIN says it."""
TO = ("slack:C0TRADING", "slack-webhook:ops", "telegram:-1001", "mailto:ops@example.com", "console:")


def _forms() -> tuple[str, ...]:
    """The bird as it is, and in base64, wherever in a text it begins; percent-encoding leaves it as it is."""
    encoded = []
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + BIRD.encode()).decode()
        encoded.append(whole[(shift * 8 + 5) // 6 : len(bytes(shift) + BIRD.encode()) * 8 // 6])
    return (BIRD, *encoded)


FORMS = _forms()


def traces(of: str | bytes) -> list[str]:
    """What of the secrets can be read there, with a little of what stands around it."""
    text = of.decode("latin-1") if isinstance(of, bytes) else of
    places = [text.lower().find(BIRD.lower()), *(text.find(form) for form in FORMS[1:])]
    return [text[max(0, place - 80) : place + 40] for place in places if place >= 0]


@dataclass(frozen=True, kw_only=True)
class Aviary:
    """A page and everybody who may be told, each of whom demands its secret."""

    clock: FrozenClock
    simulator: Simulator
    slack: FakeSlack
    hooks: FakeSlack
    telegram: FakeTelegram
    mail: FakeMail
    heartbeat: Wire
    folder: Path

    def environment(self, **more: str) -> dict[str, str]:
        names = {
            "STATUS_PAGE__URL": self.simulator.url,
            "EXCHANGE__API_URL": self.simulator.url,
            "STORE__URL": f"sqlite:///{self.folder / 'notifier.db'}",
            "SLACK__BOT_TOKEN": SLACK,
            "SLACK__API_URL": self.slack.url,
            "SLACK__WEBHOOKS__OPS": self.hooks.webhook("ops"),
            "TELEGRAM__BOT_TOKEN": TELEGRAM,
            "TELEGRAM__API_URL": self.telegram.url,
            "EMAIL__SMTP_URL": self.mail.url,
            "EMAIL__SENDER": "Kraken status <status@example.com>",
            "SUBSCRIPTIONS": ",".join(TO),
            "OPERATORS__TO": json.dumps(TO[:4]),
            "OPERATORS__HEARTBEAT_URL": f"{self.heartbeat.url}/ping/{BIRD}?key={quote(DATABASE, safe='')}",
            **more,
        }
        return {f"NOTIFIER_{key}": value for key, value in names.items()}

    def settings(self, **more: str) -> Settings:
        return load(None, self.environment(**more))


@asynccontextmanager
async def aviary(folder: Path, script: Script) -> AsyncIterator[Aviary]:
    clock = FrozenClock(script.page.start)
    clock.second = 1e-6  # every pause is over at once
    async with AsyncExitStack() as stack:
        yield Aviary(
            clock=clock,
            simulator=await stack.enter_async_context(Simulator(script, clock.now)),
            slack=await stack.enter_async_context(FakeSlack(SLACK, clock=lambda: clock.now().timestamp())),
            hooks=await stack.enter_async_context(FakeSlack(f"{BIRD}-{24 * 'x'}-{BIRD}-hook")),
            telegram=await stack.enter_async_context(FakeTelegram(TELEGRAM)),
            mail=await stack.enter_async_context(FakeMail(users={"bot": PASSWORD})),
            heartbeat=await stack.enter_async_context(serving(saying(b"ok"), saying(b"", "503 Unavailable"))),
            folder=folder,
        )
