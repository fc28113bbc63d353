"""Closed by default: strangers spend nothing until the owner has opened their place."""

from tests.e2e.world import WAIT, World
from tests.fakes.discord import Interaction


async def told(interaction: Interaction) -> str:
    """The sentence that only this person sees."""
    answer = await interaction.answered(timeout=WAIT)
    assert answer.ephemeral
    assert answer.message is not None
    return answer.message.content


async def test_the_code_makes_an_owner_who_opens_and_closes_places(world: World) -> None:
    codes: list[str] = []
    async with world.app(announce=codes.append, ACCESS="closed"):
        ann, bob = world.discord.person("ann"), world.discord.person("bob")
        assert "not switched on here" in await told(await bob.slash("video", prompt="a cat"))
        assert "Only the owner" in await told(await bob.slash("allow"))
        assert "wrong or was used" in await told(await bob.slash("claim", code="AAAA-AAAA-AAAA"))
        assert "You own this bot" in await told(await ann.slash("claim", code=codes[0].lower()))
        assert "wrong or was used" in await told(await bob.slash("claim", code=codes[0]))
        await bob.slash("video", prompt="a cat")
        assert (await world.result()).attachments
        assert "Switched off" in await told(await ann.slash("disallow"))
        assert "not switched on here" in await told(await bob.slash("video", prompt="a cat"))
    assert world.simulator.charges == 1


async def test_another_server_and_strangers_messages_stay_closed(world: World) -> None:
    codes: list[str] = []
    async with world.app(announce=codes.append, ACCESS="closed"):
        ann, bob = world.discord.person("ann"), world.discord.person("bob")
        await told(await ann.slash("claim", code=codes[0]))
        elsewhere = world.discord.add_channel(world.discord.add_guild("elsewhere"), "hall")
        for channel in (elsewhere, bob.dm):
            asked = await bob.slash("video", channel=channel, prompt="a cat")
            assert "not switched on here" in await told(asked)
        await ann.slash("video", channel=ann.dm, prompt="a cat")
        assert (await world.result()).attachments, "the owner's own messages are open"
    assert world.simulator.charges == 1


async def test_with_an_owner_there_is_no_code_any_more(world: World) -> None:
    codes: list[str] = []
    async with world.app(announce=codes.append, ACCESS="closed"):
        ann = world.discord.person("ann")
        await told(await ann.slash("claim", code=codes[0]))
    async with world.app(announce=codes.append, ACCESS="closed"):
        await ann.slash("video", prompt="a cat")
        assert (await world.result()).attachments
    assert len(codes) == 1


async def test_where_everything_is_open_an_old_code_makes_no_owner(world: World) -> None:
    codes: list[str] = []
    async with world.app(announce=codes.append, ACCESS="closed"):
        pass
    async with world.app(announce=codes.append, ACCESS="open"):
        eve = world.discord.person("eve")
        assert "wrong or was used" in await told(await eve.slash("claim", code=codes[0]))
    assert len(codes) == 1
