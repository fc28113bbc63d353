"""Reads boxes, the parts of MP4 and QuickTime files: each has a size, a name and contents."""

from typing import IO


def box(file: IO[bytes], start: int, end: int) -> tuple[bytes, int, int]:
    """Return the name, the size and the header's size of the box at `start`, in bytes."""
    file.seek(start)
    header = file.read(16)
    size, head = int.from_bytes(header[:4]), 8
    if size == 1:  # the real size follows in 64 bits
        size, head = int.from_bytes(header[8:16]), 16
    elif size == 0:  # the box reaches to the end of the file
        size = end - start
    return header[4:8], size, head
