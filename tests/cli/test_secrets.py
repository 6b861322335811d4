"""What is printed or kept, at whatever level and whatever goes wrong, holds no secret."""

from __future__ import annotations

from pathlib import Path

from tests.cli.asking import Ask, moved_to
from tests.receivers import reply_lost
from tests.receivers.mail import refuses_login
from tests.running import program
from tests.town import SUBSCRIPTIONS, Town


async def test_no_secret_is_ever_printed_or_kept(ask: Ask, there: Town, config: Path) -> None:
    settings = there.settings(config.parent / "notifier.db", more='[log]\nlevel = "debug"')
    config.write_text(settings)
    printed = []
    there.telegram.next(reply_lost())
    there.slack.next(reply_lost())
    there.mail.next(refuses_login("535 5.7.8 Authentication failed for bot"))
    for down in (False, True):
        there.slack.refusals = {"C0TRADING": "invalid_auth"} if down else {}
        async with program("-m", "notifier", "run", "--config", str(config), cwd=config.parent) as running:
            await there.polled(2)
            moved_to(there, int(down))
            await there.polled(5)
            assert await running.stop() == 0
        printed.append(running.printed)
    for command in ("check", "status", "incidents", "deliveries"):
        printed += [(await ask(command)).output, (await ask(command, "--json")).output]
    there.telegram.token = there.slack.token = "revoked"
    there.mail.next(refuses_login("535 5.7.8 Authentication failed for bot"))
    printed += [(await ask("check")).output, *[(await ask("test", address)).output for address in SUBSCRIPTIONS]]
    assert any("delivery" in each for each in printed)
    assert not [each for each in printed if "canary" in each]
    kept = [*config.parent.glob("notifier.db*")]
    assert not [path.name for path in kept if b"canary" in path.read_bytes()]
