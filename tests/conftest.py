"""Shared fixtures: one PostgreSQL for each run, one empty database for each test."""

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg
import hypothesis
import pytest
import structlog

import bot.platforms.telegram  # noqa: F401 (before aiogram, so that its types are built lazily)
from bot.simulator.render import Renderer
from bot.store.database import open_database
from tests.databases import write_tables
from tests.fakes.postgres import serve_postgres, url

# Settings of the person who runs the tests must not reach the tests or the commands they start.
for _name in [name for name in os.environ if name.startswith("ZOETROPE_")]:
    del os.environ[_name]

# Thousands of test items are collected, and none is garbage before the end. The collector should
# examine only objects that tests make.
gc.disable()


def pytest_xdist_auto_num_workers() -> int:
    """Return two workers for each core: half of the tests wait for other processes while the others
    run.
    """
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """Switch garbage collection on after all tests are collected."""
    gc.freeze()
    gc.enable()


# The time of an example depends only on the machine.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def _log_plainly() -> None:
    """Set up structlog's defaults, but without drawn tracebacks, which block the event loop for
    seconds.
    """
    structlog.reset_defaults()
    plain = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


_log_plainly()

NewUrl = Callable[[], Awaitable[str]]

_numbers = count(1)
_ALONE = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
"""
"""Ends transactions that a failed test left open, so that they do not block later tests."""
_EMPTY = f"{_ALONE} DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
_CLEAR = f"""
    {_ALONE}
    DO $$ DECLARE used text; BEGIN
        SELECT string_agg(relname, ',') INTO used FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND relname <> 'alembic_version' AND pg_relation_size(oid) > 0;
        IF used IS NOT NULL THEN EXECUTE 'TRUNCATE ' || used || ' RESTART IDENTITY CASCADE';
        END IF;
    END $$;
"""
"""Empties tables in a way that leaves no gaps, so that later rows are stored in order."""
_SHAPE = """
    SELECT md5(string_agg(concat_ws(' ', relname, relnatts, relchecks, (
            SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = it.oid
        )), ',' ORDER BY relname)) FROM pg_class it WHERE relnamespace = 'public'::regnamespace
"""
_emptied: list[str] = []
"""Databases that a test no longer uses: emptying a database is many times faster than creating one.
"""
_cleared: list[str] = []
"""Databases with tables that a test no longer uses: emptying tables is many times faster than
migrating."""
_shapes: dict[str, str] = {}
"""The tables of each database after its migration: a database whose tables a test has changed is
not used again."""
_SHORT = {"sqlite": "sqlite", "postgresql": "postgres"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """Yield the folder of the server's socket."""
    with serve_postgres() as socket:
        yield socket
    _emptied.clear()
    _cleared.clear()


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Remove the log handlers of a command that ran in this process."""
    yield
    _log_plainly()
    root = logging.getLogger()
    for handler in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture(autouse=True)
def _same_priority() -> Iterator[None]:
    """Fail a test that leaves this process in real-time scheduling, which would starve the other
    workers for minutes.
    """
    if not hasattr(os, "sched_getscheduler"):  # only Linux has it
        yield
        return
    before = os.sched_getscheduler(0)
    yield
    assert os.sched_getscheduler(0) == before


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    """Yield one pool of rendering processes for the whole session."""
    pool = Renderer()
    yield pool
    asyncio.run(pool.close())


@pytest.fixture
async def new_postgres_url(postgres: Path) -> AsyncIterator[NewUrl]:
    """Yield a function that returns the URL of an empty PostgreSQL database."""
    used: list[str] = []

    async def new() -> str:
        name = _emptied.pop() if _emptied else await _created(postgres)
        used.append(name)
        return url(postgres, name)

    yield new
    for name in used:
        await _run(postgres, name, _EMPTY)
        _emptied.append(name)


@pytest.fixture
async def new_postgres_tables_url(postgres: Path) -> AsyncIterator[NewUrl]:
    """Yield a function that returns the URL of a PostgreSQL database with empty tables."""
    used: list[str] = []

    async def new() -> str:
        name = _cleared.pop() if _cleared else await _migrated(postgres)
        used.append(name)
        return url(postgres, name)

    yield new
    for name in used:
        if await _shape(postgres, name) == _shapes[name]:
            await _run(postgres, name, _CLEAR)
            _cleared.append(name)


@pytest.fixture
def new_sqlite_url(tmp_path: Path) -> NewUrl:
    """Return a function that returns the URL of a SQLite file that does not exist yet."""

    async def new() -> str:
        return f"sqlite:///{tmp_path}/zoetrope{next(_numbers)}.db"

    return new


@pytest.fixture
def new_sqlite_tables_url(new_sqlite_url: NewUrl) -> NewUrl:
    """Return a function that returns the URL of a SQLite file with empty tables."""

    async def new() -> str:
        address = await new_sqlite_url()
        await write_tables(Path(address.partition("///")[2]))
        return address

    return new


@pytest.fixture(params=["sqlite", "postgresql"])
def new_tables_url(request: pytest.FixtureRequest) -> NewUrl:
    """Return a function that returns the URL of a database with empty tables.

    A test of rows runs with it on each of the two databases.
    """
    new: NewUrl = request.getfixturevalue(f"new_{_SHORT[request.param]}_tables_url")
    return new


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest) -> NewUrl:
    """Return a function that returns the URL of an empty database.

    A test of tables runs with it on each of the two databases.
    """
    new: NewUrl = request.getfixturevalue(f"new_{_SHORT[request.param]}_url")
    return new


async def _created(postgres: Path) -> str:
    name = f"test{next(_numbers)}"
    await _run(postgres, "postgres", f"CREATE DATABASE {name}")
    return name


async def _migrated(postgres: Path) -> str:
    name = await _created(postgres)
    async with open_database(url(postgres, name)):
        _shapes[name] = await _shape(postgres, name)
    return name


async def _run(postgres: Path, database: str, statements: str) -> None:
    async with _connected(postgres, database) as connection:
        await connection.execute(statements)


async def _shape(postgres: Path, database: str) -> str:
    async with _connected(postgres, database) as connection:
        return str(await connection.fetchval(_SHAPE))


@asynccontextmanager
async def _connected(postgres: Path, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(host=str(postgres), user="postgres", database=database)
    try:
        yield connection
    finally:
        await connection.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the number of skipped browser tests where it can't be overlooked."""
    skipped = [
        each for each in terminalreporter.getreports("skipped") if "browser" in each.keywords
    ]
    if skipped:
        line = f"NO BROWSER: {len(skipped)} claims about the pages were not checked"
        terminalreporter.write_sep("!", line, red=True, bold=True)
        terminalreporter.write_line(
            "Install one: apt-get install chromium, or playwright install chromium"
        )
