"""Helpers for SQL statements: prepared statements, and common reads and writes of any table."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from inspect import signature
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.engines import Result
from bot.store.tables import settings

Given = ParamSpec("Given")
Made = TypeVar("Made", bound=sa.Executable)


class Said(NamedTuple, Generic[Made]):
    """A statement that was built once, and its values for this run."""

    statement: Made
    values: Mapping[str, Any]


Statement = sa.Executable | Said[Any]


def once(build: Callable[Given, Made]) -> Callable[Given, Said[Made]]:
    """Build the statement of `build` only once, since building takes longer than running it.

    Positional arguments become bound parameters, so `build` must write a comparison with None out
    as SQL. Keyword-only arguments are part of the statement, which is built once for each value.
    """
    parameters = signature(build).parameters.values()
    names = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    # A prefix, because a parameter named like a column would be its value in an UPDATE.
    bound = [f"given_{name}" for name in names]

    make: Callable[..., Made] = build

    @cache
    def made(form: tuple[tuple[str, Any], ...]) -> Made:
        return make(*map(sa.bindparam, bound), **dict(form))

    def said(*given: Given.args, **form: Given.kwargs) -> Said[Made]:
        return Said(made(tuple(form.items())), dict(zip(bound, given, strict=True)))

    return said


class Runs(ABC):
    """Runs functions of a connection as transactions. Has helpers for single statements."""

    @abstractmethod
    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one transaction."""

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work`, which only reads."""
        return await self.run(work)

    async def rows(
        self, statement: Statement, value_of: Callable[[RowMapping], Result]
    ) -> list[Result]:
        """Return the value of every row of the result, in order."""
        return await self._run_one(statement, lambda it: rows(it, statement, value_of))

    async def one(
        self, statement: Statement, value_of: Callable[[RowMapping], Result]
    ) -> Result | None:
        """Return the value of the first row, or None if there is no row."""
        return await self._run_one(statement, lambda it: one(it, statement, value_of))

    async def value(self, query: sa.Select[Result] | Said[sa.Select[Result]]) -> Result | None:
        """Return the first column of the first row, or None if there is no row."""

        def work(connection: Connection) -> Result | None:
            row = execute(connection, query).first()
            return None if row is None else row[0]

        return await self.read(work)

    async def values(self, query: sa.Select[Result]) -> list[Result]:
        """Return the first column of every row."""

        def work(connection: Connection) -> list[Result]:
            return list(connection.scalars(query))

        return await self.read(work)

    async def exists(self, query: sa.Select[Any] | Said[sa.Select[Any]]) -> bool:
        """Whether the query finds a row."""
        return await self.value(query) is not None

    async def write(self, statement: sa.Update | sa.Delete | Said[sa.Update]) -> int:
        """Run the statement, and return how many rows it changed."""

        def work(connection: Connection) -> int:
            return execute(connection, statement).rowcount

        return await self.run(work)

    async def _run_one(self, statement: Statement, work: Callable[[Connection], Result]) -> Result:
        made = statement.statement if isinstance(statement, Said) else statement
        return await (self.read if isinstance(made, sa.Select) else self.run)(work)

    async def put(
        self, table: sa.Table, key: Mapping[str, object], values: Mapping[str, object]
    ) -> None:
        """Insert the row with this primary key, or update the existing row."""
        await self.run(lambda connection: put(connection, table, key, values))


def execute(connection: Connection, statement: Statement) -> sa.CursorResult[*tuple[Any, ...]]:
    """Run a statement, with its values if it is a `Said`."""
    if isinstance(statement, Said):
        return connection.execute(*statement)
    return connection.execute(statement)


def rows(
    connection: Connection, statement: Statement, value_of: Callable[[RowMapping], Result]
) -> list[Result]:
    """Return the value of every row of the result, in order."""
    return [value_of(row) for row in execute(connection, statement).mappings()]


def one(
    connection: Connection, statement: Statement, value_of: Callable[[RowMapping], Result]
) -> Result | None:
    """Return the value of the first row, or None if there is no row."""
    row = execute(connection, statement).mappings().first()
    return None if row is None else value_of(row)


def setting(connection: Connection, name: str) -> str | None:
    """Return the value of the setting with this name, or None."""
    value: str | None = connection.scalar(
        sa.select(settings.c.value).where(settings.c.name == name)
    )
    return value


def count(connection: Connection, table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
    """Return how many rows of `table` meet these conditions."""
    query = sa.select(sa.func.count()).select_from(table).where(*which)
    return connection.scalar(query) or 0


def insert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """Build an INSERT that supports ON CONFLICT, which differs by SQL dialect."""
    return upserting(table, is_sqlite=connection.dialect.name == "sqlite")


def upserting(table: sa.Table, *, is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    """Build an INSERT that supports ON CONFLICT, without a connection."""
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def put(
    connection: Connection,
    table: sa.Table,
    key: Mapping[str, object],
    values: Mapping[str, object],
) -> None:
    """Insert the row with this primary key, or update the existing row."""
    row = insert(connection, table).values({**key, **values})
    keys = list(table.primary_key)
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_=dict(values)))


def take_turns(connection: Connection, key: int) -> None:
    """Let transactions with this key run one at a time. SQLite does so for all writers anyway."""
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
