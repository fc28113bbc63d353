"""`zoetrope init` interrupted: no answer is lost."""

from itertools import pairwise

import pytest

from tests.e2e.conversations import (
    ADDRESS,
    DEFAULT,
    DIALECT,
    KEY,
    OUTAGE,
    PERSON,
    PRICE,
    RARE,
    SECRET,
    SERVER,
    TOKEN,
    TRIAL,
    init,
    written,
)
from tests.e2e.terminal import CTRL_C
from tests.e2e.world import World

pytestmark = pytest.mark.usefixtures("nothing_is_paid_by_itself")

STOPPED = "Your answers so far are kept. To continue: zoetrope init\n"
WAITING = "Waiting until it has joined"
QUESTIONS = (
    (TOKEN, ""),
    (WAITING, ""),
    (ADDRESS, ""),
    (SECRET, KEY),
    (DIALECT, "new-api"),
    (DEFAULT, "2"),
    (PRICE, "0.1"),
    ("USD a day for everybody", "7.5"),
    (PERSON, "4"),
    (SERVER, "5"),
    ("day for everybody together", "6"),
    (TRIAL, "n"),
)


@pytest.mark.proof
async def test_init_after_ctrl_c_at_a_question_continues_with_that_question(world: World) -> None:
    world.discord.guild.bot_is_member = False
    known = {TOKEN: world.discord.token, ADDRESS: world.gateway_url}
    (world.folder / "config.toml").write_text(RARE, "utf-8")
    async with init(world) as person:
        await person.sees(TOKEN)
        person.types(CTRL_C)
        await person.sees(STOPPED)
        assert await person.ends() == 130
    for (question, answer), (following, _) in pairwise(QUESTIONS):
        async with init(world) as person:
            shown = await person.answers(question, known.get(question, answer))
            assert [each for each, _ in QUESTIONS if each in shown] == [question]
            await person.sees(following)
            person.types(CTRL_C)
            await person.sees(STOPPED)
            assert await person.ends() == 130
            assert "Traceback" not in person.screen
        world.discord.guild.bot_is_member |= question == WAITING
    text = written(world.folder)["config.toml"]
    assert text.partition("[limits]\n")[2].splitlines()[:4] == [
        "purse_money_per_day = 7.5",
        "person_videos_per_day = 4",
        "community_videos_per_day = 5",
        "purse_videos_per_day = 6",
    ]


@pytest.mark.proof
async def test_enter_skips_the_wait_until_the_bot_has_joined_a_server(world: World) -> None:
    world.discord.guild.bot_is_member = False
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.answers(WAITING, "")
        await person.sees("Not joined yet. You can use the link later, too.")
        await person.answers(ADDRESS, world.gateway_url)
        await person.sees(SECRET)
    async with init(world) as person:
        shown = await person.sees(SECRET)
    assert "Open this link to invite zoetrope" in shown
    assert WAITING not in shown


@pytest.mark.proof
async def test_init_waits_out_a_discord_outage_while_the_bot_is_to_join_a_server(
    world: World,
) -> None:
    world.discord.guild.bot_is_member = False
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.sees(WAITING)
        world.discord.faults.add("GET", "/users/@me/guilds", OUTAGE)
        world.discord.guild.bot_is_member = True
        await person.sees("zoetrope is in: The Workshop.")
        await person.sees(ADDRESS)


@pytest.mark.proof
async def test_init_keeps_the_answers_given_before_the_terminal_window_was_closed(
    world: World,
) -> None:
    async with init(world) as person:
        await person.answers(TOKEN, world.discord.token)
        await person.sees(ADDRESS)
        person.hang_up()
        assert await person.ends() != 0
    async with init(world) as person:
        shown = await person.sees(ADDRESS)
        assert TOKEN not in shown


@pytest.mark.proof
async def test_end_of_input_interrupts_init(world: World) -> None:
    async with init(world) as person:
        await person.sees(TOKEN)
        person.types("\x04")
        await person.sees(STOPPED)
        assert await person.ends() == 130
