"""Small values of the jobs whose videos are being made.

They hold only the columns that a poll needs: after a restart, thousands of polls are due at once.
"""

from typing import NamedTuple


class Pending(NamedTuple):
    """A job to poll: some columns of its row. A tuple, because each poll creates one."""

    id: str
    version: int
    gateway: str
    base_url: str
    gateway_id: str | None
    model: str
    seconds: int
    quality: str | None
    created_at: float
    submitted_at: float | None
    progress: int


class Seen(NamedTuple):
    """The outcome of a poll of a job that is still being made."""

    id: str
    version: int
    """The version of the row when it was read."""
    progress: int
    due: float
    """When the next poll is due, by the steady clock.

    The wall clock may be set before this value is written.
    """
    shows: bool
    """Whether the job's card shows the difference in progress."""
