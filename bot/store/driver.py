"""SQLite behind its thread: a statement and its rows are one visit there.

The driver goes there for a cursor, for the statement, for its rows and to close the cursor, and
each of these costs more than most statements. A transaction begins in the visit of its first
statement; one that has begun nothing has nothing to commit.
"""

import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiosqlite
from sqlalchemy.connectors.asyncio import AsyncAdapt_dbapi_connection
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_


@dataclass(frozen=True, slots=True)
class _Answer:
    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None
    rows: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class _Beginning:
    statement: str
    patience: float | None


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """A statement's answer, all of it: the thread keeps nothing."""

    _awaitable_cursor_close = False
    arraysize = 1

    def __init__(self, connection: AsyncAdapt_dbapi_connection) -> None:
        self._ours = connection
        self._answer = _Answer()
        self._rows: deque[Any] = deque()

    @property
    def description(self) -> Any:
        """The columns of its rows."""
        return self._answer.description

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""
        return self._answer.rowcount

    @property
    def lastrowid(self) -> Any:
        """The key of the row that it added."""
        return self._answer.lastrowid

    def execute(self, operation: Any, parameters: Any = None) -> None:
        """Run it once."""
        self._visit(operation, parameters or (), many=False)

    def executemany(self, operation: Any, parameters: Any) -> None:
        """Run it for each of these."""
        self._visit(operation, parameters, many=True)

    def close(self) -> None:
        """Forget the answer."""
        self._rows.clear()

    def _visit(self, operation: str, parameters: Any, *, many: bool) -> None:
        assert isinstance(self._ours, Connection)
        self._answer = self._ours.visit(operation, parameters, many=many)
        self._rows = deque(self._answer.rows)


class Connection(AsyncAdapt_aiosqlite_connection):
    """The connection; `begin` is said there before the next statement."""

    _cursor_cls = Cursor  # type: ignore[assignment]  # told by its class, never made as one

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._beginning: _Beginning | None = None

    def begin(self, statement: str, *, patience: float | None) -> None:
        """Begin a transaction. `patience`: seconds in which it can begin, if not as always."""
        self._beginning = _Beginning(statement, patience)

    def visit(self, operation: str, parameters: Any, *, many: bool) -> _Answer:
        """Run a statement."""
        beginning, self._beginning = self._beginning, None
        driver = self._connection
        try:
            answer: _Answer = await_(
                driver._execute(_run, driver._conn, beginning, operation, parameters, many)
            )
        except Exception as error:  # noqa: BLE001 - the driver knows which of them are its own
            self._handle_exception(error)
        else:
            return answer

    def commit(self) -> None:
        """End what was begun."""
        self._beginning = None
        if self._connection.in_transaction:
            super().commit()

    def rollback(self) -> None:
        """Undo what was begun."""
        self._beginning = None
        if self._connection._connection and self._connection.in_transaction:
            super().rollback()


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """The driver, with connections of this kind."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *address: Any, **options: Any) -> Connection:
        """Connect as the driver does."""
        return Connection(self, super().connect(*address, **options)._connection)


def _run(
    connection: sqlite3.Connection,
    beginning: _Beginning | None,
    operation: str,
    parameters: Any,
    many: bool,
) -> _Answer:
    """On the thread of the connection."""
    if beginning is not None:
        _begin(connection, beginning)
    cursor = connection.cursor()
    try:
        if many:
            cursor.executemany(operation, parameters)
        else:
            cursor.execute(operation, parameters)
        rows = cursor.fetchall() if cursor.description else ()
        return _Answer(cursor.description, cursor.rowcount, cursor.lastrowid, rows)
    finally:
        cursor.close()


def _begin(connection: sqlite3.Connection, beginning: _Beginning) -> None:
    if beginning.patience is None:
        connection.execute(beginning.statement).close()
        return
    (always,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute(f"PRAGMA busy_timeout={beginning.patience * 1000:.0f}").close()
    try:
        connection.execute(beginning.statement).close()
    finally:
        connection.execute(f"PRAGMA busy_timeout={always}").close()
