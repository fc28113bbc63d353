"""OpenAI's own videos: strict, and the only vendor that is used without an adaptor."""

import re
from collections.abc import Mapping

from bot.simulator.bodies import Body, Upload, plain
from bot.simulator.models import Model, Size
from bot.simulator.pictures import data_uri, head_of, is_address
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture, Scene
from bot.simulator.videos import Video

PARAMETERS = ("prompt", "model", "seconds", "size", "input_reference")
FORMS = ("input_reference[image_url]", "input_reference[file_id]")
SECONDS = ("4", "8", "12")
SIZES: Mapping[str, tuple[str, ...]] = {
    "sora-2": ("720x1280", "1280x720"),
    "sora-2-pro": ("720x1280", "1280x720", "1024x1792", "1792x1024"),
}
LONGEST_PROMPT = 32000
FORMATS = ("JPEG", "PNG", "WEBP")
LONGEST_URL = 20_971_520
WAITS = 0.2  # the share of its time for which a video is queued
KEPT = 3600  # seconds for which a video's file is kept


def scene(body: Body, models: Mapping[str, Model]) -> Scene:
    """Return the video that a request asks for."""
    _check_parameters(body)
    model = _text(body, "model") or "sora-2"
    if model not in models:
        raise _invalid("model", model, models)
    seconds = _text(body, "seconds") or SECONDS[0]
    if seconds not in SECONDS:
        raise _invalid("seconds", seconds, SECONDS)
    size = _text(body, "size") or SIZES[model][0]
    if size not in SIZES[model]:
        raise _invalid("size", size, SIZES[model])
    width, height = map(int, size.split("x"))
    return Scene(
        model=model,
        prompt=prompt(body),
        width=width,
        height=height,
        seconds=int(seconds),
        pictures=_pictures(body, (width, height)),
    )


def described(video: Video, now: float) -> dict[str, object]:
    """Return the video object, which always has every key."""
    state = video.state(now)
    over = state != "processing"
    share = video.share(now)
    status = {"succeeded": "completed", "failed": "failed"}.get(state, "in_progress")
    done = int(video.created_at + video.takes)
    error = video.failure if state == "failed" else None
    return {
        "id": video.id,
        "object": "video",
        "model": video.scene.model,
        "status": "queued" if share < WAITS and not over else status,
        "progress": video.progress(now),
        "created_at": int(video.created_at),
        "completed_at": done if over else None,
        "expires_at": done + KEPT if state == "succeeded" else None,
        "prompt": video.scene.prompt,
        "size": f"{video.scene.width}x{video.scene.height}",
        "seconds": str(video.scene.seconds),
        "remixed_from_video_id": video.remixed_from,
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def complaint(refusal: Refused) -> dict[str, object]:
    """Return the body of a refusal."""
    kind = "server_error" if refusal.status >= 500 else "invalid_request_error"
    words = {"message": refusal.message, "type": kind}
    return {"error": {**words, "param": refusal.param, "code": refusal.code}}


def prompt(body: Body) -> str:
    """Return the prompt, which every request must have."""
    text = _text(body, "prompt")
    if not text.strip():
        raise _wrong(
            "prompt", "Missing required parameter: 'prompt'.", "missing_required_parameter"
        )
    if len(text) > LONGEST_PROMPT:
        raise _wrong("prompt", "Invalid 'prompt': string too long.", "string_above_max_length")
    return text


def _check_parameters(body: Body) -> None:
    known = (*PARAMETERS, *FORMS) if body.json is None else PARAMETERS
    for name in [*(body.json or body.fields), *body.files]:
        if plain(name) not in known:
            raise _wrong(name, f"Unknown parameter: '{name}'.", "unknown_parameter")
        if plain(name) != name:
            raise _wrong(name, f"Duplicate parameter: '{plain(name)}'.", "duplicate_parameter")


def _text(body: Body, name: str) -> str:
    value: object = body.fields.get(name, "")
    if body.json is not None:
        value = body.json.get(name) or ""
    if not isinstance(value, str):
        kind = type(value).__name__
        raise _wrong(
            name, f"Invalid type for '{name}': expected a string, not {kind}.", "invalid_type"
        )
    return value


# ----------------------------------------------------------------------------- pictures


def _pictures(body: Body, size: Size) -> tuple[Picture, ...]:
    name = "input_reference"
    if name in body.files:
        return (_uploaded(body.files[name], size),)
    given: object = body.fields.get(name)
    if body.json is not None:
        given = body.json.get(name)
    elif forms := {form: body.fields[form] for form in FORMS if form in body.fields}:
        given = {re.sub(r".*\[|\]", "", form): text for form, text in forms.items()}
    match given:
        case None:
            return ()
        case {"image_url": str(url), **rest} if not rest and len(url) <= LONGEST_URL:
            return (_addressed(url, size),)
        case {"file_id": str(file), **rest} if not rest and file.startswith("file-"):
            return (file,)
        case _:
            words = f"Invalid type for '{name}': expected a file, or one of image_url and file_id."
            raise _wrong(name, words, "invalid_type")


def _uploaded(upload: Upload, size: Size) -> bytes:
    kind = upload.content_type
    if not kind.startswith("image/") and kind != "application/octet-stream":
        words = f"Invalid file 'input_reference': unsupported mimetype ('{kind}')."
        raise _wrong("input_reference", words, "unsupported_mimetype")
    return _fitting(upload.data, size)


def _addressed(url: str, size: Size) -> Picture:
    if is_address(url):
        return url
    decoded = data_uri(url)
    if decoded is None:
        raise _wrong("input_reference", "Invalid 'image_url': not a URL.", "invalid_value")
    return _fitting(decoded[1], size)


def _fitting(data: bytes, size: Size) -> bytes:
    """Return the picture if it fits the size. Only its bytes decide its format."""
    try:
        seen = head_of(data)
    except ValueError as error:
        raise _wrong("input_reference", "The image cannot be read.", "invalid_image") from error
    if seen.format not in FORMATS:
        raise _wrong("input_reference", f"Unsupported image {seen.format}.", "invalid_image")
    if seen.size != size:
        words = "Inpaint image must match the requested width and height"
        raise _wrong("input_reference", words, None)
    return data


def _invalid(name: str, value: str, known: Mapping[str, object] | tuple[str, ...]) -> Refused:
    values = ", ".join(f"'{each}'" for each in known)
    words = f"Invalid value: '{value}'. Supported values are: {values}."
    return _wrong(name, words, "invalid_value")


def _wrong(param: str, message: str, code: str | None) -> Refused:
    return Refused(message, 400, param=param, code=code)
