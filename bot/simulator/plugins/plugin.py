"""A task plugin, its input (a request as the host parsed it) and its output for the vendor."""

import base64
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from bot.simulator.bodies import Upload
from bot.simulator.pictures import bare, data_uri, is_address
from bot.simulator.plugins.values import Values, number
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture
from bot.simulator.vendors.limits import MEGABYTE, PictureRules
from bot.simulator.vendors.submission import rejected

LONGEST = 3600  # seconds that any task may be asked for
PHOTOS = frozenset({"JPEG", "PNG", "WEBP"})
LARGEST = 64 * MEGABYTE
"""The most bytes of a picture if neither the plugin nor the vendor has a known limit."""
CHOSEN = 8
"""Seconds of a video if the model chooses the length."""


class Oversized(ValueError):
    """An error: a file exceeds the plugin's limit, so the host can't build the request."""


class Unpriced(ValueError):
    """An error: a value that decides the price is not among those that the plugin declares."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request. Values of a form are lists of texts; values of a JSON object are unchanged."""

    model: str
    values: Mapping[str, object]
    files: tuple[tuple[str, Upload], ...] = ()
    form: bool = False


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture or video in a vendor's request: its URL, its base64 or a `data:` URI."""

    role: str  # first_frame, last_frame, reference or first_clip
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A request as the vendor gets it, and its price.

    `body` is the whole request. The other fields hold its common parts, under the same names for
    all vendors. `seconds` is -1 if the model chooses the length. `held` is the amount that is
    charged in advance, `settled` the amount that is charged in the end, both in `unit`s.
    """

    body: Mapping[str, object]
    prompt: str
    seconds: int
    unit: str
    held: float
    settled: float
    resolution: str = ""
    ratio: str = ""
    pictures: tuple[Shot, ...] = ()
    videos: tuple[Shot, ...] = ()
    seed: int | None = None
    negative_prompt: str = ""
    sound: bool | None = None
    watermark: bool | None = None
    prompt_extend: bool | None = None

    @property
    def length(self) -> int:
        """The duration of the video in seconds."""
        return CHOSEN if self.seconds == -1 else self.seconds


@dataclass(frozen=True, slots=True)
class Translated:
    """A request that a plugin built for the vendor, and the plugin's version."""

    plugin: str
    version: str
    built: Built


@dataclass(frozen=True, slots=True)
class Way:
    """The way in which a plugin reads requests, from some version of the plugin on."""

    models: Collection[str]
    decode: Callable[[Sent], Values]
    build: Callable[[str, Values], Built]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plugin. `ways` maps the version from which a way applies to the way, in rising order.

    Its vendor takes pictures as URLs and as `data:` URIs; if `bare`, as URLs and as base64.
    """

    key: str
    newest: str
    ways: Mapping[str, Way]
    bare: bool = False
    limits: Callable[[str], PictureRules] = lambda _model: PictureRules(
        formats=PHOTOS, weight=LARGEST
    )
    check: Callable[[str, Built], str | None] = lambda _model, _built: None

    def way(self, version: str) -> Way | None:
        """Return how this version reads requests; None if the plugin began with a later one."""
        fitting = [way for first, way in self.ways.items() if parts(first) <= parts(version)]
        return fitting[-1] if fitting else None

    def pictures(self, model: str, built: Built) -> tuple[Picture, ...]:
        """Return the pictures that the vendor gets. Raises `Refused` as the vendor would refuse."""
        if complaint := self.check(model, built):
            raise refused(complaint)
        return tuple(self._seen(model, shot.data) for shot in built.pictures)

    def _seen(self, model: str, text: str) -> Picture:
        if is_address(text):
            return text
        found = None if self.bare else data_uri(text)
        data = bare(text) if self.bare else found and found[1]
        if data is None:
            raise refused("a picture is neither an address nor encoded as it should be")
        if complaint := self.limits(model).complaint(data):
            raise refused(complaint)
        return data


def refused(message: str, code: str = "InvalidParameter") -> Refused:
    """Return a vendor's refusal as the gateway passes it on."""
    return rejected({"code": code, "message": message})


def parts(version: str) -> tuple[int, ...]:
    """Return a version as numbers, which can be compared."""
    return tuple(int(part) for part in version.split("."))


# --------------------------------------------------------------------------------- reading


def json_only(sent: Sent) -> Values:
    """Read a request as most plugins do at version 1.0.0: JSON only, with checked seconds."""
    if sent.form:
        raise ValueError("JSON object required")
    said = dict(sent.values)
    asked = number(_seconds(said))
    if _seconds(said) is not None and not 0 < asked <= LONGEST:
        raise ValueError(f"seconds must be between 1 and {LONGEST}")
    return said


def fields(sent: Sent, *, lists: Collection[str] = (), files: str = "") -> Values:
    """Read all fields of a request as most plugins do since version 1.0.1.

    A form may have each field once, except those in `lists`, and one file. `files` is the error
    message for a file, if the plugin accepts none.
    """
    if not sent.form:
        return dict(sent.values)
    said = {
        name: values if name in lists else once(sent, name) for name, values in sent.values.items()
    }
    if not files:
        _check_files(sent)
    if "metadata" in said:
        said["metadata"] = _metadata(str(said["metadata"]))
    if files and sent.files:
        raise ValueError(files)
    if (asked := _seconds(said)) is not None:
        said["seconds"] = number(asked)
    return said


def once(sent: Sent, name: str) -> object:
    """Return the text of a form's field. Raises `ValueError` if the field was sent twice."""
    values = sent.values.get(name)
    if not isinstance(values, list):
        return None
    if len(values) > 1:
        raise ValueError(f"{name} must be provided once")
    return values[0]


def switches(said: Values, *names: str) -> None:
    """Replace the texts `true` and `false` of these fields by bools, in place."""
    for name in names:
        if name in said:
            if said[name] not in ("true", "false"):
                raise ValueError(f"{name} must be true or false")
            said[name] = said[name] == "true"


def held_first(said: Values, usual: float) -> float:
    """Return the seconds that the plugin's version 1.0.0 charges in advance.

    The field `seconds` counts, too, although most plugins of that version don't send it on.
    """
    asked = number(said.get("duration") or said.get("seconds") or usual)
    return asked if asked > 0 else usual


def upload(sent: Sent, *, most: int, prefix: bool) -> str | None:
    """Return the file of a form as base64, with or without the prefix of a `data:` URI."""
    for name, file in sent.files:
        if len(file.data) > most:
            raise Oversized(f'file "{name}" exceeds the {most} byte limit')
        encoded = base64.b64encode(file.data).decode()
        return f"data:{file.content_type};base64,{encoded}" if prefix else encoded
    return None


def _check_files(sent: Sent) -> None:
    for name, _ in sent.files:
        if name != "input_reference":
            raise ValueError(f"unexpected file field: {name}")
    if len(sent.files) > 1:
        raise ValueError("input_reference must be provided once")


def _metadata(written: str) -> Mapping[str, object]:
    try:
        content = json.loads(written)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise ValueError("metadata must be a JSON object string")
    return content


def _seconds(said: Values) -> object:
    return said["seconds"] if said.get("seconds") is not None else said.get("duration")
