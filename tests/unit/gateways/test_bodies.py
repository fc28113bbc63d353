"""Every body of the catalog equals the file of bodies and keeps the rules of the gateways."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.errors import Refused
from bot.core.orders import Order, VideoRequest
from bot.core.replies import Text
from bot.core.wishes import Extra
from bot.gateways.requests import build
from bot.i18n import say
from bot.net.sending import Body
from tests.unit.core.orders import changed

from .bodies import DIALECTS, FILE, FILES, PICTURE, PLAIN, catalog, leaves, pictures, whole


def test_the_bodies_of_all_models_equal_those_in_the_file_of_bodies() -> None:
    """Compare a difference with the vendor's rules, then write the file as `bodies.py` says."""
    assert whole() == FILE.read_text("utf-8")


_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_SIDES = st.tuples(st.integers(1, 4000), st.integers(1, 4000))


@st.composite
def orders(draw: st.DrawFn, dialect: str) -> Order:
    """Draw an order for a model, sometimes with a wish that hardly any model can fulfil."""
    model = draw(st.sampled_from(catalog(dialect).models))
    kind = draw(st.sampled_from([each for each in model.kinds if each in FILES]))
    sides = [draw(_SIDES) for _ in range(FILES[kind])]
    wishes: dict[str, st.SearchStrategy[object]] = {
        "seconds": st.sampled_from([None, *model.seconds]),
        "quality": st.sampled_from([None, *model.sizes]),
        "aspect": st.sampled_from([None, *model.aspects]),
        "preset": st.sampled_from([None, "orbit"]),
        "audio": st.sampled_from([None, not model.silent]),
    }
    if Extra.SEED in model.takes:
        wishes["seed"] = st.sampled_from([None, 1, 2**31 - 1])
    if Extra.NEGATIVE_PROMPT in model.takes:
        wishes["negative_prompt"] = _TEXT
    wanted = {name: draw(strategy) for name, strategy in wishes.items()}
    bold = draw(st.sampled_from([{}, {}, {}, *_BOLD]))
    return changed(
        PLAIN,
        prompt=draw(_TEXT | st.just("a cat")),
        family=draw(st.sampled_from([model.name, model.family, model.label])),
        pictures=tuple(replace(PICTURE, width=width, height=height) for width, height in sides),
        **(wanted | bold),
    )


_BOLD: list[dict[str, object]] = [
    {"seconds": 7},
    {"quality": "1080p", "aspect": "3:4"},
    {"preset": "waltz"},
    {"seed": 0},
    {"seed": 9},
    {"audio": True},
    {"audio": False},
    {"negative_prompt": "rain"},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.mark.proof
@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_order_that_the_catalog_accepts_makes_a_body_within_the_rules(
    dialect: str, folder: Path, data: st.DataObject
) -> None:
    """The catalog refuses the other orders with a text."""
    order = data.draw(orders(dialect))
    try:
        _, request = catalog(dialect).choose(order)
    except Refused as refused:
        _check_words(refused)
        return

    body = build(request, pictures(folder, len(order.pictures)))

    _check_fields(body, request)
    _check_metadata(body)
    _check_pictures(body, len(order.pictures))
    _CHECKS[dialect](body)


def _check_words(refused: Refused) -> None:
    """Check that the refusal has a text."""
    id_ = f"error.{refused.code}"
    assert say(Text(id=id_, values=refused.values), "en") != id_


def _check_fields(body: Body, request: VideoRequest) -> None:
    if body.json is not None:
        said = json.loads(body.json)
        assert list(said)[:3] == ["prompt", "model", "seconds"]
        assert re.fullmatch(r"[1-9]\d*", said["seconds"])
        assert (said["model"], said["duration"]) == (request.model, int(said["seconds"]))
        return
    names = Counter(name for name, _ in body.fields)
    assert [name for name, _ in body.fields[:3]] == ["prompt", "model", "seconds"]
    assert all(value.strip() for _, value in body.fields)
    assert {name for name, count in names.items() if count > 1} <= {"images"}
    assert names["images"] != 1
    assert re.fullmatch(r"[1-9]\d*", dict(body.fields)["seconds"])
    assert dict(body.fields)["model"] == request.model


_TYPES: dict[str, type] = {"seed": int, "watermark": bool, "prompt_extend": bool, "audio": bool}


def _check_metadata(body: Body) -> None:
    metadata = _metadata(body)
    assert "model" not in metadata
    for path, value in leaves(metadata):
        wanted = _TYPES.get(path.rpartition(".")[2], str)
        assert type(json.loads(value)) is wanted, path


def _check_pictures(body: Body, count: int) -> None:
    """Check that each picture is in the body once, either as a file or as text."""
    text = str(body.json or body.fields)
    in_text = sum(picture in text for picture in ("b25l", "dHdv"))  # "one" and "two" in base64
    assert {len(body.files), in_text} == {0, count}


def _check_documented(body: Body) -> None:
    known = {"prompt", "model", "seconds", "size", "metadata"}
    assert {name for name, _ in body.fields} <= known
    assert {part.name for part in body.files} <= {"input_reference"}


def _check_new_api(body: Body) -> None:
    """Check the rules of all versions of new-api, since the version is unknown."""
    fields: dict[str, Any] = dict(body.fields)
    said = fields if body.json is None else json.loads(body.json)
    model, size = said["model"], said.get("size", "")
    if (
        body.json is None
    ):  # all other models drop files, and some charge a video of the prompt alone
        assert model.startswith("sora")
    if "t2v" in model and model.startswith("wan"):
        assert "*" in size
    if model.startswith("wan") and "i2v" in model:
        assert size in {"480P", "720P", "1080P"}
        assert said["image"] == said["input_reference"]
    if model.startswith("kling"):
        assert size in {"1280x720", "720x1280", "1024x1024"}
        assert "image" not in said  # the plugin's first version would drop it
    if model.startswith("jimeng"):
        assert said["aspect_ratio"] == said["metadata"]["aspect_ratio"]
        assert not any(each.startswith("data:") for each in said.get("images", ()))


def _check_openai(body: Body) -> None:
    assert {name for name, _ in body.fields} <= {"prompt", "model", "seconds", "size"}
    assert {part.name for part in body.files} <= {"input_reference"}
    assert re.fullmatch(r"\d+x\d+", dict(body.fields)["size"])


_CHECKS = {
    "documented": _check_documented,
    "new-api": _check_new_api,
    "openai": _check_openai,
}


def _metadata(body: Body) -> dict[str, Any]:
    if body.json is not None:
        inner: dict[str, Any] = json.loads(body.json).get("metadata", {})
        return inner
    found: dict[str, Any] = json.loads(dict(body.fields).get("metadata", "{}"))
    return found
