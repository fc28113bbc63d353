"""One fake Discord per test, with a clock that only the test moves, and a bot that is logged in."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.discord import FakeDiscord

from .sample_bot import SampleBot, discord, running


class Clock:
    """Unix seconds that only a test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def fake(clock: Clock) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord(clock=clock) as fake:
        with fake.redirect_dpy():
            yield fake
        assert fake.unknown_routes == []


@pytest.fixture
async def bot(fake: FakeDiscord) -> AsyncIterator[SampleBot]:
    async with running(fake.token, SampleBot()) as bot:
        yield bot


@pytest.fixture
def room(fake: FakeDiscord, bot: SampleBot) -> discord.PartialMessageable:
    return bot.get_partial_messageable(fake.channel.id, guild_id=fake.guild.id)
