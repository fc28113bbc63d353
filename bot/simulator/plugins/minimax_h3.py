"""The rules for MiniMax-H3: a request has a text, and either frames or reference media."""

from collections.abc import Mapping

from bot.simulator.plugins.plugin import Built, Shot
from bot.simulator.plugins.values import Values, mapping, text, whole

MODEL = "MiniMax-H3"
SECONDS = range(4, 16)
RATIOS = ("adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16")
FRAMES, REFERENCES, VIDEOS, SOUNDS = 2, 9, 3, 3


def build(said: Values) -> Built:
    """Build the vendor's request. Raises `ValueError` for a request that breaks a rule."""
    metadata = mapping(said.get("metadata"), "metadata")
    content = _content(said, metadata)
    tier = _tier(said, metadata)
    seconds = whole(said.get("duration", 5))
    if seconds not in SECONDS or seconds is None:
        raise ValueError(f"{MODEL} duration must be an integer between 4 and 15 seconds")
    body: Values = {
        "model": MODEL,
        "content": content,
        "resolution": tier,
        "duration": seconds,
        "ratio": _ratio(metadata, content),
    }
    for key in ("callback_url", "aigc_watermark"):
        if metadata.get(key) is not None:
            body[key] = metadata[key]
    watermark = body.get("aigc_watermark")
    return Built(
        body=body,
        prompt=" ".join(text(item.get("text")) for item in content if item["type"] == "text"),
        seconds=seconds,
        unit="second",
        held=float(seconds),
        settled=float(seconds),
        resolution=text(body["resolution"]),
        ratio=text(body["ratio"]),
        pictures=tuple(_shot(item) for item in content if item["type"] == "image_url"),
        watermark=watermark if isinstance(watermark, bool) else None,
    )


def _tier(said: Values, metadata: Mapping[str, object]) -> str:
    asked = (
        text(metadata.get("resolution")) or text(said.get("resolution")) or text(said.get("size"))
    )
    for tier in ("2K", "768"):
        if tier in asked.upper():
            return "2K" if tier == "2K" else "768P"
    if asked:
        raise ValueError(f"{MODEL} resolution must be 768P or 2K")
    return "768P"


def _ratio(metadata: Mapping[str, object], content: list[Mapping[str, object]]) -> str:
    seen = any(item["type"] in ("image_url", "video_url") for item in content)
    ratio = text(metadata.get("ratio")) or ("adaptive" if seen else "16:9")
    if ratio not in RATIOS:
        raise ValueError(f"{MODEL} ratio must be one of {', '.join(RATIOS)}")
    if ratio == "adaptive" and not seen:
        raise ValueError(f"{MODEL} ratio adaptive requires an image or video input")
    return ratio


def _content(said: Values, metadata: Mapping[str, object]) -> list[Mapping[str, object]]:
    given = metadata.get("content")
    if given is None:
        items = [*_words(said), *_frames(said, metadata), *_others(metadata)]
        if not items:
            raise ValueError(f"{MODEL} requires a prompt or a media input")
        return _checked(items)
    if not isinstance(given, list):
        raise ValueError("metadata.content must be an array")
    items = [item for item in given if isinstance(item, Mapping) and item.get("type")]
    worded = any(item["type"] == "text" and text(item.get("text")) for item in items)
    return _checked(items if worded else [*_words(said), *items])


def _words(said: Values) -> list[Mapping[str, object]]:
    prompt = text(said.get("prompt"))
    return [{"type": "text", "text": prompt}] if prompt else []


def _frames(said: Values, metadata: Mapping[str, object]) -> list[Mapping[str, object]]:
    given = said.get("images")
    images = given if isinstance(given, list) else [given] if given else []
    if len(images) > FRAMES:
        raise ValueError(f"{MODEL} accepts at most {FRAMES} frame images")
    named = {key: metadata.get(f"{key}_image") for key in ("first_frame", "last_frame")}
    if not any(named.values()):
        named = dict(zip(named, images, strict=False))
    return [_item("image_url", url, role) for role, url in named.items() if url]


def _others(metadata: Mapping[str, object]) -> list[Mapping[str, object]]:
    items = []
    for kind in ("video", "audio"):
        given = metadata.get(f"reference_{kind}")
        urls = given if isinstance(given, list) else [given]
        items += [_item(f"{kind}_url", url, f"reference_{kind}") for url in urls if url]
    return items


def _item(kind: str, url: object, role: str) -> Mapping[str, object]:
    return {"type": kind, "role": role, kind: {"url": url}}


def _checked(items: list[Mapping[str, object]]) -> list[Mapping[str, object]]:
    kinds = [text(item["type"]) for item in items]
    roles = [_shot(item).role for item in items if item["type"] == "image_url"]
    frames = [role for role in roles if role != "reference"]
    if not any(item["type"] == "text" and text(item.get("text")) for item in items):
        raise ValueError(f"{MODEL} requires a non-empty text item")
    for role in ("first_frame", "last_frame"):
        if roles.count(role) > 1:
            raise ValueError(f"{MODEL} accepts at most one {role} image")
    if len(roles) > REFERENCES:
        raise ValueError(f"{MODEL} accepts at most {REFERENCES} reference images")
    for kind, most in (("video", VIDEOS), ("audio", SOUNDS)):
        if kinds.count(f"{kind}_url") > most:
            raise ValueError(f"{MODEL} accepts at most {most} reference {kind}s")
    others = len(roles) > len(frames) or {"video_url", "audio_url"} & set(kinds)
    if frames and others:
        raise ValueError(f"{MODEL} cannot mix frame images with reference media")
    return items


def _shot(item: Mapping[str, object]) -> Shot:
    role = text(item.get("role")) or "first_frame"
    url = text(mapping(item.get("image_url"), "image_url").get("url"))
    return Shot("reference" if role == "reference_image" else role, url)
