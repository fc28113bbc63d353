"""Resolve relative paths in the configuration.

A path in the configuration file is relative to that file's folder; a path in the environment is
relative to the working directory. So a configuration finds the same data from any directory.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bot.config.problems import Problem
from bot.config.stores import SQLITE

DATA = "data"
"""The default name of the data folder."""
TRACES = ("database-id", "zoetrope.db")
"""Files that identify a data folder."""
_PREFIXES = {
    "data_dir": ("",),
    "storage_url": ("",),
    "database_url": tuple(f"{driver}:///" for driver in SQLITE),
}
"""The settings that may hold a path, with the prefixes before a path."""


def folder_of(key: str, file: Path | None, surroundings: Mapping[str, Any]) -> Path:
    """Return the folder that a relative path in `key` is relative to."""
    return Path() if file is None or key in surroundings else file.parent


def resolved(
    given: Mapping[str, Any], file: Path | None, surroundings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all values, with relative paths of the file and the default data folder resolved."""
    full = dict(given)
    for key, prefixes in _PREFIXES.items():
        folder = folder_of(key, file, surroundings)
        said = given.get(key, DATA if key == "data_dir" else None)
        if folder == Path() or not isinstance(said, str):
            continue
        for prefix in prefixes:
            path = said.removeprefix(prefix)
            if said.startswith(prefix) and _is_relative(path):
                full[key] = f"{prefix}{folder / path}"
    return _backup_placed(full, file, surroundings)


def _backup_placed(
    full: dict[str, Any], file: Path | None, surroundings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `full` with the relative paths of backup folders resolved."""
    table, named = full.get("backup"), surroundings.get("backup")
    if not isinstance(table, dict):
        return full
    moved = dict(table)
    for key in ("folder", "copy_to"):
        folder = folder_of(key, file, named if isinstance(named, dict) else {})
        if folder != Path() and isinstance(table.get(key), str) and _is_relative(table[key]):
            moved[key] = str(folder / table[key])
    return {**full, "backup": moved}


def left_behind(file: Path | None, data_dir: object) -> Iterator[Problem]:
    """Yield a problem if an earlier version left its data in another folder.

    Earlier versions resolved `data` from the working directory. If `data_dir` is still empty, a
    start there would lose all running jobs.
    """
    if file is None or not isinstance(data_dir, str) or Path("config.toml").exists():
        return  # data in this folder belongs to the configuration in this folder
    folder = Path(data_dir)
    if not folder.is_relative_to(file.parent):
        return
    former = folder.relative_to(file.parent)
    if former.resolve() == folder.resolve() or _has_data(folder) or not _has_data(former):
        return
    where = {"former": str(former.absolute()), "folder": str(folder.absolute())}
    yield Problem("data_dir", "data_left_behind", where)


def _has_data(folder: Path) -> bool:
    return any((folder / name).exists() for name in TRACES)


def _is_relative(path: str) -> bool:
    return bool(path) and not path.startswith(("/", ":")) and "://" not in path
