"""No POST leaves that the next start would not know of, whenever the file was lost."""

import asyncio
import itertools
import sqlite3
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.core import moves
from bot.core.errors import Broken, Unwritten
from bot.core.jobs import Job, Status
from bot.store.database import Database, check_database, open_database
from bot.store.engines import SqliteEngine
from bot.store.identity import Home, saved_copy
from bot.store.saving import SavedCopy, left_out, unfinished
from bot.store.settings import StoredValues
from tests.contract.rows import NOON, Store
from tests.databases import hold
from tests.fakes.disk import no_file_larger_than

Lose = Callable[[Path], object]
Begin = Callable[[Store, Job], Awaitable[Job | None]]


def _delete(file: Path) -> None:
    file.unlink()


def _replace(file: Path) -> None:
    other = file.with_name("other")
    other.write_bytes(file.read_bytes())
    other.rename(file)


def _empty(file: Path) -> None:
    file.write_bytes(b"")


def _delete_journal(file: Path) -> None:
    file.with_name(f"{file.name}-wal").unlink()


LOSSES = (_delete, _replace, _empty, _delete_journal)


async def _save(store: Store, job: Job) -> Job | None:
    return await store.jobs.save(job, moves.submitting(job, now=NOON), now=NOON)


async def _begin(store: Store, job: Job) -> Job | None:
    return await store.jobs.begin(job, now=NOON, at_once=9)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "zoetrope.db"


def _url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("begin", [_save, _begin])
async def test_a_post_stays_here_in_the_very_moment_in_which_its_file_is_lost(
    file: Path, lose: Lose, begin: Begin
) -> None:
    """Nobody has looked since: the row is seen to be lost after it was committed."""
    async with open_database(_url(file)) as database:
        store = Store(database)
        job = await store.admitted()
        lose(file)
        with pytest.raises(Unwritten, match="database_gone"):
            await begin(store, job)
        row = await store.jobs.get(job.id)
        assert row is not None
        assert (row.status, row.claimed_until) == (Status.QUEUED, None)


async def test_an_order_is_not_taken_into_a_file_that_was_lost_just_now(file: Path) -> None:
    async with open_database(_url(file)) as database:
        file.unlink()
        with pytest.raises(Unwritten, match="database_gone"):
            await Store(database).admitted()


async def test_a_post_that_waited_while_the_copy_was_made_stays_here(file: Path) -> None:
    """It was let in before the loss was seen, and its row is written after the copy."""
    async with open_database(_url(file)) as database:
        store, holds, goes_on = Store(database), asyncio.Event(), asyncio.Event()
        job = await store.admitted()
        waiting = hold(database, lambda _: None, begun=holds, may_end=goes_on)
        holding = asyncio.create_task(waiting)
        await holds.wait()
        posting = asyncio.create_task(_save(store, job))
        saving = asyncio.create_task(_one_look(database, file.unlink))  # has its turn first
        await asyncio.sleep(0)
        goes_on.set()
        ends = await asyncio.gather(holding, saving, posting, return_exceptions=True)
        assert isinstance(ends[2], Unwritten), ends
        assert _statuses(saved_copy(file)) == ["queued"]


async def test_the_copy_is_made_again_when_something_was_written_since(file: Path) -> None:
    async with open_database(_url(file)) as database:
        await _one_look(database, file.unlink)
        first = saved_copy(file).stat().st_ino
        await _looks(database, 1)
        assert saved_copy(file).stat().st_ino == first, "nothing was written"
        await StoredValues(database).put("later", "kept")
        await _looks(database, 40)
        assert "later" in _names(saved_copy(file))
        assert not Path(f"{saved_copy(file)}.new").exists()


async def test_a_copy_is_for_nobody_else_to_read(file: Path) -> None:
    async with open_database(_url(file)) as database:
        await _one_look(database, file.unlink)
        assert stat.S_IMODE(saved_copy(file).stat().st_mode) == 0o600


@pytest.mark.parametrize(("seconds", "looks"), [(0.0, 0), (0.1, 0), (2.0, 9)])
def test_a_copy_takes_a_tenth_of_the_time_at_most(seconds: float, looks: int) -> None:
    """A clock that saw no time pass at all leaves out no look."""
    assert left_out(seconds) == looks


async def test_a_copy_that_was_cancelled_before_it_stood_is_made_again(file: Path) -> None:
    """Told to stop while the connection closes, at the end of a renewal."""
    async with open_database(_url(file)) as database:
        await _one_look(database, file.unlink)
        await StoredValues(database).put("later", "kept")
        renewing = asyncio.create_task(database._copy.renew())
        assert isinstance(database._engine, SqliteEngine)
        pool, loop = database._engine._engine.pool, asyncio.get_running_loop()

        def cancel(*_: object) -> None:
            loop.call_soon_threadsafe(renewing.cancel)

        sa.event.listen(pool, "reset", cancel, once=True)
        with pytest.raises(asyncio.CancelledError):
            await renewing
        assert "later" not in _names(saved_copy(file)), "it was cancelled before the copy stood"
        await database._copy.renew()
        assert "later" in _names(saved_copy(file))


async def test_a_copy_falls_behind_no_file_that_came_back(file: Path) -> None:
    """A copy taken for the latest rows later would have what left since sent again."""
    async with open_database(_url(file)) as database:
        aside = file.with_name("aside")
        await _one_look(database, lambda: file.rename(aside))
        assert saved_copy(file).exists()
        aside.rename(file)
        assert await database.check() is None
        job = await Store(database).admitted()
        assert await _save(Store(database), job) is not None
        assert not saved_copy(file).exists()


async def test_an_emptied_file_into_which_something_is_written_stays_lost(file: Path) -> None:
    """SQLite writes single pages of the old content behind the hole."""
    async with open_database(_url(file)) as database:
        _empty(file)
        assert await database.check() == "emptied"
        file.write_bytes(bytes(4096))
        assert await database.check() == "emptied"


@pytest.mark.parametrize(
    ("lose", "code"),
    [(_delete, "database_saved"), (_empty, "database_emptied"), (_replace, "database_replaced")],
)
async def test_a_start_beside_a_saved_copy_asks_which_of_the_two_it_shall_be(
    file: Path, lose: Lose, code: str
) -> None:
    home = Home(file.parent / "data")
    async with open_database(_url(file), home=home) as database:
        await Store(database).admitted()
        lose(file)
        await database.check()
    if lose is _empty:
        _empty(file)  # SQLite has written into it when it was closed; a killed one has not
    for _ in range(2):
        with pytest.raises(Broken) as checked:
            await check_database(_url(file), home=home)
        with pytest.raises(Broken) as refused:
            async with open_database(_url(file), home=home):
                pass
        assert [checked.value.code, refused.value.code] == [code, code]
    saved_copy(file).replace(file)
    async with open_database(_url(file), home=home) as database:
        assert len(await Store(database).claimed()) == 1


async def test_a_copy_that_is_not_wanted_is_put_away_and_kept(file: Path) -> None:
    home = Home(file.parent / "data")
    async with open_database(_url(file), home=home) as database:
        file.unlink()
        await database.check()
    async with open_database(_url(file), home=Home(home.folder, anew=True)):
        pass
    assert Path(f"{saved_copy(file)}.old").exists()
    async with open_database(_url(file), home=home):
        pass


async def test_half_a_copy_of_a_killed_process_goes_at_the_next_start(file: Path) -> None:
    half = Path(f"{saved_copy(file)}.new")
    half.write_bytes(b"half")
    async with open_database(_url(file)):
        assert not half.exists()


async def test_a_copy_that_found_no_room_takes_none_and_is_made_later(file: Path) -> None:
    async with open_database(_url(file)) as database:
        await StoredValues(database).put("long", "x" * 100_000)
        file.unlink()
        with no_file_larger_than(20_000):
            await _looks(database, 1)
            assert list(file.parent.glob("*.saved*")) == []
        await _looks(database, 40)
        assert "long" in _names(saved_copy(file))


async def test_a_copy_that_was_removed_is_made_again_though_nothing_was_written(file: Path) -> None:
    async with open_database(_url(file)) as database:
        await _one_look(database, file.unlink)
        saved_copy(file).unlink()
        await _looks(database, 1)
        assert saved_copy(file).exists()


async def test_a_slow_copy_is_followed_by_looks_that_make_none(file: Path) -> None:
    times = itertools.count(step=2.0)  # each copy takes two seconds
    async with _copying(file, clock=lambda: next(times)) as (database, copy):
        await copy.check()
        for number in range(9):
            await StoredValues(database).put(f"later {number}", "kept")
            await copy.check()
            assert "later 0" not in _names(saved_copy(file))
        await copy.check()
        assert "later 8" in _names(saved_copy(file))


async def test_a_copy_is_on_the_disk_before_it_replaces_the_last_one(file: Path) -> None:
    """After a power cut, a name may be there whose content never was."""
    synced = []

    def sync(place: Path) -> None:
        synced.append((place, saved_copy(file).exists()))

    async with _copying(file, sync=sync) as (_, copy):
        await copy.renew()
    assert synced == [(unfinished(saved_copy(file)), False), (file.parent, True)]


async def test_a_copy_whose_name_did_not_reach_the_disk_is_made_again(file: Path) -> None:
    synced: list[Path] = []

    def sync(place: Path) -> None:
        synced.append(place)
        if len(synced) == 2:
            raise OSError("the folder was not written")

    async with _copying(file, sync=sync) as (_, copy):
        await copy.renew()
        await copy.renew()
        await copy.renew()
    assert len(synced) == 4, "once again, and not a third time"


async def test_a_copy_that_could_not_be_renewed_falls_behind_a_file_that_came_back(
    file: Path,
) -> None:
    """It holds even older rows: nobody may take them for the latest."""
    async with open_database(_url(file)) as database:
        aside = file.with_name("aside")
        await _one_look(database, lambda: file.rename(aside))
        await StoredValues(database).put("long", "x" * 100_000)
        with no_file_larger_than(20_000):
            await _looks(database, 1)
        assert saved_copy(file).exists()
        aside.rename(file)
        assert await database.check() is None
        assert not saved_copy(file).exists()


@asynccontextmanager
async def _copying(
    file: Path,
    *,
    clock: Callable[[], float] = lambda: 0.0,
    sync: Callable[[Path], None] = lambda _: None,
) -> AsyncIterator[tuple[Database, SavedCopy]]:
    """An open database, and the copy of it that the test makes itself."""
    async with open_database(_url(file)) as database:
        yield database, SavedCopy(database._engine, database._turn, clock=clock, sync=sync)


async def _one_look(database: Database, lose: Callable[[], object]) -> None:
    lose()
    await _looks(database, 1)


async def _looks(database: Database, number: int) -> None:
    """As many as the service does in twice as many seconds."""

    async def beat(_: float) -> None:
        nonlocal number
        number -= 1
        if number < 0:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await database.watch(beat)


def _statuses(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [status for (status,) in connection.execute("SELECT status FROM jobs")]


def _names(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM settings")]
