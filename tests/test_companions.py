"""A channel is more than its module: what each one must bring along."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import tests.channels
from notifier.channels import CHANNELS
from notifier.retry import POLICIES
from notifier.subscription import Address
from tests.channels.contract import ChannelContract

ROOT = Path(__file__).parents[1]

HANDMADE = {"console": "test_console", "mailto": "test_email"}
"""Not spoken to over HTTP, so that the contract of the others does not fit: their tests keep it in their own words."""


def under_contract() -> set[str]:
    """The channels whose tests inherit the contract."""
    modules = [
        importlib.import_module(f"tests.channels.{each.name}") for each in pkgutil.iter_modules(tests.channels.__path__)
    ]
    contracts = [
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, ChannelContract) and each is not ChannelContract
    ]
    return {each.to.channel for each in contracts}


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_has_its_companions(name: str) -> None:
    assert name in POLICIES, f"write a policy for {name} in retry.py"
    example = (ROOT / "config.example.toml").read_text()
    addresses = re.findall(rf"(?<![\w-]){name}:[^\s\",]*", example)
    assert addresses, f"show an address of {name} in config.example.toml"
    own_tests = ROOT / "tests" / "channels" / f"{HANDMADE.get(name)}.py"
    assert name in under_contract() or own_tests.exists(), f"let tests of {name} inherit ChannelContract"


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_is_called_by_the_scheme_of_its_addresses(name: str) -> None:
    with pytest.raises(ValueError, match=rf"is not a {name} address; write it like {name}:"):
        Address.parse(f"{name}:?")


def test_nothing_is_brought_along_for_a_channel_that_does_not_exist() -> None:
    assert set(POLICIES) == set(CHANNELS)
    assert under_contract() <= set(CHANNELS)
