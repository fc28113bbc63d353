"""Writes a small file whole or not at all, with the mode it is to have from its first byte on."""

import os
import tempfile
from pathlib import Path

from bot.core.errors import Refused

PRIVATE = 0o600
SHARED = 0o644


def save(file: Path, text: str, *, mode: int) -> None:
    """Put `text` in the file's place. Raises `Refused("output_unwritable")`."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Made with mode 0600, so that nobody reads a secret before its mode is set.
        number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
        made = Path(name)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as into:
                into.write(text)
                into.flush()
                os.fsync(into.fileno())
            made.chmod(mode)
            made.replace(file)
        except BaseException:
            made.unlink(missing_ok=True)
            raise
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Refused("output_unwritable", file=str(file), why=why) from error
