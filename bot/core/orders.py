"""A person's order (`Order`: who, where, a wish and files) and our request for it (`VideoRequest`).

Both are stored in the job's row, so that a restart or a changed catalog alters neither.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.core.clips import Added, VideoCopy, VideoFit
from bot.core.errors import GivenTooLarge, Refused
from bot.core.wishes import Shaping, Wish

PICTURE_BYTES = 8_000_000
"""Bytes of the largest picture that we accept."""
PICTURE_PIXELS = 65_000_000
"""The most pixels of a picture that we accept. Phones make that many; more need too much memory."""
SOUND_BYTES = 15_000_000
"""Bytes of the largest sound that we accept."""
VIDEO_BYTES = 100_000_000
"""Bytes of the largest video that we accept from a person."""


VIDEO = "video"
"""The value of `Picture.kind` for a file that is a video and not a still picture."""
ANYBODY = "*"
"""The author of a picture that no person sent, so everybody may animate it."""


def check_picture(size: int, width: int | None, height: int | None) -> None:
    """Raise `picture_too_large` or `picture_too_many_pixels` if a picture exceeds our limits."""
    if size > PICTURE_BYTES:
        raise GivenTooLarge(megabytes=size / 1e6)
    pixels = (width or 0) * (height or 0)
    if pixels > PICTURE_PIXELS:
        most = PICTURE_PIXELS // 1_000_000
        raise Refused("picture_too_many_pixels", megapixels=pixels / 1e6, most=most)


class Kind(StrEnum):
    """The inputs that a video is made from. The kind selects which model of a family is ordered."""

    TEXT = "t2v"
    PICTURE = "i2v"
    KEY_FRAMES = "kf2v"
    SOUND = "s2v"
    """One picture and one sound: the video shows the picture speaking or singing."""
    REFERENCES = "r2v"
    """One to ten pictures: the video keeps the people and things in them."""
    VIDEO = "v2v"
    """A prompt and a video: the prompt changes the video."""
    EXTEND = "extend"
    """A video, and maybe a prompt: the new video goes on from its end."""
    REMIX = "remix"
    """A prompt that changes a video that the gateway still has."""


NO_FILES = (Kind.TEXT, Kind.REMIX)
"""The kinds without files."""
OF_VIDEO = (Kind.VIDEO, Kind.EXTEND)
"""The kinds that are made from a video."""


class Transport(StrEnum):
    """How pictures and sounds travel to a gateway."""

    UPLOAD = "upload"
    """A file part of the multipart body."""
    DATA_URI = "data-uri"
    """A `data:` URI with the media type and the whole file; needs no public address."""
    BASE64 = "base64"
    """The whole file in Base64, without its media type."""
    URL = "url"
    """A URL of our own copy of the file."""


Value = str | int | float | bool
"""The value of a field in a request body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The place in a chat network where an answer belongs. Ids are the network's own, as text."""

    platform: str
    channel: str
    community: str | None = None
    """The server or group; None in a private chat."""
    message: str | None = None
    """The message that results reply to, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who uses the bot. `id` identifies the person; `name` is only for display."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A model's requirements for a picture. Sides are in pixels."""

    width: int | None = None
    height: int | None = None
    """With `width`: the picture must have exactly this size."""
    least_side: int = 1
    most_side: int = 4096
    widest: float = 4.0
    """The largest ratio of the long side to the short side. A picture beyond it is reshaped."""
    most_bytes: int = 10_000_000
    """Most bytes of the re-encoded file."""
    shaping: Shaping = Shaping.CROP
    is_own: bool = False
    """Whether each picture of an order keeps its own shape; otherwise all get that of the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A picture in our storage that meets a model's requirements.

    `key` names the fitted copy. `whole` names the copy of the whole picture; `width` and `height`
    are that copy's size in pixels.
    """

    key: str
    whole: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A sound in our storage, with its true size in bytes and its true length in seconds."""

    key: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that a person sent.

    `source` is the network's own handle (a Discord attachment URL, a Telegram `file_id`). Only
    that network's `fetch` reads it. `source` is cleared as soon as `key` names our own copy.
    """

    source: str | None
    filename: str
    size: int
    """Bytes, as the platform declared them."""
    width: int | None = None
    height: int | None = None
    author: str | None = None
    """Id of the person who posted the picture, or `ANYBODY`; None if unknown."""
    copy_of: str | None = None
    """Instead of a source: the key of an earlier copy of ours, to be fitted again."""
    last_of: str | None = None
    """Instead of a source: the key of a stored video whose last frame becomes this picture."""
    key: str | None = None
    """The key of our own copy, made to fit."""
    whole: str | None = None
    """The key of our copy of the whole picture, which is not cropped."""
    fit: Fit | None = None
    """The requirements that the copy at `key` meets."""
    is_bad: bool = False
    """Whether this picture is the one of its order that could not be used."""
    kind: str | None = None
    """The file's kind, if its bytes show a kind that we don't read."""

    def check(self) -> None:
        """Raise `Refused` if the size or the sides that the network declared exceed our limits."""
        check_picture(self.size, self.width, self.height)

    def kept(self, copy: Still, fit: Fit) -> "Picture":
        """Return this picture with our own `copy`, which meets `fit`, in place of its source."""
        ours = replace(self, source=None, copy_of=None, last_of=None, fit=fit)
        return replace(ours, key=copy.key, whole=copy.whole, width=copy.width, height=copy.height)

    def anew(self) -> "Picture":
        """Return this picture for a request with other requirements: to be fitted again."""
        if self.key is None:
            return self
        return replace(self, copy_of=self.whole or self.key, key=None, whole=None, fit=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A sound that a person sent. `source` and `key` mean the same as in `Picture`."""

    source: str | None
    filename: str
    size: int
    """Bytes, as the network declared them; once `key` is set, the bytes of our copy."""
    seconds: float | None = None
    """Length as the network declared it, maybe rounded; once `key` is set, that of our copy."""
    author: str | None = None
    key: str | None = None

    def kept(self, copy: Recording) -> "Sound":
        """Return this sound with our own, measured `copy` in place of its source."""
        return replace(self, source=None, key=copy.key, size=copy.size, seconds=copy.seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A video that an order is made from: a person's, or an earlier one of ours.

    `source` and `key` mean the same as in `Picture`.
    """

    source: str | None
    filename: str
    size: int
    """Bytes, as the network declared them; once `key` is set, the bytes of our copy."""
    seconds: float | None = None
    """Length as the network declared it; once `key` is set, that of our copy."""
    width: int | None = None
    height: int | None = None
    author: str | None = None
    """Id of the person who posted the video, or `ANYBODY`; None if unknown."""
    video_of: str | None = None
    """Instead of a source: the key of a stored video of ours."""
    key: str | None = None
    fit: VideoFit | None = None
    """The requirements that the copy at `key` meets."""

    def kept(self, copy: VideoCopy, fit: VideoFit) -> "Clip":
        """Return this video with our own `copy`, which meets `fit`, in place of its source."""
        ours = replace(self, source=None, video_of=None, fit=fit, key=copy.key, size=copy.size)
        return replace(ours, seconds=copy.seconds, width=copy.width, height=copy.height)

    def meets(self, fit: VideoFit) -> bool:
        """Whether our copy was made by these requirements. A copy may be shorter than needed."""
        if self.key is None or self.fit is None or self.fit.most_seconds > fit.most_seconds:
            return False
        return replace(self.fit, most_seconds=fit.most_seconds) == fit


Given = Picture | Sound | Clip
"""A file of an order."""


def too_large(given: Given, size: int) -> Refused:
    """Return the error for a file of `size` bytes, which is more than we accept."""
    if isinstance(given, Clip):
        return GivenTooLarge("video_too_large", megabytes=size / 1e6, most=VIDEO_BYTES / 1e6)
    if isinstance(given, Sound):
        return GivenTooLarge("sound_too_large", megabytes=size / 1e6, most=SOUND_BYTES / 1e6)
    return GivenTooLarge(megabytes=size / 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A finished video at a gateway: its id there, and the values that it was ordered with."""

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
    """One command or button press: its event's id, its place, its person and their language."""

    event_id: str
    address: Address
    person: Person
    locale: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One person's wish for one video, with its files.

    The id of the event in `call` makes an order idempotent: a repeated event makes no second job.
    """

    call: Call
    wish: Wish
    pictures: tuple[Picture, ...] = ()
    sound: Sound | None = None
    video: Clip | None = None
    remix_of: Made | None = None
    """An earlier video at its gateway, if the gateway can change it or go on from it.

    With a `video`, this is the same video as its gateway knows it.
    """
    is_whole: bool = False
    """If true, the person's saved preferences don't fill the fields that the wish leaves open."""

    def wishing(self, wish: Wish) -> "Order":
        """Return this order with another wish."""
        return replace(self, wish=wish)

    @property
    def files(self) -> tuple[Given, ...]:
        """The files in the sequence in which they are sent: pictures, the video, the sound."""
        others = (self.video, self.sound)
        return (*self.pictures, *(each for each in others if each is not None))


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundFit:
    """A model's requirements for a sound."""

    least_seconds: float = 3.0
    most_seconds: int = 30
    """A longer sound is cut to this length."""
    most_bytes: int = 15_000_000
    """Most bytes of the re-encoded file."""

    def takes(self, sound: Sound) -> bool:
        """Whether our copy of `sound` meets these limits as it is.

        The copy may be too long or too large if it was made for another model.
        """
        return (sound.seconds or 0) <= self.most_seconds and sound.size <= self.most_bytes

    def check(self, seconds: float) -> None:
        """Raise `Refused("sound_short")` if a sound of this length is too short."""
        if seconds < self.least_seconds:
            shown = math.floor(seconds * 10) / 10  # rounding up could show a length that is enough
            raise Refused("sound_short", seconds=shown, least=self.least_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRequest:
    """A request to a gateway: checked against the catalog, written in the gateway's dialect."""

    model: str
    kind: Kind
    prompt: str
    seconds: int
    """The length that counts for limits and money."""
    auto: bool = False
    """Whether the model chooses the length, up to `seconds`."""
    audio: bool | None = None
    """Whether the video has sound; None if the request does not say."""
    size: str | None
    """The gateway's spelling, e.g. `1280x720`, `1280*720` or `720P`; sent as `parameters` say."""
    dialect: str
    is_json: bool = False
    """Whether the body is one JSON object; otherwise the body is a form."""
    lengths: tuple[str, ...] = ("seconds",)
    """The fields that carry the length: text in the field `seconds`, a number in any other."""
    parameters: tuple[tuple[str, Value], ...] = ()
    """The other fields, as (path, value): all but prompt, model, seconds and files.

    A path leads into the body, like `size`, `metadata.input.seed` or `images[0]`.
    """
    remix_of: str | None = None
    """The gateway's id of the video that the prompt changes."""
    transport: Transport | None = None
    url_above: int | None = None
    """A file of more bytes is sent as a URL whatever `transport` says, if there is a URL."""
    places: tuple[tuple[str, ...], ...] = ()
    """For each file, the sound last: the paths of all fields that carry the file."""
    fit: Fit | None = None
    sound_fit: SoundFit | None = None
    video_fit: VideoFit | None = None
    input_seconds: int = 0
    """The seconds of the order's video that cost money besides `seconds`."""
    added: Added | None = None  # `seconds` are the most until the order's video is measured
    # The values that people see, beside the values that are sent.
    family: str
    label: str
    stock: str = ""
    """The text of a preset, at the beginning of `prompt`."""
    preset: str | None = None
    """The name of the preset that `stock` comes from."""
    aspect: str | None = None
    quality: str | None = None
    seed: int | None = None
    """The seed, if one was sent. The same seed makes the same video again in another quality."""

    @property
    def shown(self) -> str:
        """The prompt to show: the person's own text, or the preset's name if there is none."""
        own = self.prompt.removeprefix(self.stock).strip()
        return own or (self.preset if self.prompt else "") or ""

    @property
    def written(self) -> str:
        """All texts that a person may have written, one a line. A gateway may quote any of them."""
        values = (value for _, value in self.parameters if isinstance(value, str))
        return "\n".join(dict.fromkeys((self.prompt, *values)))

    def lasting(self, seconds: float) -> "VideoRequest":
        """Return this request for a sound of this true length, never longer than was admitted."""
        return replace(self, seconds=min(self.seconds, math.ceil(seconds)))
