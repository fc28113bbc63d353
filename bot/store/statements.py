"""Statements that many tables need: read as values, or written as one transaction each."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping
from sqlalchemy.dialects import postgresql, sqlite

from bot.store.tables import settings

Result = TypeVar("Result")
Values = Mapping[str, Any]
"""The values of a statement that is made once."""


class Runs(ABC):
    """Runs functions of a connection as transactions; those of one statement stand here."""

    @abstractmethod
    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one transaction."""

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work`, which only reads."""
        return await self.run(work)

    async def rows(
        self,
        statement: sa.Executable,
        value_of: Callable[[RowMapping], Result],
        values: Values | None = None,
    ) -> list[Result]:
        """The value of every row that it returns, in their order."""
        return await self._run_one(statement, lambda it: rows(it, statement, value_of, values))

    async def one(
        self, statement: sa.Executable, value_of: Callable[[RowMapping], Result]
    ) -> Result | None:
        """The value of the first row; None if there is no row."""
        return await self._run_one(statement, lambda it: one(it, statement, value_of))

    async def value(self, query: sa.Select[Result], values: Values | None = None) -> Result | None:
        """The first column of the first row; None if there is no row."""

        def work(connection: Connection) -> Result | None:
            row = connection.execute(query, values).first()
            return None if row is None else row[0]

        return await self.read(work)

    async def values(self, query: sa.Select[Result]) -> list[Result]:
        """The first column of every row."""

        def work(connection: Connection) -> list[Result]:
            return list(connection.scalars(query))

        return await self.read(work)

    async def exists(self, query: sa.Select[Any]) -> bool:
        """Whether there is a row."""
        return await self.value(query) is not None

    async def write(self, statement: sa.Update | sa.Delete) -> int:
        """How many rows it changed."""

        def work(connection: Connection) -> int:
            return connection.execute(statement).rowcount

        return await self.run(work)

    async def _run_one(
        self, statement: sa.Executable, work: Callable[[Connection], Result]
    ) -> Result:
        return await (self.read if isinstance(statement, sa.Select) else self.run)(work)

    async def put(
        self, table: sa.Table, key: Mapping[str, object], values: Mapping[str, object]
    ) -> None:
        """Write the row of this primary key, or change the one that is there."""
        await self.run(lambda connection: put(connection, table, key, values))


def rows(
    connection: Connection,
    statement: sa.Executable,
    value_of: Callable[[RowMapping], Result],
    values: Values | None = None,
) -> list[Result]:
    """The value of every row that it returns, in their order."""
    return [value_of(row) for row in connection.execute(statement, values).mappings()]


def one(
    connection: Connection, statement: sa.Executable, value_of: Callable[[RowMapping], Result]
) -> Result | None:
    """The value of the first row; None if there is no row."""
    row = connection.execute(statement).mappings().first()
    return None if row is None else value_of(row)


def setting(connection: Connection, name: str) -> str | None:
    """The value of the setting of this name, or None."""
    value: str | None = connection.scalar(
        sa.select(settings.c.value).where(settings.c.name == name)
    )
    return value


def count(connection: Connection, table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
    """How many of these rows there are."""
    query = sa.select(sa.func.count()).select_from(table).where(*which)
    return connection.scalar(query) or 0


def insert(connection: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, which each database spells in its own dialect."""
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def put(
    connection: Connection,
    table: sa.Table,
    key: Mapping[str, object],
    values: Mapping[str, object],
) -> None:
    """Write the row of this primary key, or change the one that is there."""
    row = insert(connection, table).values({**key, **values})
    keys = list(table.primary_key)
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_=dict(values)))


def take_turns(connection: Connection, key: int) -> None:
    """Transactions with this key follow one another. SQLite's do so anyway."""
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
