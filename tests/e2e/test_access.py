"""Access is closed by default: strangers spend nothing until the owner has allowed their place."""

import pytest

from tests.e2e.world import WAIT, Codes, World
from tests.fakes.discord import Interaction


async def told(interaction: Interaction) -> str:
    """Return the text of the answer that only this person sees."""
    answer = await interaction.answered(timeout=WAIT)
    assert answer.ephemeral
    assert answer.message is not None
    return answer.message.content


async def test_the_claim_code_makes_an_owner_who_allows_and_disallows_a_server(
    world: World,
) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        ann, bob = world.discord.person("ann"), world.discord.person("bob")
        told_first = await told(await bob.slash("video", prompt="a cat"))
        assert "not switched on here" in told_first
        assert "send /claim and the code" in told_first
        assert "Only my owner" in await told(await bob.slash("allow"))
        assert "wrong or already used" in await told(
            await bob.slash("claim", code="AAAA-AAAA-AAAA")
        )
        code = await codes.first()
        world.discord.world.offers.clear()
        assert "You are my owner now" in await told(await ann.slash("claim", code=code.lower()))
        await world.discord.offers(timeout=WAIT)
        with pytest.raises(LookupError):  # a used code is not accepted a second time
            await bob.slash("claim", code=code)
        await bob.slash("video", prompt="a cat")
        assert (await world.result()).attachments
        assert "Switched off" in await told(await ann.slash("disallow"))
        assert "not switched on here" in await told(await bob.slash("video", prompt="a cat"))
    assert world.simulator.charges == 1


@pytest.mark.proof
async def test_after_one_server_is_allowed_other_servers_and_strangers_messages_stay_closed(
    world: World,
) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        ann, bob = world.discord.person("ann"), world.discord.person("bob")
        await told(await ann.slash("claim", code=await codes.first()))
        elsewhere = world.discord.add_channel(world.discord.add_guild("elsewhere"), "hall")
        for channel in (elsewhere, bob.dm):
            asked = await bob.slash("video", channel=channel, prompt="a cat")
            refusal = await told(asked)
            assert "not switched on here" in refusal
            assert "/claim" not in refusal
        await ann.slash("video", channel=ann.dm, prompt="a cat")
        assert (await world.result()).attachments, "the owner's own messages are open"
    assert world.simulator.charges == 1


@pytest.mark.proof
async def test_with_an_owner_no_new_claim_code_is_announced(world: World) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        ann = world.discord.person("ann")
        await told(await ann.slash("claim", code=await codes.first()))
    async with world.app(announce=codes.append, ACCESS="closed"):
        await ann.slash("video", prompt="a cat")
        assert (await world.result()).attachments
    assert len(codes.all) == 1


@pytest.mark.proof
async def test_with_open_access_an_old_claim_code_makes_no_owner(world: World) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        await codes.first()
    async with world.app(announce=codes.append, ACCESS="open"):
        eve = world.discord.person("eve")
        with pytest.raises(LookupError):
            await eve.slash("claim", code=await codes.first())
    assert len(codes.all) == 1


@pytest.mark.proof
async def test_the_owner_allows_one_person_to_order_in_private_messages(world: World) -> None:
    """The refusal names the command that allows this person. Other people stay refused."""
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        ann, bob, eve = (world.discord.person(name) for name in ("ann", "bob", "eve"))
        await told(await ann.slash("claim", code=await codes.first()))
        await told(await ann.slash("disallow"))
        refusal = await told(await bob.slash("video", channel=bob.dm, prompt="a cat"))
        assert f"/allow {bob.id}" in refusal
        assert "Only my owner" in await told(await eve.slash("allow", person=eve))
        assert "in private now" in await told(await ann.slash("allow", person=bob))
        await bob.slash("video", channel=bob.dm, prompt="a cat")
        assert (await world.result()).attachments
        for asked in (
            await eve.slash("video", channel=eve.dm, prompt="a cat"),
            await bob.slash("video", prompt="a cat"),
        ):
            assert "not switched on here" in await told(asked)
        assert "any more" in await told(await ann.slash("disallow", person=bob))
        asked = await bob.slash("video", channel=bob.dm, prompt="a cat")
        assert "not switched on here" in await told(asked)
    assert world.simulator.charges == 1
