"""How the simulated SGLang reads a request: a form or JSON, with one picture or one video."""

import json
import re
from collections.abc import Mapping, Sequence

from bot.simulator.bodies import Body, Upload
from bot.simulator.models import Size
from bot.simulator.pictures import data_uri, is_address
from bot.simulator.plugins import Shot
from bot.simulator.profiles import fastapi
from bot.simulator.profiles.fastapi import NUMBER, SWITCH, WHOLE, WORD, Rule
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture

FORM = "multipart/form-data"
FIELDS: Mapping[str, Rule] = {
    **dict.fromkeys(("prompt", "negative_prompt", "model", "task_type", "size"), WORD),
    **dict.fromkeys(("reference_url", "video_url", "video_path", "output_path"), WORD),
    **dict.fromkeys(("generator_device", "output_quality", "x264_preset"), WORD),
    **dict.fromkeys(("frame_interpolation_model_path", "upscaling_model_path"), WORD),
    **dict.fromkeys(("n", "num_outputs_per_prompt", "seconds", "fps", "num_frames"), WHOLE),
    **dict.fromkeys(("width", "height", "seed", "num_inference_steps"), WHOLE),
    **dict.fromkeys(("max_sequence_length", "frame_interpolation_exp"), WHOLE),
    **dict.fromkeys(("upscaling_scale", "output_compression"), WHOLE),
    **dict.fromkeys(("guidance_scale", "guidance_scale_2", "true_cfg_scale"), NUMBER),
    **dict.fromkeys(("flow_shift", "frame_interpolation_scale"), NUMBER),
    **dict.fromkeys(("enhance_prompt", "enable_teacache", "enable_upscaling"), SWITCH),
    "enable_frame_interpolation": SWITCH,
}
EXTRAS = ("extra_body", "extra_params")
FILES = ("input_reference", "video_reference")
VIDEOS = (".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
POSITIVE = ("width", "height", "num_frames", "num_inference_steps", "num_outputs_per_prompt")
USUAL_SIZE, USUAL_SECONDS, USUAL_FPS = (832, 480), 4, 24
LONGEST = 60  # seconds that are drawn; the server has no limit
SIDES = (64, 2048)  # pixels that are drawn


Values = dict[str, object]
Files = Mapping[str, Sequence[Upload]]


def read(body: Body) -> tuple[Values, Files]:
    """Return the values and files of a request. Raises `Refused`."""
    return _from_form(body) if body.kind == FORM else _from_json(body)


def _from_form(body: Body) -> tuple[Values, Files]:
    """Return the values and files of a form. Raises `Refused`."""
    filled = fastapi.read(body, {**FIELDS, **dict.fromkeys(EXTRAS, WORD)}, FILES)
    values = dict(filled.values)
    if not values.get("prompt"):
        raise Refused("prompt is required")
    for name in EXTRAS:
        text = values.pop(name, None)
        try:
            extras = json.loads(text) if isinstance(text, str) else {}
        except (ValueError, RecursionError) as error:
            raise Refused(f"{name} is not valid JSON") from error
        _merge(values, extras)
    values["seconds"] = values.get("seconds") or USUAL_SECONDS
    return values, filled.files


def _from_json(body: Body) -> tuple[Values, Files]:
    """Return the values of a JSON body. Raises `Refused`."""
    given = dict(body.json or {})
    for name in EXTRAS:
        _merge(given, given.pop(name, None))
    if not isinstance(given.get("prompt"), str):
        missing = given.get("prompt") is None
        raise invalid_body(
            "prompt", "Field required" if missing else "Input should be a valid string"
        )
    values: dict[str, object] = {}
    for name, rule in {**FIELDS, "input_reference": WORD}.items():
        value = given.get(name)
        if value is None:
            continue
        if rule.kind is str and not isinstance(value, str):
            raise invalid_body(name, "Input should be a valid string")
        found = value if rule.kind is str else fastapi.parsed(name, str(value), rule)
        if isinstance(value, float) and not value.is_integer() and rule.kind is int:
            words = "Input should be a valid integer, got a number with a fractional part"
            raise invalid_body(name, words)
        if isinstance(found, dict):
            raise invalid_body(name, str(found["msg"]))
        values[name] = found
    return values, {}


def _merge(values: dict[str, object], extras: object) -> None:
    """Add known fields from an object inside the request; they override none."""
    if isinstance(extras, dict):
        for name in extras:
            if name in FIELDS:
                values.setdefault(name, extras[name])


def invalid_body(name: str, message: str) -> Refused:
    head = "Invalid request body: 1 validation error for VideoGenerationsRequest"
    return Refused(f"{head}\n{name}\n  {message}")


# ---------------------------------------------------------------------------- sources


def sources(
    values: Mapping[str, object], files: Files, *, form: bool
) -> tuple[str, tuple[Shot, Picture] | None]:
    """Return the video, and the first picture. The server never uses a second one."""
    video = str(values.get("video_path") or values.get("video_url") or "")
    pictures: list[tuple[Shot, Picture]] = []
    for upload in [*files.get("video_reference", ()), *files.get("input_reference", ())]:
        if upload in files.get("video_reference", ()) or _is_video(upload):
            video = video or upload.filename
        else:
            pictures.append((Shot("first_frame", ""), upload.data))
    for name in ("reference_url", "input_reference"):
        text = str(values.get(name) or "")
        if text.startswith("data:video") or text.partition("?")[0].endswith(VIDEOS):
            video = video or text
        elif text:
            pictures.append((Shot("first_frame", text), _loaded(text, name, form=form)))
    return video, next(iter(pictures), None)


def _is_video(upload: Upload) -> bool:
    return upload.content_type.startswith("video/") or upload.filename.lower().endswith(VIDEOS)


def _loaded(text: str, name: str, *, form: bool) -> Picture:
    """Return a picture by its address. A path names a file that this server does not have."""
    if is_address(text):
        return text
    found = data_uri(text)
    if found is not None and found[0].startswith("image/"):
        return found[1]
    if name == "input_reference":
        return b""
    words = "Failed to process image source: Unsupported image url format"
    raise Refused(words if form else f"Invalid request body: 400: {words}")


def size_of(values: Mapping[str, object]) -> Size:
    for name in POSITIVE:
        number = whole(values, name)
        if number is not None and number <= 0:
            raise Refused(f"{name} must be positive")
    width, height = USUAL_SIZE
    if size := str(values.get("size") or ""):
        found = re.fullmatch(r"(\d{1,6})x(\d{1,6})", size.lower().replace(" ", ""))
        if found is None or "0" in (found[1].lstrip("0") or "0", found[2].lstrip("0") or "0"):
            raise Refused("size must be formatted as positive WIDTHxHEIGHT")
        width, height = int(found[1]), int(found[2])
    return whole(values, "width") or width, whole(values, "height") or height


def frames_of(values: Mapping[str, object]) -> tuple[int, int]:
    fps = whole(values, "fps") or USUAL_FPS
    seconds = whole(values, "seconds")
    length = USUAL_SECONDS if seconds is None else seconds
    frames = whole(values, "num_frames") or fps * length
    if frames <= 0:
        raise Refused("num_frames must be positive")
    return frames, fps


def whole(values: Mapping[str, object], name: str) -> int | None:
    value = values.get(name)
    return value if isinstance(value, int) else None


def drawn(side: int) -> int:
    least, most = SIDES
    return min(max(side, least), most) // 2 * 2
