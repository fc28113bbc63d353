"""A gateway that refused a key is asked again by the running service, and what waited goes on."""

import pytest

from bot.core.clock import SystemClock
from bot.core.context import PAUSE
from tests.e2e.world import WAIT, World, card_text, is_result


class Ahead(SystemClock):
    """The system's clock a good pause from now."""

    def now(self) -> float:
        return super().now() + PAUSE + 1


@pytest.mark.proof
async def test_what_waited_for_another_key_goes_on_with_it_by_itself(world: World) -> None:
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
