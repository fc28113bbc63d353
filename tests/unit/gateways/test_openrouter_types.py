"""The types of OpenRouter's published SDK accept each body that our client writes for it, whole."""

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from openrouter.components import FrameImage, VideoGenerationRequest

from bot.core.orders import Kind, Made
from bot.core.wishes import Use
from bot.gateways.requests import build
from tests.unit.core.kinds import DANCE
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, dialects, samples

WORDS = ("aspect_ratio", "resolution")
"""The fields in which the SDK lets unknown words pass. OpenRouter itself has a list of them."""


def known(annotation: Any) -> set[object]:
    """Return the words that a type of the SDK names."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return set().union(*(known(inner) for inner in get_args(annotation)))


MADE = Made(
    gateway="box",
    base_url="https://openrouter.ai/api",
    gateway_id="gen-vid-1",
    model=dialects.NAME,
    seconds=4,
    size=None,
    aspect=None,
    quality=None,
)
OF_FILES: Mapping[Kind, Mapping[str, object]] = {
    **{kind: {"pictures": (bodies.PICTURE,) * count} for kind, count in bodies.FILES.items()},
    Kind.VIDEO: {"video": DANCE},
    Kind.EXTEND: {"video": DANCE, "use": Use.EXTEND, "remix_of": MADE},
}
"""Kind → what makes an order one of this kind."""


def sent(folder: Path, kind: Kind, **wishes: object) -> dict[str, Any]:
    """Return the JSON that our client sends for an order of this kind."""
    table = dialects.text("openrouter").replace('"kf2v"]', '"kf2v", "r2v", "v2v", "extend"]')
    catalog = dialects.config(folder, table).catalog
    order = changed(bodies.PLAIN, family=dialects.NAME, **OF_FILES[kind], **wishes)
    _, request = catalog.choose(order)
    assert request.kind is kind
    files = bodies.pictures(folder, bodies.FILES.get(kind, 0))
    if kind is Kind.VIDEO:
        files.append(folder / "dance.mp4")
        files[-1].write_bytes(samples.MP4)
    body = build(request, files)
    assert body.json is not None
    written: dict[str, Any] = json.loads(body.json)
    return written


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"seconds": 8, "quality": "1080p", "audio": True, "seed": 7},
        {"seconds": 4, "quality": "720p", "audio": False, "seed": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", OF_FILES)
def test_the_request_of_openrouters_sdk_takes_every_field_of_an_order(
    tmp_path: Path, kind: Kind, wishes: dict[str, object]
) -> None:
    written = sent(tmp_path, kind, **wishes)
    taken = VideoGenerationRequest.model_validate(written, strict=True)
    assert taken.model_dump(mode="json") == written
    hints = get_type_hints(VideoGenerationRequest)
    assert {written[name] for name in WORDS if name in written} <= set().union(
        *(known(hints[name]) for name in WORDS)
    )
    roles = {frame["frame_type"] for frame in written.get("frame_images", ())}
    assert roles <= known(get_type_hints(FrameImage)["frame_type"])


@pytest.mark.parametrize("aspect", ["16:9", "9:16"])
def test_an_aspect_is_one_that_openrouter_knows(tmp_path: Path, aspect: str) -> None:
    written = sent(tmp_path, Kind.TEXT, aspect=aspect)
    assert written["aspect_ratio"] in known(get_type_hints(VideoGenerationRequest)["aspect_ratio"])


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.PICTURE])
def test_the_request_of_openrouters_sdk_drops_fields_of_another_dialect(
    tmp_path: Path, kind: Kind
) -> None:
    model = next(each for each in bodies.catalog("new-api").models if kind in each.kinds)
    _, request = bodies.catalog("new-api").choose(bodies.ordered(model, kind))
    body = build(request, bodies.pictures(tmp_path, bodies.FILES[kind]))
    written = json.loads(body.json or b"")
    assert VideoGenerationRequest.model_validate(written).model_dump(mode="json") != written


def test_references_a_video_and_the_id_of_one_have_fields_of_their_own(tmp_path: Path) -> None:
    references = sent(tmp_path, Kind.REFERENCES)["input_references"]
    assert [part["type"] for part in references] == ["image_url"] * bodies.FILES[Kind.REFERENCES]
    assert len({part["image_url"]["url"] for part in references}) == len(references)
    (video,) = sent(tmp_path, Kind.VIDEO)["input_references"]
    assert video["type"] == "video_url"
    assert video["video_url"]["url"] == "data:video/mp4;base64," + b64encode(samples.MP4).decode()
    assert sent(tmp_path, Kind.EXTEND)["previous_job_id"] == MADE.gateway_id
