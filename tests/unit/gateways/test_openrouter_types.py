"""The types of OpenRouter's published SDK accept each body that our client writes for it, whole."""

import json
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from openrouter.components import FrameImage, VideoGenerationRequest

from bot.core.orders import Kind
from bot.gateways.requests import build
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, dialects

WORDS = ("aspect_ratio", "resolution")
"""The fields in which the SDK lets unknown words pass. OpenRouter itself has a list of them."""


def known(annotation: Any) -> set[object]:
    """Return the words that a type of the SDK names."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    return set().union(*(known(inner) for inner in get_args(annotation)))


def sent(folder: Path, kind: Kind, **wishes: object) -> dict[str, Any]:
    """Return the JSON that our client sends for an order of this kind."""
    config = dialects.config(folder, dialects.text("openrouter"))
    (model,) = config.catalog.models
    pictures = (bodies.PICTURE,) * bodies.FILES[kind]
    order = changed(bodies.PLAIN, family=model.name, pictures=pictures, **wishes)
    _, request = config.catalog.choose(order)
    assert request.kind is kind
    body = build(request, bodies.pictures(folder, bodies.FILES[kind]))
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
@pytest.mark.parametrize("kind", bodies.FILES)
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
