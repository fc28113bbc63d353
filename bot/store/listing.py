"""Rows for an operator to look at: read beside the running service, and nothing changed.

It neither takes the service's lock nor brings tables up to date; SQLite is opened read-only, and
PostgreSQL is asked in a read-only transaction. All that is read is of one moment.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import aiosqlite
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.core.errors import Broken
from bot.core.jobs import Job, Status
from bot.core.posts import Post
from bot.store import migrations
from bot.store.foreign import check_ours, foreign, tables_of_others
from bot.store.rows import job_of, post_of
from bot.store.tables import jobs, posts

Result = TypeVar("Result")

PATIENCE = 5
"""Seconds that the database may take for an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which jobs; None, or no status at all, stands for any."""

    statuses: frozenset[Status] = frozenset()
    platform: str | None = None
    person: str | None = None
    """An id, or a name in any case."""
    community: str | None = None
    gateway: str | None = None
    since: float | None = None
    """Seconds since the epoch: ordered then or later."""


class Listing:
    """The rows as they are at one moment."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def run(self, work: Callable[[AsyncConnection], Awaitable[Result]]) -> Result:
        """Read something else."""
        return await work(self._connection)

    async def newest(self, wanted: Wanted, *, most: int) -> list[Job]:
        """The latest jobs first."""
        found = await self._connection.execute(
            sa.select(jobs)
            .where(*_conditions(wanted))
            .order_by(jobs.c.created_at.desc(), jobs.c.id)
            .limit(most)
        )
        return [job_of(row) for row in found.mappings()]

    async def counts(self, wanted: Wanted) -> dict[Status, int]:
        """How many there are in each state, shown or not."""
        found = await self._connection.execute(
            sa.select(jobs.c.status, sa.func.count())
            .where(*_conditions(wanted))
            .group_by(jobs.c.status)
        )
        counted = {Status(status): int(count) for status, count in found}
        return {status: counted[status] for status in Status if status in counted}

    async def gateways(self) -> list[str]:
        """Those that any job went to."""
        found = await self._connection.execute(sa.select(jobs.c.gateway).distinct())
        return [str(name) for name in found.scalars()]

    async def communities(self) -> list[tuple[str, str]]:
        """Platform and id of those that anybody ordered in."""
        found = await self._connection.execute(
            sa.select(jobs.c.platform, jobs.c.community)
            .where(jobs.c.community.is_not(None))
            .distinct()
        )
        return [(str(platform), str(community)) for platform, community in found]

    async def ids(self, beginning: str, *, most: int) -> list[str]:
        """The ids that begin so, or that one alone which is so."""
        found = await self._connection.execute(
            sa.select(jobs.c.id)
            .where(jobs.c.id.startswith(beginning, autoescape=True))
            .order_by(jobs.c.id)
            .limit(most)
        )
        ids = [str(id_) for id_ in found.scalars()]
        return [beginning] if beginning in ids else ids

    async def job(self, job_id: str) -> Job:
        """The job of this id, which `ids` has found."""
        found = await self._connection.execute(sa.select(jobs).where(jobs.c.id == job_id))
        return job_of(found.mappings().one())

    async def posts(self, job_id: str) -> list[Post]:
        """Its posts: those owed, and those in the chat."""
        found = await self._connection.execute(
            sa.select(posts).where(posts.c.job_id == job_id).order_by(posts.c.id)
        )
        return [post_of(row) for row in found.mappings()]


@asynccontextmanager
async def open_listing(url: str) -> AsyncIterator[Listing]:
    """Look at the database at `url` for as long as the context lasts.

    Raises `Broken`: `database_absent`, `database_foreign`, `database_empty`, `database_older`,
    `database_newer`, or `database_damaged` for a file that can't be read.
    """
    file = _file(url)
    if file and not file.exists():
        raise Broken("database_absent", file=str(file.absolute()))
    if file:
        check_ours(file)
    engine = _reading(url, file)
    try:
        with _readable(file):
            async with engine.begin() as connection:
                await _check_version(connection, str(file or make_url(url).host))
                yield Listing(connection)
    finally:
        await engine.dispose()


def _conditions(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.statuses:
        yield jobs.c.status.in_([status.value for status in wanted.statuses])
    for column, value in (
        (jobs.c.platform, wanted.platform),
        (jobs.c.community, wanted.community),
        (jobs.c.gateway, wanted.gateway),
    ):
        if value is not None:
            yield column == value
    if wanted.person is not None:
        name = jobs.c.order_data["person"]["name"].as_string()
        is_called = sa.func.lower(name) == sa.func.lower(wanted.person)
        yield sa.or_(jobs.c.person == wanted.person, is_called)
    if wanted.since is not None:
        yield jobs.c.created_at >= wanted.since


def _file(url: str) -> Path | None:
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _reading(url: str, file: Path | None) -> AsyncEngine:
    if file is None:
        return create_async_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
            execution_options={"postgresql_readonly": True},
            connect_args={"timeout": PATIENCE, "command_timeout": PATIENCE},
        )
    address = f"file:{quote(str(file.absolute()))}?mode=ro"
    engine = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=lambda: aiosqlite.connect(address, uri=True, timeout=PATIENCE),
        poolclass=NullPool,
        hide_parameters=True,
    )

    @sa.event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins no transaction for a mere look

    @sa.event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def _readable(file: Path | None) -> Iterator[None]:
    try:
        yield
    except sa.exc.DatabaseError as error:
        if file is None:
            raise
        raise Broken("database_damaged", file=str(file), verdict=str(error.orig)) from error


async def _check_version(connection: AsyncConnection, where: str) -> None:
    """Only tables as this program knows them can be read."""
    if names := await connection.run_sync(tables_of_others):
        raise foreign(where, names)
    if not await connection.run_sync(lambda it: sa.inspect(it).has_table("alembic_version")):
        raise Broken("database_empty", where=where)
    found = await connection.execute(sa.text("SELECT version_num FROM alembic_version"))
    version = found.scalar()
    if version == migrations.head():
        return
    if version in migrations.known():
        raise Broken("database_older", found=version, known=migrations.head())
    raise Broken("database_newer", known=migrations.head())
