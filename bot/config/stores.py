"""Validate the addresses of the database and of the media storage."""

from importlib.util import find_spec
from urllib.parse import urlsplit

_BUCKETS = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "https"})
"""URL schemes of object stores that keep files, as obstore knows them."""
SQLITE = ("sqlite", "sqlite+aiosqlite")
"""The drivers in an address of SQLite. Earlier programs knew only the second."""


def database_url(value: str) -> str:
    """Return the address if we have a driver for it. Raises `ValueError` with a problem code."""
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
    """Return the value if it is a folder or a bucket. Raises `ValueError` with a problem code."""
    scheme = urlsplit(value).scheme
    if scheme in ("", "file"):
        return value
    if scheme not in _BUCKETS:
        raise ValueError("storage_url")
    from obstore.exceptions import BaseError
    from obstore.store import from_url

    try:
        from_url(value)  # only parses the address; opens no connection
    except (BaseError, ValueError) as error:
        raise ValueError("storage_url") from error
    return value
