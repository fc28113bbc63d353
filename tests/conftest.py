"""Shared fixtures: one PostgreSQL per run, one empty database per test."""

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

# Settings of whoever runs the tests reach neither them nor the commands they start.
for _name in [name for name in os.environ if name.startswith("ZOETROPE_")]:
    del os.environ[_name]

# Thousands of tests are collected, and none of them is garbage before the end: the collector looks
# at what the tests themselves make.
gc.disable()


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: half of the tests wait for other processes, and one works meanwhile."""
    return 2 * (os.cpu_count() or 1)


def pytest_collection_finish() -> None:
    """From here on there is garbage."""
    gc.freeze()
    gc.enable()


# How long an example takes says something of the machine only.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def _log_plainly() -> None:
    """As structlog does by itself; but it draws tracebacks, which holds a loop up for seconds."""
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
"""A transaction that a failed test left open must not hold up the tests after it."""
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
"""Rows that are only deleted leave gaps, and the next ones would lie there in any order."""
_SHAPE = """
    SELECT md5(string_agg(concat_ws(' ', relname, relnatts, relchecks, (
            SELECT string_agg(tgname, ' ' ORDER BY tgname) FROM pg_trigger WHERE tgrelid = it.oid
        )), ',' ORDER BY relname)) FROM pg_class it WHERE relnamespace = 'public'::regnamespace
"""
_emptied: list[str] = []
"""Databases that a test has left: emptying one is many times faster than creating one."""
_cleared: list[str] = []
"""The same with their tables: clearing them is many times faster than migrating."""
_shapes: dict[str, str] = {}
"""The tables of each when it was migrated: one that a test has changed is not used again."""
_SHORT = {"sqlite": "sqlite", "postgresql": "postgres"}


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of the server's socket."""
    with serve_postgres() as socket:
        yield socket
    _emptied.clear()
    _cleared.clear()


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command that was run in this process leaves its log to nobody."""
    yield
    _log_plainly()
    root = logging.getLogger()
    for handler in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture(autouse=True)
def _same_priority() -> Iterator[None]:
    """A test that leaves this process real-time would starve the other workers for minutes."""
    if not hasattr(os, "sched_getscheduler"):  # Linux has it
        yield
        return
    before = os.sched_getscheduler(0)
    yield
    assert os.sched_getscheduler(0) == before


@pytest.fixture(scope="session")
def renderer() -> Iterator[Renderer]:
    """One pool of rendering processes for the whole session."""
    pool = Renderer()
    yield pool
    asyncio.run(pool.close())


@pytest.fixture
async def new_postgres_url(postgres: Path) -> AsyncIterator[NewUrl]:
    """Names empty databases."""
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
    """Names databases with empty tables."""
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
    """Names files that don't exist yet."""

    async def new() -> str:
        return f"sqlite:///{tmp_path}/zoetrope{next(_numbers)}.db"

    return new


@pytest.fixture
def new_sqlite_tables_url(new_sqlite_url: NewUrl) -> NewUrl:
    """Names files with empty tables."""

    async def new() -> str:
        address = await new_sqlite_url()
        await write_tables(Path(address.partition("///")[2]))
        return address

    return new


@pytest.fixture(params=["sqlite", "postgresql"])
def new_tables_url(request: pytest.FixtureRequest) -> NewUrl:
    """The same, where a claim is about rows and not about how their tables came to be."""
    new: NewUrl = request.getfixturevalue(f"new_{_SHORT[request.param]}_tables_url")
    return new


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest) -> NewUrl:
    """Every claim that uses this holds on both databases."""
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
    """Skipped claims are told where nobody overlooks them."""
    skipped = [
        each for each in terminalreporter.getreports("skipped") if "browser" in each.keywords
    ]
    if skipped:
        line = f"NO BROWSER: {len(skipped)} claims about the pages were not checked"
        terminalreporter.write_sep("!", line, red=True, bold=True)
        terminalreporter.write_line(
            "Install one: apt-get install chromium, or playwright install chromium"
        )
