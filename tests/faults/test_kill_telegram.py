"""SIGKILL and SIGTERM between Telegram's update, our commit and the video in the chat.

Nothing is lost, charged twice or posted twice. Events are read from the journals of the fake
Telegram and the simulated gateway. A send that was cut off has an unknown end. Its repetition
replaces the status message, so a second message with a video must never appear.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.processes import Running, forked, spawned
from tests.e2e.telegram import Hall
from tests.e2e.world import WAIT, png
from tests.fakes.telegram import FakeTelegram, Message

from .test_kill import points

COMMITS = 16
"""The least number of writing transactions from the first start to a delivered picture job."""


@pytest.fixture
async def hall(tmp_path: Path, renderer: Renderer) -> AsyncIterator[Hall]:
    """The world of the end-to-end tests; here the app is a process that gets killed."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram() as telegram, simulator.serve() as url:
        hall = Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        hall.begin = forked
        yield hall
        telegram.check()


def videos(hall: Hall) -> list[Message]:
    """Return the bot's messages with a video in the chat."""
    return [each for each in hall.telegram.posts(hall.ann.private) if each.media]


def settled(hall: Hall) -> bool:
    """Whether the chat shows a video, or says that the end of the order is unknown."""
    said = [each.text for each in hall.telegram.posts(hall.ann.private)]
    return bool(videos(hall)) or any(
        "I lost the connection to the video service" in each for each in said
    )


async def until_settled(hall: Hall) -> None:
    """Wait, message by message, until the chat shows the end of the order."""
    async with asyncio.timeout(2 * WAIT):
        while not settled(hall):
            done, waiting = await asyncio.wait(
                [
                    asyncio.create_task(hall.telegram.next(kind, timeout=2 * WAIT))
                    for kind in ("message", "edit")
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in waiting:
                task.cancel()
            await asyncio.gather(*done, *waiting, return_exceptions=True)


async def after_restart(hall: Hall) -> None:
    """Start the app again, wait for the video, stop it with SIGTERM, and check the promises."""
    async with hall.process() as process:
        await until_settled(hall)
        process.terminate()
        async with asyncio.timeout(2 * WAIT):
            assert await process.wait() == 0, "a polite stop is a clean exit"
    check_promises(hall)


def check_promises(hall: Hall) -> None:
    """Assert one charge and one message that came as a video at most, and no job without an end."""
    assert hall.simulator.charges <= 1
    assert len([each for each in videos(hall) if not each.edits]) <= 1
    with sqlite3.connect(hall.folder / "data" / "zoetrope.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        ((status,),) = database.execute("SELECT status FROM jobs").fetchall()
    assert status == ("delivered" if videos(hall) else "unconfirmed")


async def killed_at(hall: Hall, number: int, side: str) -> None:
    """Kill the process at one commit, start it again, and check what becomes of Ann's order."""
    await hall.ann.sends_photo(png(), caption="/animate")
    victim = {"VICTIM_COMMIT": str(number), "VICTIM_SIDE": side}
    async with hall.process(victim=victim) as process:
        await gone(process)
        assert process.returncode == -9
    await after_restart(hall)


async def gone(process: Running) -> None:
    """Wait for the end of the process."""
    async with asyncio.timeout(2 * WAIT):
        await process.wait()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("number", "side"), points(COMMITS))
async def test_with_telegram_a_process_killed_at_any_commit_loses_and_doubles_nothing(
    hall: Hall, number: int, side: str
) -> None:
    await killed_at(hall, number, side)


@pytest.mark.proof
async def test_with_telegram_the_kill_points_cover_all_commits_of_a_whole_job(hall: Hall) -> None:
    counted = hall.folder / "count"
    await hall.ann.sends_photo(png(), caption="/animate")
    async with hall.process(victim={"VICTIM_COUNT": str(counted)}) as process:
        await until_settled(hall)
        process.terminate()
        await gone(process)
    assert int(counted.read_text("ascii")) >= COMMITS


@pytest.mark.proof
async def test_an_update_is_delivered_again_after_a_kill_before_its_commit(hall: Hall) -> None:
    """The offset had not moved, so Telegram delivers the update again."""
    async with hall.process() as process:
        await hall.telegram.next("poll", timeout=WAIT)
        process.kill()
        await gone(process)
    await hall.ann.says("/video a cat")
    hall.telegram.updates.end_poll()
    await after_restart(hall)


@pytest.mark.proof
async def test_a_kill_while_telegram_takes_the_video_leaves_one_video_in_the_chat(
    hall: Hall,
) -> None:
    async with hall.process() as process:
        hold = hall.telegram.hold("sendVideo")
        await hall.ann.says("/video a cat")
        await hold.reached(timeout=WAIT)
        process.kill()
        await gone(process)
        hold.release()
    async with hall.process() as process:
        await hall.telegram.next("edit", where=lambda it: bool(it.media), timeout=2 * WAIT)
        process.terminate()
        await gone(process)
    check_promises(hall)
    assert len(hall.telegram.calls_of("sendVideo")) == 1


@pytest.mark.proof
async def test_a_sigterm_among_many_updates_loses_none_of_them(hall: Hall) -> None:
    """This process is spawned, not forked."""
    hall.begin = spawned
    async with hall.process() as process:
        await hall.telegram.next("poll", timeout=WAIT)
        for number in range(5):
            await hall.ann.says(f"/quota {number}")
        await hall.ann.says("/video a cat")
        await hall.telegram.next("message", timeout=WAIT)
        process.terminate()
        await gone(process)
        assert process.returncode == 0
    await after_restart(hall)
