"""The form of a backup on disk: a folder with the rows, the files they need, and a list of both.

    zoetrope-20261128T031500Z/
        manifest.json
        zoetrope.db
        pending-ids         ids of paid jobs that no row had yet
        media/videos/ab/abcdef….mp4

A backup gets its name once it is complete. It can be moved, copied, and packed as a tar file.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bot.core.errors import Broken
from bot.log import get_logger
from bot.media.storage import Storage, sync

FORMAT = 1
MANIFEST = "manifest.json"
ROWS = "zoetrope.db"
SPOOL = "pending-ids"
MEDIA = "media"
UNFINISHED = ".unfinished-"
"""The prefix of folders of unfinished backups."""
_NAME = re.compile(r"zoetrope-\d{8}T\d{6}Z")
_FORM = "zoetrope-%Y%m%dT%H%M%SZ"
_CHUNK = 1 << 20
AHEAD = 600.0
"""Seconds: a backup dated further in the future was made while a clock was ahead."""
AT_ONCE = 2
"""The most old backups removed at once: a wrong clock must not remove all of them."""

log = get_logger()


class File(BaseModel, frozen=True):
    """One file of a backup."""

    path: str
    """The path inside the backup."""
    bytes: int
    sha256: str


class NewestJob(BaseModel, frozen=True):
    """The newest job in a backup."""

    id: str
    ordered_at: float
    """Seconds since the epoch, UTC."""


class Manifest(BaseModel, frozen=True):
    """The list of what is in a backup."""

    format: int
    app: str
    """The version of the program that made the backup."""
    made_at: float
    """The time of the rows, in seconds since the epoch, UTC."""
    revision: str
    """The version of the tables."""
    database: str
    """The kind of database that the rows came from: sqlite or postgresql."""
    rows: dict[str, int]
    """The number of rows in each table."""
    jobs: dict[str, int]
    """The number of jobs in each state."""
    newest_job: NewestJob | None
    files: tuple[File, ...]
    missing: tuple[str, ...]
    """Keys of files that rows need but the storage did not have."""

    @property
    def bytes(self) -> int:
        """The size of all files together."""
        return sum(file.bytes for file in self.files)

    @property
    def media(self) -> dict[str, File]:
        """The files of the storage, by their keys."""
        within = f"{MEDIA}/"
        return {
            file.path.removeprefix(within): file
            for file in self.files
            if file.path.startswith(within)
        }


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup on disk: its folder and its list."""

    folder: Path
    manifest: Manifest

    def check(self) -> list[str]:
        """Compare each file with the list; return the keys of damaged or missing media.

        Raises `Broken("backup_damaged")` for any other file. Damaged media are no error, because
        the rows can still be restored.
        """
        media, damaged = self.manifest.media, []
        for file in self.manifest.files:
            why = self._trouble_of(file)
            if why and file.path.removeprefix(f"{MEDIA}/") in media:
                damaged.append(file.path.removeprefix(f"{MEDIA}/"))
            elif why:
                raise Broken("backup_damaged", file=file.path, why=why)
        return damaged

    def _trouble_of(self, file: File) -> str | None:
        try:
            found = described(self.folder, file.path)
        except OSError as error:
            return error.strerror or type(error).__name__
        return None if found == file else "its size or SHA-256 differs from the manifest"


def name_of(at: float) -> str:
    """Return the name of a backup made at this time."""
    return datetime.fromtimestamp(at, UTC).strftime(_FORM)


def kept_in(folder: Path) -> list[Path]:
    """Return the folders of the complete backups in a folder, oldest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(it for it in found if _NAME.fullmatch(it.name) and (it / MANIFEST).exists())


def by_age(names: Iterable[str], *, now: float) -> list[str]:
    """Return the names sorted by age, oldest first.

    The true age of a backup from a clock that was ahead is unknown; it counts as the oldest.
    """
    return sorted(names, key=lambda name: (not is_ahead(name, now=now), name))


def is_ahead(name: str, *, now: float) -> bool:
    """Whether the backup was made while a clock was ahead, if `now` is right."""
    return (made_at(name) or 0.0) > now + AHEAD


def newest(folder: Path, *, now: float) -> Backup | None:
    """Return the newest readable backup in the folder, or None."""
    names = by_age((each.name for each in kept_in(folder)), now=now)
    for each in (folder / name for name in reversed(names)):
        try:
            return read(each)
        except Broken as broken:
            log.warning("backup.unreadable", folder=str(each), code=broken.code)
    return None


def last_made(folder: Path, before: float) -> float | None:
    """Return when the newest backup up to `before` was made, by its name; None if there is none."""
    times = (made_at(each.name) or 0.0 for each in kept_in(folder))
    return max((at for at in times if at <= before), default=None)


def made_at(name: str) -> float | None:
    """Return when the backup of this name was made; None if it is no name of a backup."""
    if not _NAME.fullmatch(name):
        return None
    return datetime.strptime(name, _FORM).replace(tzinfo=UTC).timestamp()


def read(folder: Path) -> Backup:
    """Return the backup in this folder.

    Raises `Broken`: `backup_absent`, `backup_damaged`, `backup_newer`.
    """
    try:
        text = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise Broken("backup_absent", folder=str(folder)) from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise Broken("backup_damaged", file=MANIFEST, why="its content is not valid") from error
    if manifest.format != FORMAT:
        raise Broken("backup_newer", found=f"format {manifest.format}", known=f"format {FORMAT}")
    for file in manifest.files:
        if Path(file.path).is_absolute() or ".." in Path(file.path).parts:
            raise Broken("backup_damaged", file=MANIFEST, why="it names files outside the backup")
    return Backup(folder, manifest)


def described(folder: Path, path: str) -> File:
    """Return the list entry of a file: its size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return File(path=path, bytes=size, sha256=digest.hexdigest())


def add(source: Path, folder: Path, path: str) -> File:
    """Copy a file into a backup, and wait until the disk has it."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copyfile(source, target)
    sync(target)
    return described(folder, path)


def share(earlier: Backup, file: File, folder: Path) -> bool:
    """Hard-link a file of an earlier backup into a backup, to save disk space. True if linked.

    The file is checked first, so damage does not spread. Keys are never reused, so the same key
    means the same file.
    """
    source, target = earlier.folder / file.path, folder / file.path
    try:
        if described(earlier.folder, file.path) != file:
            return False
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.link(source, target)
    except OSError:  # another disk, a file system without links, a file that is gone
        return False
    return True


async def has(storage: Storage, key: str) -> bool:
    """Whether the storage has the file. False for a malformed key."""
    try:
        return await storage.exists(key)
    except Broken:
        return False


def finish(unfinished: Path, manifest: Manifest) -> Backup:
    """Write the list and rename the folder; this completes the backup."""
    file = unfinished / MANIFEST
    file.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    for each in (file, *(it for it in unfinished.rglob("*") if it.is_dir()), unfinished):
        sync(each)
    seconds = count(int(manifest.made_at))
    names = (unfinished.with_name(name_of(second)) for second in seconds)
    folder = next(it for it in names if not it.exists())
    unfinished.rename(folder)
    sync(folder.parent)
    return Backup(folder, manifest)


def clear(folder: Path, *, but: Path | None = None) -> None:
    """Remove unfinished backups. `but`: the folder of a just unpacked backup, to keep."""
    for each in folder.glob(f"{UNFINISHED}*"):
        if but is None or not but.is_relative_to(each):
            shutil.rmtree(each, ignore_errors=True)


def outdated(names: Sequence[str], *, keep: int, now: float) -> list[str]:
    """Return the names of the backups to remove now; never the newest."""
    oldest = now - keep * 86_400.0
    found = by_age(names, now=now)
    gone = [
        name
        for position, name in enumerate(reversed(found))
        if position and (position >= keep or (made_at(name) or 0.0) < oldest)
    ]
    return gone[-AT_ONCE:]


def age_out(folder: Path, *, keep: int, now: float) -> list[str]:
    """Remove backups beyond the newest `keep`, or older than `keep` days; never the newest.

    At most `AT_ONCE` are removed, oldest first. Return the names of the removed backups.
    """
    gone = outdated([each.name for each in kept_in(folder)], keep=keep, now=now)
    for each in (folder / name for name in gone):
        # Rename first: a half removed backup must not look complete.
        doomed = each.rename(each.with_name(f"{UNFINISHED}{each.name}"))
        shutil.rmtree(doomed, ignore_errors=True)
    return gone
