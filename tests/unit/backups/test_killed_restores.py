"""A crash of a restore at any point leaves whole rows."""

import asyncio
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.backups import restoring
from bot.core.errors import Broken
from bot.store import swap
from bot.store.files import sync
from bot.store.swap import note_of
from bot.store.tables import jobs
from tests.conftest import NewUrl
from tests.e2e.processes import forked
from tests.unit.backups.rows import AS_RESTORED
from tests.unit.backups.site import LATER, Site

_LOAD = """
import asyncio, os, signal, sys
from pathlib import Path
from bot.backups import archive, restoring
from tests.unit.backups.site import Site
load = restoring.load_server
async def killed(*given):
    await load(*given)
    os.kill(os.getpid(), signal.SIGKILL)
restoring.load_server = killed
site = Site(Path(sys.argv[1]), sys.argv[2])
asyncio.run(site.restore(archive.read(Path(sys.argv[3]))))
"""
_AT_ANY = """
import asyncio, os, signal, sys
from pathlib import Path
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from bot.backups import archive
from tests.unit.backups.site import Site
left = int(sys.argv[4])
@sa.event.listens_for(Engine, "before_cursor_execute")
def count(connection, cursor, statement, *_):
    global left
    if connection.dialect.name == "sqlite":
        return
    if statement.split()[0].upper() not in ("SELECT", "BEGIN", "SHOW", "SET"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
site = Site(Path(sys.argv[1]), sys.argv[2])
asyncio.run(site.restore(archive.read(Path(sys.argv[3]))))
"""


@pytest.mark.proof
@pytest.mark.parametrize("step", [2, 4, 6])
async def test_a_restore_killed_early_leaves_the_former_rows(home: Site, step: int) -> None:
    assert await _killed_at(home, step) == -signal.SIGKILL


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_a_restore_killed_at_any_step_leaves_whole_rows(tmp_path: Path) -> None:
    """The loop kills one restore at each step, until a restore runs through."""
    step = 1
    while await _killed_at(await _furnished(tmp_path / f"{step}"), step):
        step += 1
    assert step > 8


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_undoing_a_restore_killed_at_any_step_leaves_whole_rows(tmp_path: Path) -> None:
    step = 1
    while (code := await _killed_at(await _furnished(tmp_path / f"{step}"), step, "ill")) != 1:
        assert code == -signal.SIGKILL
        step += 1
    assert step > 10


@pytest.mark.proof
async def test_a_postgresql_restore_killed_in_its_transaction_changes_nothing(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    site = Site(tmp_path, await new_postgres_url())
    await site.furnish()
    backup = await site.back_up()
    await site.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-queued'")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _LOAD, str(site.folder), site.url, str(backup.folder)),
    )
    assert await process.wait() == -signal.SIGKILL
    async with asyncio.timeout(60):
        while (states := await _states_of(site)) is None:
            pass  # the server notices the end of the connection a moment later
    assert states["queued"] == "queued"
    await site.restore(backup)
    assert await site.states() == AS_RESTORED


@pytest.mark.parametrize(
    "step", [5, *(pytest.param(each, marks=pytest.mark.proof) for each in (1, 2, 3, 4, 6, 7, 8))]
)
async def test_a_cancelled_restore_leaves_either_the_former_or_the_new_rows_whole(
    home: Site, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Ctrl-C cancels in this way.

    The result is the former rows, or the new rows with the former ones aside. Steps may run in a
    thread beside the event loop, so undoing may meet an exchange that still runs.
    """
    backup = await home.back_up()
    loop, threads = asyncio.get_running_loop(), ThreadPoolExecutor()
    loop.set_default_executor(threads)
    goes_on, has_ended = threading.Event(), threading.Event()
    exchange, left = swap.exchange, step
    task = asyncio.ensure_future(home.restore(backup))

    def counted(place: Path) -> None:
        nonlocal left
        sync(place)
        left -= 1
        if left == 0:
            loop.call_soon_threadsafe(task.cancel)
        if threading.current_thread() is threading.main_thread():
            return
        if left == 0:
            goes_on.wait()
        elif left < 0 and not goes_on.is_set():
            goes_on.set()
            has_ended.wait()

    def ended(*given: Path) -> None:
        try:
            exchange(*given)
        finally:
            has_ended.set()

    with monkeypatch.context() as patched:
        patched.setattr(swap, "sync", counted)
        patched.setattr(swap, "exchange", ended)
        with suppress(asyncio.CancelledError):
            await task
        threads.shutdown()
    loop.set_default_executor(ThreadPoolExecutor())
    is_new = (await home.states())["queued"] == "unconfirmed"
    kept = list(home.data.glob(f"{restoring.ASIDE}*/zoetrope.db"))
    assert len(kept) == is_new
    assert not note_of(home.file).exists()
    await home.restore(backup, now=LATER + 99)
    assert await home.states() == AS_RESTORED


_AT_THE_END = (
    """
    CREATE FUNCTION refuse() RETURNS trigger AS
    $$ BEGIN RAISE EXCEPTION 'the end'; END; $$ LANGUAGE plpgsql
    """,
    """
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse()
    """,
)


async def test_the_former_rows_stay_aside_if_the_outcome_of_a_restore_is_unknown(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    """The commit may have succeeded although an error came back."""
    site = Site(tmp_path, await new_postgres_url())
    await site.furnish()
    backup = await site.back_up()
    for statement in _AT_THE_END:
        await site.change(statement)
    with pytest.raises(sa.exc.SQLAlchemyError, match="the end"):
        await site.restore(backup)
    (aside,) = site.data.glob(f"{restoring.ASIDE}*")
    assert (aside / "zoetrope.db").exists()
    await site.change("DROP TRIGGER refuse ON jobs")
    await site.restore(backup, now=LATER + 99)
    assert await site.states() == AS_RESTORED


@pytest.mark.proof
@pytest.mark.timeout(600)
async def test_a_postgresql_restore_killed_at_any_statement_leaves_whole_rows(
    tmp_path: Path, new_postgres_url: NewUrl
) -> None:
    """The restore is killed at every seventh statement that writes.

    The rows are then the former ones or the new ones.
    """
    site = Site(tmp_path, await new_postgres_url())
    await site.furnish()
    backup = await site.back_up()
    step, code = 1, None
    detail = sa.select(jobs.c.detail).where(jobs.c.id == "job-cancelled")
    while code != 0:
        await _freed(site)
        await site.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-cancelled'")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _AT_ANY, str(site.folder), site.url, str(backup.folder)),
            str(step),
        )
        code = await process.wait()
        assert code in (0, -signal.SIGKILL)
        await _freed(site)
        assert await site.rows(lambda it: it.scalar(detail)) == ("after" if code else None)
        step += 7
    assert step > 15
    assert await site.states() == AS_RESTORED


async def _freed(site: Site) -> None:
    """Wait until the server has ended the transaction of the killed process."""
    async with asyncio.timeout(60):
        while await _states_of(site) is None:
            pass  # the server notices the end of the connection a moment later


async def test_a_restore_that_fails_is_undone(home: Site) -> None:
    assert await _killed_at(home, 10_000, "ill") == 1
    assert not note_of(home.file).exists(), "by itself"


async def _states_of(site: Site) -> dict[str, str] | None:
    """Return the state of each job, or None while the database can't be opened."""
    try:
        return await site.states()
    except Broken:
        return None


async def _furnished(folder: Path) -> Site:
    site = Site(folder)
    await site.furnish()
    return site


async def _killed_at(site: Site, step: int, *ill: str) -> int | None:
    """Restore in a process that kills itself at this step.

    Return its exit code. The rows are the former or the new ones, whole, and can be restored again.
    """
    backup = await site.back_up()
    await site.change("UPDATE jobs SET detail = 'after' WHERE id = 'job-queued'")
    arguments = [str(site.folder), str(backup.folder), str(step), *ill]
    process = await forked("tests.unit.backups.victim", arguments, {})
    await process.communicate()
    code = process.returncode
    query = sa.select(jobs.c.status, jobs.c.detail).where(jobs.c.id == "job-queued")
    (row,) = await site.rows(lambda it: it.execute(query).all())
    former_rows, new_rows = ("queued", "after"), ("unconfirmed", None)
    # If it is killed at its very last step, the restore is complete.
    assert tuple(row) in ((former_rows, new_rows) if code else (new_rows,))
    assert not note_of(site.file).exists()
    await site.restore(backup, now=LATER + 99)
    assert await site.states() == AS_RESTORED
    return code
