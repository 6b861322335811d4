"""Telegram's side on a bare protocol, so that it costs little beside what is measured: takes messages, after a pause or
up to a rate, and hands out what people ask.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.askers import BOT, Askers

TOLERANCE = 0.05
"""Seconds by which a message may come before its turn, which is a gap after the one before: clocks and loops jitter."""

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_CHAT = re.compile(rb"chat_id=(-?\d+)")
_METHOD = re.compile(rb"\w+ \S*/(\w+)(\?\S*)?")
_HEAD_END = b"\r\n\r\n"
_PACED = frozenset({b"send", b"sendMessage", b"editMessageText"})
_TOLD = {
    b"getMe": BOT,
    b"getWebhookInfo": b'{"url":"","has_custom_certificate":false,"pending_update_count":0}',
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """How calls are answered."""

    pause: float = 0.0
    """Seconds that each takes."""
    per_second: float | None = None
    """What comes sooner is refused with 429."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What came since the rule was set; instants in seconds of the clock that all processes share."""

    sent: int = 0
    refused: int = 0
    first: float = 0.0
    last: float = 0.0
    early: float = 0.0
    """Seconds by which the hastiest message, refused or not, came before its turn."""

    @property
    def seconds(self) -> float:
        return self.last - self.first


class BotApi:
    """Every method that writes a message answers as sendMessage does. `arrived` hears of the first message after each
    new rule.
    """

    def __init__(self, arrived: Callable[[], None]) -> None:
        self._arrived = arrived
        self._rule = Rule()
        self._turn = 0.0
        self._number = 0
        self.tally = Tally()
        self.askers = Askers()

    def obey(self, rule: Rule) -> None:
        self._rule, self._turn, self.tally = rule, 0.0, Tally()

    def take(self, method: bytes, query: bytes, body: bytes, transport: asyncio.Transport) -> None:
        if method == b"getUpdates":
            self.askers.read(query, lambda updates: transport.write(_ok(updates)))
            return
        answer = self._answer(body) if method in _PACED else _ok(_TOLD.get(method, b"true"))
        if self._rule.pause:
            asyncio.get_running_loop().call_later(self._rule.pause, transport.write, answer)
        else:
            transport.write(answer)

    def _answer(self, body: bytes) -> bytes:
        now, tally = time.monotonic(), self.tally
        if self._rule.per_second:
            early = self._turn - now
            tally = replace(tally, early=max(tally.early, early))
            if early > TOLERANCE:
                self.tally = replace(tally, refused=tally.refused + 1)
                wanted = (
                    b'{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":1}}'
                )
                return _http(b"429 Too Many Requests", wanted)
            self._turn = max(self._turn, now) + 1 / self._rule.per_second
        if not tally.sent:
            self._arrived()
        self.tally = replace(tally, sent=tally.sent + 1, first=tally.first or now, last=now)
        self._number += 1
        chat = found[1] if (found := _CHAT.search(body)) else b"1"
        self.askers.answered(int(chat), now)
        return _ok(b'{"message_id":%d,"date":0,"chat":{"id":%b,"type":"private"}}' % (self._number, chat))


class Connection(asyncio.Protocol):
    """One connection kept alive, its requests each with a length."""

    _transport: asyncio.Transport

    def __init__(self, api: BotApi) -> None:
        self._api = api
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(_HEAD_END)) >= 0:
            length = _LENGTH.search(self._buffer, 0, end)
            until = end + len(_HEAD_END) + (int(length[1]) if length else 0)
            if len(self._buffer) < until:
                return
            asked = _METHOD.match(self._buffer)
            body, self._buffer = self._buffer[end:until], self._buffer[until:]
            if asked:
                self._api.take(asked[1], asked[2] or b"", body, self._transport)


def _http(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def _ok(result: bytes) -> bytes:
    return _http(b"200 OK", b'{"ok":true,"result":%b}' % result)
