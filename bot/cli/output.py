"""The file that a video is written to. It is tested before the order, so no paid video is lost.

An existing file is never overwritten unless the person asked for it.
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
    """The target file of a video. `named` and `free` make it after testing that it is writable."""

    path: Path
    overwrite: bool = False

    def take(self, video: Path) -> int:
        """Copy `video` to the target; return the size in bytes.

        Raises `Broken("output_lost")` if that fails. The video is then kept in another file, which
        the error names.
        """
        try:
            self._copy(video)
        except OSError as error:
            # A temporary folder that is not removed at the end.
            kept = Path(tempfile.mkdtemp(prefix="zoetrope-")) / self.path.name
            shutil.move(video, kept)
            raise Broken(
                "output_lost", file=str(self.path), why=error.strerror, kept=str(kept)
            ) from error
        return video.stat().st_size

    def beside(self, suffix: str) -> "Output":
        """Return a new file beside the target, for the original of a converted video."""
        return _free(f"{self.path.with_suffix('')}.original", suffix)

    def _copy(self, video: Path) -> None:
        with video.open("rb") as source, self.path.open("wb" if self.overwrite else "xb") as to:
            try:
                shutil.copyfileobj(source, to)
                to.flush()
            except OSError:
                if self.path.is_file():
                    self.path.unlink()  # remove the incomplete video
                raise


def named(path: Path, *, overwrite: bool) -> Output:
    """Return exactly this file as target. Raises `Refused` if it can't be written."""
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
    """Return a new file in this folder as target: `stem.mp4`, `stem-2.mp4`, …"""
    output = _free(stem, ".mp4")
    return named(output.path, overwrite=False)


def _free(stem: str, suffix: str) -> Output:
    names = (Path(f"{stem}{f'-{number}' if number > 1 else ''}{suffix}") for number in count(1))
    return Output(next(name for name in names if not os.path.lexists(name)))


def _try(folder: Path) -> None:
    """Test by writing whether the folder is writable. Raises `OSError`."""
    handle, name = tempfile.mkstemp(prefix=".zoetrope-", dir=folder)
    os.close(handle)
    Path(name).unlink()
