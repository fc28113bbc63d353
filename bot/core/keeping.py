"""How long things are kept after a job's end, and the interfaces of what keeps them."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

DAY = 86_400.0
GRACE = 24 * 3600.0
"""Seconds after which a file that no row names can't be one that is just being made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Seconds that things are kept, and bytes that the media may have; None is no end."""

    videos: float | None = 30 * DAY
    inputs: float | None = 2 * DAY
    words: float | None = 90 * DAY
    most_bytes: int | None = None
    former: float = 14 * DAY
    """Seconds after a restore for which the rows from before it are kept, and all their files."""

    def unconfirmed_by(self, now: float) -> float:
        """An unconfirmed job that ended by then is given up, if nobody resolved it.

        Until then its pictures are kept, and the video that may have come: as long as a video.
        """
        ended_by = by(self.videos, now)
        return float("-inf") if ended_by is None else ended_by


@dataclass(frozen=True, slots=True)
class Step:
    """The extent of one step, or of several."""

    rows: int = 0
    files: int = 0
    size: int = 0
    """Bytes, as far as rows know them."""
    bare: int = 0
    """Rows besides, of which nothing had to go."""

    @property
    def looked_at(self) -> int:
        """Rows; the next step begins after them."""
        return self.rows + self.bare

    def __add__(self, other: "Step") -> "Step":
        return Step(
            self.rows + other.rows,
            self.files + other.files,
            self.size + other.size,
            self.bare + other.bare,
        )

    @property
    def values(self) -> dict[str, object]:
        """For JSON."""
        return {"rows": self.rows, "files": self.files, "bytes": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The files that a page of rows names."""

    keys: frozenset[str]
    own: Mapping[str, tuple[str, int | None]]
    """Of these the files that a job has of its own, with its id, and the bytes where it knows."""
    open_jobs: tuple[str, ...]
    """Jobs of which a video may come, or have come, that no row names yet."""
    last: str | None
    """The page's last id; None for the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file in the storage."""

    key: str
    size: int
    changed_at: float


class Ledger(Protocol):
    """The rows. Each method is one whole transaction; `most` is of rows.

    The first five are steps of a sweep: each marks the oldest rows of a kind, notes the keys of
    their files in `discarded`, and answers how much that was. No file is touched.
    """

    async def videos(self, *, ended_by: float, now: float, most: int) -> Step:
        """Let go the videos of jobs that ended by then."""

    async def inputs(
        self, *, ended_by: float, unconfirmed_by: float, now: float, most: int
    ) -> Step:
        """Let go the pictures and sounds that jobs began with; unconfirmed ones have their time."""

    async def words(self, *, ended_by: float, now: float, most: int) -> Step:
        """Blank all that people and gateways wrote."""

    async def originals(self, *, now: float, most: int) -> Step:
        """For room: let go the files from which posted videos were converted."""

    async def posted(self, *, in_chat: bool, now: float, most: int) -> Step:
        """For room: let go videos that were posted, as a file in the chat or as a link."""

    async def due(
        self,
        *,
        videos_by: float | None,
        inputs_by: float | None,
        unconfirmed_by: float,
        words_by: float | None,
    ) -> Mapping[str, Step]:
        """The extent of what the first three would let go; None is never. Nothing is changed."""

    async def drafts(self, *, now: float) -> None:
        """Forget wishes that nobody has confirmed in time."""

    async def discarded(self, *, after: str, most: int) -> list[str]:
        """The keys of files that rows have let go and that are still to be removed, in order."""

    async def forget(self, keys: Collection[str]) -> None:
        """Take these keys off that list: their files are removed."""

    async def restored_at(self) -> float | None:
        """When these rows came out of a backup; None if they never did."""

    async def wanted(self, *, after: str, unconfirmed_by: float, most: int) -> Wanted:
        """The files that rows name, of the page of rows whose ids come after this one."""


class Shelf(Protocol):
    """The files. Raises `Temporary` while the storage can't be reached."""

    def files(self) -> AsyncIterator[list[Stored]]:
        """All files of ours that are stored, some at a time; no others."""

    async def is_away(self) -> bool:
        """Whether the storage as a whole can't be reached, and not only one file."""

    async def delete(self, key: str) -> None:
        """Idempotent."""

    def video_key(self, job_id: str) -> str:
        """The key of a video that came as the answer to the order of this job."""

    async def claimed_at(self) -> float | None:
        """Since when these files are ours alone; None where another database has some of them.

        Infinity, which is later than any file, where `claim` was not called yet.
        """

    async def claim(self) -> None:
        """From now on new files are ours; idempotent."""

    async def received(self) -> list[Stored]:
        """Videos that came as an answer, by the keys that they will have, not yet stored."""

    async def drop_received(self, key: str) -> None:
        """Idempotent."""

    async def clear_scratch(self, *, before: float) -> int:
        """Remove what was put there before, and is in nobody's hands; how many that were."""


def by(seconds: float | None, now: float) -> float | None:
    """The time of a job's end from which so many seconds have passed; None: kept for ever."""
    return None if seconds is None else now - seconds
