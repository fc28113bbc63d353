"""A disk that is full, and a record of what was synced to it."""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Make the kernel refuse to let a file grow beyond `size`, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@contextmanager
def synced(folder: Path) -> Iterator[list[Path]]:
    """Yield the paths in `folder` that this thread syncs with `os.fsync`, in order.

    The file number is read from the local variables of the caller of `os.fsync`, and its path from
    the system.
    """
    places: list[Path] = []

    def look(frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and called is os.fsync:
            numbers = [each for each in frame.f_locals.values() if type(each) is int]
            places.extend(place for place in map(_place, numbers) if place.is_relative_to(folder))

    sys.setprofile(look)
    try:
        yield places
    finally:
        sys.setprofile(None)


def _place(number: int) -> Path:
    with suppress(OSError):
        return Path(f"/proc/self/fd/{number}").readlink()
    return Path()
