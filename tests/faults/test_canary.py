"""No secret is logged, printed or kept, in whatever form, however much is logged and whatever goes wrong."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from notifier.app import Service, service
from notifier.logs import logging_to
from notifier.message import Message, Receipt
from notifier.settings import secrets_of
from notifier.subscription import Address
from notifier.wiring import open_store
from tests.faults.canaries import PASSWORD, PLAIN, SLACK, TELEGRAM, Aviary, aviary, traces
from tests.receivers import Fault, answer, html, refused, reply_lost, truncated
from tests.receivers.mail import (
    MailFault,
    busy,
    drops_after_the_dot,
    drops_before_the_dot,
    refuses_login,
    refuses_mail,
    refuses_recipient,
)
from tests.receivers.telegram import refusal
from tests.test_logs import restored
from tests.town import outage

HTTP = [html(502), html(200), reply_lost(), truncated(), refused(), html(302)]
SLACK_SAYS = ["internal_error", "invalid_auth", "missing_scope", "invalid_blocks", "a_word_of_tomorrow"]
SLACK_FAULTS: Sequence[Fault] = [
    *HTTP,
    *(answer(200, {"ok": False, "error": error}) for error in SLACK_SAYS),
    answer(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "1"}),
    answer(200, {"ok": False, "error": "channel_not_found"}),
]
HOOK_FAULTS: Sequence[Fault] = [
    *HTTP,
    answer(429, "rate_limited", {"Retry-After": "1"}),
    answer(400, "invalid_payload"),
    answer(500, "rollup_error"),
    answer(404, "no_service"),
]
TELEGRAM_FAULTS: Sequence[Fault] = [
    *HTTP,
    refusal(401, "Unauthorized"),
    refusal(404, "Not Found"),
    refusal(429, "Too Many Requests: retry after 1", retry_after=1),
    refusal(400, "Bad Request: can't parse entities"),
    refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1002),
    refusal(403, "Forbidden: bot was kicked"),
]
MAIL_FAULTS: Sequence[MailFault] = [
    busy(),
    refuses_login("535 5.7.8 Authentication failed for bot"),
    refuses_login("454 4.7.0 Too many logins"),
    drops_before_the_dot(),
    drops_after_the_dot(),
    refuses_mail("554 5.6.0 Content rejected"),
    refuses_recipient("550 5.1.1 No such user"),
]
ROUNDS = 14
SCRIPT = outage(*(("investigating" if step == 0 else "identified", f"Step {step:02}.") for step in range(ROUNDS)))
LEFT_ALONE = ("mail.log", "mail.debug", "aiohttp.access", "aiohttp.server", "aiosqlite", "sqlalchemy")
"""Loggers of the fakes; and of the database, whose file is read instead."""


@contextmanager
def everything_logged(there: Aviary) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Every logger of every library says all it can, as none of the settings can make it: in JSON, and in colours."""
    lines, colours, secrets = io.StringIO(), io.StringIO(), secrets_of(there.settings())
    with (
        restored(),
        logging_to(lines, level="debug", as_json=True, secrets=secrets),
        logging_to(colours, level="debug", as_json=False, secrets=secrets),
    ):
        for name in logging.root.manager.loggerDict:
            logging.getLogger(name).setLevel(logging.CRITICAL if name.startswith(LEFT_ALONE) else logging.DEBUG)
        yield lines, colours


async def through_all_faults(there: Aviary, running: Service) -> None:
    """In each round every provider has another way to fail, sends and edits alike."""
    for step, update in enumerate(SCRIPT.incidents[0].updates):
        there.clock.move(max(update.at - there.clock.now(), timedelta()))
        for receiver, faults in (
            (there.slack, SLACK_FAULTS),
            (there.hooks, HOOK_FAULTS),
            (there.telegram, TELEGRAM_FAULTS),
        ):
            receiver.next(*([faults[step]] if step < len(faults) else []))
        there.mail.next(*MAIL_FAULTS[step : step + 1])
        for source in running.page_sources:
            await running.poll.page(source)
        for sender in running.senders:
            await sender.run(until_empty=True)
        await running.watch.step()


def break_inside(running: Service) -> None:
    """Each channel has a bug that tells its secrets in its text, in what it was doing, and in its reasons."""
    for sender in running.senders:
        told = [SLACK, TELEGRAM, PASSWORD, quote(PASSWORD, safe=""), PLAIN, running.settings]
        urls = [url.get_secret_value() for url in running.settings.slack.webhooks.values()]

        async def send(to: Address, message: Message, told: object = told, urls: Sequence[str] = urls) -> Receipt:
            long_url = urls[0]
            try:
                raise ValueError(f"{told} {long_url}")
            except ValueError as error:
                raise RuntimeError(f"POST {long_url} failed for {SLACK}") from error

        sender.channel.send = send  # type: ignore[method-assign]


async def test_no_failure_of_any_provider_brings_a_secret_into_logs_or_database(tmp_path: Path) -> None:
    async with aviary(tmp_path, SCRIPT) as there:
        with everything_logged(there) as logged:
            async with service(there.settings(), lambda _: None, clock=there.clock) as running:
                await running.begin()
                await through_all_faults(there, running)
                break_inside(running)
                await running.store.sync(there.settings().subscriptions, welcome=True, now=there.clock.now())
                there.clock.move(timedelta(hours=1))
                await running.poll.welcome("Kraken")
                for sender in running.senders:
                    await sender.run(until_empty=True)
                kept = [path.read_bytes() for path in tmp_path.glob("notifier.db*")]
                async with open_store(there.settings(), existing=True) as store:
                    reasons = "\n".join(each.reason for each in await store.deliveries((), 500))
        assert all(receiver.messages for receiver in (there.slack, there.hooks, there.telegram))
        assert there.mail.received and there.heartbeat.requests, "all secrets are in use"
        texts = [each.getvalue() for each in logged]
    for expected in ("Telegram refuses the bot's token", "535", "no_service", "a send failed in a way", "***"):
        assert all(expected in text for text in texts), expected
    assert [found for text in texts for found in traces(text)] == []
    assert [found for each in kept for found in traces(each)] == []
    assert traces(reasons) == []
