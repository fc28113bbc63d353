"""The plugin for Alibaba's Wan.

From version 1.2.0 on, it checks every request before the request costs anything. Earlier versions
check little and drop the values `false` and 0. Of a form, version 1.0.0 reads four fields only, and
no metadata.
"""

from collections.abc import Mapping

from bot.simulator.models import WAN_SIZES
from bot.simulator.plugins.plugin import (
    CHOSEN,
    Built,
    Plugin,
    Sent,
    Shot,
    Way,
    fields,
    once,
    switches,
)
from bot.simulator.plugins.values import Values, array, boolean, mapping, number, text, whole
from bot.simulator.plugins.wan_models import (
    FIRST,
    MEDIA,
    MODELS,
    RATIOS,
    SIZES,
    WanModel,
    limits,
    videos_in,
)

INPUTS = (
    "prompt", "negative_prompt", "img_url", "image_url", "first_frame_url", "last_frame_url",
    "audio_url", "template", "media",
)  # fmt: skip
PARAMETERS = ("resolution", "ratio", "prompt_extend", "watermark", "audio", "seed", "shot_type")
SWITCHES = ("prompt_extend", "watermark", "audio")
HELD = 30.0
"""Seconds that are charged in advance if the model chooses the length or a video is sent."""
SPEECH = 5


# --------------------------------------------------------------------------------- reading


def decode_first(sent: Sent) -> Values:
    """Read a request as the plugin's version 1.0.0 does: of a form, four fields only."""
    if not sent.form:
        return dict(sent.values)
    if any(name == "input_reference" for name, _ in sent.files):
        raise ValueError("Ali requires input_reference to be a URL")
    names = ("prompt", "input_reference", "seconds", "size")
    return {name: once(sent, name) for name in names if name in sent.values}


def decode(sent: Sent) -> Values:
    """Read all fields of a request. Raises `ValueError` for files, which are not accepted."""
    if sent.files:
        raise ValueError("Alibaba requires image references to be URLs")
    said = fields(sent, lists=("images",))
    if sent.form:
        for name in ("duration", "seed"):
            if name in said:
                said[name] = number(said[name])
        switches(said, *SWITCHES, "auto_duration")
    if not isinstance(said.get("images", []), list):
        raise ValueError("images must be an array")
    metadata = mapping(said.get("metadata"), "metadata")
    for name in ("input", "parameters"):
        mapping(metadata.get(name), f"metadata.{name}")
    return said


def _nested(said: Values, model: str) -> tuple[Values, Values]:
    metadata = mapping(said.get("metadata"), "metadata")
    if metadata.get("model", model) != model:
        raise ValueError("can't change model with metadata")
    return (
        dict(mapping(metadata.get("input"), "metadata.input")),
        dict(mapping(metadata.get("parameters"), "metadata.parameters")),
    )


def _first(said: Values) -> str:
    listed = [text(each) for each in array(said.get("images")) if text(each)]
    return text(said.get("image")) or next(iter(listed), text(said.get("input_reference")))


def _second(said: Values) -> str:
    listed = [text(each) for each in array(said.get("images")) if text(each)]
    return listed[1] if len(listed) > 1 else ""


def _tier(value: object) -> str:
    word = text(value).upper()
    return word if not word or word.endswith("P") else f"{word}P"


# -------------------------------------------------------------------------- until 1.2.0


def build_first(model: str, said: Values) -> Built:
    """Build the vendor's request as the plugin's versions before 1.2.0 do: nearly unchecked.

    Only the `*` in the size of a text model is checked. The values `false` and 0 are dropped.
    """
    given: Values = {"prompt": said.get("prompt") or ""}
    if image := _first(said):
        given["img_url"] = image
    asked_for = {
        "prompt_extend": True,
        **_size_first(model, said),
        "duration": _duration_first(said),
    }
    nested, parameters = _nested(said, model)
    given |= nested
    asked_for |= parameters
    if MODELS[model].kind == "media":
        _fill_media(said, given, "driving_audio")
        if not given["media"]:
            needs = "image, images, input_reference, or input.media"
            raise ValueError(f"{model} requires {needs}")
    for name in ("prompt_extend", "watermark", "seed", "resolution", "size"):
        if not asked_for.get(name):
            asked_for.pop(name, None)
    return _built(model, given, asked_for)


def _duration_first(said: Values) -> int:
    if (asked := whole(said.get("duration")) or 0) > 0:
        return asked
    if not said.get("seconds"):
        return 5
    seconds = whole(said["seconds"])
    if seconds is None:
        raise ValueError("convert seconds to int failed")
    return seconds if seconds > 0 else 5


def _size_first(model: str, said: Values) -> Values:
    size = text(said.get("size"))
    if "t2v" in model:
        if size and "*" not in size:
            raise ValueError(f"invalid size: {size}, example: 1920*1080")
        large = model.startswith(("wan2.5", "wan2.2"))
        return {"size": size or ("1920*1080" if large else "1280*720")}
    if "*" in size:
        return {"size": size}
    large = model.startswith(("wan2.6", "wan2.5", "wan2.2-i2v-plus"))
    return {"resolution": _tier(size) or ("1080P" if large else "720P")}


# ----------------------------------------------------------------------------- from 1.2.0


def build(model: str, said: Values) -> Built:
    """Check `said` and build the vendor's request from it, as the plugin does from 1.2.0 on."""
    known = MODELS[model]
    nested, native = _nested(said, model)
    given: Values = {name: said[name] for name in INPUTS if name in said}
    if (image := _first(said)) and "img_url" not in given:
        given["img_url"] = image
    given |= nested
    asked_for: Values = {} if known.kind == "speech" else {"prompt_extend": True}
    asked_for |= {name: said[name] for name in PARAMETERS if name in said} | native
    for name in SWITCHES:
        boolean(asked_for.get(name), name)
    _check_seed(asked_for.get("seed"), -1 if known.kind == "all" else 0)
    size = native.get("size")
    if known.kind == "size" and size:  # a text model's size in metadata overrides the rest
        asked_for.pop("resolution", None)
        asked_for |= {"ratio": _sized(size)[1] or asked_for.get("ratio")}
    _set_size(model, known, asked_for, size or said.get("size"))
    _set_seconds(model, known, asked_for, _asked(said, native))
    _set_pictures(model, known, said, given)
    return _built(model, given, asked_for)


def _check_seed(seed: object, least: int) -> None:
    proper = isinstance(seed, int | float) and not isinstance(seed, bool)
    found = whole(seed) if proper else None
    if seed is not None and (found is None or not least <= found < 2**31):
        raise ValueError(f"seed must be an integer between {least} and 2147483647")


def _set_size(model: str, known: WanModel, asked_for: Values, size: object) -> None:
    """Write the size as the kind of the model needs it: in pixels, as a tier, or tier and ratio."""
    tier, ratio = _sized(size)
    ratios = (*RATIOS, "adaptive") if known.kind == "all" else RATIOS
    tier = _tier(asked_for.pop("resolution", None)) or tier or known.usual
    ratio = (
        text(asked_for.pop("ratio", None))
        or ratio
        or ("adaptive" if known.kind == "all" else "16:9")
    )
    asked_for.pop("size", None)
    if tier not in known.tiers:
        raise ValueError(f"{model} resolution must be one of {', '.join(known.tiers)}")
    if known.kind in ("size", "t2v", "all") and ratio not in ratios:
        raise ValueError(f"{model} ratio must be one of {', '.join(ratios)}")
    if known.kind == "size":
        pixels = dict(zip(RATIOS, WAN_SIZES[tier], strict=False))
        if ratio not in pixels:
            raise ValueError(f"unsupported ratio for {tier}: {ratio}")
        asked_for["size"] = "*".join(map(str, pixels[ratio]))
    else:
        asked_for["resolution"] = tier
        if known.kind in ("t2v", "all"):
            asked_for["ratio"] = ratio


def _sized(value: object) -> tuple[str, str]:
    size = text(value).replace("x", "*").replace("X", "*")
    if "*" not in size:
        return _tier(size), ""
    if size not in SIZES:
        raise ValueError(f"invalid size: {size}")
    return SIZES[size]


def _asked(said: Values, native: Values) -> object:
    for value in (native.get("duration"), said.get("duration"), said.get("seconds")):
        if value is not None:
            return value
    return -1 if said.get("auto_duration") is True else None


def _set_seconds(model: str, known: WanModel, asked_for: Values, asked: object) -> None:
    asked_for.pop("duration", None)
    seconds = whole(5 if asked is None else asked)
    if seconds == -1 and known.kind != "all":
        words = "duration -1 (smart duration) is only supported by wan3.0 models"
        raise ValueError(words)
    if known.kind == "speech":
        if asked is not None and not 0 < number(asked) < 20:
            raise ValueError(f"{model} duration must be positive and less than 20 seconds")
        return
    if seconds not in known.seconds and seconds != -1:
        if isinstance(known.seconds, range):
            least, most = known.seconds[0], known.seconds[-1]
            chooses = "-1 or " if known.kind == "all" else ""
            words = f"{model} duration must be {chooses}an integer between {least} and {most}"
            raise ValueError(words)
        raise ValueError(f"{model} duration must be one of {', '.join(map(str, known.seconds))}")
    asked_for["duration"] = seconds


def _set_pictures(model: str, known: WanModel, said: Values, given: Values) -> None:
    """Write the pictures into the fields of the model's kind.

    Raises `ValueError` for a missing picture, sound or prompt that the kind needs.
    """
    match known.kind:
        case "media" | "all":
            sound = "driving_audio" if known.kind == "media" else "reference_audio"
            _fill_media(said, given, sound)
            _check_media(model, known, given)
        case "frames":
            given["first_frame_url"] = text(given.get("first_frame_url")) or given.pop(
                "img_url", ""
            )
            if not given["first_frame_url"]:
                raise ValueError(f"{model} requires first_frame_url or image")
            if not given.get("last_frame_url") and _second(said):
                given["last_frame_url"] = _second(said)
            given.pop("img_url", None)
        case "speech":
            given["image_url"] = text(given.get("image_url")) or text(given.pop("img_url", ""))
            if not given["image_url"] or not text(given.get("audio_url")):
                raise ValueError(f"{model} requires image_url and audio_url")
        case "image" if not text(given.get("img_url")):
            raise ValueError(f"{model} requires img_url or image")
        case "size" | "t2v" if not text(given.get("prompt")):
            raise ValueError("input is required")


def _fill_media(said: Values, given: Values, sound: str) -> None:
    """Fill `media` from the other fields for pictures and sound, if the request has no `media`."""
    if given.get("media") is not None and not isinstance(given["media"], list):
        raise ValueError("input.media must be an array")
    flat = {name: text(given.pop(name, "")) for name in INPUTS[2:7] if name != "image_url"}
    if given.get("media"):
        return
    found = {
        "first_frame": flat["first_frame_url"] or flat["img_url"] or _first(said),
        "last_frame": flat["last_frame_url"] or _second(said),
        sound: flat["audio_url"],
    }
    given["media"] = [{"type": kind, "url": url} for kind, url in found.items() if url]


def _check_media(model: str, known: WanModel, given: Values) -> None:
    counts: dict[str, int] = {}
    for each in array(given["media"]):
        kind = text(each.get("type")) if isinstance(each, Mapping) else ""
        if kind not in MEDIA[known.kind] or not text(mapping(each, "media").get("url")):
            raise ValueError("invalid input.media type or url")
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] > MEDIA[known.kind][kind]:
            raise ValueError(f"too many input.media entries for {kind}")
    frames = counts.keys() & {"first_frame", "last_frame"}
    others = counts.keys() - frames
    if known.kind == "media":
        clip = "first_clip" in counts
        if clip == ("first_frame" in counts) or (clip and "driving_audio" in counts):
            raise ValueError(f"{model} requires first_frame or first_clip")
    elif (frames and others) or {"file", "link"} <= others or frames == {"last_frame"}:
        raise ValueError("unsupported wan3.0 input.media combination")
    elif not text(given.get("prompt")) and not counts:
        raise ValueError(f"{model} requires prompt or input.media")
    if not counts:
        del given["media"]


# ---------------------------------------------------------------------------- the vendor


def _built(model: str, given: Values, asked_for: Values) -> Built:
    known = MODELS[model]
    asked = whole(asked_for.get("duration"))
    seconds = SPEECH if known.kind == "speech" else asked or 5
    made = CHOSEN if seconds == -1 else seconds
    scenes = "reference_video" in {text(each.get("type")) for each in _listed(given)}
    size = text(asked_for.get("size"))
    tier, ratio = SIZES.get(size, ("", "")) if size else (text(asked_for.get("resolution")), "")
    return Built(
        body={"model": model, "input": given, "parameters": asked_for},
        prompt=text(given.get("prompt")),
        seconds=seconds,
        unit="second",
        held=HELD
        if seconds == -1 or scenes
        else 20.0
        if known.kind == "speech"
        else float(seconds),
        settled=float(made),
        resolution=tier,
        ratio=ratio or text(asked_for.get("ratio")),
        pictures=_pictures(known, given),
        videos=videos_in(_listed(given)),
        seed=whole(asked_for.get("seed")),
        negative_prompt=text(given.get("negative_prompt")),
        sound=boolean(asked_for.get("audio"), "audio"),
        watermark=boolean(asked_for.get("watermark"), "watermark"),
        # The vendor rewrites a prompt unless it is told not to.
        prompt_extend=known.kind != "speech" and asked_for.get("prompt_extend") is not False,
    )


def _listed(given: Values) -> list[Mapping[str, object]]:
    return [each for each in array(given.get("media")) if isinstance(each, Mapping)]


def _pictures(known: WanModel, given: Values) -> tuple[Shot, ...]:
    """Return the pictures that the vendor uses; none for a text model."""
    match known.kind:
        case "image":
            shot_roles = {"img_url": "first_frame"}
        case "frames":
            shot_roles = {"first_frame_url": "first_frame", "last_frame_url": "last_frame"}
        case "speech":
            shot_roles = {"image_url": "first_frame"}
        case _:
            shot_roles = {}
    shots = [
        Shot(role, text(given.get(name))) for name, role in shot_roles.items() if given.get(name)
    ]
    roles = {
        "reference_image": "reference",
        "first_frame": "first_frame",
        "last_frame": "last_frame",
    }
    listed = [(roles.get(text(each.get("type"))), text(each.get("url"))) for each in _listed(given)]
    return (*shots, *(Shot(role, url) for role, url in listed if role))


def complaint(model: str, built: Built) -> str | None:
    """Return DashScope's refusal of a request that an old version of the plugin lets through."""
    known = MODELS[model]
    proper = built.seconds in known.seconds or (built.seconds == -1 and known.kind == "all")
    if known.kind != "speech" and not proper:
        return f"duration {built.seconds} is not supported by {model}"
    if built.resolution not in known.tiers:
        return f"resolution {built.resolution} is not supported by {model}"
    return None


PLUGIN = Plugin(
    key="alibaba",
    newest="1.4.2",
    ways={
        "1.0.0": Way(FIRST, decode_first, build_first),
        "1.0.1": Way(FIRST, decode, build_first),
        "1.2.0": Way(MODELS, decode, build),
    },
    limits=limits,
    check=complaint,
)
