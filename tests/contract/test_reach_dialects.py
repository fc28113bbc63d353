"""Each kind of order reaches the model whole at OpenRouter, vLLM-Omni and SGLang.

Each order goes from a model's table over HTTP to the model behind the simulated server. The same
orders in another dialect show what would get lost there.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest

from bot.app import gateway_settings
from bot.cli.software import find_out
from bot.config import Config
from bot.config.discoveries import keep
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.orders import Kind, VideoRequest
from bot.core.outcomes import Accepted, Done, Failed, Fetched, Missing
from bot.core.prices import Cost
from bot.gateways.survey import survey
from bot.gateways.videos_api import VideosApi, open_gateways
from bot.gateways.which import FITTING
from bot.simulator.faults import Fault
from bot.simulator.profiles import PROFILES
from bot.simulator.server import Simulator
from tests.contract.test_reach import BLANK, LONG, Seeing, pictures
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, dialects, file_store, samples

OWN = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"
SERVED = {
    "openrouter": ("openrouter", "google/veo-3.1"),
    "vllm-omni": ("vllm-omni", OWN),
    "vllm-omni-whole": ("vllm-omni", OWN),
    "sglang": ("sglang", OWN),
    "sglang-cloud": ("sglang", OWN),
}
"""Profile → its dialect, and a model that it serves."""
KINDS = {"openrouter": 3, "vllm-omni": 3, "sglang": 2}
"""Dialect → how many of the three kinds a model can do there."""
ROLES = ("first_frame", "last_frame")
REACHED: Mapping[str, Mapping[str, object]] = {
    "openrouter": {"seconds": 8, "resolution": "1080p", "seed": 7, "sound": False},
    "vllm-omni": {"seconds": 5, "resolution": "480x832", "seed": 7, "negative_prompt": "rain"},
    "sglang": {"seconds": 5, "resolution": "480x832", "seed": 7, "negative_prompt": "rain"},
}
"""Dialect → what reaches the model, besides prompt and pictures."""
WISHES: Mapping[str, Mapping[str, object]] = {
    "openrouter": {"seconds": 8, "quality": "1080p", "seed": 7, "audio": False},
    "vllm-omni": {"seconds": 5, "aspect": "9:16", "seed": 7, "negative_prompt": "rain"},
    "sglang": {"seconds": 5, "aspect": "9:16", "seed": 7, "negative_prompt": "rain"},
}
CELLS = [
    pytest.param(profile, kind, id=f"{profile}-{kind}")
    for profile, (dialect, _) in SERVED.items()
    for kind in list(bodies.FILES)[: KINDS[dialect]]
]


@dataclass
class Way:
    """A simulated server, and the client and the configuration that speak to it."""

    simulator: Simulator
    gateway: VideosApi
    config: Config
    clock: FakeClock
    url: str


@asynccontextmanager
async def way(profile: str, folder: Path, *, gateway: str = "") -> AsyncIterator[Way]:
    """Serve this profile and open its client, without a key where none is needed."""
    dialect, name = SERVED[profile]
    clock = FakeClock()
    simulator = Simulator(profile=PROFILES[profile], now=clock.now, renderer=Seeing())
    async with simulator.serve() as url:
        text = dialects.text(dialect, url=url, name=name, gateway=gateway)
        config = dialects.config(folder, text, key="sk-sim" if dialect == "openrouter" else "")
        async with open_gateways(gateway_settings(config)) as gateways:
            yield Way(simulator, gateways["box"], config, clock, url)


@pytest.mark.parametrize(("profile", "kind"), CELLS)
async def test_each_kind_of_order_reaches_the_model_whole(
    profile: str, kind: Kind, tmp_path: Path
) -> None:
    """Length, shape, options and each picture in its role arrive, and the video comes back."""
    dialect, name = SERVED[profile]
    given = pictures(tmp_path)[: bodies.FILES[kind]]
    async with way(profile, tmp_path) as it:
        request = request_of(it.config.catalog, dialect, kind)
        created = await samples.create(it.gateway, request, given)
        assert isinstance(created, Accepted)
        await it.simulator.rendered()
        await it.clock.advance(LONG)
        done = await it.gateway.retrieve(created.gateway_id)
        assert isinstance(done, Done)
        video = tmp_path / "video.mp4"
        fetched = await file_store.fetched(it.gateway, created.gateway_id, done.sources, video)
    assert fetched == Fetched(len(BLANK))
    (post,) = [each for each in it.simulator.journal if each.operation == "create"]
    assert post.built is not None
    assert post.built.items() >= {"prompt": "a cat", **REACHED[dialect]}.items()
    assert post.built["pictures"] == [
        {"role": role, "sha256": sha256(file.read_bytes()).hexdigest()}
        for role, file in zip(ROLES, given, strict=False)
    ]
    assert (post.model, post.authorized) == (name, dialect == "openrouter")


@pytest.mark.parametrize("profile", SERVED)
async def test_the_cost_that_openrouter_tells_is_read_in_dollars_and_ones_own_server_tells_none(
    profile: str, tmp_path: Path
) -> None:
    async with way(profile, tmp_path) as it:
        request = request_of(it.config.catalog, SERVED[profile][0], Kind.TEXT)
        created = await samples.create(it.gateway, request, [])
        assert isinstance(created, Accepted)
        await it.simulator.rendered()
        await it.clock.advance(LONG)
        done = await it.gateway.retrieve(created.gateway_id)
    assert isinstance(done, Done)
    (post,) = [each for each in it.simulator.journal if each.operation == "create"]
    assert post.built is not None
    if profile == "openrouter":
        settled = float(str(post.built["settled"]))
        assert settled > 0
        assert done.cost == Cost(micro=round(settled * 1e6), currency="USD")
    else:
        assert done.cost is None


@pytest.mark.parametrize("profile", SERVED)
async def test_a_failed_job_has_failed_whatever_the_status_of_the_answer(
    profile: str, tmp_path: Path
) -> None:
    async with way(profile, tmp_path) as it:
        it.simulator.faults.add(Fault("create", "fail", message="CUDA out of memory"))
        created = await samples.create(
            it.gateway, request_of(it.config.catalog, SERVED[profile][0], Kind.TEXT), []
        )
        assert isinstance(created, Accepted)
        await it.simulator.rendered()
        await it.clock.advance(LONG)
        failed = await it.gateway.retrieve(created.gateway_id)
    assert isinstance(failed, Failed)
    assert "CUDA out of memory" in failed.detail


OTHERS = """
picture = { transport = "data-uri" }
places = { i2v = [["image"]] }
"""


@pytest.mark.parametrize("profile", ["vllm-omni", "sglang"])
async def test_a_picture_in_another_dialect_is_lost_and_so_refused_once_the_server_is_known(
    profile: str, tmp_path: Path
) -> None:
    """The first order shows that the refusal is needed: it makes a video without the picture."""
    async with way(profile, tmp_path) as it:
        text = dialects.text(profile, url=it.url, name=OWN, model=OTHERS)
        other = text.replace(f'dialect = "{profile}"', 'dialect = "documented"')
        other = other.replace('"t2v", "i2v", "kf2v"', '"t2v", "i2v"')
        config = dialects.config(tmp_path, other)
        order = changed(bodies.PLAIN, family="one", pictures=(bodies.PICTURE,))
        (options,) = gateway_settings(config)
        async with open_gateways([options]) as gateways:
            request = config.catalog.choose(order)[1]
            lost = await samples.create(gateways["box"], request, pictures(tmp_path)[:1])
        assert isinstance(lost, Accepted)
        (post,) = [each for each in it.simulator.journal if each.operation == "create"]
        assert post.built is not None
        assert post.built["pictures"] == []

        seen = await survey(it.url, "")
        found = await find_out(it.url, "", seen)
        keep(tmp_path, "box", found)
        known = dialects.config(tmp_path, other)
    assert FITTING[found.software] == profile
    with pytest.raises(Refused):
        known.catalog.choose(order)


@pytest.mark.parametrize("profile", ["vllm-omni", "sglang"])
async def test_a_video_at_ones_own_server_can_be_deleted_once_and_then_is_gone(
    profile: str, tmp_path: Path
) -> None:
    async with way(profile, tmp_path, gateway="own = true") as it:
        request = request_of(it.config.catalog, profile, Kind.TEXT)
        created = await samples.create(it.gateway, request, [])
        assert isinstance(created, Accepted)
        await it.simulator.rendered()
        await it.clock.advance(LONG)
        assert await it.gateway.delete(created.gateway_id) is None
        gone = await it.gateway.retrieve(created.gateway_id)
        assert await it.gateway.delete(created.gateway_id) is None
    assert isinstance(gone, Missing)
    sent = [each.method for each in it.simulator.journal if each.operation == "delete"]
    assert sent == ["DELETE", "DELETE"]


def request_of(catalog: Catalog, dialect: str, kind: Kind) -> VideoRequest:
    """Return the request of an order with every option that the dialect has."""
    given = (bodies.PICTURE,) * bodies.FILES[kind]
    order = changed(bodies.PLAIN, family="one", pictures=given, **WISHES[dialect])
    return catalog.choose(order)[1]
