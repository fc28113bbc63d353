"""`zoetrope jobs` with and without the running service: its output and exit codes."""

import json
from pathlib import Path

import pytest

from tests.e2e.command_line import zoetrope
from tests.e2e.world import World


@pytest.mark.proof
async def test_jobs_commands_show_rows_while_the_service_runs(world: World) -> None:
    async with world.app():
        await world.discord.person("ann").slash("video", prompt="a cat")
        await world.result()
        code, said = await _jobs(world, "list", "--json", "--status", "completed,delivered")
        (job,) = json.loads(said)["jobs"]
        assert (code, job["platform"], job["person"]["name"]) == (0, "discord", "Ann")
        code, said = await _jobs(world, "show", job["id"][:6].upper())
        assert (code, "Result" in said, "a cat" in said) == (0, True, False), said
    code, said = await _jobs(world, "show", job["id"], "--prompt")
    assert (code, "a cat" in said) == (0, True), said


@pytest.mark.proof
async def test_jobs_commands_end_with_1_for_an_id_or_name_that_does_not_exist(world: World) -> None:
    async with world.app():
        pass
    for id_, words in (
        ("zzzz", "There is no job whose id is or begins with zzzz."),
        ("", "Name a job by its id"),
    ):
        code, said = await _jobs(world, "show", id_)
        assert (code, words in said, said.count("\n")) == (1, True, 1), said
    assert (await _jobs(world, "list"))[1] == "Nobody has ordered anything yet.\n"
    assert (await _jobs(world, "list", "--gateway", "main"))[1] == "No job matches.\n"
    for option, name, words in (
        ("--gateway", "mian", "There is no gateway mian, and no job went to one. There are: main."),
        ("--community", "discord:7", "I don't know the community 7"),
        ("--person", "nobody", "Nobody with the name or id nobody has ordered."),
        ("--limit", "1" + 30 * "0", "--limit can be 1 to 1000."),
    ):
        code, said = await _jobs(world, "list", option, name)
        assert (code, words in said, said.count("\n")) == (1, True, 1), said


@pytest.mark.proof
async def test_jobs_list_without_a_database_says_where_it_looked_and_creates_nothing(
    world: World,
) -> None:
    code, said = await _jobs(world, "list")
    file = world.folder / "data" / "zoetrope.db"
    assert (code, said.startswith(f"There is no database at {file}.")) == (1, True), said
    assert not file.parent.exists()


@pytest.mark.proof
async def test_jobs_list_with_a_mistake_in_the_configuration_ends_with_78(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("colour = 1")
    code, said = await zoetrope("jobs", "list", folder=tmp_path)
    assert (code, "colour is not a setting" in said) == (78, True), said


@pytest.mark.proof
async def test_jobs_list_with_an_unreachable_database_server_ends_with_75(world: World) -> None:
    url = "postgresql+asyncpg://bot:canary@127.0.0.1:1/zoetrope"
    variables = world.written(DATABASE_URL=url)
    code, said = await zoetrope("jobs", "list", folder=world.folder, **variables)
    assert (code, said.count("\n"), "canary" in said) == (75, 1, False), said
    assert said.startswith("I can't reach the database at 127.0.0.1:1 (Connection refused).")


async def _jobs(world: World, *arguments: str) -> tuple[int | None, str]:
    return await zoetrope("jobs", *arguments, folder=world.folder, **world.written())
