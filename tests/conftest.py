"""What several rings of tests share: one PostgreSQL per run, one empty database per test."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

import asyncpg
import hypothesis
import pytest
import structlog

from bot.simulator.render import Renderer
from tests.fakes.postgres import serve_postgres, url

# Settings of whoever runs the tests reach neither them nor the commands they start.
for _name in [name for name in os.environ if name.startswith("ZOETROPE_")]:
    del os.environ[_name]

# How long an example takes says something of the machine only.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

NewUrl = Callable[[], Awaitable[str]]

_numbers = count(1)
_EMPTY = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    DROP SCHEMA public CASCADE;
    CREATE SCHEMA public;
"""
"""Whoever a failed test left in a transaction must not hold up the tests after it."""
_emptied: list[str] = []
"""Databases that a test has left: emptying one is many times faster than creating one."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of the server's socket."""
    with serve_postgres() as socket:
        yield socket
    _emptied.clear()


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """A command that was run in this process leaves its log to nobody."""
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    for handler in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(handler)


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
def new_sqlite_url(tmp_path: Path) -> NewUrl:
    """Names files that don't exist yet."""

    async def new() -> str:
        return f"sqlite+aiosqlite:///{tmp_path}/zoetrope{next(_numbers)}.db"

    return new


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest) -> NewUrl:
    """Every claim that uses this holds on both databases."""
    fixture = {"sqlite": "new_sqlite_url", "postgresql": "new_postgres_url"}[request.param]
    new: NewUrl = request.getfixturevalue(fixture)
    return new


async def _created(postgres: Path) -> str:
    name = f"test{next(_numbers)}"
    await _run(postgres, "postgres", f"CREATE DATABASE {name}")
    return name


async def _run(postgres: Path, database: str, statement: str) -> None:
    connection = await asyncpg.connect(host=str(postgres), user="postgres", database=database)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was not looked at is said where nobody overlooks it."""
    skipped = [
        each for each in terminalreporter.getreports("skipped") if "browser" in each.keywords
    ]
    if skipped:
        line = f"NO BROWSER: {len(skipped)} claims about the pages were not checked"
        terminalreporter.write_sep("!", line, red=True, bold=True)
        terminalreporter.write_line(
            "Install one: apt-get install chromium, or playwright install chromium"
        )
