"""How long files and texts are kept after a job's end, and the interfaces of rows and files."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

DAY = 86_400.0
GRACE = 24 * 3600.0
"""Seconds after which a file without a row can't be one that is still being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Seconds for which data is kept, and the most bytes of the media. None means no limit."""

    videos: float | None = 30 * DAY
    inputs: float | None = 2 * DAY
    words: float | None = 90 * DAY
    most_bytes: int | None = None
    former: float = 14 * DAY
    """Seconds after a restore for which the replaced rows and their files are kept."""

    def unconfirmed_by(self, now: float) -> float:
        """Return the time of an end before which an unresolved unconfirmed job is given up.

        The pictures and the possible video of such a job are kept as long as a video.
        """
        ended_by = by(self.videos, now)
        return float("-inf") if ended_by is None else ended_by


@dataclass(frozen=True, slots=True)
class Step:
    """The extent of one or several steps of a sweep."""

    rows: int = 0
    files: int = 0
    size: int = 0
    """Bytes, as far as the rows know the sizes."""
    bare: int = 0
    """Rows that were read and had nothing to remove."""

    @property
    def looked_at(self) -> int:
        """Return the number of rows that were read. The next step begins after them."""
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
        """Return the extent as values for JSON."""
        return {"rows": self.rows, "files": self.files, "bytes": self.size}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The files that a page of rows names."""

    keys: frozenset[str]
    own: Mapping[str, tuple[str, int | None]]
    """The keys that belong to one job, each with the job's id and the size if known."""
    open_jobs: tuple[str, ...]
    """Jobs that may have a received video which no row names yet."""
    last: str | None
    """The last id of this page; None on the last page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file in the storage."""

    key: str
    size: int
    changed_at: float


class Ledger(Protocol):
    """The rows. Each method is one whole transaction. `most` is a number of rows.

    The first five methods are steps of a sweep. Each marks the oldest rows of a kind, adds the keys
    of their files to `discarded`, and returns the extent. No file is touched.
    """

    async def videos(self, *, ended_by: float, now: float, most: int) -> Step:
        """Discard the videos of jobs that ended by `ended_by`."""

    async def inputs(
        self, *, ended_by: float, unconfirmed_by: float, now: float, most: int
    ) -> Step:
        """Discard pictures and sounds of ended jobs. Unconfirmed jobs have their own time."""

    async def words(self, *, ended_by: float, now: float, most: int) -> Step:
        """Blank all texts that people and gateways wrote in jobs that ended by `ended_by`."""

    async def originals(self, *, now: float, most: int) -> Step:
        """To save space, discard the originals of converted and posted videos."""

    async def posted(self, *, in_chat: bool, now: float, most: int) -> Step:
        """To save space, discard posted videos: uploaded ones if `in_chat`, else linked ones."""

    async def due(
        self,
        *,
        videos_by: float | None,
        inputs_by: float | None,
        unconfirmed_by: float,
        words_by: float | None,
    ) -> Mapping[str, Step]:
        """Return the extent of what `videos`, `inputs` and `words` would discard, by kind.

        A time of None means that this kind is never discarded.
        """

    async def proposals(self, *, now: float) -> None:
        """Delete proposals that their people have not confirmed in time."""

    async def discarded(self, *, after: str, most: int) -> list[str]:
        """Return the keys of discarded files that are still to be removed, in order."""

    async def forget(self, keys: Collection[str]) -> None:
        """Remove these keys from `discarded`, as their files are removed."""

    async def restored_at(self) -> float | None:
        """Return when these rows were restored from a backup; None if they never were."""

    async def wanted(self, *, after: str, unconfirmed_by: float, most: int) -> Wanted:
        """Return the files named by the page of rows with ids after `after`."""


class FileStore(Protocol):
    """The files. Raises `Temporary` while the storage can't be reached."""

    def files(self) -> AsyncIterator[list[Stored]]:
        """Yield all stored files of this service, in batches."""

    async def is_away(self) -> bool:
        """Whether the whole storage can't be reached, and not just one file."""

    async def delete(self, key: str) -> None:
        """Delete a file. Idempotent."""

    def video_key(self, job_id: str) -> str:
        """Return the key of a video that came as the response to this job's POST."""

    async def claimed_at(self) -> float | None:
        """Return since when new files belong to this database alone.

        Return None if another database uses some of the files, and infinity, which is later than
        any file, if `claim` was not called yet.
        """

    async def claim(self) -> None:
        """Mark new files from now on as belonging to this database. Idempotent."""

    async def received(self) -> list[Stored]:
        """Return received videos that are not stored yet, by their future keys."""

    async def drop_received(self, key: str) -> None:
        """Delete a received video. Idempotent."""

    async def clear_scratch(self, *, before: float) -> int:
        """Remove unused temporary files that are older than `before`. Return their number."""


def by(seconds: float | None, now: float) -> float | None:
    """Return the time `seconds` before `now`; None if `seconds` is None, which keeps for ever."""
    return None if seconds is None else now - seconds
