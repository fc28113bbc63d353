"""Behind new-api, a video that an order is made from reaches its vendor as a link, in its role.

The vendor's request shows the same link that we sent, or the order was refused unpaid.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.config import load
from bot.core.catalog import Catalog
from bot.core.models import Fields, Model
from bot.core.orders import Clip, Kind, Order
from bot.core.outcomes import Accepted
from bot.core.wishes import Use
from tests.contract.reach import NAMES, PROFILES, Way, way
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, samples

LINK = "https://videos.example/i/job-0/9/s.mp4"
CLIP = Clip(
    source=None, filename="dance.mp4", size=9, seconds=4.0, width=1280, height=720, key="given/a"
)
OFFERED = {
    "wan3.0-video": Kind.VIDEO,
    "wan3.0-video-prime": Kind.VIDEO,
    "wan2.7-i2v": Kind.EXTEND,
    "wan2.7-i2v-2026-04-25": Kind.EXTEND,
    "doubao-seedance-2-5-260628": Kind.VIDEO,
    "doubao-seedance-2-0-260128": Kind.VIDEO,
    "doubao-seedance-2-0-fast-260128": Kind.VIDEO,
    "doubao-seedance-2-0-mini-260615": Kind.VIDEO,
}
ROLES = {Kind.VIDEO: "reference", Kind.EXTEND: "first_clip"}


def catalog(name: str, known: str, *, public: bool = True) -> Catalog:
    """Return the catalog of such a gateway, for a service with links if `public`."""
    _, generation, versions = PROFILES[name]
    environment = bodies.gateway("new-api") | {"ZOETROPE_GATEWAYS__G__MODELS": json.dumps(NAMES)}
    if public:
        environment["ZOETROPE_WEB__PUBLIC_URL"] = "https://videos.example"
    if known != "nothing":
        environment["ZOETROPE_GATEWAYS__G__GENERATION"] = generation
    if known == "versions":
        environment["ZOETROPE_GATEWAYS__G__PLUGINS"] = json.dumps(versions)
    return load(None, environment=environment).catalog


def kinds(known: Catalog) -> dict[str, Kind]:
    return {
        model.name: kind
        for model in known.models
        for kind in model.kinds
        if kind in (Kind.VIDEO, Kind.EXTEND)
    }


def ordered(model: Model, kind: Kind) -> Order:
    use = Use.EXTEND if kind is Kind.EXTEND else Use.EDIT
    return changed(bodies.ordered(model, Kind.TEXT), video=CLIP, use=use)


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one order: whether it was paid, and the request that its vendor got."""

    paid: bool
    built: Mapping[str, object] | None
    seconds: int


async def go(it: Way, model: Model, order: Order, file: Path) -> Sent:
    _, request = Catalog(models=(model,), linked=True).choose(order)
    created = await samples.create(it.gateway, request, [file], links=[LINK])
    entry = it.simulator.latest
    paid = isinstance(created, Accepted) or (entry.charged and not entry.refunded)
    return Sent(paid, entry.built, request.seconds)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "given.mp4"
    path.write_bytes(b"never sent: the vendor takes links")
    return path


@pytest.mark.parametrize(
    ("name", "known"),
    [(name, known) for name in PROFILES for known in ("nothing", "generation", "versions")],
)
async def test_a_video_reaches_the_vendor_in_its_role_or_its_order_is_unpaid(
    name: str, known: str, tmp_path: Path, file: Path
) -> None:
    offered = catalog(name, known)
    async with way(PROFILES[name][0], "new-api", tmp_path) as it:
        for model_name, kind in kinds(offered).items():
            model = offered.model(model_name)
            assert model is not None
            sent = await go(it, model, ordered(model, kind), file)
            if not sent.paid:
                continue
            assert sent.built is not None, f"{model_name}: the older relay has no videos"
            assert sent.built["videos"] == [{"role": ROLES[kind], "url": LINK}]
            assert sent.built["pictures"] == []
            assert (sent.built["prompt"], sent.built["seconds"]) == ("a cat", sent.seconds)
            assert sent.built["ratio"] in ("", "adaptive")


async def test_each_offered_video_is_made_by_the_newest_plugins(tmp_path: Path, file: Path) -> None:
    offered = catalog("C newest", "versions")
    assert kinds(offered) == OFFERED
    async with way(PROFILES["C newest"][0], "new-api", tmp_path) as it:
        for model_name, kind in OFFERED.items():
            model = offered.model(model_name)
            assert model is not None
            assert (await go(it, model, ordered(model, kind), file)).paid, model_name


def test_videos_are_offered_only_with_links_and_where_the_plugin_is_known_to_take_them() -> None:
    assert kinds(catalog("C newest", "versions", public=False)) == {}
    unknown = kinds(catalog("C newest", "nothing"))
    assert unknown == {name: kind for name, kind in OFFERED.items() if "doubao" in name}


async def test_a_video_that_a_plugin_drops_is_noticed_by_this_test(
    tmp_path: Path, file: Path
) -> None:
    """Negative control: Wan reads no video from a field outside of `metadata.input`."""
    model = catalog("C newest", "versions").model("wan3.0-video")
    assert model is not None
    elsewhere = Fields(files={Kind.VIDEO: (("metadata.video",),)}, length=model.places.length)
    bare = replace(model, places=elsewhere, takes=())
    async with way(PROFILES["C newest"][0], "new-api", tmp_path) as it:
        sent = await go(it, bare, ordered(bare, Kind.VIDEO), file)
    assert sent.paid
    assert sent.built is not None
    assert sent.built["videos"] == []
