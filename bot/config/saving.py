"""Writes a small file whole or not at all, with the mode it is to have from its first byte on."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from bot.core.errors import Refused

PRIVATE = 0o600
SHARED = 0o644


def save(file: Path, text: str, *, mode: int) -> None:
    """Put `text` in the file's place, for the owner it has. Raises `Refused("output_unwritable")`.

    Of a symbolic link, it is the file behind that is written.
    """
    try:
        _replace(file.resolve(), text, mode)
    except (OSError, RuntimeError) as error:  # the latter for links in a circle
        why = getattr(error, "strerror", None) or type(error).__name__
        raise Refused("output_unwritable", file=str(file), why=why) from error


def _replace(file: Path, text: str, mode: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Made with mode 0600, so that nobody reads a secret before its mode is set.
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    made = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as into:
            into.write(text)
            into.flush()
            os.fsync(into.fileno())
        # Root may have started us, and the service that has to read it runs as somebody else.
        with suppress(OSError):
            owner = file.stat()
            os.chown(made, owner.st_uid, owner.st_gid)
        made.chmod(mode)
        made.replace(file)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
