"""An operator's commands, over the running service's socket and without a service."""

import json

import pytest

from bot import control
from bot.cli.control import _ask
from bot.cli.operating import drawing
from bot.core.acts import Values
from bot.core.errors import BotError
from tests.e2e.test_access import told
from tests.e2e.test_cli import zoetrope
from tests.e2e.world import WAIT, World, card_text


async def asked(world: World, name: str, /, **values: object) -> Values:
    """The answer to a command, in this process."""
    return await _ask(world.config(), name, values)


async def refused(world: World, name: str, /, **values: object) -> str:
    with pytest.raises(BotError) as problem:
        await asked(world, name, **values)
    return problem.value.code


async def test_the_running_service_answers_and_without_one_the_command_does_it_itself(
    world: World,
) -> None:
    async with world.app():
        assert (world.folder / "data" / control.NAME).exists()
        assert await asked(world, "acts.list") == {"acts": []}
    assert not (world.folder / "data" / control.NAME).exists()
    assert await asked(world, "acts.list") == {"acts": []}


async def test_a_command_makes_no_database(world: World) -> None:
    assert await refused(world, "acts.list") == "database_absent"
    assert not (world.folder / "data").exists()


async def test_a_service_that_does_not_listen_is_told_from_one_on_another_machine(
    world: World,
) -> None:
    async with world.app():
        (world.folder / "data" / control.NAME).unlink()
        assert await refused(world, "acts.list") == "service_silent"
        (world.folder / "data" / "zoetrope.db.lock").write_text("7 @ elsewhere\n")
        assert await refused(world, "acts.list") == "service_elsewhere"


@pytest.mark.proof
async def test_the_terminal_says_it_in_sentences(world: World) -> None:
    async with world.app():
        code, said = await zoetrope("acts", folder=world.folder, **world.written())
        assert (code, said) == (0, "No operator has done anything yet.\n")
        (world.folder / "data" / control.NAME).unlink()
        code, said = await zoetrope("acts", folder=world.folder, **world.written())
        assert (code, said.startswith("A service (")) == (75, True), said
    code, said = await zoetrope("acts", "--json", folder=world.folder, **world.written())
    assert (code, json.loads(said)) == (0, {"acts": []})


async def test_stopped_it_takes_nothing_and_sends_nothing_and_loses_nothing(world: World) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        await world.discord.next("edit", where=lambda m: "being made" in card_text(m), timeout=WAIT)
        answer = await asked(world, "stop", why="the bill looks odd")
        assert (answer["changed"], answer["stopped"]) == (True, True)
        assert "has paused it" in await told(await ann.slash("video", prompt="a dog"))
        assert (await world.result()).attachments, "what was paid for arrives"
    async with world.app():
        assert "has paused it" in await told(await ann.slash("video", prompt="a dog")), (
            "a restart changes nothing"
        )
        assert (await asked(world, "stop"))["changed"] is False
        assert (await asked(world, "go"))["stopped"] is False
        await ann.slash("video", prompt="a bird")
        assert (await world.result()).attachments
    assert world.simulator.charges == 2
    acts = await asked(world, "acts.list")
    assert [(act["action"], act["why"]) for act in drawing.rows(acts, "acts")] == [
        ("go", ""),
        ("stop", "the bill looks odd"),
    ]


async def test_orders_for_a_paused_gateway_wait_with_a_true_card_and_go_on(world: World) -> None:
    async with world.app():
        await asked(world, "gateways.pause", name="main")
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.discord.next(
            "edit", where=lambda m: "has paused new videos" in card_text(m), timeout=WAIT
        )
        (gateway,) = drawing.rows(await asked(world, "gateways.list"), "gateways")
        assert (gateway["paused"], gateway["waiting"], world.simulator.charges) == (True, 1, 0)
        await asked(world, "gateways.resume", name="main")
        assert (await world.result()).attachments
        assert await refused(world, "gateways.pause", name="mian") == "gateway_not_known"


async def test_a_person_who_is_blocked_is_refused_kindly_and_gets_what_is_paid_for(
    world: World,
) -> None:
    async with world.app():
        ann = world.discord.person("ann")
        await ann.slash("video", prompt="a cat")
        await world.discord.next("edit", where=lambda m: "being made" in card_text(m), timeout=WAIT)
        await asked(world, "user.block", person=f"discord:{ann.id}", why="spam")
        assert "switched it off for you" in await told(await ann.slash("video", prompt="a dog"))
        result = await world.result()
        assert result.attachments
        assert "switched it off for you" in await told(await ann.press(result, "Try again"))
        (block,) = drawing.rows(await asked(world, "user.list"), "blocked")
        assert (block["person"], block["why"]) == (f"discord:{ann.id}", "spam")
        await asked(world, "user.unblock", person=f"discord:{ann.id}")
        await ann.slash("video", prompt="a dog")
        assert (await world.result()).attachments
        assert await refused(world, "user.block", person="ann") == "whom_unreadable"
