"""No order is sent that the next start would not know, whenever the database file was lost."""

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
    """Let the job begin its POST by a plain save."""
    return await store.jobs.save(job, moves.submitting(job, now=NOON), now=NOON)


async def _begin(store: Store, job: Job) -> Job | None:
    """Let the job begin its POST where slots are counted."""
    return await store.jobs.begin(job, now=NOON, at_once=9)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "zoetrope.db"


def _url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize("begin", [_save, _begin])
async def test_a_post_is_not_sent_if_its_database_file_was_lost_at_that_moment(
    file: Path, lose: Lose, begin: Begin
) -> None:
    """No check has run since: the loss is only noticed after the commit."""
    async with open_database(_url(file)) as database:
        store = Store(database)
        job = await store.admitted()
        lose(file)
        with pytest.raises(Unwritten, match="database_gone"):
            await begin(store, job)
        row = await store.jobs.get(job.id)
        assert row is not None
        assert (row.status, row.claimed_until) == (Status.QUEUED, None)


async def test_an_order_is_not_admitted_into_a_file_that_was_just_lost(file: Path) -> None:
    async with open_database(_url(file)) as database:
        file.unlink()
        with pytest.raises(Unwritten, match="database_gone"):
            await Store(database).admitted()


async def test_a_post_that_waited_while_the_copy_was_made_is_not_sent(file: Path) -> None:
    """The post was admitted before the loss was noticed, and its row is written after the copy."""
    async with open_database(_url(file)) as database:
        store, holds, goes_on = Store(database), asyncio.Event(), asyncio.Event()
        job = await store.admitted()
        waiting = hold(database, lambda _: None, begun=holds, may_end=goes_on)
        holding = asyncio.create_task(waiting)
        await holds.wait()
        posting = asyncio.create_task(_save(store, job))
        saving = asyncio.create_task(_one_look(database, file.unlink))  # this runs first
        await asyncio.sleep(0)
        goes_on.set()
        ends = await asyncio.gather(holding, saving, posting, return_exceptions=True)
        assert isinstance(ends[2], Unwritten), ends
        assert _statuses(saved_copy(file)) == ["queued"]


async def test_the_saved_copy_is_renewed_only_when_something_was_written(file: Path) -> None:
    async with open_database(_url(file)) as database:
        await _one_look(database, file.unlink)
        first = saved_copy(file).stat().st_ino
        await _looks(database, 1)
        assert saved_copy(file).stat().st_ino == first, "nothing was written"
        await StoredValues(database).put("later", "kept")
        await _looks(database, 40)
        assert "later" in _names(saved_copy(file))
        assert not Path(f"{saved_copy(file)}.new").exists()


async def test_no_other_account_of_the_machine_can_read_the_saved_copy(file: Path) -> None:
    async with open_database(_url(file)) as database:
        await _one_look(database, file.unlink)
        assert stat.S_IMODE(saved_copy(file).stat().st_mode) == 0o600


@pytest.mark.parametrize(("seconds", "looks"), [(0.0, 0), (0.1, 0), (2.0, 9)])
def test_renewing_the_saved_copy_takes_a_tenth_of_the_time_at_most(
    seconds: float, looks: int
) -> None:
    """A clock that showed no time at all leaves out no check."""
    assert left_out(seconds) == looks


async def test_a_copy_whose_writing_was_cancelled_is_made_again(file: Path) -> None:
    """The process is told to stop while the connection closes, at the end of a renewal."""
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


async def test_the_saved_copy_is_removed_when_the_file_comes_back(file: Path) -> None:
    """If an old copy were taken for the latest rows, later orders would be sent again."""
    async with open_database(_url(file)) as database:
        aside = file.with_name("aside")
        await _one_look(database, lambda: file.rename(aside))
        assert saved_copy(file).exists()
        aside.rename(file)
        assert await database.check() is None
        job = await Store(database).admitted()
        assert await _save(Store(database), job) is not None
        assert not saved_copy(file).exists()


async def test_an_emptied_file_that_was_written_to_again_still_counts_as_lost(file: Path) -> None:
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
async def test_a_start_beside_a_saved_copy_is_refused_until_the_operator_chooses(
    file: Path, lose: Lose, code: str
) -> None:
    home = Home(file.parent / "data")
    async with open_database(_url(file), home=home) as database:
        await Store(database).admitted()
        lose(file)
        await database.check()
    if lose is _empty:
        _empty(file)  # SQLite wrote into the file when it closed; a killed process would not have
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


async def test_a_saved_copy_that_the_operator_does_not_want_is_renamed_and_kept(file: Path) -> None:
    home = Home(file.parent / "data")
    async with open_database(_url(file), home=home) as database:
        file.unlink()
        await database.check()
    async with open_database(_url(file), home=Home(home.folder, anew=True)):
        pass
    assert Path(f"{saved_copy(file)}.old").exists()
    async with open_database(_url(file), home=home):
        pass


async def test_half_a_copy_of_a_killed_process_is_removed_at_the_next_start(file: Path) -> None:
    half = Path(f"{saved_copy(file)}.new")
    half.write_bytes(b"half")
    async with open_database(_url(file)):
        assert not half.exists()


async def test_a_copy_that_does_not_fit_on_the_disk_is_removed_and_made_later(file: Path) -> None:
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


async def test_after_a_slow_copy_several_checks_make_no_copy(file: Path) -> None:
    times = itertools.count(step=2.0)  # each copy takes two seconds
    async with _copying(file, clock=lambda: next(times)) as (database, copy):
        await copy.check()
        for number in range(9):
            await StoredValues(database).put(f"later {number}", "kept")
            await copy.check()
            assert "later 0" not in _names(saved_copy(file))
        await copy.check()
        assert "later 8" in _names(saved_copy(file))


async def test_a_copy_is_synced_to_the_disk_before_it_replaces_the_last_one(file: Path) -> None:
    """After a power cut, a file name may exist whose content was never written."""
    synced = []

    def sync(place: Path) -> None:
        synced.append((place, saved_copy(file).exists()))

    async with _copying(file, sync=sync) as (_, copy):
        await copy.renew()
    assert synced == [(unfinished(saved_copy(file)), False), (file.parent, True)]


async def test_a_copy_whose_rename_was_not_synced_is_made_again(file: Path) -> None:
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


async def test_an_outdated_copy_is_removed_when_the_file_comes_back(
    file: Path,
) -> None:
    """The copy holds even older rows and must not be taken for the latest ones."""
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
    """Yield an open database, and a copy of it that the test renews itself."""
    async with open_database(_url(file)) as database:
        yield database, SavedCopy(database._engine, database._turn, clock=clock, sync=sync)


async def _one_look(database: Database, lose: Callable[[], object]) -> None:
    """Lose the file, and let the service check it once."""
    lose()
    await _looks(database, 1)


async def _looks(database: Database, number: int) -> None:
    """Check as often as the service does in `number` times two seconds."""

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
