"""A backup as it lies on the disk: a folder with the rows, the files they need, and a list of both.

    zoetrope-20261128T031500Z/
        manifest.json
        zoetrope.db
        pending-ids         ids of paid jobs that no row had yet
        media/videos/ab/abcdef….mp4

It gets its name once it is whole. It can be moved, copied, and packed as a tar file.
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
"""How the names of folders begin that are no backup yet."""
_NAME = re.compile(r"zoetrope-\d{8}T\d{6}Z")
_FORM = "zoetrope-%Y%m%dT%H%M%SZ"
_CHUNK = 1 << 20
AHEAD = 600.0
"""Seconds: a backup that is named for a later time than that was made while a clock was ahead."""
AT_ONCE = 2
"""Old backups that go at once: one wrong look at a clock must not take them all."""

log = get_logger()


class File(BaseModel, frozen=True):
    """One file of a backup."""

    path: str
    """Within the backup."""
    bytes: int
    sha256: str


class NewestJob(BaseModel, frozen=True):
    """The job that was ordered last."""

    id: str
    ordered_at: float
    """Seconds since the epoch, UTC."""


class Manifest(BaseModel, frozen=True):
    """The list of what is in a backup."""

    format: int
    app: str
    """The version of the program that made it."""
    made_at: float
    """Seconds since the epoch, UTC: the rows are those of this moment."""
    revision: str
    """The version of the tables."""
    database: str
    """The kind that the rows came from: sqlite or postgresql."""
    rows: dict[str, int]
    """How many there are in each table."""
    jobs: dict[str, int]
    """How many there are in each state."""
    newest_job: NewestJob | None
    files: tuple[File, ...]
    missing: tuple[str, ...]
    """Files that rows need, and the storage did not have."""

    @property
    def bytes(self) -> int:
        """All of it."""
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
    """A folder and its list."""

    folder: Path
    manifest: Manifest

    def check(self) -> list[str]:
        """Compare each file with the list; answers the keys of media that are not as they were.

        Raises `Broken("backup_damaged")` for anything else: a lost video is no reason to have no
        rows.
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
        return None if found == file else "its SHA-256 is another"


def name_of(at: float) -> str:
    """The name of a backup that was made then."""
    return datetime.fromtimestamp(at, UTC).strftime(_FORM)


def kept_in(folder: Path) -> list[Path]:
    """The folders of the whole backups that lie there, the oldest first."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(it for it in found if _NAME.fullmatch(it.name) and (it / MANIFEST).exists())


def by_age(names: Iterable[str], *, now: float) -> list[str]:
    """Backups of these names, the oldest first.

    When one of a clock that was ahead was made, nobody knows: it counts as the oldest.
    """
    return sorted(names, key=lambda name: (not is_ahead(name, now=now), name))


def is_ahead(name: str, *, now: float) -> bool:
    """Whether it was made while a clock was ahead, if `now` is right."""
    return (made_at(name) or 0.0) > now + AHEAD


def newest(folder: Path, *, now: float) -> Backup | None:
    """The newest one there that can be read."""
    names = by_age((each.name for each in kept_in(folder)), now=now)
    for each in (folder / name for name in reversed(names)):
        try:
            return read(each)
        except Broken as broken:
            log.warning("backup.unreadable", folder=str(each), code=broken.code)
    return None


def last_made(folder: Path, before: float) -> float | None:
    """When the newest one there was made until then, by its name."""
    times = (made_at(each.name) or 0.0 for each in kept_in(folder))
    return max((at for at in times if at <= before), default=None)


def made_at(name: str) -> float | None:
    """When the backup of this name was made; None if it is no such name."""
    if not _NAME.fullmatch(name):
        return None
    return datetime.strptime(name, _FORM).replace(tzinfo=UTC).timestamp()


def read(folder: Path) -> Backup:
    """The backup in this folder.

    Raises `Broken`: `backup_absent`, `backup_damaged`, `backup_newer`.
    """
    try:
        text = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise Broken("backup_absent", folder=str(folder)) from error
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise Broken("backup_damaged", file=MANIFEST, why="it can't be read") from error
    if manifest.format != FORMAT:
        raise Broken("backup_newer", found=f"format {manifest.format}", known=f"format {FORMAT}")
    for file in manifest.files:
        if Path(file.path).is_absolute() or ".." in Path(file.path).parts:
            raise Broken("backup_damaged", file=MANIFEST, why="it names files elsewhere")
    return Backup(folder, manifest)


def described(folder: Path, path: str) -> File:
    """The bytes of a file, and their sum."""
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
    """Let a backup have the same file as an earlier one without a second place on the disk.

    Only if it is what it was: damage would go on from one to the next. Keys are never given
    again, so what has the same one is the same file.
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
    """Whether the storage has the file; a key of no shape that it knows names none."""
    try:
        return await storage.exists(key)
    except Broken:
        return False


def finish(unfinished: Path, manifest: Manifest) -> Backup:
    """Write the list and give the folder its name; from now on it is a backup."""
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
    """Remove what was cut short there. `but`: the folder of a backup that was just unpacked."""
    for each in folder.glob(f"{UNFINISHED}*"):
        if but is None or not but.is_relative_to(each):
            shutil.rmtree(each, ignore_errors=True)


def outdated(names: Sequence[str], *, keep: int, now: float) -> list[str]:
    """Of backups of these names, those that are to go now; never the newest."""
    oldest = now - keep * 86_400.0
    found = by_age(names, now=now)
    gone = [
        name
        for place, name in enumerate(reversed(found))
        if place and (place >= keep or (made_at(name) or 0.0) < oldest)
    ]
    return gone[-AT_ONCE:]


def age_out(folder: Path, *, keep: int, now: float) -> list[str]:
    """Remove what is beyond the newest `keep`, or older than so many days; never the newest.

    Some at a time, the oldest first. Answers the names of those that went.
    """
    gone = outdated([each.name for each in kept_in(folder)], keep=keep, now=now)
    for each in (folder / name for name in gone):
        # Under a name that is no backup's: half of one must not look like one.
        doomed = each.rename(each.with_name(f"{UNFINISHED}{each.name}"))
        shutil.rmtree(doomed, ignore_errors=True)
    return gone
