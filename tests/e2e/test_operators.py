"""An operator's commands, over the running service's socket and without a service."""

import json

import pytest

from bot import control
from bot.cli.control import _ask
from bot.core.acts import Values
from bot.core.errors import BotError
from tests.e2e.test_cli import zoetrope
from tests.e2e.world import World


async def asked(world: World, name: str, **values: object) -> Values:
    """The answer to a command, in this process."""
    return await _ask(world.config(), name, values)


async def refused(world: World, name: str, **values: object) -> str:
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
