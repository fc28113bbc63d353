"""A lost, full or foreign database, as `zoetrope run` and people in chat see it."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
from aiohttp import ClientSession

from bot.store.spool import Spool
from tests.e2e.command_line import zoetrope
from tests.e2e.processes import Running
from tests.e2e.world import WAIT, World


async def _connected_once(world: World) -> None:
    """Run the service until it is connected to Discord, and stop it."""
    async with world.process() as process:
        await world.discord.connected(timeout=WAIT)
        await _stopped(process)


async def _stopped(process: Running) -> None:
    process.terminate()
    async with asyncio.timeout(2 * WAIT):
        assert await process.wait() == 0


@pytest.mark.proof
async def test_run_refuses_to_start_if_the_former_database_file_is_missing(world: World) -> None:
    await _connected_once(world)
    file = world.folder / "data" / "zoetrope.db"
    file.unlink()
    code, said = await zoetrope("run", folder=world.folder, **world.written())
    assert (code, said.count("\n")) == (78, 1), said
    assert "is missing or empty, but there was one before" in said
    assert "zoetrope run --new-database" in said
    assert not file.exists()


@pytest.mark.proof
async def test_a_gateway_id_without_its_job_is_kept_and_reported_by_doctor(world: World) -> None:
    """The database was restored from a backup that is older than the job."""
    spool = Spool(world.folder / "data")
    spool.add("job-of-yesterday", "video-1")
    async with world.app():
        assert list(spool.read()) == [("job-of-yesterday", "video-1", ())]
    _, said = await zoetrope("doctor", folder=world.folder, **world.written())
    assert "One video at a gateway has no job here (video-1)" in said


async def test_a_database_file_deleted_while_running_is_reported_and_its_content_saved(
    world: World,
) -> None:
    file = world.folder / "data" / "zoetrope.db"
    async with world.app() as address, ClientSession() as session:
        file.unlink()
        async with asyncio.timeout(WAIT):
            while "database: deleted" not in await _ready(session, address):
                await asyncio.sleep(0.2)
        said = await world.discord.person("ann").slash("video", prompt="a cat")
        answer = (await said.answered()).message
        assert answer is not None
        assert answer.ephemeral
        assert "can't take new orders right now" in answer.content
    assert file.with_name("zoetrope.db.saved").exists()
    code, told = await zoetrope("run", folder=world.folder, **world.written())
    assert (code, "I saved its content as" in told) == (78, True), told


@pytest.mark.proof  # it takes the two seconds that a person waits
async def test_an_order_behind_a_foreign_database_lock_is_refused_and_not_taken_later(
    world: World,
) -> None:
    """The lock belongs to a shell with an open transaction, or to a backup program."""
    async with world.app():
        file = world.folder / "data" / "zoetrope.db"
        shell = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        with closing(shell) as other:
            # In a thread: the service may be in a transaction of its own.
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            asked = await world.discord.person("ann").slash("video", prompt="a cat")
            answer = (await asked.answered(timeout=4)).message
            other.execute("ROLLBACK")
            assert answer is not None
            assert "nothing" in answer.content
            assert "Please try again" in answer.content
            again = await world.discord.person("ann").slash("video", prompt="a dog")
            assert (await again.answered()).message is not None
            await world.result()
            prompts = other.execute("SELECT request_data FROM jobs").fetchall()
    assert [json.loads(data)["prompt"] for (data,) in prompts] == ["a dog"]


async def _ready(session: ClientSession, address: str) -> str:
    async with session.get(f"{address}/readyz") as response:
        return await response.text()
