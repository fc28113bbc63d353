"""How the simulated OpenRouter reads a request: its schema, the model's limits, what is dropped.

Nobody outside knows the texts of its refusals; these are our own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.simulator.pictures import data_uri, head_of, is_address
from bot.simulator.plugins import Shot
from bot.simulator.profiles.openrouter_models import (
    AUDIO,
    FIRST,
    IMAGE,
    LAST,
    OFFERED,
    SHORT,
    VIDEO,
    WIDE,
    Offered,
)
from bot.simulator.refusals import Refused
from bot.simulator.scenes import Picture

Json = Mapping[str, object]

KINDS: Mapping[str, type] = {
    "model": str,
    "prompt": str,
    "duration": int,
    "resolution": str,
    "aspect_ratio": str,
    "size": str,
    "generate_audio": bool,
    "seed": int,
    "frame_images": list,
    "input_references": list,
    "previous_job_id": str,
    "callback_url": str,
    "provider": dict,
    "user": str,
    "session_id": str,
    "creativity": int,
    "upscale_factor": float,
}
"""The fields of a request. All other fields are dropped without a word."""
LONGEST_SESSION = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A valid request. `sent` is the part of it that reaches the provider."""

    model: str
    offered: Offered
    prompt: str
    seconds: int
    resolution: str
    ratio: str
    width: int
    height: int
    sound: bool
    seed: int | None
    shots: tuple[Shot, ...]
    pictures: tuple[Picture, ...]
    previous: str
    sent: Json

    @property
    def negative_prompt(self) -> str:
        """The negative prompt, which only a provider's option can tell."""
        options = self.sent.get("options")
        words = options if isinstance(options, dict) else {}
        return str(words.get("negative_prompt") or words.get("negativePrompt") or "")


def read(given: Json) -> Asked:
    """Read a request. Raises `Refused` if it breaks the schema or asks what its model can't do."""
    fields = _typed(given)
    model = str(fields.get("model", ""))
    offered = OFFERED.get(model)
    if offered is None:
        raise Refused(f"{model} is not a valid video model ID" if model else "model: Required")
    _check_common(fields, offered)
    frames = _frames(fields, offered)
    references = _references(fields, offered)
    # Frames win: the request is then one for image to video, without its references.
    shots = frames or tuple(Shot("reference", url) for kind, url in references if kind == IMAGE)
    pictures = tuple(_seen(shot.data) for shot in shots)
    _check_needs(fields, offered, frames, references)
    resolution, ratio, (width, height) = _size(fields, offered, pictures if frames else ())
    seconds = fields.get("duration") or (offered.durations or (5,))[0]
    assert isinstance(seconds, int)
    sound = offered.sound is True and fields.get("generate_audio") is not False
    seed = fields.get("seed") if offered.seed else None
    sent = _sent(fields, offered, frames, references)
    return Asked(
        model=model, offered=offered, prompt=str(fields.get("prompt", "")), seconds=seconds,
        resolution=resolution, ratio=ratio, width=width, height=height, sound=sound,
        seed=seed if isinstance(seed, int) else None, shots=shots, pictures=pictures,
        previous=str(fields.get("previous_job_id", "")),
        sent=sent | {"duration": seconds, "generate_audio": sound},
    )  # fmt: skip


# ----------------------------------------------------------------------------- checks


def _typed(given: Json) -> dict[str, object]:
    """Return the known fields of a request, each of the right type."""
    fields = {name: given[name] for name in KINDS if given.get(name) is not None}
    for name, value in fields.items():
        kind = KINDS[name]
        numbers = (int, float) if kind is float else kind
        if not isinstance(value, numbers) or (isinstance(value, bool) and kind is not bool):
            raise Refused(f"{name}: Invalid input: expected {kind.__name__}")
    return fields


def _check_common(fields: Json, offered: Offered) -> None:
    if not str(fields.get("callback_url", "https://")).startswith("https://"):
        raise Refused("callback_url: must be an HTTPS URL")
    if len(str(fields.get("session_id", ""))) > LONGEST_SESSION:
        raise Refused(f"session_id: must be at most {LONGEST_SESSION} characters")
    for name in ("creativity", "upscale_factor"):
        if name in fields and offered.needs != VIDEO:
            raise Refused(f"{name} is not supported by {offered.name}")
    if "previous_job_id" in fields and not offered.continues:
        raise Refused(f"previous_job_id is not supported by {offered.name}")
    choices: Sequence[tuple[str, Sequence[object] | None]] = (
        ("duration", offered.durations),
        ("resolution", offered.resolutions),
        ("aspect_ratio", offered.ratios),
        ("size", offered.sizes),
    )
    for name, known in choices:
        if name in fields and fields[name] not in (known or ()):
            shown = ", ".join(map(str, known)) if known else "none"
            words = f"{name} {fields[name]!r} is not supported by {offered.name}"
            raise Refused(f"{words}; supported: {shown}")


def _check_needs(
    fields: Json,
    offered: Offered,
    frames: Sequence[Shot],
    references: Sequence[tuple[str, str]],
) -> None:
    if not str(fields.get("prompt", "")).strip() and not (offered.wordless and offered.needs):
        raise Refused("prompt: Required")
    if offered.needs == FIRST and not frames:
        raise Refused(f"{offered.name} requires a first_frame image")
    if offered.needs == VIDEO and not references:
        raise Refused(f"{offered.name} requires a video reference")


def _size(
    fields: Json, offered: Offered, frames: Sequence[Picture]
) -> tuple[str, str, tuple[int, int]]:
    """Return resolution, ratio and pixels. A frame decides the ratio if the request does not."""
    if size := str(fields.get("size", "")):
        width, height = map(int, size.split("x"))
        return f"{min(width, height)}p", "", (width, height)
    resolution = str(fields.get("resolution") or (offered.resolutions or ("",))[0])
    ratio = str(fields.get("aspect_ratio", ""))
    shape = offered.size(resolution, ratio or (offered.ratios or (WIDE,))[0])
    first = next(iter(frames), None)
    if not ratio and isinstance(first, bytes):
        shape = _as_shown(first, int(resolution.removesuffix("p") or SHORT))
    return resolution, ratio, shape


def _as_shown(first: bytes, short: int) -> tuple[int, int]:
    """Return the size of a video with this first frame and this short side."""
    width, height = head_of(first).size
    width, height = max(width, height // 3), max(height, width // 3)  # at most 3:1
    scale = short / min(width, height)
    return round(width * scale / 2) * 2, round(height * scale / 2) * 2


# ----------------------------------------------------------------------------- assets


def _frames(fields: Json, offered: Offered) -> tuple[Shot, ...]:
    found: dict[str, Shot] = {}
    for number, entry in enumerate(_entries(fields, "frame_images")):
        role = entry.get("frame_type")
        if role not in (FIRST, LAST):
            raise Refused(f"frame_images.{number}.frame_type: expected first_frame or last_frame")
        if role not in (offered.frames or ()):
            raise Refused(f"{role} is not supported by {offered.name}")
        if role in found:
            raise Refused(f"frame_images has more than one {role}")
        _, url = _asset(entry, f"frame_images.{number}", (IMAGE,))
        found[role] = Shot(role, url)
    return tuple(found[role] for role in (FIRST, LAST) if role in found)


def _references(fields: Json, offered: Offered) -> tuple[tuple[str, str], ...]:
    """Return type and address of each reference that the provider takes; it ignores others."""
    entries = _entries(fields, "input_references")
    found = [
        _asset(entry, f"input_references.{number}", (IMAGE, AUDIO, VIDEO))
        for number, entry in enumerate(entries)
    ]
    if found and not offered.references:
        raise Refused(f"input_references is not supported by {offered.name}")
    kept = tuple(each for each in found if each[0] in offered.references)
    if len(kept) > offered.most:
        raise Refused(f"{offered.name} takes at most {offered.most} references")
    return kept


def _entries(fields: Json, name: str) -> list[dict[str, object]]:
    entries = fields.get(name, [])
    assert isinstance(entries, list)
    if not all(isinstance(entry, dict) for entry in entries):
        raise Refused(f"{name}: Invalid input: expected a list of objects")
    return entries


def _asset(entry: Json, where: str, kinds: Sequence[str]) -> tuple[str, str]:
    """Return type and address of a part such as `{type: image_url, image_url: {url}}`."""
    kind = entry.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        raise Refused(f"{where}.type: Invalid input: expected one of {', '.join(kinds)}")
    part = entry.get(kind)
    url = part.get("url") if isinstance(part, dict) else None
    if not isinstance(url, str) or not (is_address(url) or _encoded(kind, url)):
        raise Refused(f"{where}.{kind}.url: must be a URL or a base64 data URL")
    return kind, url


def _encoded(kind: str, url: str) -> bool:
    found = data_uri(url)
    return found is not None and found[0].startswith(f"{kind.partition('_')[0]}/")


def _seen(url: str) -> Picture:
    found = data_uri(url)
    if found is None:
        return url
    try:
        head_of(found[1])
    except ValueError as error:
        raise Refused("the image could not be read") from error
    return found[1]


# ------------------------------------------------------------------------ the provider


def _sent(
    fields: Json,
    offered: Offered,
    frames: Sequence[Shot],
    references: Sequence[tuple[str, str]],
) -> dict[str, object]:
    """Return what reaches the provider: without options of others and unknown parameters."""
    own = ("model", "prompt", "resolution", "aspect_ratio", "size", "previous_job_id")
    sent = {name: fields[name] for name in own if name in fields}
    if offered.seed and "seed" in fields:
        sent["seed"] = fields["seed"]
    if frames:
        sent["frame_images"] = [{"frame_type": shot.role, "url": shot.data} for shot in frames]
    elif references:
        sent["input_references"] = [{"type": kind, "url": url} for kind, url in references]
    options = _options(fields, offered)
    return sent | ({"options": options} if options else {})


def _options(fields: Json, offered: Offered) -> dict[str, object]:
    provider = fields.get("provider")
    asked = provider.get("options") if isinstance(provider, dict) else None
    mine = asked.get(offered.provider) if isinstance(asked, dict) else None
    if not isinstance(mine, dict):
        return {}
    # Some providers' options stand one level deeper.
    deeper = mine.get("parameters")
    words = {**mine, **(deeper if isinstance(deeper, dict) else {})}
    return {name: words[name] for name in offered.options if name in words}
