"""Owners hear in chat what they have to decide: once, where they read it, over restarts."""

from collections.abc import Callable

from bot.simulator.faults import Fault
from tests.e2e.test_access import told
from tests.e2e.world import WAIT, Codes, World
from tests.fakes.discord import Message, Person


async def owner(world: World, codes: Codes, name: str = "olga") -> Person:
    """Somebody who claimed the bot."""
    person = world.discord.person(name)
    await told(await person.slash("claim", code=await codes.first()))
    return person


def to(person: Person, words: str) -> Callable[[Message], bool]:
    """A direct message to them that says so."""
    return lambda it: it.channel == person.dm and words in it.content


async def test_an_order_of_which_nobody_knows_is_told_once_and_crossed_out(world: World) -> None:
    codes = Codes()
    world.simulator.faults.add(Fault("create", "drop"))
    async with world.app(announce=codes.append, ACCESS="closed"):
        olga = await owner(world, codes)
        await world.discord.person("ann").slash("video", prompt="a secret cat")
        notice = await world.discord.next(
            "message", where=to(olga, "whether 1 order was taken"), timeout=WAIT
        )
        assert "secret" not in notice.content
        assert "zoetrope jobs resolve" in notice.content
    async with world.app(ACCESS="closed"):
        world.simulator.faults.add(Fault("create", "drop"))
        await world.discord.person("ann").slash("video", prompt="a dog")
        changed = await world.discord.next("edit", where=to(olga, "2 orders"), timeout=WAIT)
        assert changed.id == notice.id
        assert len(world.discord.posts(olga.dm)) == 1


async def test_a_limit_that_comes_near_is_told(world: World) -> None:
    codes = Codes()
    changes = {"ACCESS": "closed", "LIMITS__PURSE_VIDEOS_PER_DAY": "2"}
    async with world.app(announce=codes.append, **changes):
        olga = await owner(world, codes)
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.discord.next(
            "message", where=to(olga, "50 % of today's 2 videos"), timeout=WAIT
        )
