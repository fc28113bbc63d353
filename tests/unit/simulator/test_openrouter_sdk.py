"""OpenRouter's published SDK as an independent client of the profile `openrouter`.

Its types come from OpenRouter's own description of its API. So they prove that each answer of the
profile has the form of OpenRouter's.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, get_args

import aiohttp
import pytest
from openrouter import OpenRouter, components, errors
from openrouter.components.videogenerationresponse import VideoGenerationResponseStatus
from pydantic import BaseModel, ValidationError

from bot.simulator.faults import Fault
from bot.simulator.profiles import OPENROUTER
from bot.simulator.profiles.openrouter_models import OFFERED, Offered
from bot.simulator.server import Simulator

from .conftest import BLANK, BlankRenderer, Clock
from .plugged import ONE_URI

VEO, GROK, TOPAZ = "google/veo-3.1", "x-ai/grok-imagine-video", "topaz/video-upscale"
HEADERS = {"Authorization": "Bearer sk-sim"}
WORDS = get_args(get_args(VideoGenerationResponseStatus)[0])


class Sdk:
    """The SDK, its simulator, and the simulator's answers as they are."""

    def __init__(self, simulator: Simulator, clock: Clock, url: str, client: Any) -> None:
        self.simulator, self.clock, self.client = simulator, clock, client
        self.url = f"{url}/api/v1"

    async def raw(self, path: str) -> Any:
        """Return the body of a response as it was sent."""
        async with (
            aiohttp.ClientSession(headers=HEADERS) as session,
            session.get(f"{self.url}{path}") as answer,
        ):
            return await answer.json()

    async def made(self, **fields: object) -> Any:
        """Order a video, and return it when it is over."""
        order = {"model": VEO, "prompt": "a cat", **fields}
        begun = await self.client.generate_async(**order)
        await self.simulator.rendered()
        self.clock.time += 8
        return await self.client.get_generation_async(job_id=begun.id)


@pytest.fixture
async def sdk(clock: Clock) -> AsyncIterator[Sdk]:
    simulator = Simulator(profile=OPENROUTER, now=clock, renderer=BlankRenderer())
    async with (
        simulator.serve() as url,
        OpenRouter(api_key="sk-sim", server_url=f"{url}/api/v1") as client,
    ):
        yield Sdk(simulator, clock, url, client.video_generation)


def foreign(kind: type[BaseModel], sent: Mapping[str, object]) -> set[str]:
    """Return the names of fields that the SDK's type does not have."""
    known = {field.alias or name for name, field in kind.model_fields.items()}
    return set(sent) - known


async def test_the_openrouter_sdk_orders_polls_and_downloads_a_video(sdk: Sdk) -> None:
    begun = await sdk.client.generate_async(
        model=VEO, prompt="a cat", duration=8, resolution="720p", aspect_ratio="16:9", seed=7
    )
    await sdk.simulator.rendered()
    words = [begun.status]
    for _ in range(3):
        words.append((await sdk.client.get_generation_async(job_id=begun.id)).status)
        sdk.clock.time += 4
    content = await sdk.client.get_video_content_async(job_id=begun.id)
    done = await sdk.client.get_generation_async(job_id=begun.id)

    assert words == ["pending", "pending", "in_progress", "completed"]
    assert set(words) <= set(WORDS)
    assert await content.aread() == BLANK
    assert (done.usage.cost, done.usage.is_byok) == (3.2, False)
    assert done.generation_id
    assert len(done.unsigned_urls) == len(done.urls) == 1
    sent = await sdk.raw(f"/videos/{begun.id}")
    assert foreign(components.VideoGenerationResponse, sent) == set()


@pytest.mark.parametrize("trouble", ["fail", "is-cancelled", "is-expired", "moderated-charged"])
async def test_the_openrouter_sdk_reads_a_failed_video(sdk: Sdk, trouble: str) -> None:
    over = await sdk.made(prompt=f"a cat [{trouble}]")
    assert over.error == "The prompt was rejected by the content policy."
    assert over.status in WORDS


async def test_the_openrouter_sdk_reads_the_list_of_models_field_by_field(sdk: Sdk) -> None:
    listed = await sdk.client.list_videos_models_async()
    models = {model.id: model for model in listed.data}
    sent = {each["id"]: each for each in (await sdk.raw("/videos/models"))["data"]}
    for name, offered in OFFERED.items():
        assert abilities(models[name]) == own(offered), name
        assert foreign(components.VideoModel, sent[name]) == set()
    assert models.keys() == sent.keys() == OFFERED.keys()
    assert models[TOPAZ].upscale_factor.max == 4


def abilities(model: Any) -> list[object]:
    return [
        model.supported_durations, model.supported_resolutions, model.supported_aspect_ratios,
        model.supported_sizes, model.supported_frame_images, model.generate_audio, model.seed,
        model.pricing_skus, model.allowed_passthrough_parameters,
    ]  # fmt: skip


def own(offered: Offered) -> list[object]:
    lists = (
        offered.durations, offered.resolutions, offered.ratios, offered.sizes, offered.frames,
    )  # fmt: skip
    shown: list[object] = [None if each is None else list(each) for each in lists]
    return [*shown, offered.sound, offered.seed, offered.prices, list(offered.options)]


async def test_the_openrouter_sdk_knows_each_word_in_the_list_of_models() -> None:
    module = components.videomodel
    for kind, words in (
        (module.SupportedResolution, [it.resolutions for it in OFFERED.values()]),
        (module.SupportedAspectRatio, [it.ratios for it in OFFERED.values()]),
        (module.SupportedSize, [it.sizes for it in OFFERED.values()]),
        (module.SupportedFrameImage, [it.frames for it in OFFERED.values()]),
    ):
        known = set(get_args(get_args(kind)[0]))
        assert {word for each in words for word in each or ()} <= known


async def test_the_openrouter_sdk_reads_the_list_of_all_models(sdk: Sdk) -> None:
    page = await sdk.raw("/models?output_modalities=all")
    read = components.ModelsListResponse.model_validate(page)
    assert [model.id for model in read.data if "video" in model.architecture.output_modalities] == [
        *OFFERED
    ]
    assert all(foreign(components.Model, model) == set() for model in page["data"])


async def test_the_openrouter_sdk_sends_frames_references_and_an_earlier_job(sdk: Sdk) -> None:
    image: Any = {"type": "image_url", "image_url": {"url": ONE_URI}}
    sound: Any = {"type": "audio_url", "audio_url": {"url": "https://a.example/a.mp3"}}
    framed = await sdk.made(frame_images=[{**image, "frame_type": "first_frame"}])
    referred = await sdk.made(model="bytedance/seedance-2.0", input_references=[image, sound])
    first = await sdk.made(model=GROK)
    then = await sdk.made(model=GROK, previous_job_id=first.id)
    entries = [entry for entry in sdk.simulator.journal if entry.operation == "create"]
    built: list[Any] = [entry.built["fields"] for entry in entries if entry.built]
    usual = {"model", "prompt", "duration", "generate_audio"}
    assert [video.status for video in (framed, referred, first, then)] == ["completed"] * 4
    assert [[*(fields.keys() - usual)] for fields in built] == [
        ["frame_images"],
        ["input_references"],
        [],
        ["previous_job_id"],
    ]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequestResponseError),
        (401, errors.UnauthorizedResponseError),
        (402, errors.PaymentRequiredResponseError),
        (403, errors.ForbiddenResponseError),
        (404, errors.NotFoundResponseError),
        (413, errors.PayloadTooLargeResponseError),
        (429, errors.TooManyRequestsResponseError),
    ],
)
async def test_the_openrouter_sdk_reads_each_refusal(
    sdk: Sdk, status: int, kind: type[errors.OpenRouterError]
) -> None:
    sdk.simulator.faults.add(Fault("create", "answer", status, message="no"))
    with pytest.raises(kind) as caught:
        await sdk.client.generate_async(model=VEO, prompt="a cat")
    data: Any = caught.value
    assert (data.data.error.code, data.data.error.message) == (status, "no")


async def test_the_openrouter_sdk_reads_a_refusal_of_content_that_is_not_made(sdk: Sdk) -> None:
    begun = await sdk.client.generate_async(model=VEO, prompt="a cat")
    with pytest.raises(errors.ConflictResponseError):
        await sdk.client.get_video_content_async(job_id=begun.id)


def test_negative_control_the_openrouter_sdk_does_not_read_an_error_as_an_object() -> None:
    body = {"id": "a", "polling_url": "/a", "status": "failed", "error": {"message": "no"}}
    with pytest.raises(ValidationError):
        components.VideoGenerationResponse.model_validate(body)
