"""A service whose gateway's own list builds the catalog: from the first start to a changed list."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from bot.app import open_app
from bot.cli.first_lists import with_lists
from bot.config import load
from bot.simulator.profiles import OPENROUTER
from bot.simulator.profiles.openrouter import OpenRouter
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.command_line import zoetrope
from tests.e2e.conversations import KEY, three, where, written
from tests.e2e.world import WAIT, World

GROK, VEO = "x-ai/grok-imagine-video", "google/veo-3.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing(OpenRouter):
    """OpenRouter with a list that a test changes while it runs."""

    hidden: set[str] = field(default_factory=set)
    prices: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def abilities(self) -> dict[str, object]:
        rows: list[dict[str, Any]] = [dict(row) for row in _rows() if row["id"] not in self.hidden]
        for row in rows:
            row["pricing_skus"] = self.prices.get(row["id"], row["pricing_skus"])
        return {"data": rows}


def _rows() -> list[dict[str, Any]]:
    rows = OPENROUTER.abilities()["data"]
    assert isinstance(rows, list)
    return rows


def changing() -> Changing:
    """Return the simulated OpenRouter with a list that can be changed."""
    known = {each.name: getattr(OPENROUTER, each.name) for each in fields(OPENROUTER) if each.init}
    return Changing(**known)


@asynccontextmanager
async def running(world: World, url: str) -> AsyncIterator[dict[str, str]]:
    """Run the app against this gateway; yield the environment of commands beside it."""
    file = world.folder / "config.toml"
    file.write_text(f'default_model = "grok-imagine-video"\n[models."{VEO}"]\nseconds = [4]\n')
    variables = world.environment(
        DEFAULT_MODEL="", GATEWAYS__MAIN__BASE_URL=url, GATEWAYS__MAIN__DIALECT="openrouter"
    )
    config = await with_lists(load(file, environment=variables))
    with world.discord.redirect_dpy():
        async with open_app(config):
            await world.discord.connected(timeout=WAIT)
            await world.discord.offers(timeout=WAIT)
            yield variables


async def test_a_service_offers_the_models_of_openrouters_list_and_makes_a_video_with_one(
    world: World, renderer: Renderer
) -> None:
    simulator = Simulator(profile=OPENROUTER, render_time=0.2, renderer=renderer)
    async with simulator.serve() as url, running(world, url):
        ann = world.discord.person("ann")
        offered = await ann.autocomplete("video", focused="model", options={"prompt": "a kite"})
        await ann.slash(
            "video", prompt="a kite", model="grok-imagine-video", seconds=1, quality="480p"
        )
        result = await world.result()
    assert {"grok-imagine-video", "veo-3.1"} <= {choice["value"] for choice in offered}
    assert [each.content_type for each in result.attachments] == ["video/mp4"]
    (post,) = [entry for entry in simulator.journal if entry.operation == "create"]
    assert post.fields == {
        "model": GROK,
        "prompt": "a kite",
        "duration": "1",
        "resolution": "480p",
        "aspect_ratio": "16:9",
    }


async def test_a_list_that_an_operator_has_read_changes_what_people_are_offered_at_once(
    world: World, renderer: Renderer
) -> None:
    gateway = changing()
    gateway.hidden.add(GROK)
    simulator = Simulator(profile=gateway, render_time=0.2, renderer=renderer)
    async with simulator.serve() as url, running(world, url) as variables:
        ann = world.discord.person("ann")
        before = await ann.autocomplete("video", focused="model", options={"prompt": "a kite"})
        gateway.hidden.clear()
        command = ("models", "--gateway", "main", "--refresh", "--config", "config.toml")
        code, said = await zoetrope(*command, folder=world.folder, **variables)
        after = await ann.autocomplete("video", focused="model", options={"prompt": "a kite"})
    assert code == 0, said
    assert f"({GROK})" in said
    assert "grok-imagine-video" not in {choice["value"] for choice in before}
    assert "grok-imagine-video" in {choice["value"] for choice in after}


async def test_run_says_what_to_do_if_no_list_can_be_read(world: World) -> None:
    (world.folder / "config.toml").write_text("")
    variables = world.environment(
        GATEWAYS__MAIN__BASE_URL="http://127.0.0.1:9", GATEWAYS__MAIN__DIALECT="openrouter"
    )
    command = ("run", "--config", "config.toml")
    code, said = await zoetrope(*command, folder=world.folder, **variables)
    assert code == 78
    assert "I can't reach http://127.0.0.1:9" in said
    assert "`zoetrope models --gateway NAME --refresh`" in said


async def test_init_and_doctor_build_the_catalog_from_openrouters_list_by_free_requests(
    world: World, renderer: Renderer
) -> None:
    simulator = Simulator(profile=OPENROUTER, key=KEY, renderer=renderer)
    async with simulator.serve() as url:
        given = three(world, ZOETROPE_GATEWAYS__MAIN__BASE_URL=url)
        code, said = await zoetrope("init", "--yes", folder=world.folder, **given)
        assert code == 0, said
        found = where(world.discord)
        _, checked = await zoetrope("doctor", folder=world.folder, **found)
    assert "The gateway runs OpenRouter" in said
    assert f"Grok Imagine Video ({GROK})" in said
    assert 'dialect = "openrouter"' in written(world.folder)["config.toml"]
    assert "its own list builds the catalog. Models that can be ordered: 5;" in checked
    assert [entry for entry in simulator.journal if entry.operation == "create"] == []
