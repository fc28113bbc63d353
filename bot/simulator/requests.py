"""Reads what was sent to `POST /v1/videos`: the raw parts, then the film they ask for.

Every rule in here is the API document's; where it contradicts itself a comment says which side
was taken. What breaks a rule is `Refused`, with a message for whoever wrote the client.
"""

import base64
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from aiohttp import web
from PIL import Image

from bot.simulator.profiles import WAN_SIZES, Model, Size, Takes
from bot.simulator.scenes import Film, Picture

DEFAULT_MODEL = "sora-2"
DEFAULT_SIZE = "720x1280"
DEFAULT_SECONDS = "4"
LONGEST = 60  # seconds; the document names no limit, a renderer needs one
SIDES = range(64, 2049)  # pixels; likewise
# One sample says 1280P and the list of tiers does not: taken for 720P, whose long side is 1280.
TIERS = {**WAN_SIZES, "1280P": WAN_SIZES["720P"]}
TURNED = {5, 6, 7, 8}  # EXIF orientations that lay a picture on its side


class Refused(Exception):
    """A request breaks a rule and is answered with this status and message."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


@dataclass(frozen=True, slots=True)
class Upload:
    """One file part."""

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """What arrived: text fields and file parts by name; a repeated name is numbered, `images (2)`.

    A JSON body has only text fields; what is no string in it stands here as JSON text.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Upload] = field(default_factory=dict)


# ---------------------------------------------------------------------------- the body


async def read(request: web.Request) -> Body:
    """Receive a whole body, multipart or JSON."""
    match request.content_type:
        case "application/json":
            return _from_json(await request.read())
        case "multipart/form-data":
            return await _from_form(request)
        case other:
            raise Refused(f"send multipart/form-data or application/json, not {other}")


def _from_json(raw: bytes) -> Body:
    content = _json_object(raw, "the body")
    return Body(
        {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in content.items()
            if value is not None
        }
    )


async def _from_form(request: web.Request) -> Body:
    try:
        form = await request.post()
    except ValueError as error:
        raise Refused(f"the multipart body cannot be read: {error}") from error
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    for name, value in form.items():
        if isinstance(value, web.FileField):
            upload = Upload(value.filename, value.content_type, value.file.read())
            files[_free(name, files)] = upload
        else:
            fields[_free(name, fields)] = _text(name, value)
    return Body(fields, files)


def _free(name: str, taken: Mapping[str, object]) -> str:
    count = sum(1 for other in taken if other == name or other.startswith(f"{name} ("))
    return f"{name} ({count + 1})" if count else name


def _text(name: str, value: str | bytes | bytearray) -> str:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is neither text nor a file with a filename") from error


def _json_object(raw: str | bytes, what: str) -> dict[str, object]:
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Refused(f"{what} is not valid JSON") from error
    if not isinstance(content, dict):
        raise Refused(f"{what} is not a JSON object")
    return content


# ---------------------------------------------------------------------------- the film


def film(body: Body, models: Mapping[str, Model]) -> Film:
    """Return the film a body asks for."""
    prompt = body.fields.get("prompt", "")
    if not prompt.strip():
        raise Refused("prompt is required")
    name = body.fields.get("model") or DEFAULT_MODEL
    model = models.get(name)
    if model is None:
        raise Refused(f"unknown model {name!r}; known are {', '.join(models)}")
    extras = metadata(body)
    pictures = _pictures(body, extras, name, model)
    width, height = _size(body, extras, model, pictures)
    return Film(
        model=name,
        prompt=prompt,
        width=width,
        height=height,
        seconds=_seconds(body),
        pictures=pictures,
        sound=not model.silent and _switch(extras, "audio", default=True),
        watermark=_switch(extras, "watermark", default=False),
        seed=_seed(extras),
    )


def metadata(body: Body) -> dict[str, object]:
    """Return the extended parameters: the form's JSON string, or an object in a JSON body."""
    text = body.fields.get("metadata", "")
    extras = _json_object(text, "metadata") if text else {}
    _switch(extras, "prompt_extend", default=True)  # changes nothing here, but must be well formed
    return extras


def _switch(extras: Mapping[str, object], name: str, *, default: bool) -> bool:
    value = extras.get(name, default)
    if not isinstance(value, bool):
        raise Refused(f"metadata.{name} must be true or false")
    return value


def _seed(extras: Mapping[str, object]) -> int:
    value = extras.get("seed", 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Refused("metadata.seed must be a whole number, 0 or more")
    return value


def _seconds(body: Body) -> int:
    text = body.fields.get("seconds") or DEFAULT_SECONDS
    if not re.fullmatch(r"[0-9]{1,3}", text) or not 1 <= int(text) <= LONGEST:
        raise Refused(f"seconds must be a whole number from 1 to {LONGEST}, not {text!r}")
    return int(text)


# ------------------------------------------------------------------------------- size


def _size(
    body: Body, extras: Mapping[str, object], model: Model, pictures: tuple[Picture, ...]
) -> Size:
    text = body.fields.get("size") or body.fields.get("resolution") or extras.get("resolution")
    if not text:
        # A Wan model asked to move a picture follows the picture; 720x1280 would crop it.
        text = "720P" if model.urls_only and pictures else DEFAULT_SIZE
    if str(text).upper() in TIERS:
        tier = TIERS[str(text).upper()]
        first = next(iter(pictures), None)
        return _following(first, tier) if isinstance(first, bytes) else tier[0]
    return _pixels(str(text), model)


def _pixels(text: str, model: Model) -> Size:
    match = re.fullmatch(r"([0-9]{1,5})[xX*×]([0-9]{1,5})", text)
    if match is None:
        raise Refused(f"size must be like 1280x720, 1280*720 or 720P, not {text!r}")
    size = int(match[1]), int(match[2])
    if model.sizes is not None and size not in model.sizes:
        known = ", ".join(f"{width}*{height}" for width, height in sorted(model.sizes))
        raise Refused(f"this model has no size {text!r}; it has {known}")
    if not all(side in SIDES and side % 2 == 0 for side in size):
        raise Refused(f"each side of size must be even and from {SIDES[0]} to {SIDES[-1]} pixels")
    return size


def _following(picture: bytes, tier: tuple[Size, ...]) -> Size:
    """The tier's size of the picture's ratio, else as many pixels with sides in steps of 16."""
    width, height = _look(picture, "the picture")
    for size in tier:
        if width * size[1] == height * size[0]:
            return size
    width, height = max(width, height // 4), max(height, width // 4)  # no ribbons
    area = tier[0][0] * tier[0][1]
    wide, high = math.isqrt(area * width // height), math.isqrt(area * height // width)
    return wide // 16 * 16, high // 16 * 16


# ---------------------------------------------------------------------------- pictures


def _pictures(
    body: Body, extras: Mapping[str, object], name: str, model: Model
) -> tuple[Picture, ...]:
    """Return the pictures a model is given, after checking that it takes them, and this way."""
    uploads = tuple(_uploads(body))
    if model.takes is Takes.FRAMES:
        return _frames(extras)
    given = extras.get("img_url") or body.fields.get("input_reference")
    if given is None and uploads and model.urls_only:
        # One JavaScript sample uploads a file to a Wan model; the text rules that out.
        raise Refused(f"{name}: direct file upload is not supported, use metadata.img_url")
    pictures = (_by_address(given, "img_url"),) if given else uploads
    if pictures and model.takes is Takes.TEXT:
        raise Refused(f"{name} takes no picture")
    if not pictures and model.takes is Takes.PICTURE:
        how = "metadata.img_url" if model.urls_only else "the file input_reference"
        raise Refused(f"{name} needs a picture: send {how}")
    return pictures


def _frames(extras: Mapping[str, object]) -> tuple[Picture, ...]:
    names = ("first_frame_url", "last_frame_url")
    missing = [f"metadata.{name}" for name in names if not extras.get(name)]
    if missing:
        raise Refused(f"this model needs {' and '.join(missing)}")
    return tuple(_by_address(extras[name], name) for name in names)


def _uploads(body: Body) -> Iterator[bytes]:
    for name, upload in body.files.items():
        _look(upload.data, name)
        if name != "input_reference":
            raise Refused(f"unknown file {name!r}; the one file is input_reference")
        yield upload.data


def _by_address(value: object, name: str) -> Picture:
    if not isinstance(value, str):
        raise Refused(f"{name} must be text")
    if value.startswith(("http://", "https://")):
        return value
    decoded = data_uri(value)
    if decoded is None:
        raise Refused(f"{name} must be an http(s) URL or a base64 data: URI")
    _look(decoded[1], name)
    return decoded[1]


def data_uri(text: str) -> tuple[str, bytes] | None:
    """Return media type and bytes of a base64 `data:` URI; None if the text is none."""
    head, comma, payload = text.partition(",")
    if not comma or not head.startswith("data:") or not head.endswith(";base64"):
        return None
    try:
        return head[5:-7], base64.b64decode(payload, validate=True)
    except ValueError:
        return None


def _look(data: bytes, name: str) -> Size:
    """Read the head of a picture; return its size as it is seen, after any EXIF turn."""
    try:
        with Image.open(BytesIO(data)) as picture:
            turned = picture.getexif().get(0x0112) in TURNED
            return (picture.height, picture.width) if turned else picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused(f"{name} is not an image") from error
