"""A person's order (`Order`: who, where, a wish and files) and our request for it (`VideoRequest`).

Both are written into the job's row, so that a restart or a changed catalog alters neither.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.core.errors import GivenTooLarge, Refused
from bot.core.wishes import Shaping, Wish

PICTURE_BYTES = 8_000_000
"""The largest picture we take from anybody."""
PICTURE_PIXELS = 65_000_000
"""The most pixels of one that we take: phones make that many; more need too much memory."""
SOUND_BYTES = 15_000_000
"""The largest sound we take from anybody."""


VIDEO = "video"
"""The kind of a picture that is none, as it moves."""
ANYBODY = "*"
"""The author of a picture that no person gave us: anybody may animate it."""


def check_picture(size: int, width: int | None, height: int | None) -> None:
    """Raise `picture_too_large` or `picture_too_many_pixels` for one that we don't take."""
    if size > PICTURE_BYTES:
        raise GivenTooLarge(megabytes=size / 1e6)
    pixels = (width or 0) * (height or 0)
    if pixels > PICTURE_PIXELS:
        most = PICTURE_PIXELS // 1_000_000
        raise Refused("picture_too_many_pixels", megapixels=pixels / 1e6, most=most)


class Kind(StrEnum):
    """The kind of input: it selects a family's wire model."""

    TEXT = "t2v"
    PICTURE = "i2v"
    KEY_FRAMES = "kf2v"
    SOUND = "s2v"
    """One picture that a sound makes speak or sing."""
    REMIX = "remix"
    """Words alone, about a video that the gateway has."""


class Transport(StrEnum):
    """How pictures and sounds travel to a gateway."""

    UPLOAD = "upload"
    """A file part of the multipart body."""
    DATA_URI = "data-uri"
    """Text that holds the whole file and says what it is; needs no public address."""
    BASE64 = "base64"
    """The same without saying what it is."""
    URL = "url"
    """A link to our own copy."""


Value = str | int | float | bool
"""A parameter's value on the wire."""


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
    """Somebody who asks. `name` is for display only; `id` counts."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A model's demands on a picture; sides in pixels."""

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
class Still:
    """A picture in our storage, made to fit; `whole` is all there was of it, of this size."""

    key: str
    whole: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A sound in our storage; bytes and seconds as they are."""

    key: str
    size: int
    seconds: float


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
    """Id of the person who posted it, or `ANYBODY`; None if that can't be known."""
    copy_of: str | None = None
    """Instead of a source: the key of an earlier copy of ours, to be fitted anew."""
    last_of: str | None = None
    """Instead of a source: the key of a video of ours whose last moment it is."""
    key: str | None = None
    """Our own copy, made to fit."""
    whole: str | None = None
    """The key of all there was of it."""
    fit: Fit | None = None
    """The demands `key` meets."""
    is_bad: bool = False
    """This is the one that could not be used."""
    kind: str | None = None
    """A kind that is not read, as its bytes have shown."""

    def check(self) -> None:
        """Raise `Refused` with the limit that the platform's own numbers show to be broken."""
        check_picture(self.size, self.width, self.height)

    def kept(self, copy: Still, fit: Fit) -> "Picture":
        """The same picture once we have our own copy of it."""
        ours = replace(self, source=None, copy_of=None, last_of=None, fit=fit)
        return replace(ours, key=copy.key, whole=copy.whole, width=copy.width, height=copy.height)

    def anew(self) -> "Picture":
        """The same picture for another request, which wants it another way."""
        if self.key is None:
            return self
        return replace(self, copy_of=self.whole or self.key, key=None, whole=None, fit=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound somebody gave us; `source` and `key` are as those of a `Picture`."""

    source: str | None
    filename: str
    size: int
    """Bytes, as the platform declared them; once `key` is there, those of our copy."""
    seconds: float | None = None
    """As the platform declared them, maybe rounded; once `key` is there, those of our copy."""
    author: str | None = None
    key: str | None = None

    def kept(self, copy: Recording) -> "Sound":
        """The same sound once we have our own copy of it, measured."""
        return replace(self, source=None, key=copy.key, size=copy.size, seconds=copy.seconds)


def too_large(given: Picture | Sound, size: int) -> Refused:
    """The refusal of a file that has so many bytes."""
    if isinstance(given, Sound):
        return GivenTooLarge("sound_too_large", megabytes=size / 1e6, most=SOUND_BYTES / 1e6)
    return GivenTooLarge(megabytes=size / 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A video as its gateway knows it."""

    gateway: str
    base_url: str
    gateway_id: str
    model: str
    seconds: int
    size: str | None
    aspect: str | None
    quality: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Somebody asks for something: by which event, who, where, in which language."""

    event_id: str
    address: Address
    person: Person
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One wish of one person; the event of its call makes a repeated delivery of it harmless."""

    call: Call
    wish: Wish
    pictures: tuple[Picture, ...] = ()
    sound: Sound | None = None
    remix_of: Made | None = None
    """The video that the words are to change, where its gateway offers that."""
    is_whole: bool = False
    """No lasting choice of its person fills what it leaves open."""

    def wishing(self, wish: Wish) -> "Order":
        """The same with another wish."""
        return replace(self, wish=wish)

    @property
    def files(self) -> "tuple[Picture | Sound, ...]":
        """The files in the order in which they travel: the sound last."""
        return (*self.pictures, *((self.sound,) if self.sound else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFit:
    """A model's demands on a sound."""

    least_seconds: float = 3.0
    most_seconds: int = 30
    """A longer one is cut."""
    most_bytes: int = 15_000_000
    """Bytes of the re-encoded file."""

    def takes(self, sound: Sound) -> bool:
        """Whether our copy of it can go as it is: another model may have wanted more of it."""
        return (sound.seconds or 0) <= self.most_seconds and sound.size <= self.most_bytes

    def check(self, seconds: float) -> None:
        """Raises `Refused("sound_short")`."""
        if seconds < self.least_seconds:
            shown = math.floor(seconds * 10) / 10  # rounded up it might be told as long enough
            raise Refused("sound_short", seconds=shown, least=self.least_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """A request: checked against the catalog, spelt for one gateway's dialect."""

    model: str
    kind: Kind
    prompt: str
    seconds: int
    """The number that counts, in limits and in money."""
    auto: bool = False
    """Whether the model chooses the length, up to `seconds`."""
    audio: bool | None = None
    """Whether it has sound, where the model was told."""
    size: str | None
    """The wire's own word, e.g. `1280x720`, `1280*720` or `720P`; sent as `parameters` say."""
    dialect: str
    is_json: bool = False
    """Whether the body is one JSON object; else it is a form."""
    lengths: tuple[str, ...] = ("seconds",)
    """Where the seconds go: in `seconds` as text, anywhere else as a number."""
    parameters: tuple[tuple[str, Value], ...] = ()
    """Place and value of whatever is sent besides prompt, model, seconds and files.

    A place is a path into the body, like `size`, `metadata.input.seed` or `images[0]`.
    """
    remix_of: str | None = None
    """The gateway's id of the video that the words are to change."""
    transport: Transport | None = None
    url_above: int | None = None
    """Bytes beyond which a file travels by link all the same, where there is a link."""
    places: tuple[tuple[str, ...], ...] = ()
    """Where each file goes, the sound last: every one of its places gets it."""
    fit: Fit | None = None
    sound_fit: SoundFit | None = None
    # The values that people see, beside those on the wire.
    family: str
    label: str
    stock: str = ""
    """The words of a preset, at the beginning of `prompt`."""
    preset: str | None = None
    """The name of that preset."""
    aspect: str | None = None
    quality: str | None = None
    seed: int | None = None
    """Where one was sent: the same one makes the same video again, in another quality."""

    @property
    def shown(self) -> str:
        """The words as people know them: their own, else the name of their preset."""
        own = self.prompt.removeprefix(self.stock).strip()
        return own or (self.preset if self.prompt else "") or ""

    @property
    def written(self) -> str:
        """All text in it that a person may have written, a text a line: a gateway may quote it."""
        values = (value for _, value in self.parameters if isinstance(value, str))
        return "\n".join(dict.fromkeys((self.prompt, *values)))

    def lasting(self, seconds: float) -> "VideoRequest":
        """The same for a sound of that true length; never longer than what was admitted."""
        return replace(self, seconds=min(self.seconds, math.ceil(seconds)))
