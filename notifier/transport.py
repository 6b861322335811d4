"""How whatever goes wrong on the way to a provider becomes one of the seven failures."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import PurePath
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from notifier.ports import Ambiguous, ChannelFailure, NotSent

NOT_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)
"""No connection, so no request: refused, DNS, TLS, proxy, and the time spent waiting for a connection."""

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10, sock_read=20)
"""Seconds. `connect` ends well before `total`, so that waiting for a connection in vain always means: not sent."""


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for this URL.

    Asked once for each provider: with `trust_env` aiohttp asks for every request anew, in a thread, which takes longer
    than the rest of the request.
    """
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


@contextmanager
def only_failures(provider: str, explain: Callable[[Exception], ChannelFailure | None] | None = None) -> Iterator[None]:
    """Whatever is raised inside leaves as one of the seven failures; cancellation passes.

    `explain` knows the provider's own errors. Causes are cut off, because errors of HTTP clients quote URLs, and URLs
    hold secrets; what nobody can explain is named by its type and its place.
    """
    try:
        yield
    except ChannelFailure:
        raise
    except NOT_SENT as error:
        raise NotSent(f"{provider} cannot be reached: {type(error).__name__}") from None
    except Exception as error:  # noqa: BLE001 - the port promises seven failures and nothing else
        raise (explain and explain(error)) or _unexplained(provider, error) from None


def seconds(value: str | None) -> float | None:
    """A Retry-After header as Slack sends it: whole seconds. None if absent, negative or anything else."""
    try:
        wait = float(value or "")
    except ValueError:
        return None
    return wait if isfinite(wait) and wait >= 0 else None


def _unexplained(provider: str, error: Exception) -> Ambiguous:
    if isinstance(error, aiohttp.ClientError | TimeoutError):
        return Ambiguous(f"no answer from {provider}: {type(error).__name__}")
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{PurePath(place.filename).name}:{place.lineno}"
    return Ambiguous(f"unexpected with {provider}: {type(error).__name__} in {where}", personal=True)
