"""Send each order the whole way, from the catalog to what the vendor behind new-api received.

`test_reach_plugins` judges the outcomes; `docs/reach_page.py` shows them.
"""

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from PIL import Image

from bot.config import load
from bot.core.catalog import Catalog
from bot.core.errors import Refused
from bot.core.models import Model
from bot.core.orders import Fit, Kind, Order, VideoRequest
from bot.core.outcomes import Accepted
from bot.core.wishes import AUTO
from bot.gateways.videos_api import GatewayOptions, VideosApi, open_gateways
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
from bot.simulator.scenes import Scene
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
"""Name → the profile that serves, its generation, and the versions of its plugins."""
RIGHT, FREE = "yes", "no"
ROWS = [
    *[(name, "new-api", known) for name in PROFILES for known in ("nothing", "generation")],
    *[(name, "new-api", "versions") for name in PROFILES if PROFILES[name][2]],
    *[(name, "documented", "generation") for name in PROFILES],
    *[(name, "openai", "nothing") for name in PROFILES],
]


@cache
def catalog(name: str, dialect: str, known: str) -> Catalog:
    """Return the catalog of a gateway with all models, of which this much is `known`."""
    _, generation, versions = PROFILES[name]
    environment = bodies.gateway(dialect) | {"ZOETROPE_GATEWAYS__G__MODELS": json.dumps(NAMES)}
    if known != "nothing":
        environment["ZOETROPE_GATEWAYS__G__GENERATION"] = generation
    if known == "versions":
        environment["ZOETROPE_GATEWAYS__G__PLUGINS"] = json.dumps(versions)
    return load(None, environment=environment).catalog


class Seeing(Renderer):
    """A renderer that draws nothing and remembers what each video would have been drawn from."""

    def __init__(self) -> None:
        super().__init__()
        self.videos: list[Scene] = []

    async def render(self, video: Scene, path: Path) -> None:
        self.videos.append(video)
        path.write_bytes(b"")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one order.

    It is right if `paid` is true and nothing is `wrong` with its video.
    """

    paid: bool = False
    wrong: str | None = None
    vendors: Mapping[str, object] | None = None
    """The fields that a plugin sent to its vendor."""

    @property
    def mark(self) -> str:
        """The mark that the page shows for this outcome."""
        if self.wrong:
            return "paid and wrong"
        return RIGHT if self.paid else FREE


@dataclass
class Way:
    """One gateway, the client that speaks to it, and three pictures to send."""

    simulator: Simulator
    renderer: Seeing
    gateway: VideosApi
    pictures: list[Path]
    fitted: Callable[[Path, Fit], Path] = lambda file, _fit: file
    """Make our own copy of a picture, as its order wants it; small ones are sent unchanged."""

    async def go(self, model: Model, order: Order) -> Outcome:
        """Send the order and return its outcome."""
        try:
            _, request = Catalog(models=(model,)).choose(order)
        except Refused:
            return Outcome()
        given = self.pictures[: len(order.pictures)]
        if request.fit is not None:
            given = [await asyncio.to_thread(self.fitted, file, request.fit) for file in given]
        self.renderer.videos.clear()
        created = await samples.create(self.gateway, request, given)
        entry = self.simulator.latest
        if not isinstance(created, Accepted):
            paid = entry.charged and not entry.refunded
            return Outcome(paid, f"{request.model} {request.kind}: {created}" if paid else None)
        await self.simulator.rendered()
        (video,) = self.renderer.videos
        off = differing(request, order, given, entry, video)
        fields = entry.built["fields"] if entry.built else None
        assert isinstance(fields, Mapping | None)
        return Outcome(True, f"{request.model} {request.kind}: {off}" if off else None, fields)


@asynccontextmanager
async def way(profile: Profile, dialect: str, folder: Path) -> AsyncIterator[Way]:
    renderer = Seeing()
    simulator = Simulator(profile=profile, now=FakeClock().now, renderer=renderer)
    pictures = [folder / f"{name}.jpg" for name in ("one", "two", "three")]
    for file, colour in zip(pictures, ["red", "blue", "green"], strict=True):
        Image.new("RGB", (1280, 720), colour).save(file, "JPEG")
    async with simulator.serve() as url:
        settings = GatewayOptions(name="g", base_url=url, api_key="sk-sim", dialect=dialect)
        async with open_gateways([settings]) as gateways:
            yield Way(simulator, renderer, gateways["g"], pictures)


def differing(
    request: VideoRequest, order: Order, given: list[Path], entry: Entry, video: Scene
) -> dict[str, tuple[object, object]]:
    """Return the values that were asked for and those at the vendor, where they differ."""
    pictures = [file.read_bytes() for file in given]
    asked: dict[str, object] = {
        "pictures": pictures,
        "prompt": request.prompt,
        "seed": order.wish.seed,
    }
    got: dict[str, object] = {"pictures": list(video.pictures), "prompt": video.prompt}
    got["seed"] = video.seed
    if (built := entry.built) is not None:
        shots = built["pictures"]
        assert isinstance(shots, list)
        resolution = str(built["resolution"]).lower()
        asked |= {
            "hashes": [sha256(each).hexdigest() for each in pictures],
            "seconds": AUTO if request.auto else request.seconds,
            "negative_prompt": order.wish.negative_prompt or None,
            "sound": order.wish.audio,
            "watermark": order.wish.watermark,
            "prompt_extend": order.wish.prompt_extend,
            "resolution": request.quality,
            "ratio": None if given and request.kind is not Kind.REFERENCES else request.aspect,
            "roles": ["reference"] * len(given) if request.kind is Kind.REFERENCES else None,
        }
        got |= {name: built[name] for name in asked if name in built} | {
            "pictures": list(video.pictures),
            "hashes": [shot.get("sha256") for shot in shots],
            "roles": [shot["role"] for shot in shots],
            "resolution": request.quality if resolution in ("", request.size) else resolution,
            "ratio": built["ratio"] or request.aspect,
            "watermark": bool(built["watermark"]),  # all models make none by default
        }
    elif not request.auto:
        asked["seconds"], got["seconds"] = request.seconds, video.seconds
    return {
        name: (value, got[name])
        for name, value in asked.items()
        if value is not None and value != got[name]
    }


async def plain(it: Way, known: Catalog) -> AsyncIterator[tuple[str, Kind, Outcome]]:
    """Yield the outcome of each kind of each model, ordered with all options that it takes."""
    for model in known.models:
        for kind in model.kinds:
            if kind in bodies.FILES:
                yield model.name, kind, await it.go(model, bodies.ordered(model, kind))
