"""The line to Discord breaks in every way: it is taken up again in time, and nothing else ends."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.core.errors import Broken, Temporary
from bot.core.supervision import LEAST, MOST
from bot.platforms.discord import commands as our_commands
from bot.platforms.discord import connection
from tests.fakes.discord import FakeDiscord, Fault, Intent, Person, error, payloads, reset
from tests.fakes.discord.rest import Outcome
from tests.unit.platforms.discord.bot import Bot
from tests.unit.platforms.discord.desk import StepContext

LOGIN = "/users/@me$"
WAIT = 30.0


async def until(holds: Callable[[], bool], bot: Bot | None = None, step: float = LEAST) -> None:
    """Turn the loop, and with a bot its clock, until it is so."""
    async with asyncio.timeout(WAIT):
        while not holds():
            if bot is None:
                await asyncio.sleep(0)
            else:
                await bot.clock.advance(step)
                step = 0.0  # what is under way answers before time goes on
            step = step or (LEAST if bot and bot.clock._sleepers else 0.0)


def is_up(bot: Bot) -> Callable[[], bool]:
    return lambda: bot.platform._supervisor.is_up


def is_down(bot: Bot) -> Callable[[], bool]:
    return lambda: not bot.platform._supervisor.is_up


@pytest.fixture
def ann(fake: FakeDiscord) -> Person:
    return fake.person("ann")


async def hears(fake: FakeDiscord, ann: Person) -> bool:
    """Whether a command is answered: what people do reaches us."""
    asked = await ann.slash("video", prompt="a cat")
    return (await asked.answered()).message is not None


# --- reached or not ------------------------------------------------------------------------------


async def test_a_websocket_that_is_refused_while_rest_works_is_tried_again(
    fake: FakeDiscord, idle: Bot, ann: Person
) -> None:
    fake.gateway.refuse()
    with capture_logs() as lines:
        async with idle.platform:
            work = asyncio.create_task(idle.commands.run())
            await until(lambda: fake.gateway.refused >= 3, idle)
            assert not work.done()
            assert not await idle.platform.is_connected()
            await StepContext(idle, ann).send()  # REST is there: posts go on
            fake.gateway.refuse(until=True)
            await until(is_up(idle), idle)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    lost = [line for line in lines if line["event"] == "discord.disconnected"]
    assert {line["why"] for line in lost} == {"discord_unreachable"}
    assert [line["event"] for line in lines if "exc_info" in line] == []


@pytest.mark.parametrize("fault", [error(503), error(403), error(429), reset()])
async def test_rest_that_is_away_at_the_start_is_tried_again(
    fake: FakeDiscord, idle: Bot, fault: object
) -> None:
    fake.faults.add("GET", LOGIN, fault, times=3)  # type: ignore[arg-type]
    async with idle.platform:
        work = asyncio.create_task(idle.commands.run())
        await until(is_up(idle), idle)
        assert await idle.platform.is_connected()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@pytest.mark.parametrize("body", [[], {}, "<html>Log in to the hotel</html>", {"id": "x"}])
async def test_a_login_whose_answer_makes_no_sense_is_called_unreadable_and_tried_again(
    fake: FakeDiscord, idle: Bot, body: object
) -> None:
    fake.faults.add("GET", LOGIN, Fault(answer=Outcome(200, body)), times=3)  # type: ignore[arg-type]
    with capture_logs() as lines:
        async with idle.platform:
            work = asyncio.create_task(idle.commands.run())
            await until(is_up(idle), idle)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    lost = [line["why"] for line in lines if line["event"] == "discord.disconnected"]
    assert lost == ["discord_unreadable"]


async def test_no_login_that_failed_leaves_its_session_open(
    fake: FakeDiscord, idle: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    fake.faults.add("GET", LOGIN, error(503), times=3)
    async with idle.platform:
        work = asyncio.create_task(idle.commands.run())
        await until(is_up(idle), idle)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert not caplog.records


@pytest.mark.proof
async def test_a_gateway_that_says_nothing_is_left(
    fake: FakeDiscord, idle: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "OPEN_TIME", 0.1)
    fake.gateway.says_hello = False
    async with idle.platform:
        work = asyncio.create_task(idle.commands.run())
        await until(lambda: bool(fake.gateway._sockets))
        await until(lambda: not fake.gateway._sockets, idle, 0.0)
        fake.gateway.says_hello = True
        await until(is_up(idle), idle)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_a_greeting_that_cannot_be_read_is_asked_for_again(
    fake: FakeDiscord, idle: Bot
) -> None:
    fake.gateway.greets = False
    async with idle.platform:
        work = asyncio.create_task(idle.commands.run())
        await until(lambda: len(fake.gateway.sessions) >= 3, idle)
        assert not await idle.platform.is_connected()
        fake.gateway.greets = True
        await until(is_up(idle), idle)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@pytest.mark.proof
async def test_a_gateway_that_does_not_let_us_in_is_left(
    fake: FakeDiscord, idle: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ENTER_TIME", 0.1)
    fake.gateway.lets_in = False
    async with idle.platform:
        work = asyncio.create_task(idle.commands.run())
        await until(lambda: len(fake.gateway.sessions) >= 3, idle)
        fake.gateway.lets_in = True
        await until(is_up(idle), idle)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


# --- lost and found ------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [None, 1000, 1001, 4000, 4007, 4009])
async def test_a_socket_that_is_lost_is_taken_up_at_once_and_nothing_is_missed(
    fake: FakeDiscord, bot: Bot, ann: Person, code: int | None
) -> None:
    assert await bot.platform.is_connected()
    await fake.drop_gateway(code=code)
    await until(is_down(bot))
    assert await hears(fake, ann), "said while we were away"
    assert fake.gateway.resumes == 1
    assert len(fake.gateway.sessions) == 1
    assert await bot.platform.is_connected()


async def test_a_session_that_is_gone_is_begun_anew(
    fake: FakeDiscord, bot: Bot, ann: Person
) -> None:
    await fake.drop_gateway(resumable=False)
    await until(is_down(bot))
    await until(is_up(bot), bot)
    assert await hears(fake, ann)


async def test_where_the_way_back_is_gone_the_session_is_taken_up_by_the_front_door(
    fake: FakeDiscord, idle: Bot, ann: Person
) -> None:
    front, fake.gateway.url = fake.gateway.url, "ws://127.0.0.1:1/"
    async with idle.running():
        assert idle.settings.gateway_url == front
        await fake.drop_gateway()
        await until(is_down(idle))
        await until(is_up(idle), idle)
        assert fake.gateway.resumes == 1
        assert await hears(fake, ann)


async def test_a_session_that_is_never_taken_up_is_begun_anew(
    fake: FakeDiscord, bot: Bot, ann: Person
) -> None:
    fake.gateway.lets_in = False
    await fake.drop_gateway()
    await until(is_down(bot))
    await until(lambda: len(fake.gateway.sessions) == 2, bot)
    assert fake.gateway.resumes == 0
    fake.gateway.lets_in = True
    await fake.drop_gateway()
    await until(is_up(bot), bot)
    assert await hears(fake, ann)


async def test_after_an_outage_it_is_deaf_for_no_longer_than_half_of_it(
    fake: FakeDiscord, bot: Bot
) -> None:
    fake.gateway.refuse()
    await fake.drop_gateway()
    await until(is_down(bot))
    began = bot.clock.now()
    await until(lambda: bot.clock.now() - began > 600, bot)
    fake.gateway.refuse(until=True)
    back = bot.clock.now()
    await until(is_up(bot), bot)
    assert bot.clock.now() - back <= MOST + LEAST
    assert fake.gateway.resumes == 1, "what was said meanwhile is heard"


async def test_reconnects_are_one_line_each_and_none_of_discord_py_s(
    fake: FakeDiscord, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with capture_logs() as lines:
        for code in (None, 4000, 4009):
            await fake.drop_gateway(code=code)
            await until(is_down(bot))
            await until(is_up(bot), bot)
    lost = [line for line in lines if line["event"] == "discord.disconnected"]
    assert len(lost) == 3
    assert not any("exc_info" in line for line in lines)
    assert not caplog.records


@pytest.mark.parametrize(
    ("code", "why"),
    [(4004, "discord_token_bad"), (4013, "discord_intents"), (4014, "discord_intents")],
)
async def test_what_the_operator_has_to_mend_later_ends_nothing_and_is_told(
    fake: FakeDiscord, bot: Bot, ann: Person, code: int, why: str
) -> None:
    with capture_logs() as lines:
        await fake.drop_gateway(code=code)
        await until(is_down(bot))
        await bot.clock.advance(1)
        assert not await bot.platform.is_connected()
        await until(is_up(bot), bot)
    assert [line["why"] for line in lines if line["event"] == "discord.refused"] == [why]


async def test_sessions_are_begun_no_more_often_than_discord_bears(
    fake: FakeDiscord, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.gateway.greets = False
    began = bot.clock.now()
    await fake.drop_gateway(resumable=False)
    held = connection.MOST_SESSIONS + 5
    with capture_logs() as lines:
        async with asyncio.timeout(30):
            while not any(line["event"] == "discord.session_held" for line in lines):
                await until(is_down(bot), bot)
                await bot.clock.advance(1)
    assert len(fake.gateway.sessions) < held
    assert bot.clock.now() - began < connection.HOUR


# --- nonsense ------------------------------------------------------------------------------------


NONSENSE: dict[str, dict[str, Any]] = {
    "GUILD_CREATE": {"id": "77", "name": "x", "roles": None},
    "GUILD_UPDATE": {"id": None},
    "THREAD_CREATE": {},
    "THREAD_UPDATE": {"id": 5},
    "CHANNEL_CREATE": {"type": 0, "guild_id": {}},
    "MESSAGE_CREATE": {"id": "secret words"},
    "INTERACTION_CREATE": {"id": "1", "type": 2},
}


@pytest.mark.parametrize("event", NONSENSE)
async def test_an_event_that_cannot_be_read_is_dropped_and_the_next_one_heard(
    fake: FakeDiscord, bot: Bot, ann: Person, event: str
) -> None:
    with capture_logs() as lines:
        fake.world.tell(Intent.GUILDS, event, NONSENSE[event])
        assert await hears(fake, ann)
    dropped = [line for line in lines if line["event"] == "discord.event_dropped"]
    assert [line["kind"] for line in dropped] == [event]
    assert "secret" not in str(lines)
    assert fake.gateway.resumes == 0
    assert len(fake.gateway.sessions) == 1


@pytest.mark.parametrize("frame", ["<html>502</html>", "[]", "null", '{"op": 0}', '{"t": 7}'])
async def test_a_frame_that_is_no_event_at_all_likewise(
    fake: FakeDiscord, bot: Bot, ann: Person, frame: str
) -> None:
    fake.gateway.garble(frame)
    assert await hears(fake, ann)
    assert len(fake.gateway.sessions) == 1


async def test_a_command_without_a_name_is_answered_and_no_traceback(
    fake: FakeDiscord, bot: Bot, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    asked = await ann.slash("video", prompt="a cat")
    told = payloads.interaction(asked, fake.bot) | {"id": "1", "data": {"type": 1}}
    with capture_logs() as lines:
        fake.world.tell(Intent(0), "INTERACTION_CREATE", told)
        assert await hears(fake, ann)
    assert [it for it in lines if it["event"] == "discord.command_unread"]
    assert not caplog.records


async def test_nonsense_that_comes_at_each_reconnect_is_no_hot_loop(
    fake: FakeDiscord, bot: Bot, ann: Person
) -> None:
    for _ in range(3):
        fake.world.tell(Intent.GUILDS, "GUILD_CREATE", {"id": "77", "roles": None})
        await fake.drop_gateway()
        await until(is_down(bot))
        await until(is_up(bot), bot)
    assert fake.gateway.resumes == 3
    assert await hears(fake, ann)


# --- posts and commands --------------------------------------------------------------------------


async def test_posts_cost_no_try_while_neither_half_of_discord_is_there(
    fake: FakeDiscord, bot: Bot, ann: Person
) -> None:
    fake.faults.add("POST", "/messages$", error(503), times=None)
    with pytest.raises(Temporary) as caught:
        await StepContext(bot, ann).send()
    assert not caught.value.away, "it may be this message alone"
    fake.gateway.refuse()
    await fake.drop_gateway()
    await until(is_down(bot))
    with pytest.raises(Temporary) as caught:
        await StepContext(bot, ann).send()
    assert caught.value.away


@pytest.mark.proof
@pytest.mark.parametrize("fault", [error(503), reset(), error(400, 50035)])
async def test_commands_that_could_not_be_registered_are_offered_again(
    fake: FakeDiscord, idle: Bot, fault: object
) -> None:
    fake.faults.add("PUT", "/commands$", fault, times=2)  # type: ignore[arg-type]
    async with idle.running():
        assert fake.commands == []
        await until(lambda: bool(fake.commands), idle, our_commands.REFUSED_TIME)


async def test_a_token_that_is_refused_at_the_start_ends_it(idle: Bot, fake: FakeDiscord) -> None:
    fake.faults.add("GET", LOGIN, error(503))
    fake.faults.add("GET", LOGIN, error(401))
    async with idle.platform:
        with pytest.raises(Broken, match="discord_token_bad"):
            await asyncio.wait_for(idle.platform.run(), WAIT)
