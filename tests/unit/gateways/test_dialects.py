"""The registry of dialects, and the bodies and headers that the newer ones make."""

import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.app import gateway_settings
from bot.config import Config, Misconfigured
from bot.core.errors import Refused, TextPartTooLarge
from bot.core.orders import Kind
from bot.core.outcomes import Accepted
from bot.core.parts import TEXT_PART, room
from bot.gateways.dialects import DEFAULT, DIALECTS
from bot.gateways.requests import build
from bot.gateways.videos_api import GatewayOptions, open_gateways
from bot.net.sending import Body
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, dialects, samples

NEW = tuple(dialects.TABLES)


@pytest.mark.parametrize("name", DIALECTS)
async def test_the_client_of_a_gateway_knows_the_facts_of_its_dialect(name: str) -> None:
    settings = GatewayOptions(name="g", base_url="http://localhost", api_key="sk", dialect=name)
    async with open_gateways([settings]) as gateways:
        assert gateways["g"].dialect == name
        assert gateways["g"].spoken is DIALECTS[name]


def test_a_gateway_that_names_no_dialect_speaks_the_default() -> None:
    given = GatewayOptions(name="g", base_url="http://localhost", api_key="sk")
    assert given.dialect == DEFAULT == "new-api"


# --- bodies --------------------------------------------------------------------------------------


def body(folder: Path, config: Config, kind: Kind, **wishes: object) -> Body:
    """Return the body of an order of this kind."""
    (model,) = config.catalog.models
    pictures = (bodies.PICTURE,) * bodies.FILES[kind]
    order = changed(bodies.PLAIN, family=model.name, pictures=pictures, seed=7, **wishes)
    _, request = config.catalog.choose(order)
    assert request.kind is kind
    return build(request, bodies.pictures(folder, bodies.FILES[kind]))


FRAME = {"type": "image_url", "frame_type": "first_frame"}
ONE, TWO = ({"url": f"data:image/jpeg;base64,{text}"} for text in ("b25l", "dHdv"))
JSON: dict[Kind, dict[str, object]] = {
    Kind.TEXT: {"aspect_ratio": "9:16"},
    Kind.PICTURE: {"frame_images": [FRAME | {"image_url": ONE}]},
    Kind.KEY_FRAMES: {
        "frame_images": [
            FRAME | {"image_url": ONE},
            {"type": "image_url", "frame_type": "last_frame", "image_url": TWO},
        ]
    },
}


@pytest.mark.parametrize("kind", JSON)
def test_an_order_at_openrouter_is_json_with_its_frames_in_frame_images(
    tmp_path: Path, kind: Kind
) -> None:
    config = dialects.config(tmp_path, dialects.text("openrouter"))
    aspect = "9:16" if kind is Kind.TEXT else None
    made = body(tmp_path, config, kind, seconds=8, quality="1080p", audio=True, aspect=aspect)
    common = {"prompt": "a cat", "model": dialects.NAME, "duration": 8, "resolution": "1080p"}
    asked = {"generate_audio": True, "seed": 7}
    assert json.loads(made.json or b"") == {**common, **asked, **JSON[kind]}


def test_a_size_in_pixels_at_openrouter_stands_in_the_field_size(tmp_path: Path) -> None:
    pixels = 'places = { size = ["size"], aspect = [] }\n'
    table = dialects.text("openrouter", model=pixels).replace(
        'sizes = { 720p = "720p", 1080p = "1080p" }\nshapes = ["16:9", "9:16"]',
        'sizes = { 720p = { "16:9" = "1280x720" } }',
    )
    said = json.loads(body(tmp_path, dialects.config(tmp_path, table), Kind.TEXT).json or b"")
    assert said["size"] == "1280x720"
    assert {"resolution", "aspect_ratio"}.isdisjoint(said)


@pytest.mark.parametrize("dialect", ["vllm-omni", "sglang"])
@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.PICTURE])
def test_an_order_at_a_server_of_ones_own_is_a_form_with_its_picture_as_a_file(
    tmp_path: Path, dialect: str, kind: Kind
) -> None:
    config = dialects.config(tmp_path, dialects.text(dialect), key="")
    made = body(tmp_path, config, kind, seconds=5, negative_prompt="rain")
    assert dict(made.fields) == {
        "prompt": "a cat",
        "model": dialects.NAME,
        "seconds": "5",
        "size": "832x480",
        "seed": "7",
        "negative_prompt": "rain",
    }
    files = [(part.name, part.path.read_bytes()) for part in made.files]
    assert files == [("input_reference", b"one")] * bodies.FILES[kind]


def test_first_and_last_picture_at_vllm_omni_are_one_json_text(tmp_path: Path) -> None:
    config = dialects.config(tmp_path, dialects.text("vllm-omni"), key="")
    made = body(tmp_path, config, Kind.KEY_FRAMES)
    pictures = json.loads(dict(made.fields)["image_reference"])
    assert pictures == [{"image_url": ONE["url"]}, {"image_url": TWO["url"]}]
    assert made.files == ()


@pytest.mark.parametrize("dialect", NEW)
def test_a_picture_in_a_field_that_the_server_drops_is_a_mistake(
    tmp_path: Path, dialect: str
) -> None:
    table = dialects.text(dialect, model='places = { i2v = [["image"]] }')
    with pytest.raises(Misconfigured) as wrong:
        dialects.config(tmp_path, table)
    (problem,) = wrong.value.problems
    assert problem.key == f"models.{dialects.NAME}.places.i2v"
    assert "the picture would be lost" in problem.sentence("en")


def test_two_pictures_at_sglang_are_a_mistake_because_it_reads_one(tmp_path: Path) -> None:
    table = dialects.text("sglang").replace('["t2v", "i2v"]', '["t2v", "kf2v"]')
    with pytest.raises(Misconfigured) as wrong:
        dialects.config(tmp_path, table)
    assert [problem.code for problem in wrong.value.problems] == ["places_missing"]


@pytest.mark.parametrize("dialect", ["vllm-omni", "sglang"])
def test_a_size_at_a_server_of_ones_own_has_to_be_in_pixels(tmp_path: Path, dialect: str) -> None:
    table = dialects.text(dialect).replace("832x480", "480P")
    with pytest.raises(Misconfigured) as wrong:
        dialects.config(tmp_path, table)
    assert [problem.code for problem in wrong.value.problems] == ["wrong_type"]


@pytest.mark.parametrize("dialect", NEW)
def test_the_packaged_models_are_not_offered_at_a_gateway_of_a_newer_dialect(
    tmp_path: Path, dialect: str
) -> None:
    listed = f'models = ["sora-2", "{dialects.NAME}"]'
    config = dialects.config(tmp_path, dialects.text(dialect, gateway=listed))
    assert [model.name for model in config.catalog.models] == [dialects.NAME]


def test_an_option_without_a_field_in_the_dialect_is_refused(tmp_path: Path) -> None:
    table = dialects.text("openrouter").replace('"seed", "audio"', '"seed", "negative_prompt"')
    config = dialects.config(tmp_path, table)
    with pytest.raises(Refused, match="no_negative_prompt"):
        body(tmp_path, config, Kind.TEXT, negative_prompt="rain")


# --- keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
def test_only_a_dialect_without_keys_needs_none(tmp_path: Path, dialect: str) -> None:
    if DIALECTS[dialect].keyless:
        assert dialects.config(tmp_path, dialects.text(dialect), key="").secrets == ()
        return
    table = f'[gateways.box]\nbase_url = "http://localhost"\ndialect = "{dialect}"\n'
    with pytest.raises(Misconfigured) as wrong:
        dialects.config(tmp_path, table, key="")
    sentences = [problem.sentence("en") for problem in wrong.value.problems]
    assert any("ZOETROPE_GATEWAYS__BOX__API_KEY" in sentence for sentence in sentences)


@pytest.mark.parametrize(("key", "sent"), [("", None), ("sk-own", "Bearer sk-own")])
async def test_a_server_without_keys_gets_no_header_of_one_unless_a_key_is_configured(
    tmp_path: Path, key: str, sent: str | None
) -> None:
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response({"id": "video_1", "object": "video", "status": "queued"})

    app = web.Application()
    app.router.add_route("*", "/v1/videos{tail:.*}", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("")).rstrip("/")
        config = dialects.config(tmp_path, dialects.text("vllm-omni", url=url), key=key)
        _, request = config.catalog.choose(bodies.PLAIN)
        async with open_gateways(gateway_settings(config)) as gateways:
            created = await samples.create(gateways["box"], request, [])
            assert isinstance(created, Accepted)
            await gateways["box"].retrieve("video_1")
            await gateways["box"].probe()
    assert len(seen) > 2
    assert set(seen) == {sent}


def test_two_pictures_in_one_text_of_a_form_share_1_mib(tmp_path: Path) -> None:
    """A longer text would be refused or cut by the server."""
    config = dialects.config(tmp_path, dialects.text("vllm-omni"), key="")
    order = changed(bodies.PLAIN, family="one", pictures=(bodies.PICTURE,) * 2)
    _, request = config.catalog.choose(order)
    most = room(request)
    assert most is not None
    files = [tmp_path / "one.jpg", tmp_path / "two.jpg"]
    for file in files:
        file.write_bytes(bytes(most))
    made = build(request, files)
    assert 1_000_000 < len(dict(made.fields)["image_reference"]) <= TEXT_PART
    files[0].write_bytes(bytes(most + 4000))
    with pytest.raises(TextPartTooLarge):
        build(request, files)
