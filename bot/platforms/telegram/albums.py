"""Albums: messages that belong together, each of which arrives as an update of its own.

Telegram tells neither how many messages an album has nor when the last one has come. All updates of
an album share a lane. After they were handled, their rows keep the files for two days, so that a
later message can reply to any picture of the album and mean all of them.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from aiogram import Bot
from aiogram.types import Message

from bot.core.updates import Update
from bot.platforms.telegram.parsing import parsed

SETTLED = 1.5
"""Seconds without a further message after which an album counts as complete."""
MOST_APART = 3600.0
"""Most seconds between the arrivals of an album's first and last message."""
KEPT = (
    *("message_id", "date", "chat", "from", "sender_chat", "media_group_id", "forward_origin"),
    *("photo", "document", "video"),
)
"""The parts of a handled message that its row keeps: its file and its sender, and no text."""

_COMMANDS = "commands"
"""Our own field in a kept update: whether its caption began with a command."""


class LaneRows(Protocol):
    """The stored inbox, as far as albums need it."""

    async def of_lane(self, lane: str, *, since: float) -> list[Update]: ...


class Albums:
    """Finds the messages of albums that arrived before."""

    def __init__(self, rows: LaneRows, bot: Bot) -> None:
        self._rows = rows
        self._bot = bot

    async def before(self, update: Update) -> list[Update]:
        """Return the handled updates of this update's album: they are older."""
        since = update.received_at - MOST_APART
        known = await self._rows.of_lane(update.lane, since=since)
        return [each for each in known if each.id < update.id]

    async def around(self, message: Message) -> list[Message]:
        """Return all known messages of the album of this message, in order."""
        since = message.date.timestamp() - MOST_APART
        known = await self._rows.of_lane(lane_of_message(message), since=since)
        return self.messages_of(known)

    def messages_of(self, updates: Sequence[Update]) -> list[Message]:
        """Return the messages of these updates."""
        read = (parsed(each.data, self._bot) for each in updates)
        return [each.value.message for each in read if each and each.value.message]


def id_of(raw: dict[str, Any]) -> str:
    """Return the id of the album that an update's message belongs to; "" if there is none."""
    message = raw.get("message")
    return str(message.get("media_group_id") or "") if isinstance(message, dict) else ""


def kept(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the row of a handled update keeps: the files of albums, and nothing else."""
    if not id_of(raw):
        return None
    message = {name: it for name, it in raw["message"].items() if name in KEPT}
    return {"update_id": raw["update_id"], "message": message, _COMMANDS: commands(raw)}


def commands(raw: dict[str, Any]) -> bool:
    """Whether the caption of an update's message begins with a command."""
    if _COMMANDS in raw:
        return bool(raw[_COMMANDS])
    match raw:
        case {"message": {"caption_entities": [{"type": "bot_command", "offset": 0}, *_]}}:
            return True
    return False


def lane_of(raw: dict[str, Any], said: dict[str, Any]) -> str:
    """Return the lane of a message: its chat and sender, so that senders don't delay each other.

    An album has a lane of its own. In a private chat, changes of membership share the lane of its
    messages: a block is handled after the messages before it.
    """
    chat = _id(said, "chat")
    if "message" not in raw:
        return chat
    speaker = _id(said, "sender_chat") or _id(said, "from")
    lane = chat if speaker in ("", chat) else f"{chat}:{speaker}"
    album = said.get("media_group_id")
    return f"{lane}:{album}" if album else lane


def lane_of_message(message: Message) -> str:
    """Return the lane in which a message of an album arrived."""
    writer = message.sender_chat or message.from_user
    said = {
        "chat": {"id": message.chat.id},
        "from": {"id": writer.id if writer else ""},
        "media_group_id": message.media_group_id,
    }
    return lane_of({"message": said}, said)


def settles_at(album: Sequence[Update], *, since: float) -> float:
    """Return when an album counts as complete.

    `since` is when this process began to receive updates: the rest of an album that a stopped
    process did not receive comes soon after that.
    """
    return max(since, *(each.received_at for each in album)) + SETTLED


def _id(said: dict[str, Any], whose: str) -> str:
    it = said.get(whose)
    return str(it.get("id", "")) if isinstance(it, dict) else ""
