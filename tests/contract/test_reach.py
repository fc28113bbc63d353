"""Each order reaches its gateway, for every model, kind and dialect.

Each order goes from the catalog over HTTP into the video that is made of it. What a dialect cannot
express is refused by the catalog.
"""

import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from bot.config import Config, Misconfigured, load
from bot.core.errors import Refused
from bot.core.models import Model
from bot.core.orders import Kind, Made, Sound
from bot.core.outcomes import Accepted, Done, Fetched
from bot.gateways.videos_api import GatewayOptions, VideosApi, open_gateways
from bot.net.sending import Body, FilePart
from bot.simulator.bodies import plain
from bot.simulator.journal import Entry
from bot.simulator.models import JIMENG_V30, SINGERS, SORA
from bot.simulator.profiles import PROFILES
from bot.simulator.render import Renderer
from bot.simulator.scenes import Scene
from bot.simulator.server import Simulator
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import changed
from tests.unit.gateways import bodies, file_store, samples
from tests.unit.media.samples import write_sound

PAGE = Path(__file__).parents[2] / "docs" / "gateways.md"
BLANK = b"\0\0\0\x10ftypisom" + bytes(4096)
LONG = 120.0
"""Seconds after which every simulated video is made and its gateway knows so."""
SPEAKERS = {
    "documented": "documented",
    "new-api": "new-api",
    "new-api-a": "new-api",
    "openai": "openai",
}
"""Profile → the dialect that its gateway speaks."""


def speaks(dialect: str) -> list[tuple[Model, Kind]]:
    """Return each model and kind with a body of its own; a remix goes to another address."""
    models = bodies.catalog(dialect).models
    return [(model, kind) for model in models for kind in model.kinds if kind in bodies.FILES]


ROWS = [
    pytest.param(profile, model, kind, id=f"{profile}-{model.name}-{kind}")
    for profile, dialect in SPEAKERS.items()
    for model, kind in speaks(dialect)
    if profile != "openai" or model.name in SORA  # OpenAI serves no other models
]
EVERYTHING = sorted(
    {(model.name, kind) for dialect in bodies.DIALECTS for model, kind in speaks(dialect)}
)


class Seeing(Renderer):
    """A renderer that draws nothing and remembers what each video would have been drawn from."""

    def __init__(self) -> None:
        super().__init__()
        self.videos: list[Scene] = []

    async def render(self, video: Scene, path: Path) -> None:
        self.videos.append(video)
        path.write_bytes(BLANK)


@dataclass
class Way:
    """One gateway, the client that speaks to it, and all that a test can see of both."""

    simulator: Simulator
    gateway: VideosApi
    clock: FakeClock
    renderer: Seeing
    files: list[Path] = field(default_factory=list)


@pytest.fixture
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    profile = request.param
    clock, renderer = FakeClock(), Seeing()
    simulator = Simulator(profile=PROFILES[profile], now=clock.now, renderer=renderer)
    async with simulator.serve() as url:
        settings = GatewayOptions(
            name="g", base_url=url, api_key="sk-sim", dialect=SPEAKERS[profile]
        )
        async with open_gateways([settings]) as gateways:
            yield Way(simulator, gateways["g"], clock, renderer, pictures(tmp_path))


def pictures(folder: Path) -> list[Path]:
    files = [folder / "one.jpg", folder / "two.jpg"]
    for file, colour in zip(files, ["red", "blue"], strict=True):
        Image.new("RGB", (1280, 720), colour).save(file, "JPEG")
    return files


@pytest.mark.parametrize(("way", "model", "kind"), ROWS, indirect=["way"])
async def test_an_order_at_each_gateway_becomes_the_video_that_was_asked_for(
    way: Way, model: Model, kind: Kind, tmp_path: Path
) -> None:
    """Checks the request against the file of bodies, the pictures that arrive, and the video."""
    order = bodies.ordered(model, kind)
    _, request = bodies.catalog(way.gateway.dialect).choose(order)
    given = way.files[: bodies.FILES[kind]]

    created = await samples.create(way.gateway, request, given)
    assert isinstance(created, Accepted)
    await way.simulator.rendered()
    await way.clock.advance(LONG)
    done = await way.gateway.retrieve(created.gateway_id)
    assert isinstance(done, Done)
    fetched = await file_store.fetched(
        way.gateway, created.gateway_id, done.sources, tmp_path / "video.mp4"
    )

    assert fetched == Fetched(len(BLANK))
    assert arrived(way.simulator.journal[0], given) == golden(way.gateway.dialect, model, kind)
    (video,) = way.renderer.videos
    assert video.pictures == tuple(file.read_bytes() for file in given)
    assert (video.model, video.prompt, video.seconds) == (model.name, "a cat", request.seconds)
    assert (video.width * 9, video.seed) == (video.height * 16, order.wish.seed or 0)


@pytest.mark.parametrize("way", ["openai"], indirect=True)
async def test_a_remix_reaches_the_gateway_that_supports_remixes(way: Way) -> None:
    catalog = bodies.catalog("openai")
    order = changed(bodies.PLAIN, family="sora-2")
    model, request = catalog.choose(order)
    created = await samples.create(way.gateway, request, [])
    assert isinstance(created, Accepted)
    await way.simulator.rendered()
    await way.clock.advance(LONG)
    made = Made(
        gateway=model.gateway,
        base_url=way.gateway.base_url,
        gateway_id=created.gateway_id,
        model=model.name,
        seconds=request.seconds,
        size=request.size,
        aspect=request.aspect,
        quality=request.quality,
    )
    _, remix = catalog.choose(changed(order, prompt="a dog", remix_of=made))
    again = await samples.create(way.gateway, remix, [])
    assert isinstance(again, Accepted)
    assert again.gateway_id != created.gateway_id
    await way.simulator.rendered()
    first, second = way.renderer.videos
    assert (second.prompt, second.seconds) == ("a dog", first.seconds)
    *_, entry = way.simulator.journal
    assert entry.path == f"/v1/videos/{created.gateway_id}/remix"
    assert (entry.fields, entry.files) == ({"prompt": "a dog"}, {})


@pytest.mark.parametrize("way", ["documented"], indirect=True)
async def test_a_picture_and_a_sound_become_a_video_as_long_as_the_sound(
    way: Way, tmp_path: Path
) -> None:
    """Uses the table that the page shows; only this dialect can carry a sound."""
    picture, song = (
        way.files[0],
        write_sound(tmp_path / "song.mp3", "mp3", "libmp3lame", seconds=6.9),
    )
    wish = replace(
        bodies.PLAIN,
        pictures=(bodies.PICTURE,),
        sound=Sound(source=None, filename="song.mp3", size=9, seconds=5.9, key="kept"),
    )
    _, request = shown(tmp_path, way.gateway.dialect).catalog.choose(wish)

    created = await samples.create(way.gateway, request, [picture, song])
    assert isinstance(created, Accepted)
    await way.simulator.rendered()

    assert arrived(way.simulator.journal[0], [picture, song]).splitlines() == [
        "  seconds: 6",
        "  size: 480P",
        "  metadata.watermark: false",
        '  metadata.image_url: "data:image/jpeg;base64,<one>"',
        '  metadata.audio_url: "data:audio/mpeg;base64,<song>"',
    ]
    (video,) = way.renderer.videos
    assert (video.model, video.seconds, video.sound) == ("wan2.2-s2v", 7, True)
    assert (video.pictures, video.voice) == ((picture.read_bytes(),), song.read_bytes())


def test_a_sound_model_is_refused_or_missing_at_dialects_that_cannot_carry_sounds(
    tmp_path: Path,
) -> None:
    with pytest.raises(Misconfigured) as wrong:
        shown(tmp_path, "new-api")
    assert [problem.code for problem in wrong.value.problems] == ["sound_dropped"]
    assert shown(tmp_path, "openai").catalog.model("wan2.2-s2v") is None


def shown(folder: Path, dialect: str) -> Config:
    """Return a configuration with the page's table, at a gateway that speaks `dialect`."""
    tables = re.findall(r"```toml\n(.+?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (table,) = [each for each in tables if "wan2.2-s2v" in each]
    (folder / "config.toml").write_text(table, "utf-8")
    return load(folder / "config.toml", environment=bodies.gateway(dialect))


@pytest.mark.parametrize("dialect", bodies.DIALECTS)
def test_a_kind_that_a_dialect_cannot_express_is_refused_before_a_request_is_built(
    dialect: str,
) -> None:
    can = {(model.name, kind) for model, kind in speaks(dialect)}
    models = {model.name: model for each in bodies.DIALECTS for model, _ in speaks(each)}
    for name, kind in EVERYTHING:
        if (name, kind) not in can:
            with pytest.raises(Refused):
                bodies.catalog(dialect).choose(bodies.ordered(models[name], kind))


def test_every_profile_and_every_model_of_the_simulator_is_tested_here() -> None:
    plugged = {name for name in PROFILES if name.startswith("new-api-c")}
    # These speak dialects of their own.
    own = {"openrouter", *(name for name, profile in PROFILES.items() if profile.own)}
    assert SPEAKERS.keys() == PROFILES.keys() - plugged - own  # tests/unit covers plugins
    for profile, dialect in SPEAKERS.items():
        named = {model.name for model, _ in speaks(dialect)}
        elsewhere = {
            "sora-2-pro",
            *SINGERS,
            *JIMENG_V30,
        }  # models of version 3.0: see test_reach_plugins
        missing = PROFILES[profile].models.keys() - named - elsewhere
        assert missing == set(), profile


def test_the_gateways_page_lists_exactly_the_kinds_that_each_dialect_can_order() -> None:
    said = set()
    for row in re.findall(
        r"^\| (`.+`) \| (\w+) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    ):
        for dialect, cell in zip(bodies.DIALECTS, row[2].split(" | "), strict=True):
            said |= {(name, row[1], dialect) for name in row[0][1:-1].split("` `") if cell != "–"}

    assert said == {
        (model.name, str(kind), dialect)
        for dialect in bodies.DIALECTS
        for model in bodies.catalog(dialect).models
        for kind in model.kinds
    }


# --- what arrived, in the format of the file of bodies -------------------------------------------


def golden(dialect: str, model: Model, kind: Kind) -> str:
    """Return the paragraph of the file of bodies for this dialect, model and kind."""
    text = bodies.FILE.read_text("utf-8")
    _, _, after = text.partition(f"{dialect} · {model.name} · {kind}\n")
    return after.partition("\n\n")[0].rstrip("\n")


def arrived(entry: Entry, given: list[Path]) -> str:
    """Return an entry of the journal in the format of the file of bodies."""
    names = {sha256(file.read_bytes()).hexdigest(): f"<{file.stem}>" for file in given}
    names |= {b64encode(file.read_bytes()).decode(): f"<{file.stem}>" for file in given}
    if "duration" in entry.fields:  # our own requests have this field in JSON only
        said = {name: named(unpacked(name, text), names) for name, text in entry.fields.items()}
        said["metadata"] = named(entry.metadata, names)
        return bodies.drawn(Body(json=json.dumps(said).encode())).rstrip("\n")
    fields = [(plain(name), str(named(value, names))) for name, value in entry.fields.items()]
    fields.append(("metadata", json.dumps(named(entry.metadata, names))))
    files = [
        FilePart(name, part.filename, part.content_type, Path())
        for name, part in entry.files.items()
    ]
    return bodies.drawn(Body(tuple(fields), tuple(files))).rstrip("\n")


def unpacked(name: str, text: object) -> object:
    """Return the decoded value of a JSON body.

    The journal keeps text; only `seconds` was sent as text.
    """
    try:
        return text if name == "seconds" else json.loads(str(text))
    except ValueError:
        return text


def named(value: object, names: dict[str, str]) -> object:
    """Return the value with each picture's name instead of its bytes."""
    match value:
        case {"data_uri": {"media_type": media_type, "sha256": str(digest)}}:
            return f"data:{media_type};base64,{names[digest]}"
        case dict():
            return {key: named(inner, names) for key, inner in value.items()}
        case list():
            return [named(inner, names) for inner in value]
        case str() if value.startswith("data:"):
            media_type, _, data = value.partition(",")
            return f"{media_type},{names.get(data, data)}"
        case str():
            return names.get(value, value)
        case _:
            return value
