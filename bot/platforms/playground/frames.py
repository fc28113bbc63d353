"""The WebSocket frames that the page sends: each is one request of one person."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.core.commands import COMMANDS, Who
from bot.core.kinds import MOST_PICTURES
from bot.core.replies import Action
from bot.core.wishes import OPTIONS

_NONCE = "[0-9A-Za-z-]{8,40}"
Nonce = Annotated[str, Field(pattern=f"^{_NONCE}$")]
"""An idempotency key that the page chooses: a WebSocket frame sent twice is handled once."""
Words = Annotated[str, Field(max_length=4000)]
Word = Annotated[str, Field(max_length=60)]
Persona = Literal["ann", "bob"]
Option = Annotated[str, Field(pattern=f"^({'|'.join(OPTIONS)})$")]
_ASKED = [each.name for each in COMMANDS.values() if each.act and each.who is Who.EVERYBODY]
_ORDERING = [each.name for each in COMMANDS.values() if each.act is None]
Ordering = Annotated[str, Field(pattern=f"^({'|'.join(_ORDERING)})$")]
"""The name of a command that orders a video."""
Asked = Annotated[str, Field(pattern=f"^({'|'.join(_ASKED)})$")]


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    nonce: Nonce
    person: Persona


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    wish: dict[Option, Words] = Field(default_factory=dict)
    """The options of a wish as typed, by name."""


class Proposal(_Wish):
    """A person's choices so far. The page asks for a description of the video and its price."""

    person: Persona
    pictures: int = Field(default=0, ge=0, le=2 * MOST_PICTURES)
    videos: int = Field(default=0, ge=0, le=2)
    sounds: int = Field(default=0, ge=0, le=2)


class Say(_Frame, _Wish):
    """A message that a person typed, perhaps with a command, files, or a message to reply to."""

    do: Literal["say"]
    command: Ordering | None = None
    text: Words = ""
    pictures: tuple[Word, ...] = Field(default=(), max_length=MOST_PICTURES)
    """Names of uploads, in order."""
    video: Word | None = None
    """Name of an upload."""
    sound: Word | None = None
    """Name of an upload."""
    reply_to: Word | None = None


class Press(_Frame):
    """A button press, perhaps with the prompt that the button asked for."""

    do: Literal["press"]
    action: Action
    about: Word
    value: Word | None = None
    words: Words | None = None


class Ask(_Frame):
    """A command whose answer only its person sees."""

    do: Literal["ask"]
    command: Asked
    given: dict[Word, Words] = Field(default_factory=dict)
    """Values of the command's arguments, by name."""


Frame = Say | Press | Ask
_ADAPTER: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="do")])


def read(text: str) -> Frame:
    """Parse a WebSocket frame of the page. Raises `ValueError`."""
    return _ADAPTER.validate_json(text)


def nonce_of(text: str) -> str:
    """Return the nonce of a WebSocket frame that `read` refused; "" if it is unreadable, too."""
    found = re.search(rf'"nonce": ?"({_NONCE})"', text)
    return found[1] if found else ""
