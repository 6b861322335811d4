"""The checker of validator.w3.org: https://validator.github.io/validator/."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.peers.node import module, run


def problems(folder: Path) -> list[str]:
    """What is wrong with the HTML files of a folder, by one run for all: `name:line: text`. Warnings count."""
    java = shutil.which("java")
    if java is None:
        pytest.skip("needs the package default-jre-headless")
    files = sorted(folder.glob("*.html"))
    quick = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")  # compiled for a run of a second
    judged = run(
        java, "-Xss2m", *quick, "-jar", module("vnu-jar/build/dist/vnu.jar"), "--format", "json", *files, cwd=folder
    )
    if not judged.stderr.lstrip().startswith("{"):
        raise RuntimeError(f"the checker did not judge: {judged.stderr[:500]}")
    found = json.loads(judged.stderr)["messages"]
    return [f"{Path(unquote(each['url'])).name}:{each.get('lastLine', 0)}: {each['message']}" for each in found]
