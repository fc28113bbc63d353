"""The pictures and videos that messages carry: files under names that nobody can guess."""

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from PIL import Image

from bot.core.errors import Refused
from bot.platforms.playground.room import Attachment

MOST_BYTES = 8_000_000
"""The largest picture we take."""
TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
}
PICTURE_TYPES = tuple(type_ for type_ in TYPES.values() if type_.startswith("image/"))
NAME = re.compile(rf"[0-9a-f]{{32}}\.({'|'.join(TYPES)})")
_SUFFIXES = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "GIF": "gif"}


class Files:
    """One folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[str, Attachment] = {}

    def path(self, name: str) -> Path | None:
        """Where the file with this name is; None for whatever is no name of ours."""
        path = self._folder / name
        return path if NAME.fullmatch(name) and path.is_file() else None

    async def take_picture(self, chunks: AsyncIterator[bytes], *, filename: str) -> Attachment:
        """Stream a picture to disk. Raises `Refused` for what is none, or too large."""
        draft = self._folder / f"{secrets.token_hex(16)}.part"
        try:
            size = await _save(chunks, draft)
            suffix, width, height = await asyncio.to_thread(_looked_at, draft)
            name = f"{draft.stem}.{suffix}"
            await asyncio.to_thread(draft.rename, self._folder / name)
        finally:
            await asyncio.to_thread(draft.unlink, missing_ok=True)
        taken = Attachment(name=name, filename=filename, size=size, width=width, height=height)
        self._taken[name] = taken
        return taken

    def taken(self, name: str) -> Attachment | None:
        """A picture that came in since the start."""
        return self._taken.get(name)

    async def copy(self, source: Path, suffix: str) -> str:
        """A copy of our own; answers its name."""
        name = f"{secrets.token_hex(16)}.{suffix}"
        await asyncio.to_thread(shutil.copyfile, source, self._folder / name)
        return name

    async def drop(self, name: str | None) -> None:
        """Idempotent."""
        path = self.path(name or "")
        if path is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def sweep(self, known: set[str]) -> None:
        """Delete what no message carries: uploads that were never sent."""
        await asyncio.to_thread(self._sweep, known)

    def _sweep(self, known: set[str]) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self._folder.iterdir():
            if path.name not in known:
                path.unlink(missing_ok=True)


async def _save(chunks: AsyncIterator[bytes], into: Path) -> int:
    size = 0
    with into.open("xb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > MOST_BYTES:
                raise Refused("picture_too_large", megabytes=size / 1_000_000)
            await asyncio.to_thread(file.write, chunk)
    return size


def _looked_at(file: Path) -> tuple[str, int, int]:
    """Suffix, width and height out of the header; nothing is decoded."""
    try:
        with Image.open(file, formats=list(_SUFFIXES)) as image:
            return _SUFFIXES[str(image.format)], image.width, image.height
    except Exception as error:
        raise Refused("no_picture") from error
