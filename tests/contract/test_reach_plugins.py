"""No order is paid and wrong behind new-api, whatever its plugins are and what we know of them.

Each order goes the whole way from the catalogue to what the vendor got. It is right, or refused
before it is paid: by us, or by the gateway.
"""

import json
import tomllib
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from bot.config import load
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.models import Model, Places
from bot.core.orders import AUTO, Extra, Kind, Order, VideoRequest
from bot.core.outcomes import Accepted
from bot.gateways.videos_api import Settings, VideosApi, open_gateways
from bot.simulator.journal import Entry
from bot.simulator.plugins import PLUGINS
from bot.simulator.profiles import (
    NEW_API,
    NEW_API_A,
    NEW_API_C,
    NEW_API_C_FIRST,
    NEW_API_C_MIXED,
    Profile,
)
from bot.simulator.profiles.new_api_c import FIRST, NONE, USUAL, new_api_c
from bot.simulator.render import Renderer
from bot.simulator.scenes import Film
from bot.simulator.server import Simulator
from tests.fakes.clock import FakeClock
from tests.unit.gateways import bodies, samples

NAMES = tuple(tomllib.loads(files("bot").joinpath("catalog.toml").read_text("utf-8"))["models"])
NEWEST = {key: PLUGINS[key].newest for key in USUAL}
PROFILES: Mapping[str, tuple[Profile, str, Mapping[str, str]]] = {
    "A": (NEW_API_A, "A", {}),
    "B": (NEW_API, "B", {}),
    "C newest": (NEW_API_C, "C", NEWEST),
    "C 1.0.0": (NEW_API_C_FIRST, "C", dict.fromkeys(NEWEST, FIRST)),
    "C mixed": (
        NEW_API_C_MIXED,
        "C",
        NEWEST | dict.fromkeys(("doubao", "kling", "vidu"), FIRST),
    ),
    "C bare": (
        new_api_c("c", dict.fromkeys(NEWEST, NONE), older=True),
        "C",
        dict.fromkeys(NEWEST, NONE),
    ),
}
"""Name → what serves, its generation, and the versions of its plugins."""
ROWS = [
    *[(name, "new-api", known) for name in PROFILES for known in ("nothing", "generation")],
    *[(name, "new-api", "versions") for name in PROFILES if PROFILES[name][2]],
    *[(name, "documented", "generation") for name in PROFILES],
    *[(name, "openai", "nothing") for name in PROFILES],
]


@cache
def catalog(name: str, dialect: str, known: str) -> Catalog:
    """Of a gateway that lists all that we know, and of which so much is known."""
    _, generation, versions = PROFILES[name]
    environment = bodies.gateway(dialect) | {"ZOETROPE_GATEWAYS__G__MODELS": json.dumps(NAMES)}
    if known != "nothing":
        environment["ZOETROPE_GATEWAYS__G__GENERATION"] = generation
    if known == "versions":
        environment["ZOETROPE_GATEWAYS__G__PLUGINS"] = json.dumps(versions)
    return load(None, environment=environment).catalog


class Seeing(Renderer):
    """Draws nothing, and remembers what each film would have been drawn from."""

    def __init__(self) -> None:
        super().__init__()
        self.films: list[Film] = []

    async def render(self, film: Film, path: Path) -> None:
        self.films.append(film)
        path.write_bytes(b"")


@dataclass
class Way:
    """One gateway, the client that speaks to it, and two pictures to send."""

    simulator: Simulator
    renderer: Seeing
    gateway: VideosApi
    pictures: list[Path]

    async def go(self, model: Model, order: Order) -> str | None:
        """Order it; say what is wrong with a video that was paid, if anything is."""
        try:
            _, request = Catalog(models=(model,)).choose(order)
        except Refused:
            return None
        given = self.pictures[: len(order.pictures)]
        self.renderer.films.clear()
        created = await self.gateway.create(request, given, about_to_send=samples.nothing)
        entry = self.simulator.journal[-1]
        if not isinstance(created, Accepted):
            paid = entry.charged and not entry.refunded
            return f"{request.model} {request.kind}: {created} is paid" if paid else None
        await self.simulator.rendered()
        (film,) = self.renderer.films
        off = differing(request, order, given, entry, film)
        return f"{request.model} {request.kind}: {off}" if off else None


@asynccontextmanager
async def way(profile: Profile, dialect: str, folder: Path) -> AsyncIterator[Way]:
    renderer = Seeing()
    simulator = Simulator(profile=profile, now=FakeClock().now, renderer=renderer)
    pictures = [folder / "one.jpg", folder / "two.jpg"]
    for file, colour in zip(pictures, ["red", "blue"], strict=True):
        Image.new("RGB", (1280, 720), colour).save(file, "JPEG")
    async with simulator.serve() as url:
        settings = Settings(name="g", base_url=url, api_key="sk-sim", dialect=dialect)
        async with open_gateways([settings]) as gateways:
            yield Way(simulator, renderer, gateways["g"], pictures)


def wishes(model: Model, kind: Kind) -> Iterator[Order]:
    """Each wish by itself, with each of its values."""
    plain = bodies.ordered(replace(model, takes=()), kind)
    yield plain
    yield from (replace(plain, seconds=each) for each in {min(model.seconds), max(model.seconds)})
    yield from (replace(plain, quality=each) for each in model.qualities)
    yield from (replace(plain, aspect=each) for each in model.aspects)
    for extra in (Extra.AUDIO, Extra.PROMPT_EXTEND, Extra.WATERMARK):
        for on in (True, False) if extra in model.takes else ():
            wish: dict[str, bool] = {extra.value: on}
            yield replace(plain, **wish)  # type: ignore[arg-type]
    yield replace(plain, seconds=AUTO)


def differing(
    request: VideoRequest, order: Order, given: list[Path], entry: Entry, film: Film
) -> dict[str, tuple[object, object]]:
    """What was asked for and what the vendor got, where that is something else."""
    pictures = [file.read_bytes() for file in given]
    asked: dict[str, object] = {"pictures": pictures, "prompt": request.prompt, "seed": order.seed}
    got: dict[str, object] = {"pictures": list(film.pictures), "prompt": film.prompt}
    got["seed"] = film.seed
    if (built := entry.built) is not None:
        shots = built["pictures"]
        assert isinstance(shots, list)
        resolution = str(built["resolution"]).lower()
        asked |= {
            "hashes": [sha256(each).hexdigest() for each in pictures],
            "seconds": AUTO if request.auto else request.seconds,
            "negative_prompt": order.negative_prompt or None,
            "sound": order.audio,
            "watermark": order.watermark,
            "prompt_extend": order.prompt_extend,
            "resolution": request.quality,
            "ratio": None if given else request.aspect,
        }
        got |= {name: built[name] for name in asked if name in built} | {
            "pictures": list(film.pictures),
            "hashes": [shot.get("sha256") for shot in shots],
            "resolution": request.quality if resolution in ("", request.size) else resolution,
            "ratio": built["ratio"] or request.aspect,
            "watermark": bool(built["watermark"]),  # none is what all make without a word
        }
    elif not request.auto:
        asked["seconds"], got["seconds"] = request.seconds, film.seconds
    return {
        name: (value, got[name])
        for name, value in asked.items()
        if value is not None and value != got[name]
    }


@pytest.mark.parametrize(("name", "dialect", "known"), ROWS)
async def test_all_wishes_at_once_are_right_or_refused_before_they_are_paid(
    name: str, dialect: str, known: str, tmp_path: Path
) -> None:
    async with way(PROFILES[name][0], dialect, tmp_path) as it:
        mistakes = [
            await it.go(model, bodies.ordered(model, kind))
            for model in catalog(name, dialect, known).models
            for kind in model.kinds
            if kind in bodies.FILES
        ]
    assert [each for each in mistakes if each] == []


@pytest.mark.proof
@pytest.mark.parametrize(("name", "dialect", "known"), ROWS)
async def test_each_wish_is_right_or_refused_before_it_is_paid(
    name: str, dialect: str, known: str, tmp_path: Path
) -> None:
    async with way(PROFILES[name][0], dialect, tmp_path) as it:
        mistakes = [
            await it.go(model, order)
            for model in catalog(name, dialect, known).models
            for kind in model.kinds
            if kind in bodies.FILES
            for order in wishes(model, kind)
        ]
        assert len(it.simulator.journal) > 10
    assert [each for each in mistakes if each] == []


async def test_with_a_picture_no_vendor_is_told_another_shape(tmp_path: Path) -> None:
    """The picture's, or the one that was asked for, to which the picture is made."""
    tall = replace(bodies.PICTURE, width=720, height=1280)
    shapes = []
    async with way(NEW_API_C, "new-api", tmp_path) as it:
        for model in catalog("C newest", "new-api", "versions").models:
            for kind in {Kind.PICTURE, Kind.KEY_FRAMES}.intersection(model.kinds):
                order = replace(bodies.PLAIN, family=model.name)
                order = replace(order, pictures=(tall,) * bodies.FILES[kind])
                await it.go(model, order)
                built = it.simulator.journal[-1].built
                shapes.append((model.name, kind, built and built["ratio"]))
    assert ("wan3.0-video", Kind.KEY_FRAMES, "adaptive") in shapes
    assert [each for each in shapes if each[2] not in (None, "", "adaptive", "9:16")] == []


async def test_a_picture_that_a_plugin_drops_is_seen_here(tmp_path: Path) -> None:
    """In the obvious field, which Seedance accepts and does not read: the table can go red."""
    model = catalog("C newest", "new-api", "nothing").model("doubao-seedance-1-0-pro-250528")
    assert model is not None
    obvious = Places(files={Kind.PICTURE: (("image",),)}, length=model.places.length)
    async with way(NEW_API_C, "new-api", tmp_path) as it:
        order = bodies.ordered(replace(model, takes=()), Kind.PICTURE)
        assert await it.go(model, order) is None
        said = await it.go(replace(model, places=obvious), order)
    assert said is not None
    assert "'pictures': ([b" in said
