"""The page's frames through the socket: each is one wish of one person."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bot.core.replies import Action
from bot.core.wishes import OPTIONS

_NONCE = "[0-9A-Za-z-]{8,40}"
Nonce = Annotated[str, Field(pattern=f"^{_NONCE}$")]
"""Chosen by the page: the same wish sent twice is still one."""
Words = Annotated[str, Field(max_length=4000)]
Word = Annotated[str, Field(max_length=60)]
Option = Annotated[str, Field(pattern=f"^({'|'.join(OPTIONS)})$")]
Query = Literal["jobs", "history", "quota", "models", "help"]


class _Frame(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    nonce: Nonce
    person: Literal["ann", "bob"]


class _Wish(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    wish: dict[Option, Words] = Field(default_factory=dict)
    """The options of a wish, by their names, as typed."""


class Draft(_Wish):
    """The choices so far: the page asks what they come to."""

    pictures: int = Field(default=0, ge=0, le=2)
    sounds: int = Field(default=0, ge=0, le=2)


class Say(_Frame, _Wish):
    """Something typed, perhaps under a command, with files, or in reply to a message."""

    do: Literal["say"]
    command: Literal["video", "animate"] | None = None
    text: Words = ""
    picture: Word | None = None
    """Name of an upload."""
    sound: Word | None = None
    """Likewise."""
    reply_to: Word | None = None


class Press(_Frame):
    """A button; a remix brings its words along, and some a value."""

    do: Literal["press"]
    action: Action
    job: Word
    text: Words = ""
    value: Word | None = None


class Ask(_Frame):
    """A command that only its person sees the answer of."""

    do: Literal["ask"]
    query: Query


Frame = Say | Press | Ask
_ADAPTER: TypeAdapter[Frame] = TypeAdapter(Annotated[Frame, Field(discriminator="do")])


def read(text: str) -> Frame:
    """The frame in a text. Raises `ValueError`."""
    return _ADAPTER.validate_json(text)


def nonce_of(text: str) -> str:
    """The nonce of a frame that can't be read; empty if not even that can."""
    found = re.search(rf'"nonce": ?"({_NONCE})"', text)
    return found[1] if found else ""
