"""Boxes, of which MP4 and QuickTime are made: a size, a name, and what is inside."""

from typing import IO


def box(file: IO[bytes], start: int, end: int) -> tuple[bytes, int, int]:
    """The name of the one that starts there, its size, and how much of that is its head."""
    file.seek(start)
    header = file.read(16)
    size, head = int.from_bytes(header[:4]), 8
    if size == 1:  # the real size follows in 64 bits
        size, head = int.from_bytes(header[8:16]), 16
    elif size == 0:  # to the end of the file
        size = end - start
    return header[4:8], size, head
