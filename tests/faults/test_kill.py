"""SIGKILL at any moment, then a restart: no job is lost, charged twice or posted twice.

Every accepted job is delivered or visibly unconfirmed. Events are read from the journals of the
fake Discord and the simulated gateway, never from what the app believed.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.simulator.faults import Fault
from tests.e2e.processes import Running, spawned
from tests.e2e.world import WAIT, World, card_text, is_card, is_result, png
from tests.fakes.discord import Interaction, Person

COMMITS = 18
"""The least number of writing transactions from the first start to a delivered picture job."""


def rows(world: World, query: str) -> list[tuple[object, ...]]:
    """Return rows of the database, once no process has it open."""
    with sqlite3.connect(world.folder / "data" / "zoetrope.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return database.execute(query).fetchall()


def settled(world: World) -> bool:
    """Whether the channel shows how the job ended, and no card."""
    said = world.discord.posts()
    return any(map(is_result, said)) and not any(map(is_card, said))


async def until_settled(world: World) -> None:
    """Wait, request by request, until the channel shows the end of the job."""
    async with asyncio.timeout(2 * WAIT):
        while not settled(world):
            await world.discord.next("request", timeout=2 * WAIT)


def check_promises(world: World) -> None:
    """Assert one charge at most, one message, and no job without an end."""
    assert world.simulator.charges <= 1
    results = [message for message in world.discord.posts() if is_result(message)]
    assert world.discord.posts() == results
    assert len(results) == 1
    ((status,),) = rows(world, "SELECT status FROM jobs")
    assert status in ("delivered", "unconfirmed")
    if status == "delivered":
        assert world.simulator.charges == 1
        assert results[0].attachments


@asynccontextmanager
async def asked(
    world: World, victim: dict[str, str] | None = None, **changes: str
) -> AsyncIterator[tuple[Running, Person, Interaction]]:
    """Start the app, connect it, and let Ann order with a picture."""
    async with world.process(victim=victim, **changes) as process:
        await world.discord.connected(timeout=WAIT)
        ann = world.discord.person("ann")
        picture = world.discord.attachment(png(), "cat.png", ephemeral=True)
        yield process, ann, await ann.slash("animate", image=picture)


async def died(process: Running) -> None:
    """Wait for the end of the process."""
    async with asyncio.timeout(WAIT):
        await process.wait()


async def after_restart(world: World) -> None:
    """Start the app again, wait for the end, stop it with SIGTERM, and check the promises."""
    async with world.process() as process:
        await world.discord.connected(timeout=WAIT)
        await until_settled(world)
        process.terminate()
        async with asyncio.timeout(2 * WAIT):
            assert await process.wait() == 0, "a polite stop is a clean exit"
    check_promises(world)


async def killed_at(world: World, number: int, side: str) -> None:
    """Kill the process at one commit, start it again, and check what becomes of the job."""
    victim = {"VICTIM_COMMIT": str(number), "VICTIM_SIDE": side}
    async with world.process(victim=victim) as process:
        connecting = asyncio.create_task(world.discord.connected(timeout=WAIT))
        dying = asyncio.create_task(process.wait())
        await asyncio.wait({connecting, dying}, return_when=asyncio.FIRST_COMPLETED)
        if not dying.done():
            ann = world.discord.person("ann")
            picture = world.discord.attachment(png(), "cat.png", ephemeral=True)
            await ann.slash("animate", image=picture)
        async with asyncio.timeout(2 * WAIT):
            assert await dying == -9
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
    if _accepted(world):
        await after_restart(world)
    else:
        assert world.simulator.charges == 0, "nothing was accepted, so nothing may cost"


def _accepted(world: World) -> bool:
    """Whether the database has a job."""
    try:
        return bool(rows(world, "SELECT id FROM jobs"))
    except sqlite3.OperationalError:
        return False


@pytest.mark.proof
async def test_a_process_killed_during_a_conversion_converts_the_video_again_and_posts_it_once(
    world: World,
) -> None:
    """The video is posted once; the card said that it was being converted."""
    async with world.process() as process:
        await world.discord.connected(timeout=WAIT)
        await world.discord.person("ann").slash("video", prompt="a cat [content-webm]")
        await world.discord.next(
            "edit", where=lambda it: "I'm converting it" in card_text(it), timeout=WAIT
        )
        process.kill()
        await died(process)
    await after_restart(world)
    (result,) = (message for message in world.discord.posts() if is_result(message))
    assert [each.content[4:8] for each in result.attachments] == [b"ftyp"]


FEW = [(8, "before")]


def points(commits: int) -> list[object]:
    """Return the points before and after each commit: one of each commit per push, the others as
    long tests."""
    marks = (pytest.mark.proof, pytest.mark.long)
    return [
        pytest.param(number, side, marks=marks[(number + place) % 2], id=f"{number}-{side}")
        for number in range(1, commits + 1)
        for place, side in enumerate(("before", "after"))
        if (number, side) not in FEW
    ]


@pytest.mark.proof
@pytest.mark.parametrize(("number", "side"), FEW)
async def test_a_spawned_process_killed_at_one_commit_loses_and_doubles_nothing(
    world: World, number: int, side: str
) -> None:
    """This process is spawned, not forked."""
    world.begin = spawned
    await killed_at(world, number, side)


@pytest.mark.parametrize(("number", "side"), points(COMMITS))
async def test_a_process_killed_at_any_commit_loses_and_doubles_nothing(
    world: World, number: int, side: str
) -> None:
    await killed_at(world, number, side)


@pytest.mark.proof
async def test_the_kill_points_cover_all_commits_of_a_whole_job(
    world: World, tmp_path: Path
) -> None:
    counted = tmp_path / "count"
    async with asked(world, {"VICTIM_COUNT": str(counted)}) as (process, _, _):
        await until_settled(world)
        process.terminate()
        await died(process)
    assert int(counted.read_text("ascii")) >= COMMITS
    check_promises(world)


@pytest.mark.proof
async def test_a_process_killed_between_its_answer_and_the_download_of_the_picture_delivers(
    world: World,
) -> None:
    async with world.process() as process:
        await world.discord.connected(timeout=WAIT)
        ann = world.discord.person("ann")
        picture = world.discord.attachment(png(), "cat.png", ephemeral=True)
        picture.stall_after = 10
        await (await ann.slash("animate", image=picture)).answered()
        process.kill()
        await died(process)
    picture.stall_after = None
    await after_restart(world)
    assert world.simulator.charges == 1


@pytest.mark.proof
async def test_a_process_killed_during_its_post_leaves_the_job_unconfirmed_and_never_resends(
    world: World,
) -> None:
    async with world.simulator.holding("create"), asked(world) as (process, _, _):
        await world.simulator.next("create")
        process.kill()
        await died(process)
    await after_restart(world)
    assert rows(world, "SELECT status, quota_cost, spend_cost FROM jobs") == [("unconfirmed", 0, 1)]
    assert world.simulator.charges == 1


async def logged(process: Running, event: bytes) -> None:
    """Wait until the process logs this event."""
    assert process.stderr is not None
    async with asyncio.timeout(WAIT):
        while event not in await process.stderr.readline():
            pass


@pytest.mark.proof
async def test_a_received_video_is_posted_after_a_kill_while_no_storage_took_it(
    world: World,
) -> None:
    """The video was the answer to the POST, so it comes only once and is paid for once."""
    world.simulator.faults.add(Fault("create", "video", takes=0.0))
    originals = world.folder / "data" / "media" / "originals"
    aside = originals.with_name("aside")
    async with asked(world) as (process, _, _):
        async with world.simulator.holding("create"):
            await world.simulator.next("create")
            originals.rename(aside)
            originals.touch()
        await logged(process, b"job.video_unstored")
        process.kill()
        await died(process)
    originals.unlink()
    aside.rename(originals)
    await after_restart(world)
    assert rows(world, "SELECT status, spend_cost FROM jobs") == [("delivered", 1)]


@pytest.mark.proof
async def test_a_stored_video_is_posted_after_a_kill_before_its_row_was_written(
    world: World,
) -> None:
    """The spool may be empty: the video is found by its job's id, and its file is not left over."""
    world.simulator.faults.add(Fault("create", "video", takes=0.0))
    data = world.folder / "data"
    async with asked(world) as (process, _, _):
        async with world.simulator.holding("create"):
            await world.simulator.next("create")
            lock = sqlite3.connect(data / "zoetrope.db", isolation_level=None, timeout=WAIT)
            lock.execute("BEGIN IMMEDIATE")
        await logged(process, b"job.id_spooled")
        process.kill()
        await died(process)
    lock.close()
    (data / "pending-ids").unlink()
    assert len(list((data / "media" / "originals").rglob("*.mp4"))) == 1
    await after_restart(world)
    assert rows(world, "SELECT status, spend_cost FROM jobs") == [("delivered", 1)]
    assert list((data / "media" / "originals").rglob("*.mp4")) == []


@pytest.mark.proof
async def test_a_process_killed_between_posting_and_saving_leaves_one_result_message(
    world: World,
) -> None:
    hold = world.discord.hold("POST", r"/channels/\d+/messages$")
    async with asked(world) as (process, _, _):
        await hold.reached(timeout=WAIT)
        process.kill()
        await died(process)
    hold.release()
    await after_restart(world)
    assert world.simulator.charges == 1


@pytest.mark.proof
@pytest.mark.parametrize("arrives", [True, False])
async def test_a_process_killed_while_its_card_is_removed_leaves_one_message(
    world: World, arrives: bool
) -> None:
    """The video stands by then, so the channel is never empty."""
    stop = world.discord.hold if arrives else world.discord.hold_before
    hold = stop("DELETE", r"/messages/\d+$")
    async with asked(world) as (process, _, _):
        await hold.reached(timeout=WAIT)
        said = [is_result(each) for each in world.discord.posts()]
        assert said == ([True] if arrives else [False, True])
        process.kill()
        await died(process)
    hold.release()
    await after_restart(world)
    assert world.simulator.charges == 1


@pytest.mark.proof
async def test_buttons_posted_before_a_restart_still_work(world: World) -> None:
    world.simulator.faults.add(Fault("create", "answer", 429, "full", retry_after=60), times=99)
    async with asked(world) as (process, ann, interaction):
        card = (await interaction.answered()).message
        assert card is not None
        await world.discord.next(
            "edit", where=lambda m: "Nothing is lost" in card_text(m), timeout=WAIT
        )
        process.kill()
        await died(process)
    async with world.process():
        await world.discord.connected(timeout=WAIT)
        pressed = await ann.press(card, "Cancel")
        answer = await pressed.answered()
        assert answer.message is not None
        assert "Cancelled" in card_text(answer.message)
    assert rows(world, "SELECT status FROM jobs") == [("cancelled",)]
    assert world.simulator.charges == 0


@pytest.mark.proof
async def test_a_second_process_on_the_same_database_file_ends_with_a_plain_sentence(
    world: World,
) -> None:
    async with world.process() as first:
        await world.discord.connected(timeout=WAIT)
        async with world.process() as second:
            async with asyncio.timeout(WAIT):
                _, said = await second.communicate()
            assert second.returncode == 75
            assert f"Another instance ({first.pid} @ ".encode() in said
            assert b"Traceback" not in said
            first.kill()
            await died(first)
