"""Read a request as new-api does, for all its adaptors, and make its refusals.

The gateway's own checks are here: they come before the vendor gets the request. A vendor's refusal
is wrapped as the gateway wraps it: the vendor's JSON becomes the text of the message.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.simulator.bodies import Body, Upload, plain
from bot.simulator.models import Family
from bot.simulator.refusals import Refused, flat

Generation = Literal["A", "B"]

KNOWN = frozenset(
    {
        "prompt", "model", "mode", "image", "images", "size", "duration", "seconds",
        "input_reference", "metadata",
    }
)  # fmt: skip
TEXTS = ("prompt", "model", "mode", "image", "size", "seconds", "input_reference")
# These read unknown form fields as metadata; generation A never reads their `metadata` itself.
LOOSE = (Family.KLING, Family.JIMENG, Family.VIDU)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A request as the gateway read it, without the fields that it does not know."""

    generation: Generation
    family: Family
    model: str
    prompt: str
    mode: str
    size: str
    seconds: str
    duration: int | None
    image: str
    images: tuple[str, ...]
    reference: str  # the text input_reference
    files: tuple[Upload, ...]
    metadata: Mapping[str, object]

    @property
    def addresses(self) -> tuple[str, ...]:
        """The pictures that were sent as text: the texts in `images`, or else `image`."""
        return self.images or ((self.image,) if self.image else ())

    def fields(self, kinds: Mapping[str, type], within: str = "") -> dict[str, object]:
        """Return the metadata values of the keys in `kinds`, without nulls.

        `within`: the name of an object in the metadata to read instead. Raises `Refused` for a
        value of another type than in `kinds`, which the gateway can't convert.
        """
        source = self.metadata.get(within) if within else self.metadata
        if source is None:
            return {}
        if not isinstance(source, Mapping):
            raise self.unconverted(f"cannot unmarshal metadata.{within} into an object")
        found = {name: source[name] for name in kinds if source.get(name) is not None}
        for name, value in found.items():
            if not _fits(value, kinds[name]):
                kind = kinds[name].__name__
                raise self.unconverted(f"cannot unmarshal metadata.{name} into a field of {kind}")
        return found

    def unconverted(self, message: str) -> Refused:
        """Return the refusal if the gateway can't build the vendor's request from this one."""
        wan_in_a = self.family is Family.WAN and self.generation == "A"
        code = "convert_to_ali_request_failed" if wan_in_a else "build_request_failed"
        return flat(code, message, 500)


def read(body: Body, *, model: str, family: Family, generation: Generation) -> Submission:
    """Read a request as the gateway does. Raises `Refused`."""
    strict = family in (Family.SORA, Family.WAN)
    if body.json is None:
        _check_form(body, always=strict or generation == "B")
    else:
        _check_json(body.json, "invalid_json" if strict else "invalid_request", generation)
    prompt = body.fields.get("prompt", "")
    if not prompt.strip():
        raise flat("invalid_request", "prompt is required")
    return Submission(
        generation=generation,
        family=family,
        model=model,
        prompt=prompt,
        mode=body.fields.get("mode", ""),
        size=body.fields.get("size", ""),
        seconds=_seconds(body, family),
        duration=_duration(body, generation),
        image=body.fields.get("image", ""),
        images=_images(body),
        reference=body.fields.get("input_reference", ""),
        files=tuple(body.files.values()),
        metadata=_metadata(body, family, generation),
    )


def rejected(raw: Mapping[str, object], status: int = 400) -> Refused:
    """Return the refusal that contains a vendor's response as text, and has its status."""
    text = json.dumps(raw, ensure_ascii=False)
    return flat("fail_to_fetch_task", text, status, upstream=True)


def whole(text: str, default: int) -> int | None:
    """Return the whole number in a text, `default` for "", and None for anything else."""
    if not text:
        return default
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else None


# ------------------------------------------------------------------------------- checks


def _check_form(body: Body, *, always: bool) -> None:
    for name in ("input_reference", "image"):
        if len(body.all(name)) > 1:
            raise flat("invalid_multipart_form", f"{name} is one text, not a list")
    if always and len(body.all("images")) == 1:
        raise flat("invalid_multipart_form", "images is a list, not one text")


def _check_json(content: Mapping[str, object], code: str, generation: Generation) -> None:
    for name in TEXTS:
        if not isinstance(content.get(name, ""), str | None):
            raise flat(code, f"cannot unmarshal {name} into a field of string")
    images = content.get("images") or []
    if not isinstance(images, list) or not all(isinstance(each, str) for each in images):
        raise flat(code, "cannot unmarshal images into a list of strings")
    duration = content.get("duration")
    as_text = isinstance(duration, str) and generation == "B"
    if duration is not None and not as_text and not _fits(duration, int):
        raise flat(code, "cannot unmarshal duration into a field of int")


def _fits(value: object, kind: type) -> bool:
    if kind is bool:
        return isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is list:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    return isinstance(value, kind) and not isinstance(value, bool)


# ------------------------------------------------------------------------------ reading


def _seconds(body: Body, family: Family) -> str:
    """Return the field `seconds`. The adaptors of kling, jimeng and vidu read it in forms only."""
    if body.json is not None and family in LOOSE:
        return ""
    return body.fields.get("seconds", "")


def _duration(body: Body, generation: Generation) -> int | None:
    if body.json is None and generation == "A":
        return None
    text = body.fields.get("duration", "")
    return whole(text, 0) or None


def _images(body: Body) -> tuple[str, ...]:
    if body.json is None:
        return tuple(body.all("images"))
    images = body.json.get("images")
    return tuple(str(each) for each in images) if isinstance(images, list) else ()


def _metadata(body: Body, family: Family, generation: Generation) -> dict[str, object]:
    said = _object(body.fields.get("metadata", ""))
    if body.json is not None or family not in LOOSE:
        return said
    extras = {name: _number(text) for name, text in body.fields.items() if plain(name) not in KNOWN}
    return extras if generation == "A" else extras | said


def _object(text: str) -> dict[str, object]:
    """Return the JSON object in a text; {} for anything else."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _number(text: str) -> object:
    """Return the number in a form's text, as the gateway reads it; any other text unchanged."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
