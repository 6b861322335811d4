"""People who ask the bot while it tells others, and how long each of them waits for his answer."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FIRST, MANY = 2_000_000_000, 1_000
"""The chats they ask in: each of them once in so many questions."""

QUESTIONS = ("/status", "/follow sol", "press")
"""In turn; the press chooses an impact, which is written."""
PRESSED = "set impact major"

BOT = b'{"id":1,"is_bot":true,"first_name":"Bench","username":"bench_bot"}'
PATIENCE = 60.0
"""Seconds after which who is not answered counts as having waited so long."""

_OFFSET = re.compile(rb"[?&]offset=(\d+)")
_TIMEOUT = re.compile(rb"[?&]timeout=(\d+)")


@dataclass(frozen=True, slots=True)
class Waited:
    question: str
    seconds: float
    """From the question to the answer as a message, new or changed."""


class Askers:
    """`read` is getUpdates: it answers as soon as there is something to read."""

    def __init__(self) -> None:
        self._number = 0
        self._unread: list[tuple[int, dict[str, Any]]] = []
        self._reader: Callable[[bytes], None] | None = None
        self._asked: dict[int, tuple[str, float]] = {}
        self._waited: list[Waited] = []
        self._asking: asyncio.Task[None] | None = None

    def begin(self, per_second: float, seconds: float) -> None:
        self._asked.clear()
        self._waited.clear()
        self._asking = asyncio.get_running_loop().create_task(self._ask(per_second, seconds))

    def waited(self) -> list[Waited]:
        return self._waited + [Waited(question, PATIENCE) for question, _ in self._asked.values()]

    def read(self, query: bytes, answer: Callable[[bytes], None]) -> None:
        if found := _OFFSET.search(query):
            self._unread = [each for each in self._unread if each[0] >= int(found[1])]
        wait = _TIMEOUT.search(query)
        self._reader = answer
        self._hand_out(even_nothing=not wait or not int(wait[1]))
        if wait and self._reader is answer:
            asyncio.get_running_loop().call_later(int(wait[1]), self._give_up, answer)

    def answered(self, chat: int, at: float) -> None:
        if asked := self._asked.pop(chat, None):
            self._waited.append(Waited(asked[0], at - asked[1]))

    async def _ask(self, per_second: float, seconds: float) -> None:
        began = time.monotonic()
        for number in range(round(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
            self._number += 1
            question, chat = QUESTIONS[number % len(QUESTIONS)], FIRST + self._number % MANY
            self._asked[chat] = question, time.monotonic()
            self._unread.append((self._number, _update(self._number, chat, question)))
            self._hand_out()

    def _hand_out(self, *, even_nothing: bool = False) -> None:
        if self._reader is not None and (self._unread or even_nothing):
            self._reader(json.dumps([doc for _, doc in self._unread[:100]]).encode())
            self._reader = None

    def _give_up(self, reader: Callable[[bytes], None]) -> None:
        if self._reader is reader:
            self._hand_out(even_nothing=True)


def _update(number: int, chat: int, question: str) -> dict[str, Any]:
    person = {"id": chat, "is_bot": False, "first_name": "Ada", "language_code": "en"}
    message = {"message_id": number, "date": int(time.time()), "chat": {"id": chat, "type": "private"}}
    if question != "press":
        return {"update_id": number, "message": {**message, "from": person, "text": question}}
    shown = {**message, "from": json.loads(BOT), "text": "Settings"}
    press = {"id": str(number), "from": person, "chat_instance": "1", "data": PRESSED, "message": shown}
    return {"update_id": number, "callback_query": press}
