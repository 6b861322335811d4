"""A web server of raw bytes on loopback: it says exactly what a test tells it to, truncated, endless or not at all."""

from __future__ import annotations

import asyncio
import gzip
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext


@dataclass
class Wire:
    """What a server was asked, on how many connections."""

    url: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    """The headers, names in lower case; the request line under ""."""
    connections: int = 0

    @property
    def paths(self) -> list[str]:
        return [request[""].split()[1] for request in self.requests]


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Writes one answer. The connection serves the next request unless the writer was closed."""


@asynccontextmanager
async def serving(*answers: Answer, tls: SSLContext | None = None) -> AsyncIterator[Wire]:
    """Gives the answers in turn, the last one again and again."""
    wire = Wire()
    lines: list[tuple[asyncio.StreamWriter, asyncio.Event]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.connections += 1
        ended = asyncio.Event()
        lines.append((writer, ended))
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                wire.requests.append(_headers(await reader.readuntil(b"\r\n\r\n")))
                await answers[min(len(wire.requests), len(answers)) - 1](reader, writer)
                await writer.drain()
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    wire.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield wire
    finally:
        server.close()
        for writer, ended in lines:
            writer.close()
            await ended.wait()


def _headers(head: bytes) -> dict[str, str]:
    request, *headers = head.decode().strip().split("\r\n")
    return {"": request, **{name.lower(): value for name, _, value in (line.partition(": ") for line in headers)}}


def response(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """One whole answer; a header's name is written with _ for -, and left out where the value is empty."""
    stated = {"content_type": "application/json; charset=utf-8", "content_length": str(len(body)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in stated.items() if value]
    return f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n".encode() + body


def bomb(megabytes: int) -> bytes:
    """So many megabytes of blanks in gzip; only one of them is packed, which is a hundred times as quick."""
    blanks, crc = b" " * 2**20, 0
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(megabytes):
        crc = zlib.crc32(blanks, crc)
    return gzip.compress(b"")[:10] + packed * megabytes + packer.flush() + struct.pack("<II", crc, megabytes * 2**20)


def saying(body: bytes = b"", status: str = "200 OK", **headers: str) -> Answer:
    """An ordinary answer."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(response(body, status, **headers))

    return answer


def unchanged() -> Answer:
    return saying(status="304 Not Modified", content_type="", content_length="")


def breaking_off(sent: bytes) -> Answer:
    """Sends these bytes and hangs up."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        writer.close()

    return answer


def stalling(sent: bytes) -> Answer:
    """Sends these bytes and then nothing, until the client hangs up."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await reader.read()
        writer.close()

    return answer


def endless(sent: bytes, piece: bytes) -> Answer:
    """Sends these bytes and then the piece, again and again, until the client hangs up."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)

    return answer
