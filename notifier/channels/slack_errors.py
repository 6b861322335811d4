"""What Slack's refusals mean: https://docs.slack.dev/reference/methods/chat.postMessage#errors."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

from notifier.ports import Ambiguous, BadCredentials, BadMessage, ChannelFailure, Gone, NotSent, Throttled
from notifier.transport import seconds

GONE = {
    "channel_not_found": "no such channel, or a private one without the bot: /invite it there",
    "not_in_channel": "the bot is not in the channel: /invite it there",
    "is_archived": "the channel is archived",
    "user_not_found": "no such user",
    "messages_tab_disabled": "the app's messages tab is switched off",
    "channel_type_not_supported": "no messages can be posted there",
    "restricted_action": "the workspace forbids the bot to post there",
    "restricted_action_read_only_channel": "the channel is read-only",
    "restricted_action_thread_only_channel": "the channel takes replies only",
    "ekm_access_denied": "an administrator suspended posting there",
}
"""Refusals of the recipient, with the cure or the reason."""

THREAD_GONE = (
    "thread_not_found",
    "message_not_found",
    "cannot_reply_to_message",
    "invalid_thread_ts",
    "restricted_action_thread_locked",
    "restricted_action_non_threadable_channel",
)
"""Refusals of the thread only: the same message passes at the channel's top level."""

UNCHANGEABLE = ("message_not_found", "edit_window_closed", "cant_update_message")
"""https://docs.slack.dev/reference/methods/chat.update#errors: nothing is left to edit."""

UNREADABLE = ("missing_scope", "not_in_channel", "channel_not_found", "no_permission", "not_allowed_token_type")
"""Refusals to show the history of a channel that the bot may well post to."""

CREDENTIALS = (
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "team_access_not_granted",
    "org_login_required",
    "two_factor_setup_required",
    "access_denied",
)
LIMITED = ("ratelimited", "rate_limited", "message_limit_exceeded")
PERHAPS_DONE = ("internal_error", "fatal_error", "request_timeout", "service_unavailable")
NOT_DONE = ("team_added_to_org", "accesslimited")


def error_code(error: SlackApiError) -> str:
    """Slack's word for the refusal; empty where the answer was not Slack's JSON."""
    data = getattr(error.response, "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def explain(error: Exception) -> ChannelFailure | None:
    """The failure behind an answer; None if it is no answer of Slack's."""
    if not isinstance(error, SlackApiError):
        return None
    code = error_code(error)
    status = getattr(error.response, "status_code", None) or getattr(error.response, "status", None)
    if status == 429 or code in LIMITED:
        headers = getattr(error.response, "headers", None) or {}
        return Throttled("Slack wants a pause", seconds(headers.get("Retry-After")))
    if code in CREDENTIALS:
        return BadCredentials(f"Slack refuses the bot: {code}")
    if code in GONE:
        return Gone(f"Slack: {code} ({GONE[code]})")
    if code in NOT_DONE:
        return NotSent(f"Slack cannot post now: {code}")
    if not code or code in PERHAPS_DONE or (isinstance(status, int) and status >= 500):
        return Ambiguous(f"unclear answer from Slack: {code or 'no JSON'}, status {status}")
    return BadMessage(f"Slack refuses the message: {code}")
