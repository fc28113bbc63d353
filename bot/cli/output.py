"""The file that a video is written to: judged before anything is paid, and never lost after.

A file that stands there stays, unless the person said otherwise.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from bot.core.errors import Broken, Refused


@dataclass(frozen=True, slots=True)
class Output:
    """Where the video goes; made by `named` or `free`, both of which have looked at the place."""

    path: Path
    overwrite: bool = False

    def take(self, video: Path) -> int:
        """Move `video` there; answers its bytes.

        Raises `Broken("output_lost")` if that fails now: the video is kept, and named.
        """
        try:
            self._copy(video)
        except OSError as error:
            # A folder of its own, which nobody clears away when we end.
            kept = Path(tempfile.mkdtemp(prefix="zoetrope-")) / self.path.name
            shutil.move(video, kept)
            raise Broken(
                "output_lost", file=str(self.path), why=error.strerror, kept=str(kept)
            ) from error
        return video.stat().st_size

    def beside(self, suffix: str) -> "Output":
        """A name next to it that nothing has yet, for what the video was converted from."""
        return _free(f"{self.path.with_suffix('')}.original", suffix)

    def _copy(self, video: Path) -> None:
        with video.open("rb") as source, self.path.open("wb" if self.overwrite else "xb") as to:
            try:
                shutil.copyfileobj(source, to)
                to.flush()
            except OSError:
                if self.path.is_file():
                    self.path.unlink()  # half a video is none
                raise


def named(path: Path, *, overwrite: bool) -> Output:
    """Exactly this file. Raises `Refused` where no file can be written."""
    if path.is_dir():
        raise Refused("output_folder", file=str(path))
    if os.path.lexists(path) and not overwrite:
        raise Refused("output_exists", file=str(path))
    try:
        if path.exists():
            path.open("ab").close()
        else:
            _try(path.parent)
    except OSError as error:
        raise Refused("output_unwritable", file=str(path), why=error.strerror) from error
    return Output(path, overwrite)


def free(stem: str) -> Output:
    """A name in this folder that nothing has yet: `stem.mp4`, `stem-2.mp4`, …"""
    output = _free(stem, ".mp4")
    return named(output.path, overwrite=False)


def _free(stem: str, suffix: str) -> Output:
    names = (Path(f"{stem}{f'-{number}' if number > 1 else ''}{suffix}") for number in count(1))
    return Output(next(name for name in names if not os.path.lexists(name)))


def _try(folder: Path) -> None:
    """Only writing tells whether a folder can be written to."""
    handle, name = tempfile.mkstemp(prefix=".zoetrope-", dir=folder)
    os.close(handle)
    Path(name).unlink()
