"""Write a small file atomically, and never readable by others before its mode is set."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from bot.core.errors import Refused

PRIVATE = 0o600
SHARED = 0o644


def save(file: Path, text: str, *, mode: int) -> None:
    """Replace the file's content and keep its owner. Raises `Refused("output_unwritable")`.

    A symbolic link stays; its target is replaced.
    """
    try:
        _replace(file.resolve(), text, mode)
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle
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
        # The command may run as root, and the service that reads the file as another user.
        with suppress(OSError):
            owner = file.stat()
            os.chown(made, owner.st_uid, owner.st_gid)
        made.chmod(mode)
        made.replace(file)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
