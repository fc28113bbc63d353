"""A restore with the real service: nothing is paid or posted twice, and deleted videos stay
deleted. The journals of the simulated gateway and the fake Discord count requests and posts.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bot.backups import making
from bot.backups.archive import Backup
from bot.config import Config, load
from bot.core.clock import SystemClock
from bot.media.storage import Storage
from bot.simulator.render import Renderer
from bot.simulator.server import Simulator
from tests.e2e.command_line import zoetrope
from tests.e2e.telegram import Hall
from tests.e2e.terminal import terminal
from tests.e2e.test_access import told
from tests.e2e.world import WAIT, Codes, World, is_result
from tests.fakes.discord import Message, Person
from tests.fakes.telegram import FakeTelegram


@pytest.mark.proof
async def test_a_restore_repeats_no_charge_and_no_post_and_deleted_videos_stay_deleted(
    world: World,
) -> None:
    """A charge, a backup, more jobs and a restore.

    Then: no POST to the gateway, no second post in chat, and deleted videos stay deleted.
    """
    backup, deleted, shown = await _lived(world)
    world.discord.world.nonce_window = 0.0  # Discord has forgotten all nonces by then
    charged = world.simulator.charges
    assert charged == 5
    code, said = await _db(world, "restore", str(backup.folder), "--yes", "--json")
    assert code == 0, said
    counts = json.loads(said)
    assert [counts[name] for name in ("held", "polling", "deleted")] == [1, 1, 1]
    assert len(counts["later"]) == 1, "and its id at the gateway is told"
    assert counts["later"][0]["gateway_id"]
    left = world.folder / "data" / ".unfinished-by-one-that-was-killed"
    left.mkdir()
    async with world.app(MODELS__SORA_2__AT_ONCE="1"):
        assert not left.exists(), "all rows are in it"
        await _until(world.folder, lambda states: states["under way"] == "delivered")
        # Once a new order is answered, every earlier due post has been sent.
        await world.discord.person("bob").slash("video", prompt="new")
        fresh = await world.result()
    assert _states(world.folder) == {
        "kept": "delivered",
        "": "delivered",
        "under way": "delivered",
        "queued": "unconfirmed",
        "new": "delivered",
    }
    assert world.simulator.charges == charged + 1, "the new order alone"
    standing = [message.id for message in world.discord.posts() if is_result(message)]
    assert standing == [*shown, fresh.id], "nothing was said twice"
    assert deleted not in standing
    assert _video_of(world, prompt="") is None, "deleted, with its words"
    gone = set(backup.manifest.media) - _stored(world)
    assert {Path(key).suffix for key in gone} == {".mp4", ".jpg"}, "its files were not put back"


@pytest.mark.proof
async def test_after_a_restore_on_telegram_a_finished_video_waits_in_the_history(
    tmp_path: Path, renderer: Renderer
) -> None:
    """Telegram shows a bot no history, so the bot can't know whether the video was posted after the
    backup.
    """
    simulator = Simulator(render_time=0.2, renderer=renderer)
    async with FakeTelegram() as telegram, simulator.serve() as url:
        hall = Hall(telegram=telegram, simulator=simulator, gateway_url=url, folder=tmp_path)
        async with hall.app():
            async with simulator.holding("retrieve"):
                await hall.ann.says("/video a cat")
                await hall.card()
                await _until(tmp_path, lambda states: states.get("a cat") == "in_progress")
                backup = await back_up(load(None, environment=hall.environment()))
            chat = (await hall.video()).chat
        code, said = await zoetrope(
            *("db", "restore", str(backup.folder), "--yes"), folder=tmp_path, **hall.environment()
        )
        assert code == 0, said
        async with hall.app():
            await _until(tmp_path, lambda _: _reasons(tmp_path) == ["undeliverable"])
            assert len([it for it in telegram.posts(chat) if it.media]) == 1
            await hall.ann.says("/history")
            again = await hall.posts_again(await hall.words())
            assert again.media is not None, "the history still has the video"
    assert simulator.charges == 1


@pytest.mark.proof
async def test_a_restore_needs_a_yes(world: World) -> None:
    backup, _, _ = await _lived(world)
    arguments = ("db", "restore", str(backup.folder))
    code, said = await zoetrope(*arguments, folder=world.folder, **world.written())
    assert (code, "I can't ask whether to restore" in said) == (1, True), said
    before = _states(world.folder)
    async with terminal(*arguments, folder=world.folder, **world.written()) as screen:
        await screen.sees("1 job here was ordered after this backup")
        await screen.answers("(y/n)", "n")
        await screen.sees("I changed nothing.")
        assert await screen.ends() == 1
    assert _states(world.folder) == before
    async with terminal(*arguments, folder=world.folder, **world.written()) as screen:
        await screen.answers("(y/n)", "y")
        await screen.sees("Restored. I have ordered and posted nothing")
        assert await screen.ends() == 0
    assert _states(world.folder)["queued"] == "unconfirmed"


@pytest.mark.proof
async def test_a_restore_is_refused_while_the_service_runs(world: World) -> None:
    async with world.app():
        backup = await back_up(world.config())
        code, said = await _db(world, "restore", str(backup.folder), "--yes")
    assert (code, said.startswith("The service is running (")) == (75, True), said
    assert said.endswith("). Stop it, then restore.\n")
    assert said.count("\n") == 1, "nothing about the backup was printed before"


@pytest.mark.proof
async def test_an_owner_is_told_why_no_backup_could_be_made(world: World) -> None:
    codes = Codes()
    async with world.app(announce=codes.append, ACCESS="closed"):
        ann = world.discord.person("ann")
        await told(await ann.slash("claim", code=await codes.first()))
        await ann.slash("video", prompt="a cat")
        await world.discord.next("message", where=lambda it: bool(it.attachments), timeout=WAIT)
    with closing(sqlite3.connect(world.folder / "data" / "zoetrope.db")) as rows, rows:
        rows.execute("UPDATE jobs SET created_at = created_at - 2 * 86400")
    folder = world.folder / "full"
    folder.write_text("a file where a folder should be")
    world.clock = Hurried()
    async with world.app(BACKUP__FOLDER=str(folder)):
        news = await world.discord.next(
            "message",
            where=lambda it: "backup failed." in it.content,
            timeout=WAIT,
        )
    assert "File exists" in news.content


class Hurried(SystemClock):
    """A clock that wakes a sleeper of a minute or more at once."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds if seconds < 60 else 0.05)


async def _lived(world: World) -> tuple[Backup, int, list[int]]:
    """Run the service before the restore.

    Return the backup, the id of the deleted message and the ids of the messages that stay.
    """
    async with world.app(MODELS__SORA_2__AT_ONCE="1"):
        ann = world.discord.person("ann")
        for prompt in ("kept", "deleted"):
            await ann.slash("video", prompt=prompt)
            last = await world.result()
        async with world.simulator.holding("retrieve"):
            await ann.slash("video", prompt="under way")
            await _until(world.folder, lambda states: states.get("under way") == "in_progress")
            await ann.slash("video", prompt="queued")
            await _until(world.folder, lambda states: states.get("queued") == "queued")
            backup = await back_up(world.config(MODELS__SORA_2__AT_ONCE="1"))
        for _ in range(2):
            await world.result()
        await ann.slash("video", prompt="lost")
        await world.result()
        await _delete(world, ann, last)
        shown = [message.id for message in world.discord.posts() if is_result(message)]
    return backup, last.id, shown


async def back_up(config: Config) -> Backup:
    """Make a backup in the same way as the service."""
    storage = Storage(config.storage_url, scratch=config.data_dir)
    return await making.make(config, storage, config.backup_folder, now=SystemClock().now())


async def _delete(world: World, ann: Person, message: Message) -> None:
    asked = await (await ann.press(message, "Delete")).answered()
    assert asked.message is not None
    await (await ann.press(asked.message, "Yes, delete it")).answered()
    await world.discord.next("delete", where=lambda it: it.id == message.id, timeout=WAIT)


async def _until(folder: Path, true: Callable[[dict[str, str]], bool]) -> None:
    """Wait until `true` holds for the states of the jobs."""
    async with asyncio.timeout(WAIT):
        while not true(_states(folder)):
            await asyncio.sleep(0.02)


def _states(folder: Path) -> dict[str, str]:
    """Return the state of each job, by its prompt."""
    found = _rows(folder, "SELECT json_extract(order_data, '$.wish.prompt'), status FROM jobs")
    return {str(prompt): str(status) for prompt, status in found}


def _reasons(folder: Path) -> list[object]:
    """Return the reasons of all jobs."""
    return [reason for (reason,) in _rows(folder, "SELECT reason FROM jobs")]


def _video_of(world: World, prompt: str) -> object:
    query = f"SELECT video FROM jobs WHERE json_extract(order_data, '$.wish.prompt') = '{prompt}'"
    ((video,),) = _rows(world.folder, query)
    return video


def _stored(world: World) -> set[str]:
    """Return the keys of all stored media."""
    media = world.folder / "data" / "media"
    return {str(file.relative_to(media)) for file in media.rglob("*.*")}


def _rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    file = folder / "data" / "zoetrope.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as rows:
        return rows.execute(query).fetchall()


async def _db(world: World, *arguments: str) -> tuple[int | None, str]:
    return await zoetrope("db", *arguments, folder=world.folder, **world.written())
