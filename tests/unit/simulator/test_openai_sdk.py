"""The official SDK as an independent client of the profile `openai`."""

import io
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from bot.simulator.profiles import OPENAI
from bot.simulator.server import Simulator

from .conftest import BLANK, BlankRenderer
from .pictures import png

pytestmark = pytest.mark.filterwarnings(
    # The vendor has shut down its own service; gateways still speak like it.
    "ignore:The Sora API:DeprecationWarning"
)


@pytest.fixture
async def sdk() -> AsyncIterator[Any]:
    """A client of a simulator that makes videos at once."""
    simulator = Simulator(profile=OPENAI, renderer=BlankRenderer(), render_time=0)
    async with (
        simulator.serve() as url,
        openai.AsyncOpenAI(api_key="sk-sim", base_url=f"{url}/v1", max_retries=0) as client,
    ):
        yield client


async def test_the_sdk_creates_polls_and_downloads_a_video(sdk: Any) -> None:
    video = await sdk.videos.create_and_poll(
        prompt="a cat", model="sora-2", seconds="8", size="1280x720", poll_interval_ms=10
    )
    content = await sdk.videos.download_content(video.id)
    assert (video.status, video.seconds, video.size) == ("completed", "8", "1280x720")
    assert content.read() == BLANK


async def test_the_sdk_uploads_a_picture(sdk: Any) -> None:
    picture = ("cat.png", io.BytesIO(png(size=(720, 1280))))
    video = await sdk.videos.create(prompt="a cat", input_reference=picture)
    assert (video.status, video.progress) == ("queued", 0)


async def test_the_sdk_sends_a_picture_reference(sdk: Any) -> None:
    # The SDK's own parameter takes files only; `extra_body` is sent like every other field.
    reference = {"input_reference": {"image_url": "https://example.com/cat.png"}}
    video = await sdk.videos.create(prompt="a cat", extra_body=reference)
    assert video.status == "queued"


async def test_the_sdk_remixes_lists_and_deletes_videos(sdk: Any) -> None:
    first = await sdk.videos.create(prompt="a cat")
    second = await sdk.videos.remix(first.id, prompt="a dog")
    listed = [video.id async for video in sdk.videos.list(limit=1)]
    deleted = await sdk.videos.delete(first.id)
    assert (second.remixed_from_video_id, listed) == (first.id, [second.id, first.id])
    assert deleted.deleted


async def test_the_sdk_raises_its_own_error_for_a_refusal(sdk: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await sdk.videos.create(prompt="a cat", seconds="5")
    refusal: Any = caught.value
    assert (refusal.param, refusal.code) == ("seconds", "invalid_value")
