"""The page's frames through the socket: each is one wish of one person."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.core.commands import COMMANDS, Who
from bot.core.replies import Action
from bot.core.wishes import OPTIONS

_NONCE = "[0-9A-Za-z-]{8,40}"
Nonce = Annotated[str, Field(pattern=f"^{_NONCE}$")]
"""Chosen by the page: the same wish sent twice is still one."""
Words = Annotated[str, Field(max_length=4000)]
Word = Annotated[str, Field(max_length=60)]
Persona = Literal["ann", "bob"]
Option = Annotated[str, Field(pattern=f"^({'|'.join(OPTIONS)})$")]
_ASKED = [each.name for each in COMMANDS.values() if each.act and each.who is Who.EVERYBODY]
Asked = Annotated[str, Field(pattern=f"^({'|'.join(_ASKED)})$")]


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    nonce: Nonce
    person: Persona


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    wish: dict[Option, Words] = Field(default_factory=dict)
    """The options of a wish, by their names, as typed."""


class Draft(_Wish):
    """Somebody's choices so far: the page asks what they come to."""

    person: Persona
    pictures: int = Field(default=0, ge=0, le=4)
    sounds: int = Field(default=0, ge=0, le=2)


class Say(_Frame, _Wish):
    """Something typed, perhaps under a command, with files, or in reply to a message."""

    do: Literal["say"]
    command: Literal["video", "animate"] | None = None
    text: Words = ""
    pictures: tuple[Word, ...] = Field(default=(), max_length=2)
    """Names of uploads: the first picture of the video, and the last."""
    sound: Word | None = None
    """Likewise."""
    reply_to: Word | None = None


class Press(_Frame):
    """A button, perhaps with the words that it asked for."""

    do: Literal["press"]
    action: Action
    about: Word
    value: Word | None = None
    words: Words | None = None


class Ask(_Frame):
    """A command that only its person sees the answer of."""

    do: Literal["ask"]
    command: Asked
    given: dict[Word, Words] = Field(default_factory=dict)
    """Values of its arguments, by name."""


Frame = Say | Press | Ask
_ADAPTER: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="do")])


def read(text: str) -> Frame:
    """The frame in a text. Raises `ValueError`."""
    return _ADAPTER.validate_json(text)


def nonce_of(text: str) -> str:
    """The nonce of a frame that can't be read; empty if not even that can."""
    found = re.search(rf'"nonce": ?"({_NONCE})"', text)
    return found[1] if found else ""
