"""The last resort: gateway ids that the database could not take, in a file beside it.

An id that is lost is a video that was paid for and never found again. Each line is written and
synced before anything else happens; the next start brings them home.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path


class Spool:
    """Appends and reads `pending-ids.jsonl`."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, job_id: str, gateway_id: str, sources: Sequence[str] = ()) -> None:
        """Write one id down and wait until the disk has it. Raises `OSError`."""
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        entry = {"job": job_id, "gateway_id": gateway_id}
        line = json.dumps(entry | ({"sources": list(sources)} if sources else {})) + "\n"
        with self._file.open("a", encoding="ascii") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Job, gateway id and links to the video, if it was made at once, of every whole line."""
        if not self._file.exists():
            return
        for line in self._file.read_text("ascii", "replace").splitlines():
            try:
                entry = json.loads(line)
                sources = tuple(map(str, entry.get("sources", ())))
                yield str(entry["job"]), str(entry["gateway_id"]), sources
            except (ValueError, TypeError, KeyError, AttributeError):
                continue  # torn by the crash that it was written for

    def clear(self) -> None:
        """Everything is home."""
        self._file.unlink(missing_ok=True)
