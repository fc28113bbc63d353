"""Replacement of a database file by another: complete or undone, even if the process dies.

During the exchange, a note beside the file names the folder with the former files. If the note is
there at the next start, the former files are put back.
"""

import json
from contextlib import suppress
from pathlib import Path

from bot.log import get_logger
from bot.store.files import size_of, sync
from bot.store.identity import saved_copy

_JOURNALS = ("-wal", "-shm")

log = get_logger()


def note_of(file: Path) -> Path:
    """Return the path of the note which says that this file is being exchanged."""
    return file.with_name(file.name + ".exchange")


def exchange(file: Path, fresh: Path, aside: Path) -> None:
    """Replace `file` by `fresh`, and move the former files to the folder `aside`.

    The caller must hold the lock, and no process may have the file open. Until `settle` is called,
    the exchange can be undone.
    """
    had_rows = size_of(file) > 0
    aside.mkdir(parents=True, mode=0o700, exist_ok=True)
    _write(note_of(file), json.dumps({"aside": str(aside), "had_rows": had_rows}))
    # The file itself is moved last: if it is in `aside`, its journal is there too.
    for each in (*_journals(file), saved_copy(file)):
        if each.exists():
            _move(each, aside / each.name)
    if had_rows:
        _move(file, aside / file.name)
    _move(fresh, file)
    sync(file.parent)


def settle(file: Path) -> None:
    """Finish an exchange: the new file stays."""
    note_of(file).unlink()
    sync(file.parent)


def undo(file: Path) -> Path | None:
    """Put the former files back if an exchange was not settled. Return the folder where they were.

    Return None if there was no exchange. An interrupted undo is repeated at the next start.
    """
    note = note_of(file)
    if not note.exists():
        return None
    noted = json.loads(note.read_text("utf-8"))
    aside = Path(noted["aside"])
    former = aside / file.name
    if former.exists() or not noted["had_rows"]:
        # These journals belong to the new file; the former journals are in `aside`.
        for each in _journals(file):
            each.unlink(missing_ok=True)
    if former.exists():
        _move(former, file)
    elif not noted["had_rows"]:
        file.unlink(missing_ok=True)
    for each in (*_journals(file), saved_copy(file)):
        if (aside / each.name).exists():
            _move(aside / each.name, each)
    sync(file.parent)
    settle(file)
    with suppress(OSError):
        aside.rmdir()
    log.warning("database.put_back", file=str(file))
    return aside


def _journals(file: Path) -> list[Path]:
    return [file.with_name(file.name + suffix) for suffix in _JOURNALS]


def _move(source: Path, target: Path) -> None:
    source.replace(target)
    sync(target.parent)


def _write(file: Path, text: str) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(text, "utf-8")
    sync(fresh)
    fresh.replace(file)
    sync(file.parent)
