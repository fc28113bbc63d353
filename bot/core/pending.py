"""Jobs that are being made, as far as a look needs them: after a restart, thousands are due."""

from typing import NamedTuple


class Pending(NamedTuple):
    """A job that is being made: few columns of its row. A tuple, for it is made at every look."""

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
    """A job that is still being made, and when the next look at it is due."""

    id: str
    version: int
    """The row's, when it was read."""
    progress: int
    due: float
    """By the steady clock: the other one may be set before this is written."""
    shows: bool
    """Whether its card shows the difference."""
