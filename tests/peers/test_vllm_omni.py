"""vLLM-Omni's published router takes our client's orders, and its engine gets all they ask for."""

from pathlib import Path
from typing import Any

import pytest

from bot.core.orders import Kind, Transport
from bot.core.outcomes import Accepted, Rejected
from tests.peers.orders import FPS, SIZES, client, digest, drawn, table
from tests.peers.processes import Peer
from tests.unit.gateways import bodies, dialects, samples

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.mark.parametrize("wishes", [{}, {"seed": 7, "negative_prompt": "rain"}], ids=str)
@pytest.mark.parametrize("seconds", [4, 5])
@pytest.mark.parametrize("aspect", SIZES)
@pytest.mark.parametrize("kind", bodies.FILES)
async def test_vllm_omni_makes_the_video_that_was_asked_for(
    vllm_omni: Peer,
    tmp_path: Path,
    kind: Kind,
    aspect: str,
    seconds: int,
    wishes: dict[str, Any],
) -> None:
    async with client(tmp_path, table("vllm-omni", vllm_omni, kinds='"r2v", "v2v"')) as ours:
        files = ours.pictures(kind, SIZES[aspect])
        created = await ours.order(kind, files, aspect=aspect, seconds=seconds, **wishes)
        assert await ours.fetched(created)

    asked = vllm_omni.noted()[-1]
    assert (asked["prompt"], asked["width"], asked["height"]) == ("a cat", *SIZES[aspect])
    assert asked["num_frames"] == FPS * seconds
    assert asked["pictures"] == [drawn(file) for file in files]
    assert {name: asked[name] for name in wishes} == wishes


async def test_vllm_omni_gets_the_video_that_is_to_be_changed(
    vllm_omni: Peer, tmp_path: Path
) -> None:
    async with client(tmp_path, table("vllm-omni", vllm_omni, kinds='"v2v"')) as ours:
        created = await ours.order(Kind.VIDEO, video := ours.video(), seconds=4)
        assert await ours.fetched(created)
    asked = vllm_omni.noted()[-1]
    assert (asked["prompt"], asked["pictures"]) == ("a cat", [])
    assert asked["videos"] == [digest(video[0].read_bytes())]


@pytest.mark.parametrize(("kind", "arrives"), [(Kind.PICTURE, True), (Kind.REFERENCES, False)])
async def test_vllm_omni_takes_references_for_videos_at_a_model_that_knows_none(
    wan_at_vllm_omni: Peer, tmp_path: Path, kind: Kind, arrives: bool
) -> None:
    async with client(tmp_path, table("vllm-omni", wan_at_vllm_omni, kinds='"r2v"')) as ours:
        files = ours.pictures(kind)
        created = await ours.order(kind, files)
    assert isinstance(created, Accepted)
    asked = wan_at_vllm_omni.noted()[-1]
    assert asked["pictures"] == [drawn(file) for file in files if arrives]
    assert len(asked["videos"]) == (0 if arrives else len(files))


async def test_vllm_omni_loses_a_picture_that_is_written_as_for_new_api_and_makes_a_video(
    vllm_omni: Peer, tmp_path: Path
) -> None:
    sent = samples.with_files(
        Transport.DATA_URI, ("image",), model=dialects.NAME, size="832x480", dialect="new-api"
    )
    async with client(tmp_path, table("vllm-omni", vllm_omni, kinds='"r2v", "v2v"')) as ours:
        created = await samples.create(ours.gateway, sent, ours.pictures(Kind.PICTURE))
    assert isinstance(created, Accepted)
    assert vllm_omni.noted()[-1]["pictures"] == []


async def test_vllm_omni_refuses_an_order_for_a_model_that_it_does_not_serve(
    vllm_omni: Peer, tmp_path: Path
) -> None:
    before = len(vllm_omni.noted())
    async with client(tmp_path, table("vllm-omni", vllm_omni, kinds='"r2v", "v2v"')) as ours:
        created = await samples.create(ours.gateway, samples.request("another"), [])
    assert isinstance(created, Rejected)
    assert len(vllm_omni.noted()) == before
