"""What every channel owes, whatever it carries: each channel's tests inherit it and add their own."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

import aiohttp
import pytest

from notifier.message import Line, Message, Role, Span
from notifier.ports import Ambiguous, Channel, ChannelFailure, NotSent, Throttled
from notifier.subscription import Address
from tests.receivers import Fault, Receiver, html, refused, reply_lost, silence, truncated

AT = datetime(2026, 2, 24, 11, 29, tzinfo=UTC)

HOSTILE = (
    "<!channel> & <!here|here> <@U123> <#C1|general> <!subteam^S1>",
    "<https://evil.example|kraken.com> [kraken](https://evil.example)",
    "<b>unclosed & <script>alert('x')</script> </blockquote> &amp; &lt;",
    "*bold* _italic_ ~strike~ `code` ```block``` :warning: > quoted > twice",
    "@kraken /start@bot #tag $BTC api.kraken.com https://evil.example/x a@b.example",
    "``` *a* _b_ \\ | ^ % {time} <!date^1^{time}|x>",
)
"""Lines that must arrive as the very characters that they are."""

UNCLEAR = {
    "the reply is lost": reply_lost(),
    "half of the reply arrives": truncated(),
    "a proxy answers 502 with a page": html(502),
    "a proxy answers 200 with a page": html(200),
    "a proxy answers 403 with a page": html(403),
    "a proxy answers 404 with a page": html(404),
    "the connection is cut before anything is said": refused(),
}


def said(text: str, *, role: Role = Role.QUOTE, **span: Any) -> Line:
    return Line(spans=(Span(text=text, **span),), role=role)


def message(*lines: Line, **more: Any) -> Message:
    """A short message unless lines are given; the last line holds the link."""
    title = said("🟡 Investigating: WebSocket API connection errors", role=Role.TITLE, style="bold")
    link = said("Details on the status page", role=Role.LINK, url="https://status.kraken.com/incidents/wsincident01")
    given: dict[str, Any] = {
        "delivery_ids": ("db-1",),
        "subject": "[Kraken] Investigating: WebSocket API connection errors",
        "lines": (title, *(lines or (said("We are investigating."),)), link),
        "date": AT,
    }
    return Message(**{**given, **more})


async def failure_of(channel: Channel, to: Address, *, text: Message | None = None) -> ChannelFailure:
    with pytest.raises(ChannelFailure) as raised:
        await channel.send(to, text or message())
    return raised.value


def table(rows: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Parametrizes a test by a table whose keys are sentences, as the argument `row`."""
    return pytest.mark.parametrize("row", rows.values(), ids=rows.keys())


class ChannelContract:
    """Subclasses give the two fixtures `receiver` and `channel`, and fill in what follows."""

    to: ClassVar[Address]
    secret: ClassVar[str]
    """What the receiver demands and nobody may read."""
    failures: ClassVar[Mapping[str, tuple[Fault, type[ChannelFailure]]]]
    """By what happens: the provider's answer, and the failure that it means."""
    patience: ClassVar[str]
    """Where the channel's time limit is, as `module.NAME`."""

    def arrived(self, receiver: Any) -> list[str]:
        """The texts that people see, oldest first, without what keeps words inert."""
        raise NotImplementedError

    def elsewhere(self, session: aiohttp.ClientSession, origin: str) -> Channel:
        """The same channel, aimed at another origin."""
        raise NotImplementedError

    def pause(self, seconds: object) -> Fault:
        """The provider's wish for a pause."""
        raise NotImplementedError

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "answered" in metafunc.fixturenames:
            metafunc.parametrize("answered", self.failures.values(), ids=self.failures.keys())
        if "unclear" in metafunc.fixturenames:
            metafunc.parametrize("unclear", UNCLEAR.values(), ids=UNCLEAR.keys())

    async def test_a_message_arrives_once_with_its_words(self, channel: Channel, receiver: Receiver) -> None:
        await channel.send(self.to, message(said("We are on it.")))

        [text] = self.arrived(receiver)
        assert "WebSocket API connection errors" in text
        assert "We are on it." in text

    async def test_every_answer_becomes_the_failure_that_it_means(
        self, channel: Channel, receiver: Receiver, answered: tuple[Fault, type[ChannelFailure]]
    ) -> None:
        fault, expected = answered
        receiver.next(fault)

        failure = await failure_of(channel, self.to)

        assert type(failure) is expected
        assert failure.reason
        assert len(receiver.calls) == 1, "a channel never tries again by itself"

    @pytest.mark.fault("C10", "C11")
    async def test_what_is_unclear_is_said_to_be(self, channel: Channel, receiver: Receiver, unclear: Fault) -> None:
        receiver.next(unclear)

        failure = await failure_of(channel, self.to)

        assert type(failure) is Ambiguous
        assert len(receiver.calls) == 1, "a channel never tries again by itself"
        assert len(self.arrived(receiver)) == unclear.accepted

    async def test_silence_is_unclear(
        self, channel: Channel, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(self.patience, aiohttp.ClientTimeout(total=0.05))
        receiver.next(silence())

        failure = await failure_of(channel, self.to)

        assert type(failure) is Ambiguous
        assert len(self.arrived(receiver)) == 1

    @pytest.mark.fault("C12")
    @table({"nobody listens": "http://127.0.0.1:1", "there is no such host": "http://kraken.invalid"})
    async def test_without_a_connection_nothing_is_sent(self, session: aiohttp.ClientSession, row: str) -> None:
        failure = await failure_of(self.elsewhere(session, row), self.to)

        assert type(failure) is NotSent

    @pytest.mark.parametrize(
        ("wish", "granted"), [(30, 30.0), (0, 0.0), (None, None), ("soon", None), (-5, None), ("inf", None)]
    )
    async def test_the_pause_that_the_provider_wants_is_passed_on(
        self, channel: Channel, receiver: Receiver, wish: object, granted: float | None
    ) -> None:
        receiver.next(self.pause(wish))

        failure = await failure_of(channel, self.to)

        assert isinstance(failure, Throttled)
        assert failure.retry_after == granted

    async def test_hostile_words_arrive_literally(self, channel: Channel, receiver: Receiver) -> None:
        await channel.send(self.to, message(*map(said, HOSTILE), said(HOSTILE[0], role=Role.TEXT, style="bold")))

        [text] = self.arrived(receiver)
        assert [line for line in HOSTILE if line not in text] == []

    @pytest.mark.parametrize("plain", [False, True], ids=["rich", "plain"])
    async def test_a_text_too_long_is_trimmed_with_a_mark_and_keeps_its_link(
        self, channel: Channel, receiver: Receiver, plain: bool
    ) -> None:
        paragraphs = [said(f"{number}: " + "word <&> 😀 " * 60) for number in range(40)]

        await channel.send(self.to, message(*paragraphs, plain=plain))

        [text] = self.arrived(receiver)
        assert "…" in text
        assert text.splitlines()[-1].startswith(("Read the rest", "<https://status.kraken.com"))

    async def test_no_secret_is_said_or_logged(
        self,
        channel: Channel,
        receiver: Receiver,
        session: aiohttp.ClientSession,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        receiver.next(*(fault for fault, _ in self.failures.values()), *UNCLEAR.values())
        broken = [channel] * (len(self.failures) + len(UNCLEAR))
        broken += [self.elsewhere(session, origin) for origin in ("http://127.0.0.1:1", "ftp://127.0.0.1:1")]
        told = [repr(channel), *[_everything(await failure_of(each, self.to)) for each in broken]]
        await channel.send(self.to, message())
        await channel.check()

        assert self.arrived(receiver), "the secret is in use"
        assert [text for text in (*told, caplog.text) if self.secret in text] == []

    async def test_cancellation_passes(self, channel: Channel, receiver: Receiver) -> None:
        receiver.next(silence())
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(channel.send(self.to, message()))
            await receiver.until(lambda: len(receiver.calls) == 1)
            sending.cancel()

        assert sending.cancelled()

    async def test_closing_leaves_the_shared_session_open(
        self, channel: Channel, session: aiohttp.ClientSession
    ) -> None:
        await channel.close()

        assert not session.closed


def _everything(failure: ChannelFailure) -> str:
    """All that a log could show of it."""
    return "".join(traceback.format_exception(failure)) + repr(failure) + failure.reason
