"""The room: a chat network of its own, that remembers everything whatever becomes of the bot.

Its history is one append-only file of what was posted, edited and deleted. A nonce is remembered
for ever, so that whatever is said twice stands once; a message's id is never given again, not even
after the history was moved away. Knows nothing of jobs or of HTTP.
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
"""How one of the bot's messages is drawn: JSON, made by `messages`."""

BOT = "zoetrope"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that a message carries; `name` is its key among the files."""

    name: str
    filename: str
    size: int
    width: int | None = None
    height: int | None = None
    still: str | None = None
    """Key of a picture that stands for a video until it plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing that was said. People have a text, the bot has a look."""

    id: str
    author: str
    at: float
    nonce: str
    text: str = ""
    command: str | None = None
    """Under which command somebody said it; None: just so."""
    reply_to: str | None = None
    only: str | None = None
    """The one person who sees it; None: everybody."""
    picture: Attachment | None = None
    last_picture: Attachment | None = None
    """Beside the first one: how a video ends."""
    sound: Attachment | None = None
    video: Attachment | None = None
    original: Attachment | None = None
    """The file as its gateway made it, where that is another one, or no video plays."""
    look: Look | None = None
    about: str | None = None
    """The bot's subject: how it finds the message again."""

    @property
    def pictures(self) -> tuple[Attachment, ...]:
        """Those that somebody gave, in order."""
        return tuple(each for each in (self.picture, self.last_picture) if each)

    @property
    def files(self) -> tuple[Attachment, ...]:
        """All that it carries."""
        others = (self.sound, self.video, self.original)
        return (*self.pictures, *(each for each in others if each))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that became visible."""

    type: Literal["post", "edit", "delete"]
    message: Message


class Room:
    """Open it (`load`), and it is as it was left."""

    def __init__(self, file: Path, *, now: Callable[[], float]) -> None:
        self._file = file
        self._now = now
        self._messages: dict[str, Message] = {}
        self._nonces: dict[str, Message] = {}
        self._id = ""
        """The prefix of each new message's id; empty in a history of former times."""
        self._last = 0
        self._writing = asyncio.Lock()
        self._listeners: set[asyncio.Queue[Event]] = set()

    async def load(self) -> None:
        """Read the history, or begin it. Raises `Broken` where it was damaged by somebody."""
        self._id, events = await asyncio.to_thread(_read, self._file)
        for event in events:
            self._apply(event)

    @property
    def messages(self) -> list[Message]:
        """All that stands, in the order it was said."""
        return list(self._messages.values())

    def get(self, message_id: str | None) -> Message | None:
        """The message, unless it is gone."""
        return self._messages.get(message_id or "")

    def find(self, about: str) -> Message | None:
        """The bot's message about that, if it stands."""
        return next((each for each in self._messages.values() if each.about == about), None)

    def said(self, nonce: str) -> Message | None:
        """The message with this nonce, although it may be gone since."""
        return self._nonces.get(nonce)

    async def post(self, *, author: str, nonce: str, **content: Any) -> Message:
        """Say something; with a nonce that was used before, nothing new is said."""

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
        """Draw a message anew; False if it is gone."""

        def edited() -> Event | Message | None:
            before = self._messages.get(message_id)
            if before is None or before.look == look:
                return before
            return Event("edit", replace(before, look=look))

        return await self._change(edited) is not None

    async def delete(self, message_id: str) -> Message | None:
        """Take a message away; answers what stood there."""

        def deleted() -> Event | None:
            before = self._messages.get(message_id)
            return Event("delete", before) if before else None

        return await self._change(deleted)

    @contextmanager
    def listening(self) -> Iterator[asyncio.Queue[Event]]:
        """Everything that becomes visible from now on."""
        queue: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    async def _change(self, decide: Callable[[], Event | Message | None]) -> Message | None:
        # To the end, whoever gave up waiting: what is on the disk has to be known here too.
        return await asyncio.shield(asyncio.ensure_future(self._changed(decide)))

    async def _changed(self, decide: Callable[[], Event | Message | None]) -> Message | None:
        """One change at a time: write down what was decided, then show it."""
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
    """A message for the file and for the page; what is not there is left out."""
    return {key: value for key, value in asdict(message).items() if value not in (None, "")}


def _number(message_id: str) -> int:
    return int(message_id.rpartition("-")[2])


def _append(file: Path, entry: dict[str, Any]) -> None:
    """Write it whole or not at all: what a full disk cut short would spoil the line after it."""
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
    """The prefix of this room's ids, and all that happened in it."""
    lines = _lines(file)
    if not lines:
        # Rows may still speak of messages in a history that is gone: its ids must not come again.
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
        # The machine went down in the middle of a line: nobody was told that it was said.
        os.truncate(file, len(whole))
    return whole.splitlines()


def _event(entry: dict[str, Any]) -> Event:
    content = dict(entry["message"])
    for name in ("picture", "last_picture", "sound", "video", "original"):
        if name in content:
            content[name] = Attachment(**content[name])
    _number(content["id"])  # a ValueError here is a damaged line, later it would be ours
    return Event(entry["type"], Message(**content))
