"""The pictures, sounds and videos that messages carry: files under names that nobody can guess."""

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from bot.core.errors import GivenTooLarge, NoPicture, PictureFormat, Refused
from bot.core.headers import Format, header_of
from bot.core.hints import PICTURE_SUFFIXES, PICTURE_TYPES, SOUND_SUFFIXES, SOUND_TYPES
from bot.core.orders import PICTURE_BYTES, SOUND_BYTES
from bot.core.recordings import Recorded, found_in
from bot.core.unread import refusal_of
from bot.net.files import save
from bot.platforms.playground.room import Attachment

MOST_UNSENT = 25 * PICTURE_BYTES
"""Bytes of files that no message carries yet; the oldest make room for new ones."""
TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "avif": "image/avif",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "weba": "audio/webm",
    "sound": "audio/basic",
    "mp4": "video/mp4",
    "video": "application/octet-stream",
}
"""By our own suffixes; a `sound` and a `video` are such that browsers don't play."""
NAME = re.compile(rf"[0-9a-f]{{32}}\.({'|'.join(TYPES)})")
UPLOADS = {
    "pictures": {
        "types": sorted(PICTURE_TYPES),
        "suffixes": sorted(PICTURE_SUFFIXES),
        "most_bytes": PICTURE_BYTES,
    },
    "sounds": {
        "types": ["audio/*", *sorted(SOUND_TYPES)],
        "suffixes": sorted(SOUND_SUFFIXES),
        "most_bytes": SOUND_BYTES,
    },
}
"""Types that the page may send; browsers have no types for some, so their names count as well."""
_PICTURES = {
    Format.PNG: "png",
    Format.JPEG: "jpg",
    Format.WEBP: "webp",
    Format.GIF: "gif",
    Format.HEIF: "heic",
    Format.AVIF: "avif",
}
_SOUNDS = {
    Recorded.MP3: "mp3",
    Recorded.WAV: "wav",
    Recorded.OGG: "ogg",
    Recorded.MP4: "m4a",
    Recorded.AAC: "aac",
    Recorded.FLAC: "flac",
    Recorded.MATROSKA: "weba",
}
_Kind = tuple[str, int | None, int | None]
"""Our suffix for a file, and the width and height of a picture."""


class Files:
    """One folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[str, Attachment] = {}
        self._unsent: dict[str, int] = {}

    def path(self, name: str) -> Path | None:
        """Where the file with this name is; None for whatever is no name of ours."""
        path = self._folder / name
        return path if NAME.fullmatch(name) and path.is_file() else None

    async def take(self, kind: str, chunks: AsyncIterator[bytes], *, filename: str) -> Attachment:
        """Stream "pictures" or "sounds" to disk, one at a time.

        Raises `Refused` for what does not begin like one, or is too large. The content of a sound
        is heard later, by somebody who trusts nothing.
        """
        look, most, code = _KINDS[kind]
        draft = self._folder / f"{secrets.token_hex(16)}.part"
        try:
            size = await save(chunks, draft, most=most)
            if size > most:
                megabytes = size / 1_000_000
                raise GivenTooLarge(code, megabytes=megabytes, most=most / 1_000_000)
            suffix, width, height = await asyncio.to_thread(look, draft)
            name = f"{draft.stem}.{suffix}"
            await asyncio.to_thread(draft.rename, self._folder / name)
        finally:
            await asyncio.to_thread(draft.unlink, missing_ok=True)
        taken = Attachment(name=name, filename=filename, size=size, width=width, height=height)
        self._taken[taken.name] = taken
        self._unsent[taken.name] = taken.size
        while sum(self._unsent.values()) > MOST_UNSENT:
            await self.drop(next(iter(self._unsent)))
        return taken

    def taken(self, name: str, gone: str = "picture_gone") -> Attachment:
        """A file that came in since the start. Raises `Refused` if it is no longer there."""
        if name not in self._taken:
            raise Refused.of(gone)
        return self._taken[name]

    def sent(self, name: str) -> None:
        """A message carries it now, and it stays as long as that."""
        self._unsent.pop(name, None)

    def unsent(self, given: Attachment) -> None:
        """No message carries it any more; a page may still be looking at it, so it may stay."""
        self._unsent[given.name] = given.size

    async def copy(self, source: Path, suffix: str) -> str:
        """A copy of our own; answers its name."""
        name = f"{secrets.token_hex(16)}.{suffix}"
        await asyncio.to_thread(shutil.copyfile, source, self._folder / name)
        return name

    async def drop(self, name: str | None) -> None:
        """Idempotent."""
        path = self.path(name or "")
        self._taken.pop(name or "", None)
        self._unsent.pop(name or "", None)
        if path is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def sweep(self, known: set[str]) -> None:
        """Delete what no message carries: uploads that were never sent."""

        def swept() -> None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in self._folder.iterdir():
                if path.name not in known:
                    path.unlink(missing_ok=True)

        await asyncio.to_thread(swept)


def _looked_at(file: Path) -> _Kind:
    """Suffix, width and height out of the header; nothing is decoded."""
    with file.open("rb") as opened:
        header = header_of(opened)
        if header is None:
            refusal = refusal_of(opened)
            raise NoPicture() if isinstance(refusal, PictureFormat) else refusal
    return _PICTURES[header.format], header.width, header.height


def _listened_to(file: Path) -> _Kind:
    """Suffix out of the first bytes; nothing is decoded."""
    with file.open("rb") as opened:
        found = found_in(opened)
    if found is None:
        raise Refused("no_sound")
    return _SOUNDS.get(found[0], "sound"), None, None


_KINDS = {
    "pictures": (_looked_at, PICTURE_BYTES, "picture_too_large"),
    "sounds": (_listened_to, SOUND_BYTES, "sound_too_large"),
}
