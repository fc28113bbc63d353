"""One database file in the place of another: wholly, or not at all, wherever the process dies.

A note beside the file says that it is under way, and where the former rows lie. As long as the
note is there, the next start puts them back.
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
    """Where it stands that an exchange of this file is under way."""
    return file.with_name(file.name + ".exchange")


def exchange(file: Path, fresh: Path, aside: Path) -> None:
    """Put `fresh` in the place of `file`, whose rows go to the folder `aside`.

    Under the lock, while nobody has it open. Until `settle` is called it can be undone.
    """
    had_rows = size_of(file) > 0
    aside.mkdir(parents=True, mode=0o700, exist_ok=True)
    _write(note_of(file), json.dumps({"aside": str(aside), "had_rows": had_rows}))
    # The file itself goes last: if it lies there, its journal does too.
    for each in (*_journals(file), saved_copy(file)):
        if each.exists():
            _move(each, aside / each.name)
    if had_rows:
        _move(file, aside / file.name)
    _move(fresh, file)
    sync(file.parent)


def settle(file: Path) -> None:
    """The new rows hold."""
    note_of(file).unlink()
    sync(file.parent)


def undo(file: Path) -> Path | None:
    """Put the former rows back, if an exchange was not settled; answers where they were.

    It may be cut short itself, and is then done again.
    """
    note = note_of(file)
    if not note.exists():
        return None
    told = json.loads(note.read_text("utf-8"))
    aside = Path(told["aside"])
    former = aside / file.name
    if former.exists() or not told["had_rows"]:
        # What stands there is the new one with its journals; those of the former are aside.
        for each in _journals(file):
            each.unlink(missing_ok=True)
    if former.exists():
        _move(former, file)
    elif not told["had_rows"]:
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
