"""The page on which the clients stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from notifier.facsimile import mail, slack, telegram
from notifier.facsimile.ink import text
from notifier.facsimile.mail import Mail
from notifier.facsimile.slack import SlackPost
from notifier.facsimile.style import css
from notifier.facsimile.telegram import TelegramPost

Theme = Literal["auto", "light", "dark"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Nothing runs and nothing is loaded, within the mails as well: a frame made of `srcdoc` inherits it."""

_PULSE = (
    '<svg class="defs" aria-hidden="true"><symbol id="pulse" viewBox="0 0 36 36">'
    '<path d="M7 19h5l3-9 5 17 4-12 2 4h3"/></symbol></svg>'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """What one reader of each client was told of one subject, oldest first. A client without messages is not drawn."""

    title: str
    slack: Sequence[SlackPost] = ()
    telegram: Sequence[TelegramPost] = ()
    mails: Sequence[Mail] = ()


def page(title: str, conversations: Sequence[Conversation], *, theme: Theme = "auto") -> str:
    """A whole HTML document that needs nothing but itself; times are UTC. `auto` follows the reader's system."""
    drawn = "\n".join(map(_conversation, conversations))
    return (
        f'<!DOCTYPE html>\n<html lang="en" data-theme="{theme}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title) or 'Messages'}</title>\n<style>\n{css()}</style>\n</head>\n<body>\n{_PULSE}\n"
        f'<header><h1>{text(title) or "Messages"}</h1><p class="small">As Slack, Telegram and a mail program show it. '
        f"All times are UTC.</p></header>\n<main>\n{drawn}\n</main>\n</body>\n</html>\n"
    )


def _conversation(told: Conversation) -> str:
    clients = [
        draw
        for shown, draw in (
            (told.slack, slack.draw(told.slack)),
            (told.telegram, telegram.draw(told.telegram)),
            (told.mails, mail.draw(told.mails)),
        )
        if shown
    ]
    return (
        f'<section class="conversation"><h2>{text(told.title)}</h2>\n<div class="clients">\n'
        + "\n".join(clients)
        + "\n</div></section>"
    )
