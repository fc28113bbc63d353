"""An order is sent to the gateway only after its answer is in the chat, so nothing is paid for
secretly.
"""

import pytest

from tests.e2e.world import WAIT, World, is_result
from tests.fakes.discord import error
from tests.fakes.discord.faults import Fault

CALLBACK = "/callback$"


@pytest.mark.proof
@pytest.mark.parametrize("trouble", [error(400, 50035), error(404, 10062), error(403, 50001)])
async def test_an_order_whose_answer_discord_refuses_late_is_never_sent_to_the_gateway(
    world: World, trouble: Fault
) -> None:
    """A gateway takes an order within milliseconds; Discord refuses the answer much later."""
    async with world.app():
        world.discord.faults.add("POST", CALLBACK, trouble)
        answer = world.discord.faults.hold_before("POST", CALLBACK)
        await world.discord.person("ann").slash("video", prompt="a cat")
        await answer.reached()
        await world.discord.person("bob").slash("video", prompt="a dog")
        await world.result()
        assert ordered(world) == ["a dog"], "the other answer is not known yet"
        answer.release()
        await world.discord.next("request", lambda each: (each.status or 0) >= 400, timeout=WAIT)
        await world.discord.person("bob").slash("video", prompt="a cow")
        await world.result()
    assert ordered(world) == ["a dog", "a cow"]
    assert len([each for each in world.discord.posts() if is_result(each)]) == 2


@pytest.mark.proof
async def test_an_order_whose_answer_discord_took_is_sent_to_the_gateway_at_once(
    world: World,
) -> None:
    """A negative control: an order waits only until its own answer is known."""
    async with world.app():
        asked = await world.discord.person("ann").slash("video", prompt="a cat")
        await asked.answered()
        assert (await world.discord.next("message", is_video, timeout=5)).attachments
    assert ordered(world) == ["a cat"]


def is_video(message: object) -> bool:
    return bool(getattr(message, "attachments", ()))


def ordered(world: World) -> list[object]:
    """Return the prompts that reached the gateway, in order."""
    creates = [entry for entry in world.simulator.journal if entry.operation == "create"]
    return [entry.fields["prompt"] for entry in creates]
