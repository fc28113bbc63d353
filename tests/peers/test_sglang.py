"""SGLang's published router takes our client's orders, and its engine is asked for all of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from bot.app import gateway_settings
from bot.core.catalog import Catalog
from bot.core.orders import Kind, Transport
from bot.core.outcomes import Accepted, Done, Fetched, Rejected, Running
from bot.gateways.videos_api import GatewayOptions, VideosApi, open_gateways
from tests.peers.processes import Peer
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, dialects, file_store, samples

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
SIZES = {"16:9": (832, 480), "9:16": (480, 832)}
"""Aspect → width and height, as in the table of the model."""
FPS = 24
"""Frames a second that SGLang counts with if an order names none."""


@asynccontextmanager
async def client(folder: Path, peer: Peer) -> AsyncIterator[tuple[VideosApi, Catalog]]:
    """Yield our client of this server, and the catalog of its model."""
    config = dialects.config(folder, dialects.text("sglang", url=peer.url), key="")
    async with open_gateways(gateway_settings(config)) as gateways:
        yield gateways["box"], config.catalog


def pictures(folder: Path, kind: Kind, size: tuple[int, int]) -> list[Path]:
    """Return the files of an order of this kind."""
    files = [folder / f"{number}.jpg" for number in range(bodies.FILES[kind])]
    for number, file in enumerate(files):
        Image.new("RGB", size, (number * 90, 80, 200)).save(file, "JPEG")
    return files


def digest(files: Sequence[Path]) -> str | None:
    return sha256(files[0].read_bytes()).hexdigest() if files else None


@pytest.mark.parametrize("wishes", [{}, {"seed": 7, "negative_prompt": "rain"}], ids=str)
@pytest.mark.parametrize("seconds", [4, 5])
@pytest.mark.parametrize("aspect", SIZES)
@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.PICTURE])
async def test_sglang_makes_the_video_that_was_asked_for(
    sglang: Peer,
    tmp_path: Path,
    kind: Kind,
    aspect: str,
    seconds: int,
    wishes: dict[str, object],
) -> None:
    async with client(tmp_path, sglang) as (gateway, catalog):
        (model,) = catalog.models
        width, height = SIZES[aspect]
        picture = replace(bodies.PICTURE, width=width, height=height)
        given = (picture,) * bodies.FILES[kind]
        order = changed(
            bodies.PLAIN,
            family=model.name,
            pictures=given,
            aspect=aspect,
            seconds=seconds,
            **wishes,
        )
        _, request = catalog.choose(order)
        files = pictures(tmp_path, kind, (width, height))
        created = await samples.create(gateway, request, files)
        assert isinstance(created, Accepted)
        while isinstance(polled := await gateway.retrieve(created.gateway_id), Running):
            pass
        assert isinstance(polled, Done)
        fetched = await file_store.fetched(
            gateway, created.gateway_id, polled.sources, tmp_path / "video.mp4"
        )

    assert isinstance(fetched, Fetched)
    asked = sglang.noted()[-1]
    assert (asked["prompt"], asked["width"], asked["height"]) == ("a cat", width, height)
    assert (round(asked["num_frames"] / FPS), asked["fps"]) == (seconds, FPS)
    assert asked["picture"] == digest(files)
    assert {name: asked[name] for name in wishes} == wishes


LIKE_NEW_API = """
body = "json"
places = { size = ["size"], length = ["seconds"], i2v = [["image"]] }
picture = { transport = "data-uri" }
"""
"""A model's picture as new-api gets it from us: as text in the field `image`."""


async def test_sglang_loses_a_picture_that_is_written_as_for_new_api_and_makes_a_video(
    sglang: Peer, tmp_path: Path
) -> None:
    table = dialects.text("sglang", url=sglang.url, model=LIKE_NEW_API)
    config = dialects.config(tmp_path, table.replace('"sglang"', '"new-api"'))
    (model,) = (each for each in config.catalog.models if each.name == dialects.NAME)
    _, request = config.catalog.choose(bodies.ordered(model, Kind.PICTURE))
    files = pictures(tmp_path, Kind.PICTURE, SIZES["16:9"])
    async with open_gateways(gateway_settings(config)) as gateways:
        created = await samples.create(gateways["box"], request, files)
    assert isinstance(created, Accepted)
    assert sglang.noted()[-1]["picture"] is None


async def test_sglang_refuses_a_picture_as_text_in_a_form(sglang: Peer, tmp_path: Path) -> None:
    before = len(sglang.noted())
    settings = GatewayOptions(name="g", base_url=sglang.url, api_key="sk", dialect="new-api")
    sent = samples.with_files(Transport.DATA_URI, ("input_reference",), dialect="new-api")
    files = pictures(tmp_path, Kind.PICTURE, SIZES["16:9"])
    async with open_gateways([settings]) as gateways:
        created = await samples.create(gateways["g"], sent, files)
    assert isinstance(created, Rejected)
    assert len(sglang.noted()) == before
