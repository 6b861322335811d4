"""A line to a PostgreSQL server that is cut, or falls silent, where a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import sqlalchemy as sa


class Wire:
    """Carries bytes both ways, until told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._there = host, port
        self._ends: set[asyncio.StreamWriter] = set()
        self._served: set[asyncio.Task[None] | None] = set()
        self._carries = asyncio.Event()
        self._carries.set()
        self.lose_commit = False
        """The server gets the next COMMIT and obeys it; then the line is cut, and its answer is lost."""
        self.deaf = False
        """Whoever wants to LISTEN is cut off."""
        self.carried = 0
        """Connections so far."""
        self._losing = False

    def fall_silent(self) -> None:
        """Nothing arrives any more, either way, and nobody is told."""
        self._carries.clear()

    def speak(self) -> None:
        self._carries.set()

    def cut(self) -> None:
        for end in self._ends:
            end.transport.abort()

    async def end(self) -> None:
        self.speak()
        self.cut()
        await asyncio.wait({task for task in self._served if task is not None})

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.carried += 1
        self._served.add(asyncio.current_task())
        there, to = await asyncio.open_connection(*self._there)
        ends = {writer, to}
        self._ends |= ends
        async with asyncio.TaskGroup() as both:
            both.create_task(self._carry(reader, to, ends, self._heard))
            both.create_task(self._carry(there, writer, ends, self._passes))
        self._ends -= ends

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: set[asyncio.StreamWriter],
        passes: Callable[[bytes], bool],
    ) -> None:
        """Until one end closes, or the line is cut; then both ends are."""
        with suppress(ConnectionError):
            while said := await reader.read(65536):
                await self._carries.wait()
                if not passes(said):
                    break
                writer.write(said)
        for end in ends:
            end.transport.abort()

    def _heard(self, asked: bytes) -> bool:
        self._losing = self.lose_commit and b"COMMIT\0" in asked
        return not (self.deaf and b"LISTEN" in asked)

    def _passes(self, _answer: bytes) -> bool:
        lost, self._losing = self._losing, False
        self.lose_commit = self.lose_commit and not lost
        return not lost


@asynccontextmanager
async def wire(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A line, and the URL that leads over it."""
    there = sa.make_url(url)
    made = Wire(there.host or "", there.port or 5432)
    server = await asyncio.start_server(made.serve, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    try:
        yield made, there.set(port=port).render_as_string(hide_password=False)
    finally:
        server.close()
        await made.end()
