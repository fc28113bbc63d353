"""Translation of database errors that time or an operator can mend into the error `Unwritten`.

This module reads the drivers' error codes. All other errors of drivers are bugs of ours, and are
not translated.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from bot.core.errors import Unwritten

FULL = "database_full"
BUSY = "database_busy"
AWAY = "database_away"
FAILING = "database_failing"

_SQLITE = {
    "SQLITE_FULL": FULL,
    "SQLITE_IOERR_WRITE": FULL,  # a quota, or a limit on the size of files
    "SQLITE_IOERR_SHMSIZE": FULL,
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
    "SQLITE_PROTOCOL": BUSY,
    "SQLITE_IOERR": FAILING,
    "SQLITE_READONLY": FAILING,
    "SQLITE_CANTOPEN": FAILING,
    "SQLITE_PERM": FAILING,
}
"""Codes by prefix of SQLite's error name; the longest wins (sqlite.org/rescode.html)."""
_POSTGRESQL = {
    "53100": FULL,  # disk_full
    "53": FAILING,  # out of memory, locks or anything else
    "53300": AWAY,  # too_many_connections
    "25006": FAILING,  # read_only_sql_transaction: a standby, or an operator who froze it
    "58": FAILING,  # its files can't be read or written
    "55P03": BUSY,  # lock_not_available
    "57014": BUSY,  # query_canceled, by a time limit
    "40001": BUSY,  # serialization_failure
    "40P01": BUSY,  # deadlock_detected
    "57P": AWAY,  # shut down, crashed, or just starting
    "08": AWAY,  # the connection
}
"""Codes by prefix of the SQLSTATE; the longest wins (PostgreSQL's appendix on error codes)."""


@contextmanager
def translated() -> Iterator[None]:
    """Translate errors in the context that time or an operator can mend into `Unwritten`.

    Use it around whole transactions only.
    """
    try:
        yield
    except Exception as error:
        code = code_of(error)
        if code is None:
            raise
        raise Unwritten.of(code) from error


def code_of(error: Exception) -> str | None:
    """Return the code of the `Unwritten` error for a driver's error, or None for a bug of ours."""
    match error:
        case sa.exc.DBAPIError(orig=BaseException() as said):
            away = AWAY if error.connection_invalidated else None
            return _code_of_driver(said) or away
        case sa.exc.TimeoutError():  # the connection pool is exhausted
            return BUSY
    return _code_of_driver(error)


def _code_of_driver(said: BaseException) -> str | None:
    if name := getattr(said, "sqlite_errorname", None):
        return _longest(str(name), _SQLITE)
    if state := getattr(said, "sqlstate", None):
        return _longest(str(state), _POSTGRESQL)
    # asyncpg reports a lost connection by its own errors or those of the operating system.
    is_cut = "ConnectionDoesNotExist" in type(said).__name__ or "is closed" in str(said)
    return AWAY if isinstance(said, OSError) or is_cut else None


def _longest(word: str, meanings: dict[str, str]) -> str | None:
    known = [start for start in meanings if word.startswith(start)]
    return meanings[max(known, key=len)] if known else None
