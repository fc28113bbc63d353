"""Translate errors of files, sockets, drivers and packages into our errors, with a sentence.

Adapters translate the errors that they expect; this module translates the rest, just before the
command ends. A bug in our code is not translated and keeps its traceback.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.core.errors import BotError, Broken, DatabaseDamaged

_UNHARMED = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")
"""SQLite's errors for a file that can't be read or written. Such a file need not be damaged."""


def translated(error: Exception) -> BotError | None:
    """Return the error as a `BotError`; None if no sentence would help, as for a bug."""
    match error:
        case DatabaseDamaged(__cause__=DBAPIError() as said) if _is_unharmed(said):
            return Broken("database_unusable", **error.values)
        case BotError():
            return error
        case ImportError(name=str(module)) if not module.startswith("bot."):
            return Broken("package_missing", package=module)
        case OSError(filename=str(file)):
            return Broken("file_unusable", file=file, why=error.strerror)
        case OSError():
            return Broken("machine_refused", why=_why(error))
        case SQLAlchemyError():
            return Broken("database_refused", why=_why(error))
        # SQLAlchemy does not wrap asyncpg's errors about a password or a name.
        case _ if type(error).__module__.partition(".")[0] == "asyncpg":
            return Broken("database_refused", why=_why(error))
    return None


def unreachable(database_url: str, error: OSError) -> Broken:
    """Return the error for a database server that does not answer."""
    url = make_url(database_url)
    # A failed name lookup has a negative number, and a timeout has none.
    known = error.errno is not None and error.errno > 0
    why = os.strerror(error.errno or 0) if known else error.strerror or str(error) or "no answer"
    return Broken("database_unreachable", host=url.host, port=url.port or 5432, why=why)


@contextmanager
def reached(database_url: str) -> Iterator[None]:
    """Turn an `OSError` of the database connection into an error that names the server."""
    try:
        yield
    except OSError as error:
        if make_url(database_url).host is None or error.filename:
            raise
        raise unreachable(database_url, error) from error


def _is_unharmed(error: DBAPIError) -> bool:
    name = getattr(error.orig, "sqlite_errorname", "")
    return str(name).startswith(_UNHARMED)


def _why(error: Exception) -> str:
    """Return the first line of the error's text, without the SQL statement and its values."""
    inner = error.orig if isinstance(error, DBAPIError) and error.orig else error
    strerror = getattr(inner, "strerror", None)
    said = str(strerror or inner).strip()
    return said.splitlines()[0] if said else type(inner).__name__
