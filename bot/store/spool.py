"""The last resort: gateway ids that the database could not take, in a file beside it.

An id that is lost is a video that was paid for and never found again. The file's room is taken and
written when the service starts, so that a full disk can't refuse it later. Each entry is synced
before anything else happens, and goes only once its row has the id.
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
"""Bytes. An entry begins at a multiple of this: a torn one takes no other with it."""
BLOCKS = 512
"""An entry rarely needs two: hundreds of POSTs would have to be under way to fill them."""
_HEAD = struct.Struct(">4sII")
"""Mark, length of the content, and its checksum."""
_MARK = b"ZSP1"

log = get_logger()


class Spooled(NamedTuple):
    """A gateway's id, and links to the video if it was made at once."""

    job_id: str
    gateway_id: str
    sources: tuple[str, ...] = ()


class Spool:
    """Adds, reads and forgets entries of `pending-ids`, a file of fixed size."""

    def __init__(self, folder: Path, *, blocks: int = BLOCKS) -> None:
        self.file = folder / "pending-ids"
        self.former = folder / "pending-ids.jsonl"
        """The file of earlier versions: one JSON object a line, and it grew."""
        self._blocks = blocks

    def prepare(self) -> None:
        """Take the room on the disk, and take over what an earlier version has left."""
        with self._opened():
            pass
        if self.former.exists():
            for spooled in _lines(self.former):
                self.add(*spooled)
            self.former.unlink()

    def add(self, job_id: str, gateway_id: str, sources: Sequence[str] = ()) -> None:
        """Write one id down and wait until the disk has it.

        Raises `OSError`, which is `ENOSPC` if `BLOCKS` are taken by entries without a row.
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
        """Every whole entry, the former file's first."""
        if self.former.exists():
            yield from _lines(self.former)
        if self.file.exists():
            whole = self.file.read_bytes()
            for entry in _entries(whole):
                yield entry.spooled

    def forget(self, job_id: str) -> None:
        """The job's row has the id. Idempotent; raises `OSError`."""
        if not self.file.exists():
            return
        with self._opened() as number:
            whole = os.pread(number, BLOCK * self._blocks, 0)
            for entry in _entries(whole):
                if entry.spooled.job_id == job_id:
                    _write(number, bytes(_HEAD.size), at=entry.start * BLOCK)
            os.fsync(number)

    def _room(self, whole: bytes, wanted: int) -> int:
        """The first of `wanted` free blocks in a row."""
        taken: set[int] = set()
        for entry in _entries(whole):
            taken.update(range(entry.start, entry.start + entry.blocks))
        for start in range(self._blocks - wanted + 1):
            if taken.isdisjoint(range(start, start + wanted)):
                return start
        raise OSError(ENOSPC, os.strerror(ENOSPC), str(self.file))

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The file at its full size: written, not only reserved, so that no write needs room."""
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
    """The block it begins at."""
    blocks: int


def _entries(whole: bytes) -> Iterator[_Entry]:
    """Every whole entry; torn ones, and what was forgotten, are passed over."""
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
        # A crash tore it: it was never said to be kept, and its room is free.
        log.warning("spool.torn", block=block)
        return None
    blocks = -(-(_HEAD.size + length) // BLOCK)
    return _Entry(_spooled(json.loads(content)), block, blocks)


def _lines(file: Path) -> Iterator[Spooled]:
    """Every whole line of the former file."""
    for line in file.read_text("ascii", "replace").splitlines():
        # Torn by the crash that it was written for.
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            yield _spooled(json.loads(line))


def _spooled(given: Any) -> Spooled:
    sources = tuple(map(str, given.get("sources", ())))
    return Spooled(str(given["job"]), str(given["gateway_id"]), sources)


def _write(number: int, content: bytes, *, at: int) -> None:
    while content:
        written = os.pwrite(number, content, at)
        content, at = content[written:], at + written
