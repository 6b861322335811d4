"""What the fake Bot API tells of chats and of who is in them."""

from __future__ import annotations

from typing import Any

from tests.receivers.telegram_chats import BOT, IN_IT, Chat
from tests.receivers.telegram_network import Network
from tests.receivers.telegram_updates import Refused

Json = dict[str, Any]


class Members:
    def __init__(self, network: Network) -> None:
        self._network = network

    def get_chat(self, arguments: Json) -> Json:
        """https://core.telegram.org/bots/api#chatfullinfo."""
        place = self._entered(arguments)
        gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
        return {
            **place.wire(),
            "accent_color_id": 1,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }

    def get_member(self, arguments: Json) -> Json:
        place, number = self._entered(arguments), int(arguments["user_id"])
        if place.kind == "channel" and place.bot != "administrator":
            raise Refused(400, "Bad Request: member list is inaccessible")
        if number not in self._network.users:
            raise Refused(400, "Bad Request: PARTICIPANT_ID_INVALID")
        status = place.bot if number == BOT["id"] else place.members.get(number, "left")
        if place.kind == "private":
            status = "member"
        return place.member_wire(self._network.users[number], status)

    def get_administrators(self, arguments: Json) -> list[Json]:
        """Without other bots than itself."""
        place = self._entered(arguments)
        if place.kind == "private":
            raise Refused(400, "Bad Request: there are no administrators in the private chat")
        those = {**place.members, BOT["id"]: place.bot}
        return [
            place.member_wire(self._network.users[number], status)
            for number, status in those.items()
            if status in ("creator", "administrator")
        ]

    def leave(self, arguments: Json) -> bool:
        place = self._entered(arguments)
        if place.kind == "private":
            raise Refused(400, "Bad Request: chat member status can't be changed in private chats")
        place.left()
        self._network.bot_becomes(place, "left", BOT)
        return True

    def _entered(self, arguments: Json) -> Chat:
        """The chat, unless the bot knows nothing of it."""
        place = self._network.chat(arguments["chat_id"])
        if place.refusal is not None:
            status, text, parameters = place.refusal
            raise Refused(status, text, **parameters)
        if not place.settled:
            raise Refused(400, "Bad Request: chat not found")
        assert place.kind == "private" or place.bot in IN_IT
        return place
