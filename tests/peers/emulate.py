"""A second opinion of Slack: https://github.com/vercel-labs/emulate keeps channels, threads, metadata and scopes.

It answers POST only, takes any blocks, and cannot be told to fail.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.peers.node import NODE, module
from tests.running import free_port

CHANNEL = "C000000001"
"""It has a channel of this id from the start."""


@asynccontextmanager
async def emulate(folder: Path, tokens: Mapping[str, Sequence[str]]) -> AsyncIterator[str]:
    """Its `api_url`, as long as the `async with`. `tokens` are bearers and their scopes, which it enforces."""
    program = module("emulate/dist/index.js")
    seed = folder / "seed.json"
    bearers = [{"token": token, "scopes": scopes} for token, scopes in tokens.items()]
    seed.write_text(json.dumps({"slack": {"strict_scopes": True, "tokens": bearers}}))
    port = free_port()
    arguments = ("start", "--service", "slack", "--port", str(port), "--seed", str(seed))
    process = await asyncio.create_subprocess_exec(
        NODE, program, *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(20):
            await _ready(process)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
        yield f"http://127.0.0.1:{port}/api/"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    said = b""
    async for line in process.stdout:
        said += line
        if b"Ready" in line:
            return
    raise RuntimeError(f"emulate did not start: {said.decode(errors='replace')}")
