"""The spool: a file beside the database for gateway ids that the database could not store.

A lost id means a video that was paid for and can't be found again. The whole file is written when
the service starts, so a full disk can't refuse an entry later. Each entry is synced to the disk
first, and erased only when the job's row has the id.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from typing import Any, NamedTuple

from bot.log import get_logger
from bot.store.files import sync

BLOCK = 512
"""Bytes in a block. Entries begin at a block, so a torn entry damages no other entry."""
BLOCKS = 512
"""Blocks in the file. Most entries need one: the file holds the ids of hundreds of open POSTs."""
_HEAD = struct.Struct(">4sII")
"""The mark of an entry, the length of its content, and its checksum."""
_MARK = b"ZSP1"

log = get_logger()


class Spooled(NamedTuple):
    """A job's id at its gateway, and links to the video if the gateway made it at once."""

    job_id: str
    gateway_id: str
    sources: tuple[str, ...] = ()


class Spool:
    """The file `pending-ids` of fixed size: adds, reads and erases entries."""

    def __init__(self, folder: Path, *, blocks: int = BLOCKS) -> None:
        self.file = folder / "pending-ids"
        self.former = folder / "pending-ids.jsonl"
        """The file of earlier versions, which grew: one JSON object per line."""
        self._blocks = blocks

    def prepare(self) -> None:
        """Allocate the file, and take over the entries of an earlier version."""
        with self._opened():
            pass
        if self.former.exists():
            for spooled in _lines(self.former):
                self.add(*spooled)
            self.former.unlink()

    def add(self, job_id: str, gateway_id: str, sources: Sequence[str] = ()) -> None:
        """Write one entry and wait until it is synced to the disk.

        Raises `OSError`, with `ENOSPC` if other entries fill the file.
        """
        given: dict[str, object] = {"job": job_id, "gateway_id": gateway_id}
        given |= {"sources": list(sources)} if sources else {}
        content = json.dumps(given).encode("ascii")
        entry = _HEAD.pack(_MARK, len(content), zlib.crc32(content)) + content
        entry += bytes(-len(entry) % BLOCK)
        with self._opened() as number:
            whole = os.pread(number, BLOCK * self._blocks, 0)
            _write(number, entry, at=self._room(whole, len(entry) // BLOCK) * BLOCK)
            os.fsync(number)

    def read(self) -> Iterator[Spooled]:
        """Yield every whole entry, first the entries in the file of an earlier program."""
        if self.former.exists():
            yield from _lines(self.former)
        if self.file.exists():
            whole = self.file.read_bytes()
            for entry in _entries(whole):
                yield entry.spooled

    def forget(self, job_id: str) -> None:
        """Erase the entry of a job whose row has the id. Idempotent; raises `OSError`."""
        if not self.file.exists():
            return
        with self._opened() as number:
            whole = os.pread(number, BLOCK * self._blocks, 0)
            for entry in _entries(whole):
                if entry.spooled.job_id == job_id:
                    _write(number, bytes(_HEAD.size), at=entry.start * BLOCK)
            os.fsync(number)

    def _room(self, whole: bytes, wanted: int) -> int:
        """Return the first of `wanted` adjacent free blocks. Raises `OSError` if there are none."""
        taken: set[int] = set()
        for entry in _entries(whole):
            taken.update(range(entry.start, entry.start + entry.blocks))
        for start in range(self._blocks - wanted + 1):
            if taken.isdisjoint(range(start, start + wanted)):
                return start
        raise OSError(ENOSPC, os.strerror(ENOSPC), str(self.file))

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """Open the file at its full size. Its blocks are written, so later writes need no space."""
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_new = not self.file.exists()
        number = os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            missing = BLOCK * self._blocks - os.fstat(number).st_size
            if missing > 0:
                _write(number, bytes(missing), at=os.fstat(number).st_size)
                os.fsync(number)
            if is_new:
                sync(self.file.parent)
            yield number
        finally:
            os.close(number)


@dataclass(frozen=True, slots=True)
class _Entry:
    spooled: Spooled
    start: int
    """The number of its first block."""
    blocks: int


def _entries(whole: bytes) -> Iterator[_Entry]:
    """Yield every whole entry. Torn and erased entries are passed over."""
    block = 0
    while block * BLOCK < len(whole):
        entry = _entry(whole, block)
        if entry is not None:
            yield entry
        block += entry.blocks if entry else 1


def _entry(whole: bytes, block: int) -> _Entry | None:
    head = whole[block * BLOCK :][: _HEAD.size]
    if not head.startswith(_MARK) or len(head) < _HEAD.size:
        return None
    _, length, checksum = _HEAD.unpack(head)
    content = whole[block * BLOCK + _HEAD.size :][:length]
    if not content or len(content) < length or zlib.crc32(content) != checksum:
        # A crash cut the entry short. Its `add` never returned, so its blocks are free.
        log.warning("spool.torn", block=block)
        return None
    blocks = -(-(_HEAD.size + length) // BLOCK)
    return _Entry(_spooled(json.loads(content)), block, blocks)


def _lines(file: Path) -> Iterator[Spooled]:
    """Yield every whole line of the former file."""
    for line in file.read_text("ascii", "replace").splitlines():
        # A crash during the write may have cut the line short.
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            yield _spooled(json.loads(line))


def _spooled(given: Any) -> Spooled:
    sources = tuple(map(str, given.get("sources", ())))
    return Spooled(str(given["job"]), str(given["gateway_id"]), sources)


def _write(number: int, content: bytes, *, at: int) -> None:
    while content:
        written = os.pwrite(number, content, at)
        content, at = content[written:], at + written
