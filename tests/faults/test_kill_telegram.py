"""SIGKILL and SIGTERM anywhere between Telegram's telling, our commit and the video in the chat:
nothing is lost, charged twice or said twice.

Events are read from the journals of the fake Telegram and the simulated gateway. A send that
was cut off has an unknown end: what is repeated stands in the place of the status message, so a
second message with a video must never appear.
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

COMMITS = 16
"""Transactions that write from the first start to a delivered picture job, at the least."""
POINTS = [(number, side) for number in range(1, COMMITS + 1) for side in ("before", "after")]


@pytest.fixture
async def hall(tmp_path: Path, renderer: Renderer) -> AsyncIterator[Hall]:
    """The same world as in the end-to-end tests; here the app is a process that gets killed."""
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram() as telegram, simulator.serve() as url:
        hall = Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        hall.begin = forked
        yield hall
        telegram.check()


def videos(hall: Hall) -> list[Message]:
    """The bot's videos in the chat."""
    return [each for each in hall.telegram.posts(hall.ann.private) if each.media]


def settled(hall: Hall) -> bool:
    """Whether the chat shows a video, or that it is not known what became of the request."""
    said = [each.text for each in hall.telegram.posts(hall.ann.private)]
    return bool(videos(hall)) or any(
        "I lost the connection to the video service" in each for each in said
    )


async def until_settled(hall: Hall) -> None:
    """Wait, message by message, until the chat shows the end."""
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
    """Start again, wait for the video, stop politely, and hold the world to the promises."""
    async with hall.process() as process:
        await until_settled(hall)
        process.terminate()
        async with asyncio.timeout(2 * WAIT):
            assert await process.wait() == 0, "a polite stop is a clean exit"
    check_promises(hall)


def check_promises(hall: Hall) -> None:
    """One charge and one message that came as a video, at most; and nothing without an end."""
    assert hall.simulator.charges <= 1
    assert len([each for each in videos(hall) if not each.edits]) <= 1
    with sqlite3.connect(hall.folder / "data" / "zoetrope.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        ((status,),) = database.execute("SELECT status FROM jobs").fetchall()
    assert status == ("delivered" if videos(hall) else "unconfirmed")


async def killed_at(hall: Hall, number: int, side: str) -> None:
    """Kill at one commit, and see what becomes of what Ann said."""
    await hall.ann.sends_photo(png(), caption="/animate")
    victim = {"VICTIM_COMMIT": str(number), "VICTIM_SIDE": side}
    async with hall.process(victim=victim) as process:
        await gone(process)
        assert process.returncode == -9
    await after_restart(hall)


async def gone(process: Running) -> None:
    async with asyncio.timeout(2 * WAIT):
        await process.wait()


@pytest.mark.proof
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("number", "side"), POINTS)
async def test_killed_at_every_commit_nothing_is_lost_or_doubled(
    hall: Hall, number: int, side: str
) -> None:
    await killed_at(hall, number, side)


@pytest.mark.proof
async def test_the_points_reach_as_far_as_the_video(hall: Hall) -> None:
    counted = hall.folder / "count"
    await hall.ann.sends_photo(png(), caption="/animate")
    async with hall.process(victim={"VICTIM_COUNT": str(counted)}) as process:
        await until_settled(hall)
        process.terminate()
        await gone(process)
    assert int(counted.read_text("ascii")) >= COMMITS


@pytest.mark.proof
async def test_killed_after_telegram_told_but_before_the_commit(hall: Hall) -> None:
    """The offset had not moved, so Telegram tells it again."""
    async with hall.process() as process:
        await hall.telegram.next("poll", timeout=WAIT)
        process.kill()
        await gone(process)
    await hall.ann.says("/video a cat")
    hall.telegram.updates.end_poll()
    await after_restart(hall)


@pytest.mark.proof
async def test_killed_while_telegram_has_the_video_but_has_not_said_so(hall: Hall) -> None:
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
async def test_a_polite_stop_in_the_middle_loses_nothing(hall: Hall) -> None:
    """Also of a process that nobody forked."""
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
