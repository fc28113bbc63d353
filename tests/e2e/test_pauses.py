"""A gateway that refused a key is probed again by the running service, and orders that waited
continue.
"""

import pytest

from bot.core.clock import SystemClock
from bot.core.context import PAUSE
from tests.e2e.world import WAIT, World, card_text, is_result


class Ahead(SystemClock):
    """The system's clock, ahead by more than the longest pause."""

    def now(self) -> float:
        return super().now() + PAUSE + 1


@pytest.mark.proof
async def test_orders_that_waited_for_a_valid_gateway_key_continue_after_the_key_changes(
    world: World,
) -> None:
    async with world.app(GATEWAYS__MAIN__API_KEY="sk-old"):
        ann = world.discord.person("ann")
        for prompt in ("a cat", "a dog"):
            await ann.slash("video", prompt=prompt)
            await world.discord.next(
                "edit", where=lambda m: "does not let me in" in card_text(m), timeout=WAIT
            )
        assert world.simulator.charges == 0
    world.clock = Ahead()
    async with world.app():
        for _ in range(2):
            assert (await world.discord.next("message", where=is_result, timeout=WAIT)).attachments
    assert world.simulator.charges == 2
