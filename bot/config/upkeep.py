"""The tables of the configuration about how the service looks after itself."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bot.config.table import Table

_BUCKETS = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "https"})
"""Schemes of stores whose files obstore finds again."""

Days = Annotated[float, Field(ge=0, le=36_500)]


def storage_address(value: str) -> str:
    """A path, or a bucket's address that can be read. Raises `ValueError`."""
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


class Backup(Table):
    """`[backup]`"""

    daily: bool = Field(True, description="whether one is made each night while the service runs")
    folder: str | None = Field(
        None, description="where they are kept; default: the folder backups in data_dir"
    )
    copy_to: Annotated[str, AfterValidator(storage_address)] | None = Field(
        None, description="a second place for each of them: a bucket, or a folder elsewhere"
    )
    keep: int = Field(
        14, ge=1, le=365, description="how many of them are kept, and for how many days"
    )


class Retention(Table):
    """`[retention]`: 0 switches a rule off."""

    videos_days: Days = Field(
        30, description="days that a video is kept once it is posted; 0 is for ever"
    )
    inputs_days: Days = Field(
        2, description="days that pictures and sounds are kept after the end of their job"
    )
    words_days: Days = Field(
        90, description="days that prompts, and what gateways said, are kept after it"
    )
    most_gb: float = Field(
        0, ge=0, description="gigabytes of media at most: the oldest posted videos go first"
    )
