"""A gateway that tells what a video costs: the cost is kept and shown, at no extra write."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import drawing
from bot.simulator.profiles import DOCUMENTED
from bot.simulator.profiles.documented import Documented
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from bot.simulator.videos import Video
from tests.e2e.command_line import zoetrope
from tests.e2e.test_operators import asked
from tests.e2e.test_transactions import MOST, counted, over
from tests.e2e.world import WAIT, World
from tests.fakes.discord import FakeDiscord

GUESS, COST = 500_000, 420_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling(Documented):
    """A gateway that tells a first cost when it accepts an order, and the true one at the end."""

    def accepted(self, video: Video) -> dict[str, object]:
        return Documented.accepted(self, video) | {"usage": {"cost": GUESS / 1e6}}

    def shown(self, video: Video, now: float, url: str) -> dict[str, object]:
        body = Documented.shown(self, video, now, url)
        if video.state(now) == "succeeded":
            return body | {"usage": {"cost": COST / 1e6, "is_byok": False}}
        return body | {"usage": None}


@pytest.fixture
async def telling(tmp_path: Path, renderer: Renderer) -> AsyncIterator[World]:
    profile = Telling(name="telling", models=DOCUMENTED.models)
    simulator = Simulator(profile=profile, render_time=0.2, renderer=renderer)
    async with FakeDiscord() as discord, simulator.serve() as url:
        yield World(discord=discord, simulator=simulator, gateway_url=url, folder=tmp_path)


def costs(world: World) -> list[tuple[object, ...]]:
    """Return the told costs in the rows."""
    (file,) = world.folder.rglob("zoetrope.db")
    with closing(sqlite3.connect(file)) as rows:
        return rows.execute("SELECT told_cost, told_currency, told_is_fee FROM jobs").fetchall()


async def test_a_told_cost_is_in_the_row_and_in_the_commands_and_needs_no_further_transaction(
    telling: World,
) -> None:
    with counted() as commits:
        async with telling.app(GATEWAYS__MAIN__COST_CURRENCY="USD"), asyncio.timeout(WAIT):
            ann = telling.discord.person("ann")
            spent = []
            for prompt in ("one to learn by", "a cat", "a dog"):
                before = commits.count
                await ann.slash("video", prompt=prompt)
                assert (await telling.result()).attachments
                await over(telling)
                spent.append(commits.count - before)
            answer = await asked(telling, "stats", by="model")
    assert min(spent[1:]) <= MOST, f"{spent}; more where a busy machine is late"
    assert costs(telling) == 3 * [(COST, "USD", 0)]
    (row,) = drawing.rows(answer, "rows")
    assert (row["made"], row["told_videos"]) == (3, 3)
    code, said = await zoetrope(
        "jobs", "list", "--json", folder=telling.folder, **telling.written()
    )
    assert code == 0, said
    told = {"micro": COST, "currency": "USD", "is_fee": False}
    assert [job["told_cost"] for job in json.loads(said)["jobs"]] == 3 * [told]


@pytest.mark.proof
async def test_without_a_currency_an_amount_in_an_answer_is_not_taken_for_money(
    telling: World,
) -> None:
    async with telling.app(), asyncio.timeout(WAIT):
        await telling.discord.person("ann").slash("video", prompt="a cat")
        assert (await telling.result()).attachments
    assert costs(telling) == [(None, None, None)]
