"""The journal of what people deleted: `deletions.jsonl` in the data folder, beside every backup.

A backup is older than what was deleted since. So each deletion is written here first, and what
comes out of a backup is held against it. An entry has the id of a job, and no word of anybody.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bot.core.errors import Broken, DatabaseFull
from bot.store.files import sync

VIDEO = "video"
"""A finished video, with its message, its links and its files."""


class Deletion(NamedTuple):
    """The video of a job was deleted. `at`: seconds since the epoch, UTC."""

    job_id: str
    at: float


class Deletions:
    """Adds and reads entries."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "deletions.jsonl"

    def add(self, job_id: str, *, at: float) -> None:
        """Write it down and wait until the disk has it. Raises `OSError`."""
        line = json.dumps({"what": VIDEO, "job": job_id, "at": at}) + "\n"
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_new = not self.file.exists()
        number = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # A line that a crash cut short must not take the next one along.
            size = os.fstat(number).st_size
            torn = size > 0 and os.pread(number, 1, size - 1) != b"\n"
            rest = (b"\n" if torn else b"") + line.encode("ascii")
            while rest:  # a disk that is nearly full takes a part, and refuses the next
                rest = rest[os.write(number, rest) :]
            os.fsync(number)
        finally:
            os.close(number)
        if is_new:
            sync(self.file.parent)

    async def note(self, job_id: str, at: float) -> None:
        """The same beside the event loop. Raises `Unwritten`."""
        try:
            await asyncio.to_thread(self.add, job_id, at=at)
        except OSError as error:
            raise DatabaseFull() from error

    def read(self) -> Iterator[Deletion]:
        """Every whole entry, the oldest first.

        Raises `Broken("deletions_newer")` for one of a kind that only a newer program knows.
        """
        if not self.file.exists():
            return
        for line in self.file.read_text("ascii", "replace").splitlines():
            try:
                entry = json.loads(line)
                what, found = entry["what"], Deletion(str(entry["job"]), float(entry["at"]))
            except (ValueError, TypeError, KeyError):
                continue  # torn: the deletion that it was for was not begun
            if what != VIDEO:
                raise Broken("deletions_newer", file=str(self.file))
            yield found
