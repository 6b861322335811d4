"""Messages as their readers see them: Slack, Telegram and a mail program, drawn side by side on one page. Pure.

It reads what would be sent, not what was meant: the payloads of the two chats and the bytes of a mail. All of it is
foreign; whatever a client would not draw arrives as text, and nothing on the page runs or is loaded.
"""

from notifier.facsimile.mail import Mail
from notifier.facsimile.page import Conversation, page
from notifier.facsimile.reading import slack_words, telegram_words
from notifier.facsimile.slack import SlackPost
from notifier.facsimile.telegram import TelegramPost

__all__ = ["Conversation", "Mail", "SlackPost", "TelegramPost", "page", "slack_words", "telegram_words"]
