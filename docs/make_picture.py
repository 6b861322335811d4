#!/usr/bin/env python3
"""Takes docs/messages-light.png and docs/messages-dark.png: the incident of 24 February 2026 as its readers see it.

    python docs/make_picture.py

The page is that of `notifier preview websocket-2026-02-24`; Chromium, which must be installed, draws it.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from notifier.config import Settings
from notifier.preview import preview
from notifier.rehearsal import DEMO_SCRIPT

WIDTH = 1_040
"""CSS pixels: the channel of Slack and its thread stand side by side."""
SCALE = 1.2

NAMES = {"C0TRADING": "trading-desk", "chat -1001234567890": "group"}
"""What clients call the imaginary recipients."""

CROPPED = """<style>
body { padding: 2px; background: none; }
body > header, h2, .mail dl { position: absolute; clip-path: inset(50%); }
.window { max-height: 730px; }
.panes { max-height: 645px; }
.telegram .window { display: flex; flex-direction: column; }
.chat { flex: 1; min-height: 0; overflow: hidden; justify-content: flex-end; }
</style></head>"""
"""Windows of a screen's size on a transparent ground, the chat at its newest message; no headings."""

MEASURE = (
    "<script>document.title = Math.ceil(document.querySelector('main').getBoundingClientRect().bottom + 2)</script>"
)


def chromium(folder: Path, html: str, *options: str) -> str:
    """Opens a page; what was printed. The frames of the mails share its process, or they may come too late."""
    file = folder / "page.html"
    file.write_text(html, encoding="utf-8")
    options = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"),
        *("--disable-features=IsolateSandboxedIframes", "--virtual-time-budget=5000"),
        *(f"--user-data-dir={folder / 'profile'}", *options),
    )
    command = ["chromium", *options, file.as_uri()]
    ran = subprocess.run(  # noqa: S603 - the page is our own
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120
    )
    return ran.stdout.decode()


def take(folder: Path, html: str, picture: Path) -> None:
    """The page as high as it is wide enough; only for measuring may a script run in it."""
    measured = re.sub("<meta http-equiv=[^>]*>", "", html).replace("</body>", f"{MEASURE}</body>")
    seen = chromium(folder, measured, f"--window-size={WIDTH},1000", "--dump-dom")
    [height] = re.findall(r"<title>(\d+)</title>", seen)
    shot = ("--default-background-color=00000000", f"--force-device-scale-factor={SCALE}", f"--screenshot={picture}")
    chromium(folder, html, f"--window-size={WIDTH},{height}", *shot)


def main() -> None:
    html = asyncio.run(preview(Settings(), DEMO_SCRIPT)).html
    for address, name in NAMES.items():
        html = html.replace(address, name)
    with TemporaryDirectory(prefix="notifier-picture-") as folder:
        for theme in ("light", "dark"):
            picture = Path(__file__).with_name(f"messages-{theme}.png")
            themed = html.replace('data-theme="auto"', f'data-theme="{theme}"', 1).replace("</head>", CROPPED)
            take(Path(folder), themed, picture)
            sys.stdout.write(f"{picture.name}: {picture.stat().st_size // 1024} KB\n")


if __name__ == "__main__":
    main()
