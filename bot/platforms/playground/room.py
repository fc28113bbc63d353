"""The room: a small chat network with a history of its own, independent of the bot's database.

The history is one append-only file of events: post, edit, delete. Nonces are remembered for ever,
so a message sent twice is posted once. Message ids are never used again, even if the history file
was moved away. This module knows nothing of jobs or HTTP.
"""

import asyncio
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from bot.core.errors import Broken

Look = dict[str, Any]
"""The content of a message of the bot: JSON made by `messages`."""

BOT = "zoetrope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file of a message; `name` is its name in `Files`."""

    name: str
    filename: str
    size: int
    width: int | None = None
    height: int | None = None
    still: str | None = None
    """Name of the thumbnail that is shown until the video plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. A person's message has a text, the bot's has a look."""

    id: str
    author: str
    at: float
    nonce: str
    text: str = ""
    command: str | None = None
    """The command of a person's message, or None."""
    reply_to: str | None = None
    only: str | None = None
    """The id of the only person who sees the message; None means everybody."""
    picture: Attachment | None = None
    last_picture: Attachment | None = None
    """The person's second picture, with which a video may end."""
    more: tuple[Attachment, ...] = ()
    """The person's pictures after the second."""
    clip: Attachment | None = None
    """The video that the person sent."""
    sound: Attachment | None = None
    video: Attachment | None = None
    original: Attachment | None = None
    """The original, if `video` is a conversion or missing."""
    look: Look | None = None
    about: str | None = None
    """The subject of a message of the bot, by which the bot finds the message again."""

    @property
    def pictures(self) -> tuple[Attachment, ...]:
        """Return the person's pictures, in order."""
        return (*(each for each in (self.picture, self.last_picture) if each), *self.more)

    @property
    def files(self) -> tuple[Attachment, ...]:
        """Return all files of the message."""
        others = (self.clip, self.sound, self.video, self.original)
        return (*self.pictures, *(each for each in others if each))


@dataclass(frozen=True, slots=True)
class Event:
    """A change of the room that the pages have to show."""

    type: Literal["post", "edit", "delete"]
    message: Message


class Room:
    """The room's messages. Call `load` before use."""

    def __init__(self, file: Path, *, now: Callable[[], float]) -> None:
        self._file = file
        self._now = now
        self._messages: dict[str, Message] = {}
        self._nonces: dict[str, Message] = {}
        self._id = ""
        """The prefix of new message ids; empty for a history of an earlier program."""
        self._last = 0
        self._writing = asyncio.Lock()
        self._listeners: set[asyncio.Queue[Event]] = set()

    async def load(self) -> None:
        """Read the history, or begin a new one. Raises `Broken` for a damaged history."""
        self._id, events = await asyncio.to_thread(_read, self._file)
        for event in events:
            self._apply(event)

    @property
    def messages(self) -> list[Message]:
        """Return all messages that were not deleted, in the order they were posted."""
        return list(self._messages.values())

    def get(self, message_id: str | None) -> Message | None:
        """Return the message, or None if it is gone."""
        return self._messages.get(message_id or "")

    def find(self, about: str) -> Message | None:
        """Return the bot's message about this subject, or None."""
        return next((each for each in self._messages.values() if each.about == about), None)

    def said(self, nonce: str) -> Message | None:
        """Return the message that was posted with this nonce, even if it is deleted now."""
        return self._nonces.get(nonce)

    async def post(self, *, author: str, nonce: str, **content: Any) -> Message:
        """Post a message. If the nonce was used before, return the earlier message instead."""

        def said() -> Event | Message:
            earlier = self._nonces.get(nonce)
            if earlier is not None:
                return self._messages.get(earlier.id, earlier)
            new = f"{self._id}{self._last + 1}"
            at = self._now()
            return Event("post", Message(id=new, author=author, at=at, nonce=nonce, **content))

        message = await self._change(said)
        assert message is not None
        return message

    async def edit(self, message_id: str, look: Look) -> bool:
        """Replace a message's content. Return False if the message is gone."""

        def edited() -> Event | Message | None:
            before = self._messages.get(message_id)
            if before is None or before.look == look:
                return before
            return Event("edit", replace(before, look=look))

        return await self._change(edited) is not None

    async def delete(self, message_id: str) -> Message | None:
        """Delete a message. Return it, or None if it was gone already."""

        def deleted() -> Event | None:
            before = self._messages.get(message_id)
            return Event("delete", before) if before else None

        return await self._change(deleted)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Event]]:
        """Provide a queue that receives all changes while the block runs."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    async def _change(self, decide: Callable[[], Event | Message | None]) -> Message | None:
        # Run to the end even if the caller is cancelled: memory must agree with the file.
        return await asyncio.shield(asyncio.ensure_future(self._changed(decide)))

    async def _changed(self, decide: Callable[[], Event | Message | None]) -> Message | None:
        """Make one change at a time: write the event to the file, then show it."""
        async with self._writing:
            event = decide()
            if not isinstance(event, Event):
                return event
            entry = {"type": event.type, "message": as_json(event.message)}
            await asyncio.to_thread(_append, self._file, entry)
            self._apply(event)
            for queue in self._listeners:
                queue.put_nowait(event)
            return event.message

    def _apply(self, event: Event) -> None:
        message = event.message
        self._nonces.setdefault(message.nonce, message)
        self._last = max(self._last, _number(message.id))
        if event.type == "delete":
            self._messages.pop(message.id, None)
        else:
            self._messages[message.id] = message


def as_json(message: Message) -> dict[str, Any]:
    """Return a message as JSON for the file and the page, without its empty fields."""
    return {key: value for key, value in asdict(message).items() if value not in (None, "", ())}


def _number(message_id: str) -> int:
    return int(message_id.rpartition("-")[2])


def _append(file: Path, entry: dict[str, Any]) -> None:
    """Append a line completely or not at all: a partial line would damage the next one."""
    line = json.dumps(entry, ensure_ascii=False) + "\n"
    with file.open("ab", buffering=0) as history:
        before = history.tell()
        try:
            rest = memoryview(line.encode())
            while rest:
                rest = rest[history.write(rest) :]
            os.fsync(history.fileno())
        except OSError:
            history.truncate(before)
            raise


def _read(file: Path) -> tuple[str, list[Event]]:
    """Return the prefix of the room's message ids, and all events."""
    lines = _lines(file)
    if not lines:
        # Rows may still refer to messages of a lost history, so the new ids must differ.
        room = secrets.token_hex(4)
        _append(file, {"room": room})
        return f"{room}-", []
    prefix, events = "", []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            if number == 1 and "room" in entry:
                prefix = f"{entry['room']}-"
            else:
                events.append(_event(entry))
        except (ValueError, KeyError, TypeError) as error:
            raise Broken("room_damaged", file=str(file), line=number) from error
    return prefix, events


def _lines(file: Path) -> list[bytes]:
    if not file.exists():
        return []
    history = file.read_bytes()
    whole = history[: history.rfind(b"\n") + 1]
    if len(whole) < len(history):
        # The machine crashed while it wrote a line; that message was never confirmed.
        os.truncate(file, len(whole))
    return whole.splitlines()


def _event(entry: dict[str, Any]) -> Event:
    content = dict(entry["message"])
    for name in ("picture", "last_picture", "clip", "sound", "video", "original"):
        if name in content:
            content[name] = Attachment(**content[name])
    content["more"] = tuple(Attachment(**each) for each in content.get("more", ()))
    _number(content["id"])  # raises ValueError for a damaged line
    return Event(entry["type"], Message(**content))
