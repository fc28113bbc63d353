"""The places of rows and files as a setting names them: addresses that we can open, or mistakes."""

from importlib.util import find_spec
from urllib.parse import urlsplit

_BUCKETS = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "https"})
"""Schemes of stores whose files obstore finds again."""
SQLITE = ("sqlite", "sqlite+aiosqlite")
"""The beginnings of an address of SQLite; earlier versions knew the second one alone."""


def database_url(value: str) -> str:
    """The address of a database that we have a driver for; ValueError with a code if it is none."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        driver = make_url(value).drivername
    except (ArgumentError, ValueError) as error:
        raise ValueError("database_url") from error
    if driver not in (*SQLITE, "postgresql+asyncpg"):
        raise ValueError("database_url")
    if driver == "postgresql+asyncpg" and find_spec("asyncpg") is None:
        raise ValueError("database_driver")
    return value


def storage_url(value: str) -> str:
    """A folder, or the address of a bucket; ValueError with a code if it is neither."""
    scheme = urlsplit(value).scheme
    if scheme in ("", "file"):
        return value
    if scheme not in _BUCKETS:
        raise ValueError("storage_url")
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    try:
        from_url(value)  # this reads the address; nothing is connected
    except (BaseError, ValueError) as error:
        raise ValueError("storage_url") from error
    return value
