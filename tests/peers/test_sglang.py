"""SGLang's published router takes our client's orders, and its engine is asked for all of them."""

from pathlib import Path
from typing import Any

import pytest

from bot.core.orders import Kind, Transport
from bot.core.outcomes import Accepted, Rejected
from tests.peers.orders import FPS, SIZES, client, digest, table
from tests.peers.processes import Peer
from tests.unit.gateways import samples

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
LIKE_NEW_API = """
body = "json"
places = { size = ["size"], length = ["seconds"], i2v = [["image"]] }
picture = { transport = "data-uri" }
"""
"""A model's picture as new-api gets it from us: as text in the field `image`."""


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
    wishes: dict[str, Any],
) -> None:
    async with client(tmp_path, table("sglang", sglang, kinds='"v2v"')) as ours:
        files = ours.pictures(kind, SIZES[aspect])
        created = await ours.order(kind, files, aspect=aspect, seconds=seconds, **wishes)
        assert await ours.fetched(created)

    asked = sglang.noted()[-1]
    assert (asked["prompt"], asked["width"], asked["height"]) == ("a cat", *SIZES[aspect])
    assert (round(asked["num_frames"] / FPS), asked["fps"]) == (seconds, FPS)
    assert asked["picture"] == (digest(files[0].read_bytes()) if files else None)
    assert {name: asked[name] for name in wishes} == wishes


async def test_two_orders_without_a_seed_have_different_seeds_at_sglang(
    sglang: Peer, tmp_path: Path
) -> None:
    """Without ours, SGLang gives both the seed 42."""
    async with client(tmp_path, table("sglang", sglang, kinds='"v2v"')) as ours:
        assert await ours.fetched(await ours.order(Kind.TEXT, [], spare_seed=11))
        assert await ours.fetched(await ours.order(Kind.TEXT, [], spare_seed=12))
        assert await ours.fetched(await ours.order(Kind.TEXT, []))
    assert [asked["seed"] for asked in sglang.noted()[-3:]] == [11, 12, 42]


async def test_sglang_gets_the_video_that_is_to_be_changed(sglang: Peer, tmp_path: Path) -> None:
    async with client(tmp_path, table("sglang", sglang, kinds='"v2v"')) as ours:
        created = await ours.order(Kind.VIDEO, video := ours.video(), seconds=4)
        assert await ours.fetched(created)
    asked = sglang.noted()[-1]
    assert (asked["prompt"], asked["picture"]) == ("a cat", None)
    assert asked["video"] == digest(video[0].read_bytes())


async def test_sglang_loses_a_picture_that_is_written_as_for_new_api_and_makes_a_video(
    sglang: Peer, tmp_path: Path
) -> None:
    written = table("sglang", sglang, model=LIKE_NEW_API).replace('"sglang"', '"new-api"')
    async with client(tmp_path, written) as ours:
        created = await ours.order(Kind.PICTURE, ours.pictures(Kind.PICTURE))
    assert isinstance(created, Accepted)
    assert sglang.noted()[-1]["picture"] is None


async def test_sglang_refuses_a_picture_as_text_in_a_form(sglang: Peer, tmp_path: Path) -> None:
    before = len(sglang.noted())
    sent = samples.with_files(Transport.DATA_URI, ("input_reference",), dialect="new-api")
    async with client(tmp_path, table("sglang", sglang, kinds='"v2v"')) as ours:
        created = await samples.create(ours.gateway, sent, ours.pictures(Kind.PICTURE))
    assert isinstance(created, Rejected)
    assert len(sglang.noted()) == before
