"""A gateway exactly as in the API document.

Where the document contradicts itself, a comment says which reading was chosen. A broken rule raises
`Refused` with a message for the author of the client.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.simulator import sounds
from bot.simulator.bodies import Body, json_object
from bot.simulator.models import WAN_SIZES, Model, Size, Takes
from bot.simulator.pictures import data_uri, following, head_of, is_address
from bot.simulator.profiles.profile import Profile
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture, Scene, Voice
from bot.simulator.videos import Video

DEFAULT_MODEL = "sora-2"
DEFAULT_SIZE = "720x1280"
DEFAULT_SECONDS = "4"
LONGEST = 60  # seconds; the document has no limit, but the renderer needs one
SIDES = range(64, 2049)  # pixels; our limit, too
KINDS = ("multipart/form-data", "application/json")
# A sample has 1280P, but the list of tiers does not: read as 720P, whose long side is 1280.
TIERS = {**WAN_SIZES, "1280P": WAN_SIZES["720P"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented(Profile):
    """A gateway that follows the document."""

    created: int = 201

    def scene(self, body: Body) -> Scene:
        """Return the video that a request asks for."""
        if body.kind not in KINDS:
            raise Refused(f"send multipart/form-data or application/json, not {body.kind}")
        return _scene(body, self.models)

    def accepted(self, video: Video) -> dict[str, object]:
        """Return the body of the response to an accepted request ("201 - Successfully Created")."""
        return {
            "id": video.id,
            "object": "video",
            "model": video.scene.model,
            "created_at": int(video.created_at),
            "status": "processing",
            "progress": 0,
        }

    def shown(self, video: Video, now: float, url: str) -> dict[str, object]:
        """Return the body of a response to a poll: the longer sample of "Get Video Task Status"."""
        state = video.state(now)
        body = self.accepted(video) | {
            "status": state,
            "progress": video.progress(now),
            "size": f"{video.scene.width}x{video.scene.height}",
            "seconds": str(video.scene.seconds),
            "quality": "standard",
            "remixed_from_video_id": None,
            "error": None,
        }
        if state == "succeeded":
            body |= {"expires_at": int(video.created_at) + self.lifetime, "url": url}
        if state == "failed" and video.failure:
            body["error"] = {"message": video.failure.message, "code": video.failure.code}
        return body

    def file_headers(self, video: Video) -> dict[str, str]:
        """Return the headers that the document calls "file download information"."""
        return {"Content-Disposition": f'attachment; filename="{video.id}.mp4"'}

    def envelope(self, refusal: Refused) -> Mapping[str, object]:
        """Return the only error envelope of the document."""
        kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
        return {"error": {"message": refusal.message, "type": kind}}


# ---------------------------------------------------------------------------- the video


def _scene(body: Body, models: Mapping[str, Model]) -> Scene:
    prompt = body.fields.get("prompt", "")
    if not prompt.strip():
        raise Refused("prompt is required")
    name = body.fields.get("model") or DEFAULT_MODEL
    model = models.get(name)
    if model is None:
        raise Refused(f"unknown model {name!r}; known are {', '.join(models)}")
    extras = _metadata(body)
    pictures = _pictures(body, extras, name, model)
    voice = _voice(extras) if model.takes is Takes.SOUND else None
    width, height = _size(body, extras, model, pictures)
    return Scene(
        model=name,
        prompt=prompt,
        width=width,
        height=height,
        seconds=_lasting(voice) if isinstance(voice, bytes) else _seconds(body),
        pictures=pictures,
        voice=voice,
        sound=not model.silent and _switch(extras, "audio", default=True),
        watermark=_switch(extras, "watermark", default=False),
        seed=_seed(extras),
    )


def _metadata(body: Body) -> dict[str, object]:
    """Return the extended parameters: the form's JSON string, or an object in a JSON body."""
    text = body.fields.get("metadata", "")
    extras = json_object(text, "metadata") if text else {}
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


# ------------------------------------------------------------------------------ sound


def _voice(extras: Mapping[str, object]) -> Voice:
    """Return the sound in `audio_url`, the vendor's name; the document names no field for sound."""
    given = extras.get("audio_url")
    if isinstance(given, str) and is_address(given):
        return given
    decoded = data_uri(given) if isinstance(given, str) else None
    if decoded is None:
        raise Refused("metadata.audio_url must be an http(s) URL or a base64 data: URI")
    return decoded[1]


def _lasting(voice: bytes) -> int:
    """Return the seconds of the sound, which are those of the video. Raises `Refused`."""
    try:
        length = sounds.seconds(voice)
    except ValueError as error:
        raise Refused("audio_url is not a sound") from error
    if length > LONGEST:
        raise Refused(f"audio_url lasts longer than {LONGEST} seconds")
    return length


# ------------------------------------------------------------------------------- size


def _size(
    body: Body, extras: Mapping[str, object], model: Model, pictures: tuple[Picture, ...]
) -> Size:
    text = body.fields.get("size") or body.fields.get("resolution") or extras.get("resolution")
    if not text:
        # A Wan model keeps the picture's shape; the default 720x1280 would crop it.
        text = "720P" if model.urls_only and pictures else DEFAULT_SIZE
    if str(text).upper() in TIERS:
        tier = TIERS[str(text).upper()]
        first = next(iter(pictures), None)
        if not isinstance(first, bytes):
            return tier[0]
        return following(_checked(first, "the picture"), tier)
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


# ---------------------------------------------------------------------------- pictures


def _pictures(
    body: Body, extras: Mapping[str, object], name: str, model: Model
) -> tuple[Picture, ...]:
    """Return the request's pictures. Raises `Refused` if the model does not take them this way."""
    uploads = tuple(_uploads(body))
    if model.takes is Takes.FRAMES:
        return _by_names(extras, "first_frame_url", "last_frame_url")
    if model.takes is Takes.SOUND:
        return _by_names(extras, "image_url")
    given = extras.get("img_url") or body.fields.get("input_reference")
    if given is None and uploads and model.urls_only:
        # One JavaScript sample uploads a file to a Wan model, but the text forbids that.
        raise Refused(f"{name}: direct file upload is not supported, use metadata.img_url")
    pictures = (_by_address(given, "img_url"),) if given else uploads
    if pictures and model.takes is Takes.TEXT:
        raise Refused(f"{name} takes no picture")
    if not pictures and model.takes is Takes.PICTURE:
        how = "metadata.img_url" if model.urls_only else "the file input_reference"
        raise Refused(f"{name} needs a picture: send {how}")
    return pictures


def _by_names(extras: Mapping[str, object], *names: str) -> tuple[Picture, ...]:
    missing = [f"metadata.{name}" for name in names if not extras.get(name)]
    if missing:
        raise Refused(f"this model needs {' and '.join(missing)}")
    return tuple(_by_address(extras[name], name) for name in names)


def _uploads(body: Body) -> Iterator[bytes]:
    for name, upload in body.files.items():
        _checked(upload.data, name)
        if name != "input_reference":
            raise Refused(f"unknown file {name!r}; the one file is input_reference")
        yield upload.data


def _by_address(value: object, name: str) -> Picture:
    if not isinstance(value, str):
        raise Refused(f"{name} must be text")
    if is_address(value):
        return value
    decoded = data_uri(value)
    if decoded is None:
        raise Refused(f"{name} must be an http(s) URL or a base64 data: URI")
    _checked(decoded[1], name)
    return decoded[1]


def _checked(data: bytes, name: str) -> Size:
    try:
        return head_of(data).size
    except ValueError as error:
        raise Refused(f"{name} is not an image") from error
