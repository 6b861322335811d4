"""Every answer of the simulated hosts as bytes, at an instant of the story."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from html import escape

from notifier.simulator import feed, page
from notifier.simulator.exchange import system_status
from notifier.simulator.script import Script
from notifier.simulator.shown import Shown, shown
from notifier.simulator.story import Fault

SYSTEM_STATUS = "/0/public/SystemStatus"
HTML = "text/html; charset=utf-8"
_JSON = "application/json; charset=utf-8"
_ERROR_PAGE = "<!DOCTYPE html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_CAPTIVE_PORTAL = (
    "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Log in to use this network.</body></html>"
)


@dataclass(frozen=True)
class Copy:
    """An answer before it goes out."""

    body: bytes
    content_type: str
    status: int = 200

    @cached_property
    def tag(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:32]

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.body, compresslevel=4, mtime=0)


def copy(script: Script, path: str, at: datetime) -> Copy:
    """What is at `path`. Everything but SYSTEM_STATUS is the same from one `turn` of the script to the next."""
    match path.removeprefix("/").split("/"):
        case ["0", "public", "SystemStatus"]:
            return _json(system_status(script, at))
        case ["api", "v2", *endpoint] if endpoint and endpoint[-1].endswith(".json"):
            found = page.answer(script, "/".join(endpoint).removesuffix(".json"), at)
            return _json(found) if found else _json(page.NOT_FOUND, 404)
        case ["history.atom"]:
            return Copy(feed.atom(script, at).encode(), "application/atom+xml; charset=utf-8")
        case ["history.rss"]:
            return Copy(feed.rss(script, at).encode(), "application/rss+xml; charset=utf-8")
        case ["incidents", wanted]:
            for seen in shown(script, at):
                if seen.incident.id == wanted:
                    return Copy(_web_page(seen).encode(), HTML)
    return error_page(404)


def disturbed(fault: Fault, found: Copy) -> Copy:
    """The answer that a fault makes of the right one, as far as that is a matter of its content."""
    match fault.answer:
        case "empty":
            return replace(found, body=b"", status=200)
        case "html":
            return Copy(_CAPTIVE_PORTAL.encode(), HTML)
        case int(status):
            return error_page(status) if fault.body is None else replace(found, body=fault.body.encode(), status=status)
    return found


def error_page(status: int) -> Copy:
    return Copy(_ERROR_PAGE.format(f"Error {status}").encode(), HTML, status)


def _json(body: page.Json, status: int = 200) -> Copy:
    return Copy(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), _JSON, status)


def _web_page(seen: Shown) -> str:
    title = escape(seen.title)
    told = "".join(
        f"<h2>{update.status}</h2><p>{escape(update.text)}</p><p>{update.display_at:%d %b %Y, %H:%M} UTC</p>"
        for update in seen.updates
    )
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1>{told}</body></html>"
