"""What a person asked for (`Order`) and what we send for it (`VideoRequest`).

Both are written into the job's row, so that a restart or a changed catalogue alters neither.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

PICTURE_BYTES = 8_000_000
"""The largest picture we take from anybody."""
PICTURE_PIXELS = 40_000_000
"""The most pixels of one that we take: to decode more needs more memory than a worker has."""


class Kind(StrEnum):
    """What goes in: it selects the wire model inside a family."""

    TEXT = "t2v"
    PICTURE = "i2v"
    KEY_FRAMES = "kf2v"


class Transport(StrEnum):
    """How a picture travels to a gateway."""

    UPLOAD = "upload"
    """A file part of the multipart body."""
    DATA_URI = "data-uri"
    """Base64 inside the JSON of `metadata`; needs no public address."""


class Shaping(StrEnum):
    """How a picture gets another shape."""

    CROP = "crop"
    """What hangs over is cut off."""
    PAD = "pad"
    """All of it stays, between black bars."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where in the world of chat an answer belongs. Ids are the platform's own, as text."""

    platform: str
    channel: str
    community: str | None = None
    """The server or group; None in a private chat."""
    message: str | None = None
    """The message that results reply to, where there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who asked. `name` is for display only; `id` is what counts."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture somebody gave us.

    `source` is the platform's own handle (a Discord attachment URL, a Telegram `file_id`): only
    that platform's `fetch` reads it, and it is forgotten as soon as `key` names our own copy.
    """

    source: str | None
    filename: str
    size: int
    """Bytes, as the platform declared them."""
    width: int | None = None
    height: int | None = None
    author: str | None = None
    """Id of the person who posted it; None if that can't be known."""
    key: str | None = None

    def kept(self, key: str) -> "Picture":
        """The same picture once our own copy is stored under `key`."""
        return replace(self, source=None, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One wish of one person; `event_id` makes a repeated delivery of it harmless."""

    event_id: str
    address: Address
    person: Person
    locale: str
    prompt: str = ""
    pictures: tuple[Picture, ...] = ()
    family: str | None = None
    seconds: int | None = None
    aspect: str | None = None
    quality: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a model demands of a picture; sides in pixels."""

    width: int | None = None
    height: int | None = None
    """With `width`: the picture must have exactly this size."""
    least_side: int = 1
    most_side: int = 4096
    widest: float = 4.0
    """The largest ratio of the long side to the short one; beyond it the picture is reshaped."""
    most_bytes: int = 10_000_000
    """Bytes of the re-encoded file."""
    shaping: Shaping = Shaping.CROP


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """What we send: checked against the catalogue, spelt for one gateway's dialect."""

    model: str
    kind: Kind
    prompt: str
    seconds: int
    size: str | None
    """The wire's own word, e.g. `1280x720`, `1280*720` or `720P`."""
    dialect: str
    transport: Transport | None = None
    place: str | None = None
    """Where a picture goes: a part name for uploads, a metadata key for the rest."""
    fit: Fit | None = None
    extras: tuple[tuple[str, str | int | bool], ...] = ()
    """Extra parameters of this model, in the gateway's spelling."""
    # What people see, remembered beside what the wire sees.
    family: str
    label: str
    aspect: str | None = None
    quality: str | None = None
