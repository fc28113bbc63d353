"""The plugin for xAI's Grok Imagine.

A single picture in `images` is the first frame; two or more are references.
"""

from collections.abc import Mapping

from bot.simulator.plugins.plugin import Built, Plugin, Sent, Shot, Way, once, upload
from bot.simulator.plugins.values import (
    Values,
    array,
    boolean,
    mapping,
    nearest,
    number,
    sides,
    text,
    whole,
)

MODELS: Mapping[str, tuple[str, ...]] = {
    "grok-imagine-video": ("480p", "720p"),
    "grok-imagine-video-1.5": ("480p", "720p", "1080p"),
    "grok-imagine-video-1.5-lite": ("480p", "720p", "1080p"),
}
RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3")
TIERS = ("480p", "720p", "1080p")
USUAL, SECONDS, LONGEST = "480p", 8, 15
REFERENCES, KEYFRAMES = 7, 4
ANY = 1 << 40


def decode(sent: Sent) -> Values:
    """Read and check the whole request, with its metadata, and drop unknown fields."""
    said = {name: once(sent, name) for name in sent.values} if sent.form else dict(sent.values)
    if sent.form:
        if said.get("generate_audio") not in (None, "true", "false"):
            raise ValueError("generate_audio must be true or false")
        if "generate_audio" in said:
            said["generate_audio"] = said["generate_audio"] == "true"
        _check_files(sent)
        if file := upload(sent, most=ANY, prefix=True):
            said["input_reference"] = {"url": file}
    return _request(sent.model, _source(said))


def _check_files(sent: Sent) -> None:
    for name, _ in sent.files:
        if name != "input_reference":
            raise ValueError(f"unexpected file field: {name}")
    if len(sent.files) > 1:
        raise ValueError("input_reference must be provided once")


def _source(said: Values) -> Values:
    """Return fields, size and metadata as one object.

    A field overrides the size, and the size overrides metadata.
    """
    metadata = said.get("metadata")
    source: Values = dict(metadata) if isinstance(metadata, Mapping) else {}
    source |= _sized(said.get("size"))
    source |= {name: value for name, value in said.items() if value not in (None, "")}
    source.setdefault("duration", source.get("seconds"))
    source.setdefault("image", source.get("input_reference"))
    images = array(said.get("images"))
    if len(images) == 1 and source["image"] is None:
        source["image"] = images[0]
    elif len(images) > 1:
        source.setdefault("reference_images", images)
    return source


def _sized(size: object) -> Values:
    word = text(size).lower()
    if not word or word in TIERS:
        return {"resolution": word} if word else {}
    found = sides(word)
    if found is None:
        raise ValueError("size must be WIDTHxHEIGHT or one of 480p, 720p, 1080p")
    short = min(found)
    tier = "1080p" if short >= 1080 else "720p" if short >= 720 else "480p"
    return {"aspect_ratio": nearest(*found, RATIOS), "resolution": tier}


def _request(model: str, source: Values) -> Values:
    tier = text(source.get("resolution") or USUAL).lower()
    request: Values = {
        "image": _media(source, "image"),
        "reference_images": _list(source, "reference_images", REFERENCES),
        "last_frame": _media(source, "last_frame"),
        "keyframes": _list(source, "keyframes", KEYFRAMES),
        "aspect_ratio": source.get("aspect_ratio"),
        "prompt": text(source.get("prompt")),
    }
    animated = request["image"] or request["last_frame"] or request["keyframes"]
    if not request["prompt"] and (request["reference_images"] or not animated):
        raise ValueError("prompt is required")
    if tier not in MODELS[model]:
        raise ValueError(f"{model} resolution must be one of {', '.join(MODELS[model])}")
    if request["reference_images"] and tier == "1080p":
        raise ValueError("reference-to-video supports resolution 480p or 720p")
    request |= {"resolution": tier, "duration": _duration(source.get("duration"))}
    if request["aspect_ratio"] not in (None, *RATIOS):
        raise ValueError(f"aspect_ratio must be one of {', '.join(RATIOS)}")
    request["generate_audio"] = boolean(source.get("generate_audio"), "generate_audio")
    return {name: value for name, value in request.items() if value not in (None, "", [])}


def _duration(asked: object) -> int:
    seconds = whole(SECONDS if asked is None else asked)
    if seconds is None or not 1 <= seconds <= LONGEST:
        raise ValueError(f"duration must be an integer between 1 and {LONGEST}")
    return seconds


def _list(source: Values, name: str, most: int) -> list[object]:
    given = source.get(name)
    if given is not None and not isinstance(given, list):
        raise ValueError(f"{name} must be an array")
    if len(given or ()) > most:
        raise ValueError(f"{name} accepts at most {most} items")
    return [_item(name, index, each) for index, each in enumerate(array(given))]


def _item(name: str, index: int, value: object) -> object:
    if name != "keyframes":
        return _medium(value, f"{name}[{index}]")
    frame = mapping(value, f"keyframes[{index}]")
    if not number(frame.get("timestamp_s")) > 0:
        raise ValueError(f"keyframes[{index}].timestamp_s must be a positive number")
    image = _medium(frame.get("image"), f"keyframes[{index}].image")
    return {"image": image, "timestamp_s": frame["timestamp_s"]}


def _media(source: Values, name: str) -> object:
    return None if source.get(name) is None else _medium(source[name], name)


def _medium(value: object, name: str) -> Mapping[str, str]:
    if isinstance(value, Mapping):
        if value.get("file_id") is not None:
            raise ValueError(f"{name} must be a URL; file_id is not supported")
        value = value.get("url") or value.get("image_url")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} must be a URL or {{url}}")
    return {"url": value.strip()}


def build(model: str, request: Values) -> Built:
    """Build the vendor's request from the decoded fields."""
    seconds = whole(request["duration"]) or SECONDS
    sound = request.get("generate_audio")
    return Built(
        body={**request, "model": model},
        prompt=text(request.get("prompt")),
        seconds=seconds,
        unit="second",
        held=float(seconds),
        settled=float(seconds),
        resolution=text(request["resolution"]),
        ratio=text(request.get("aspect_ratio")),
        pictures=_pictures(request),
        sound=sound if isinstance(sound, bool) else None,
    )


def _pictures(request: Values) -> tuple[Shot, ...]:
    frames = {"image": "first_frame", "last_frame": "last_frame"}
    shots = [
        Shot(role, text(mapping(request[name], name)["url"]))
        for name, role in frames.items()
        if name in request
    ]
    references = [mapping(each, "image") for each in array(request.get("reference_images"))]
    keyframes = [mapping(each, "keyframe")["image"] for each in array(request.get("keyframes"))]
    shots += [Shot("reference", text(each["url"])) for each in references]
    shots += [Shot("keyframe", text(mapping(each, "image")["url"])) for each in keyframes]
    return tuple(shots)


PLUGIN = Plugin(key="xai", newest="1.1.0", ways={"1.0.1": Way(MODELS, decode, build)})
