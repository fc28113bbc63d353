"""The tables `[backup]` and `[retention]` of the configuration, and times of day."""

import re
from datetime import time
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.config import stores
from bot.config.table import Table

Days = Annotated[float, Field(ge=0, le=36_500)]
OFF = "off"


def _time_of_day(value: str) -> str:
    said = value.strip().lower()
    if said != OFF and not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", said):
        raise ValueError("time_of_day")
    return said


def time_of(said: str) -> time | None:
    """Return the time of day of a setting; None if it is "off"."""
    if said == OFF:
        return None
    hour, minute = said.split(":")
    return time(int(hour), int(minute))


TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]


class Backup(Table):
    """`[backup]`"""

    daily: bool = Field(True, description="whether the service makes a backup each night")
    folder: str | None = Field(
        None, description="the folder of the backups; default: the folder backups in data_dir"
    )
    copy_to: Annotated[str, AfterValidator(stores.storage_url)] | None = Field(
        None, description="a second place for each backup: a bucket, or a folder elsewhere"
    )
    keep: int = Field(
        14, ge=1, le=365, description="how many backups are kept, and for how many days"
    )


class Retention(Table):
    """`[retention]`: 0 switches a rule off."""

    videos_days: Days = Field(
        30, description="days that a video is kept after it was posted; 0 is for ever"
    )
    inputs_days: Days = Field(
        2, description="days that pictures and sounds are kept after the end of their job"
    )
    words_days: Days = Field(
        90, description="days that prompts and gateways' words are kept after the end of their job"
    )
    most_gb: float = Field(
        0,
        ge=0,
        description="gigabytes of media at most; originals go first, then the oldest videos",
    )
