"""The journal of deleted videos: `deletions.jsonl` in the data folder, outside of all backups.

A backup is older than later deletions. So each deletion is written to the journal first, and a
restore deletes the videos in the journal again. An entry has a job's id, and no text of people.
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
"""The kind of an entry: a finished video, with its message, links and files."""


class Deletion(NamedTuple):
    """The deletion of a job's video. `at`: seconds since the epoch, UTC."""

    job_id: str
    at: float


class Deletions:
    """The journal: adds and reads entries."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "deletions.jsonl"

    def add(self, job_id: str, *, at: float) -> None:
        """Write an entry and wait until it is synced to the disk. Raises `OSError`."""
        line = json.dumps({"what": VIDEO, "job": job_id, "at": at}) + "\n"
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_new = not self.file.exists()
        number = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # If a crash cut the last line short, the new entry must begin a new line.
            size = os.fstat(number).st_size
            torn = size > 0 and os.pread(number, 1, size - 1) != b"\n"
            rest = (b"\n" if torn else b"") + line.encode("ascii")
            while rest:  # a nearly full disk may write only a part
                rest = rest[os.write(number, rest) :]
            os.fsync(number)
        finally:
            os.close(number)
        if is_new:
            sync(self.file.parent)

    async def note(self, job_id: str, at: float) -> None:
        """Write an entry in a thread, outside of the event loop. Raises `Unwritten`."""
        try:
            await asyncio.to_thread(self.add, job_id, at=at)
        except OSError as error:
            raise DatabaseFull() from error

    def read(self) -> Iterator[Deletion]:
        """Yield every whole entry, the oldest first.

        Raises `Broken("deletions_newer")` for an entry of a kind that only a newer program knows.
        """
        if not self.file.exists():
            return
        for line in self.file.read_text("ascii", "replace").splitlines():
            try:
                entry = json.loads(line)
                what, found = entry["what"], Deletion(str(entry["job"]), float(entry["at"]))
            except (ValueError, TypeError, KeyError):
                continue  # cut short by a crash, before its deletion began
            if what != VIDEO:
                raise Broken("deletions_newer", file=str(self.file))
            yield found
