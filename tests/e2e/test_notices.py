"""Owners learn in chat what they must decide: once, in the right chat, even after restarts."""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.cli import drawing
from bot.core.alarm import CHECK_EVERY
from bot.core.clock import SystemClock
from bot.core.digest import LAST_DAY
from bot.simulator.faults import Fault
from bot.simulator.profiles import DOCUMENTED
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.test_access import told
from tests.e2e.test_operators import asked
from tests.e2e.world import WAIT, Codes, World
from tests.fakes.discord import FakeDiscord, Message, Person


async def owner(world: World, codes: Codes, name: str = "olga") -> Person:
    """Return a person who has claimed the bot."""
    person = world.discord.person(name)
    await told(await person.slash("claim", code=await codes.first()))
    return person


def to(person: Person, words: str) -> Callable[[Message], bool]:
    """Return a filter for direct messages to `person` that contain `words`."""
    return lambda it: it.channel == person.dm and words in it.content


@pytest.mark.proof
async def test_an_order_with_an_unknown_outcome_is_told_to_the_owner_once_and_crossed_out_later(
    world: World,
) -> None:
    codes = Codes()
    world.simulator.faults.add(Fault("create", "drop"))
    async with world.app(announce=codes.append, ACCESS="closed"):
        olga = await owner(world, codes)
        await world.discord.person("ann").slash("video", prompt="a secret cat")
        notice = await world.discord.next(
            "message", where=to(olga, "whether 1 order was taken"), timeout=WAIT
        )
        assert "secret" not in notice.content
    async with world.app(ACCESS="closed"):
        world.simulator.faults.add(Fault("create", "drop"))
        await world.discord.person("ann").slash("video", prompt="a dog")
        changed = await world.discord.next("edit", where=to(olga, "2 orders"), timeout=WAIT)
        assert changed.id == notice.id
        assert len(world.discord.posts(olga.dm)) == 1


def first(message: Message) -> str:
    """Return the custom id of the message's first button."""
    return str(message.buttons[0]["custom_id"])


@pytest.fixture
async def listing(tmp_path: Path, renderer: Renderer) -> AsyncIterator[World]:
    """Yield a world whose gateway lists its videos."""
    profile = replace(DOCUMENTED, lists=True)
    simulator = Simulator(profile=profile, render_time=0.2, renderer=renderer)
    async with FakeDiscord() as discord, simulator.serve() as url:
        yield World(discord=discord, simulator=simulator, gateway_url=url, folder=tmp_path)


async def lost(world: World, olga: Person) -> Message:
    """Lose the answer to an order after it was charged, and return the notice about that order."""
    world.simulator.faults.add(Fault("create", "drop"))
    await world.discord.person("ann").slash("video", prompt="a secret cat")
    return await world.discord.next("message", where=to(olga, "order was taken"), timeout=WAIT)


async def pressed(
    world: World, person: Person, message: Message, button: str
) -> tuple[str, Message]:
    """Press a button, and return text and message of the answer that only this person sees."""
    press = await person.press(message, button)
    answer = await world.discord.next(
        "message", where=lambda it: it.id == press.original_id, timeout=WAIT
    )
    assert answer.ephemeral
    return answer.content, answer


@pytest.mark.proof
async def test_after_a_restart_the_owner_picks_the_lost_video_from_the_gateways_list(
    listing: World,
) -> None:
    world, codes = listing, Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        olga = await owner(world, codes)
        notice = await lost(world, olga)
    async with world.app(ACCESS="closed"):
        said, panel = await pressed(world, olga, notice, first(notice))
        assert "The gateway's list has these videos" in said
        said, _ = await pressed(world, olga, panel, "It is number 1")
        assert "I download it" in said
        await world.discord.next("message", where=lambda it: bool(it.attachments), timeout=WAIT)
        await world.discord.next("edit", where=to(olga, "are decided"), timeout=WAIT)
        (act,) = drawing.rows(await asked(world, "acts.list"), "acts")
    assert (act["actor"], act["action"]) == (f"discord:{olga.id}", "jobs.found")
    assert world.simulator.charges == 1


async def test_an_owners_second_try_of_a_lost_order_needs_a_second_press_and_is_made_once(
    world: World,
) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        olga = await owner(world, codes)
        notice = await lost(world, olga)
        _, panel = await pressed(world, olga, notice, first(notice))
        said, sure = await pressed(world, olga, panel, "Order again")
        assert "you pay twice" in said
        assert world.simulator.charges == 1
        for _ in range(2):
            said, _ = await pressed(world, olga, sure, "Yes, order it again")
            assert "ordered again" in said
        await world.discord.next("message", where=lambda it: bool(it.attachments), timeout=WAIT)
        said, _ = await pressed(world, olga, panel, "Not charged")
        assert "is already decided" in said
        acts = drawing.rows(await asked(world, "acts.list"), "acts")
    assert [act["action"] for act in acts] == ["jobs.again"]
    assert world.simulator.charges == 2


@pytest.mark.proof
async def test_a_stranger_who_presses_an_owners_button_is_refused(world: World) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        notice = await lost(world, await owner(world, codes))
        said, _ = await pressed(world, world.discord.person("eve"), notice, first(notice))
        assert said == "Only my owner can do that."
        assert await asked(world, "acts.list") == {"acts": []}


@pytest.mark.proof
async def test_an_owner_is_told_that_the_purse_is_nearly_empty_and_raises_the_limit_once(
    world: World,
) -> None:
    codes = Codes()
    changes = {"ACCESS": "closed", "LIMITS__PURSE_VIDEOS_PER_DAY": "2"}
    async with world.app(announce=codes.append, **changes):
        olga = await owner(world, codes)
        await world.discord.person("ann").slash("video", prompt="a cat")
        notice = await world.discord.next(
            "message", where=to(olga, "50 % of today's 2 videos"), timeout=WAIT
        )
        said, _ = await pressed(world, olga, notice, first(notice))
        assert "limit is raised" in said
        await world.discord.next("edit", where=to(olga, "room again"), timeout=WAIT)
        (purse, *_) = drawing.rows(await asked(world, "quota.show", kind="purse"), "limits")
        assert (purse["limit"], purse["granted"]) == (3, 1)


@pytest.mark.proof
async def test_the_daily_digest_comes_once_and_has_buttons_for_open_decisions(world: World) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed", DIGEST="off"):
        olga = await owner(world, codes)
        await lost(world, olga)
    with closing(sqlite3.connect(world.folder / "data" / "zoetrope.db")) as rows, rows:
        rows.execute("INSERT INTO settings VALUES (?, '2026-01-01')", (LAST_DAY,))
    for _ in range(2):
        async with world.app(ACCESS="closed", DIGEST="00:00"):
            if len(world.discord.posts(olga.dm)) == 1:
                await world.discord.next("message", where=to(olga, "The last day"), timeout=WAIT)
            await asked(world, "stats")
    _, digest = world.discord.posts(olga.dm)
    assert "0 made, 0 failed, 1 unconfirmed" in digest.content
    assert "To decide: I don't know whether 1 order was taken" in digest.content
    async with world.app(ACCESS="closed"):
        said, _ = await pressed(world, olga, digest, first(digest))
        assert "whether the gateway took it" in said


class Quick(SystemClock):
    """A clock whose minute is three seconds long."""

    SPEED = 20.0

    def __init__(self) -> None:
        began = time.monotonic()
        self._real = time.time()
        super().__init__(
            wall=lambda: self._real + (time.monotonic() - began) * self.SPEED,
            steady=lambda: time.monotonic() * self.SPEED,
        )

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / self.SPEED)


@pytest.mark.proof
async def test_a_deleted_database_is_told_to_the_owner_once(world: World) -> None:
    codes, world.clock = Codes(), Quick()
    async with world.app(announce=codes.append, ACCESS="closed", DIGEST="off"):
        olga = await owner(world, codes)
        await asked(world, "stats")
        await world.clock.sleep(2 * CHECK_EVERY)
        (world.folder / "data" / "zoetrope.db").unlink()
        await world.discord.next("message", where=to(olga, "does not work (deleted)"), timeout=WAIT)
        await world.clock.sleep(4 * CHECK_EVERY)
        assert len(world.discord.posts(olga.dm)) == 1
