"""Statements that many tables need: read as values, or written as one transaction each."""

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
    """A statement that is made once, and the values that it has this time."""

    statement: Made
    values: Mapping[str, Any]


Statement = sa.Executable | Said[Any]


def once(build: Callable[Given, Made]) -> Callable[Given, Said[Made]]:
    """Make the statement of `build` once: that takes longer than to run it.

    Its positional parameters are bound anew each time; a comparison with None has to be spelt out.
    Those by name are part of the statement, which is made once for each of their values.
    """
    parameters = signature(build).parameters.values()
    names = [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY]
    # A name of its own: that of a column stands for the value that a change gives to it.
    bound = [f"given_{name}" for name in names]

    make: Callable[..., Made] = build

    @cache
    def made(form: tuple[tuple[str, Any], ...]) -> Made:
        return make(*map(sa.bindparam, bound), **dict(form))

    def said(*given: Given.args, **form: Given.kwargs) -> Said[Made]:
        return Said(made(tuple(form.items())), dict(zip(bound, given, strict=True)))

    return said


class Runs(ABC):
    """Runs functions of a connection as transactions; those of one statement stand here."""

    @abstractmethod
    async def run(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in one transaction."""

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work`, which only reads."""
        return await self.run(work)

    async def rows(
        self, statement: Statement, value_of: Callable[[RowMapping], Result]
    ) -> list[Result]:
        """The value of every row that it returns, in their order."""
        return await self._run_one(statement, lambda it: rows(it, statement, value_of))

    async def one(
        self, statement: Statement, value_of: Callable[[RowMapping], Result]
    ) -> Result | None:
        """The value of the first row; None if there is no row."""
        return await self._run_one(statement, lambda it: one(it, statement, value_of))

    async def value(self, query: sa.Select[Result] | Said[sa.Select[Result]]) -> Result | None:
        """The first column of the first row; None if there is no row."""

        def work(connection: Connection) -> Result | None:
            row = execute(connection, query).first()
            return None if row is None else row[0]

        return await self.read(work)

    async def values(self, query: sa.Select[Result]) -> list[Result]:
        """The first column of every row."""

        def work(connection: Connection) -> list[Result]:
            return list(connection.scalars(query))

        return await self.read(work)

    async def exists(self, query: sa.Select[Any] | Said[sa.Select[Any]]) -> bool:
        """Whether there is a row."""
        return await self.value(query) is not None

    async def write(self, statement: sa.Update | sa.Delete | Said[sa.Update]) -> int:
        """How many rows it changed."""

        def work(connection: Connection) -> int:
            return execute(connection, statement).rowcount

        return await self.run(work)

    async def _run_one(self, statement: Statement, work: Callable[[Connection], Result]) -> Result:
        made = statement.statement if isinstance(statement, Said) else statement
        return await (self.read if isinstance(made, sa.Select) else self.run)(work)

    async def put(
        self, table: sa.Table, key: Mapping[str, object], values: Mapping[str, object]
    ) -> None:
        """Write the row of this primary key, or change the one that is there."""
        await self.run(lambda connection: put(connection, table, key, values))


def execute(connection: Connection, statement: Statement) -> sa.CursorResult[*tuple[Any, ...]]:
    """Run it, with the values that it has this time."""
    if isinstance(statement, Said):
        return connection.execute(*statement)
    return connection.execute(statement)


def rows(
    connection: Connection, statement: Statement, value_of: Callable[[RowMapping], Result]
) -> list[Result]:
    """The value of every row that it returns, in their order."""
    return [value_of(row) for row in execute(connection, statement).mappings()]


def one(
    connection: Connection, statement: Statement, value_of: Callable[[RowMapping], Result]
) -> Result | None:
    """The value of the first row; None if there is no row."""
    row = execute(connection, statement).mappings().first()
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
    return upserting(table, is_sqlite=connection.dialect.name == "sqlite")


def upserting(table: sa.Table, *, is_sqlite: bool) -> sqlite.Insert | postgresql.Insert:
    """The same for a statement that is made once."""
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
