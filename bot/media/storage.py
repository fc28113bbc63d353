"""Stores files by key: in a directory by default, or in a bucket given by URL.

A key reveals nothing about a person or a video: it is random, or a hash of a name. Any text that is
not in the form of our keys is refused, so that no key points outside the directory.
"""

import asyncio
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, from_url

from bot.core.containers import SUFFIXES, WEBM
from bot.core.errors import Broken, FileMissing, StorageAway, Temporary
from bot.core.keeping import Stored

_KEY = re.compile(
    r"(given|originals|pictures|sounds|thumbnails|videos)/[0-9a-f]{2}/[0-9a-f]{32}\."
    rf"(jpg|mp3|{WEBM}|{'|'.join(SUFFIXES.values())})"
)
_PARTS_AT_ONCE = 3
_LISTED = 500
_BEAT = "beat"
"""The name of a file in a bucket that checks read and write: see `Storage.ask`."""


def new_key(kind: str, suffix: str) -> str:
    """Return a new random key such as `videos/ab/abcdef….mp4`."""
    name = secrets.token_hex(16)
    return _checked(f"{kind}/{name[:2]}/{name}.{suffix}")


def named_key(kind: str, suffix: str, name: str) -> str:
    """Return a key made from `name`: always the same key for the same name."""
    name = blake2b(name.encode(), digest_size=16).hexdigest()
    return _checked(f"{kind}/{name[:2]}/{name}.{suffix}")


def video_key(name: str) -> str:
    """Return the key of a video that came as the response to the POST of the order `name`."""
    return named_key("originals", "mp4", name)


def is_key(text: str) -> bool:
    """Whether `text` has the form of our keys."""
    return _KEY.fullmatch(text) is not None


def folder_of(url: str) -> Path | None:
    """Return the directory that `url` names, or None for a bucket."""
    parts = urlsplit(url)
    if parts.scheme not in ("", "file"):
        return None
    return Path(unquote(parts.path) if parts.scheme else url).absolute()


class Storage:
    """One directory or bucket. Every method raises `Temporary` while it can't be reached."""

    def __init__(self, url: str, *, scratch: Path) -> None:
        """`url` is a path, `file://…`, or what obstore understands; `scratch` is for downloads."""
        self._scratch = scratch
        self._is_unwritten = False
        """Whether the latest attempt to store a file failed."""
        self._root = folder_of(url)
        self._lasting: set[Path] = set()
        """Folders whose creation we have synced to disk."""
        if self._root:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._identity = _identity(self._root)
            self._store: ObjectStore = LocalStore(self._root)
        else:
            self._store = from_url(url)

    @property
    def is_bucket(self) -> bool:
        """Whether each access is a request over the network."""
        return self._root is None

    async def ask(self) -> str | None:
        """Check the bucket. Return its problem in a word or two, or None. Usually one request.

        A file is written if none is there yet, or if the latest attempt to store a file failed.
        """
        has_answered = False
        try:
            is_marked = await self._is_marked()
            has_answered = True
            if not is_marked or self._is_unwritten:
                await obstore.put_async(self._store, _BEAT, b"")
        except FileNotFoundError:
            return "missing"
        except (PermissionDeniedError, UnauthenticatedError):
            return "not writable" if has_answered else "refused"
        except (BaseError, OSError):
            return "not writable" if has_answered else "not reachable"
        self._is_unwritten = False
        return None

    def trouble(self) -> str | None:
        """Return how the directory has changed since the start; None if not, and for a bucket.

        An unmounted disk leaves an empty directory at its path: no file may be written there.
        """
        if self._root is None:
            return None
        try:
            found = _identity(self._root)
        except OSError:
            return "missing"
        return None if found == self._identity else "replaced"

    async def put(self, key: str, source: Path) -> int:
        """Store a copy of `source`, atomically and durably. Return its size in bytes."""
        return await self._put(key, source, _copy)

    async def take(self, key: str, source: Path) -> int:
        """Store a file that won't change any more. On the same disk it is linked, not copied."""
        return await self._put(key, source, _link)

    @asynccontextmanager
    async def file(self, key: str) -> AsyncIterator[Path]:
        """Yield the object as a local file, only for reading, as long as the context lasts."""
        _checked(key)
        if self._root:
            if not await self.exists(key):
                raise FileMissing(key=key)
            yield self._root / key
            return
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._scratch))
        try:
            path = folder / Path(key).name
            with _translated(key):
                await asyncio.to_thread(self._download, key, path)
            yield path
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def exists(self, key: str) -> bool:
        _checked(key)
        self._must_be_there(key)
        try:
            with _translated(key):
                if self._root:
                    (self._root / key).stat()
                else:
                    await obstore.head_async(self._store, key)
        except Broken:
            return False
        return True

    async def delete(self, key: str) -> None:
        """Delete a file; idempotent."""
        _checked(key)
        self._must_be_there(key)
        with suppress(FileMissing), _translated(key):
            await obstore.delete_async(self._store, key)

    async def listing(self, under: str | None = None) -> AsyncIterator[list[Stored]]:
        """Yield pages of all files, or of those under a folder, also files that we did not make."""
        self._must_be_there(under or "")
        with _translated(under or ""):
            async for page in obstore.list(self._store, under, chunk_size=_LISTED):
                yield [
                    Stored(
                        key=meta["path"],
                        size=meta["size"],
                        changed_at=meta["last_modified"].timestamp(),
                    )
                    for meta in page
                ]

    async def mark(self, name: str) -> None:
        """Put an empty file under a name that need not have the form of a key; idempotent."""
        self._must_be_there(name)
        with _translated(name):
            await obstore.put_async(self._store, name, b"")

    def _must_be_there(self, key: str) -> None:
        """Raise `StorageAway` if the directory is gone: its files may be back in a minute."""
        if self.trouble():
            raise StorageAway(key=key)

    async def _is_marked(self) -> bool:
        try:
            await obstore.head_async(self._store, _BEAT)
        except FileNotFoundError:
            return False
        return True

    @contextmanager
    def _writing(self, key: str, source: Path) -> Iterator[None]:
        """Note whether a write fails. A missing bucket reports a missing file: raise `StorageAway`
        for that, as the bucket may be back in a minute.
        """
        try:
            with _translated(key):
                yield
        except (Broken, Temporary) as error:
            if isinstance(error, Broken) and (self._root or not source.exists()):
                raise
            self._is_unwritten = True
            raise StorageAway(key=key) from error
        self._is_unwritten = False

    async def _put(self, key: str, source: Path, put_file: Callable[[Path, Path], None]) -> int:
        _checked(key)
        self._must_be_there(key)
        with self._writing(key, source):
            if self._root:
                return await asyncio.to_thread(self._put_in, self._root / key, source, put_file)
            await obstore.put_async(self._store, key, source, max_concurrency=_PARTS_AT_ONCE)
            return (await asyncio.to_thread(source.stat)).st_size

    def _put_in(self, path: Path, source: Path, put_file: Callable[[Path, Path], None]) -> int:
        for folder in (path.parent.parent, path.parent):
            self._make_private(folder)
        put_file(source, path)
        sync(path, path.parent)  # only after the move: nobody knows the key before we return
        return path.stat().st_size

    def _make_private(self, folder: Path) -> None:
        """Make a folder and sync it. Another put may have made it but not synced it yet."""
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if folder in self._lasting:
                return
        sync(folder.parent)
        self._lasting.add(folder)

    def _download(self, key: str, into: Path) -> None:
        with into.open("wb") as file:
            for chunk in obstore.get(self._store, key).stream():
                file.write(chunk)


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Broken("bad_storage_key", key=key)
    return key


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise FileMissing(key=key) from error
    except (BaseError, OSError) as error:
        raise StorageAway(key=key) from error


def _copy(source: Path, path: Path) -> None:
    """Copy under a temporary name, then rename. Leftovers of broken copies are in no listing."""
    part = path.with_name(f"{path.name}#{secrets.randbits(32)}")
    try:
        shutil.copyfile(source, part)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _link(source: Path, path: Path) -> None:
    try:
        path.hardlink_to(source)
    except OSError:  # another disk, a file system without links, or the name exists
        _copy(source, path)


def sync(*paths: Path) -> None:
    """Sync these files and folders to disk (fsync)."""
    for put_file in paths:
        handle = os.open(put_file, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
