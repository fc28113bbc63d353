"""The stub gateway supports all requests of the service's own client."""

from dataclasses import replace
from pathlib import Path

from bench.stub import Stub, counted, gateway
from bot.core.outcomes import Accepted, Done, Running
from bot.gateways.videos_api import GatewayOptions, Ready, open_gateways
from tests.contract.rows import a_job


async def test_the_stub_gateway_takes_an_order_a_poll_and_a_download(tmp_path: Path) -> None:
    video = b"\0\0\0\x18ftypisom" + bytes(200)
    with gateway(Stub(ready_after=0.0, video=video)) as url:
        settings = GatewayOptions(name="main", base_url=url, api_key="sk-1", dialect="documented")
        async with open_gateways([settings]) as gateways:
            one = gateways["main"]
            async with one.ready(replace(a_job().request, dialect="documented"), ()) as ready:
                assert isinstance(ready, Ready)
                created = await ready.send()
            assert isinstance(created, Accepted)
            assert await one.retrieve(created.gateway_id) == Done()
            await one.content(created.gateway_id, None, tmp_path / "video.mp4")
        assert (tmp_path / "video.mp4").read_bytes() == video
        assert counted(url) == {"looks": 1, "orders": 1, "videos": 1, "jobs": 1}


async def test_a_stub_video_that_is_never_ready_is_always_in_progress() -> None:
    with gateway() as url:
        settings = GatewayOptions(name="main", base_url=url, api_key="sk-1", dialect="documented")
        async with open_gateways([settings]) as gateways:
            assert await gateways["main"].retrieve("video_1") == Running(progress=50)
