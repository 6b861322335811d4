"""The commands that watch: `demo` and `run`."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifier import wiring
from notifier.config import load
from notifier.ports import StoreRefused
from notifier.store.engine import only_process
from tests.cli.asking import Ask, in_json, moved_to, once
from tests.running import notifier, program
from tests.town import Town


async def test_the_demonstration_shows_three_states_on_four_channels(tmp_path: Path) -> None:
    demo = await notifier("demo", cwd=tmp_path)
    assert demo.process.returncode == 0
    assert demo.err == []
    for channel in ("Slack", "Slack webhook", "Telegram", "Mail"):
        [summary] = [line for line in demo.out if line.strip().startswith(f"{channel}  ") and "4" in line]
        assert summary.split()[-6:-2] == ["4", "investigating,", "monitoring,", "resolved"]
        assert "11:29" <= summary.split()[-2] < "11:35", "before the next update, however busy the machine"
        panels = [line for line in demo.out if f"UTC · {channel} · " in line]
        assert len(panels) == (6 if channel in ("Slack", "Telegram") else 4), "their first message follows twice"
    assert [*tmp_path.iterdir()] == [], "and leaves nothing behind"


async def test_without_any_configuration_the_terminal_is_told(there: Town, tmp_path: Path) -> None:
    url = there.simulator.url
    env = {
        "NOTIFIER_STATUS_PAGE__URL": url,
        "NOTIFIER_EXCHANGE__API_URL": url,
        "NOTIFIER_STATUS_PAGE__POLL_SECONDS": "0.1",
        "NOTIFIER_STATUS_PAGE__ACTIVE_POLL_SECONDS": "0.1",
    }
    async with program("-m", "notifier", "run", env=env, cwd=tmp_path) as running:
        await running.until(lambda: any("You will hear from Kraken status here" in line for line in running.out))
        moved_to(there, 0)
        await running.until(lambda: any("Investigating: WebSocket API" in line for line in running.out))
        assert await running.stop() == 0
    assert running.err[0] == f"watching {url} every 0.1 s; telling 1 × Terminal"
    assert running.err[-1] == "deliveries: 2 sent"
    assert not any("Traceback" in line for line in running.err)


async def test_once_is_for_cron(there: Town, config: Path) -> None:
    config.write_text(there.settings(config.parent / "notifier.db", subscriptions=["console:"]))
    baseline = await once(config)
    moved_to(there, 0)
    news = await once(config)
    silence = await once(config)
    assert [line for line in baseline.out if "👋" in line] == ["👋 You will hear from Kraken status here"]
    assert [line for line in news.out if "🟠" in line] == ["🟠 Investigating: WebSocket API connection errors"]
    assert silence.out == []
    assert silence.err[-1] == "deliveries: 2 sent"


@pytest.mark.fault("F4")
async def test_a_second_process_waits_until_the_first_one_leaves_the_database(
    ask: Ask, there: Town, config: Path
) -> None:
    async with program("-m", "notifier", "run", "--config", str(config), cwd=config.parent) as first:
        await there.polled(1)
        async with program("-m", "notifier", "run", "--config", str(config), cwd=config.parent) as second:
            await second.until(lambda: any("waiting for the process before" in line for line in second.err))
            doing = in_json(await ask("status", "--json"))["duties"]
            assert {each["duty"] for each in doing} >= {"poll", "inbox", "send/slack", "send/mailto"}
            assert len({each["process"] for each in doing}) == 1 and None not in {each["since"] for each in doing}
            assert await first.stop() == 0
            await there.polled(2)
            assert await second.stop() == 0
    assert second.err[-1] == first.err[-1] == "deliveries: 5 sent"
    told = await ask("status")
    assert "no notifier is running on this database" in told.stdout
    assert {each["process"] for each in in_json(await ask("status", "--json"))["duties"]} == {None}


async def test_it_refuses_if_the_first_one_stays(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "TAKEOVER_SECONDS", 0)
    with (
        only_process(f"sqlite:///{config.parent / 'notifier.db'}"),
        pytest.raises(StoreRefused, match="another notifier is running on this database"),
    ):
        async with wiring.alone(load(config, {})):
            pass
