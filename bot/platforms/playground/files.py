"""The files of the room's messages, stored under random names that can't be guessed."""

import asyncio
import re
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from bot.core.containers import HEAD, container_of, suffix_of
from bot.core.errors import GivenTooLarge, Refused
from bot.core.headers import Format, header_of
from bot.core.hints import PICTURE_SUFFIXES, PICTURE_TYPES, SOUND_SUFFIXES, SOUND_TYPES
from bot.core.orders import PICTURE_BYTES, SOUND_BYTES, VIDEO_BYTES
from bot.core.recordings import Recorded, found_in
from bot.core.soundtracks import holds_only_sound
from bot.core.unread import VIDEO_SUFFIXES, refusal_of
from bot.net.files import save
from bot.platforms.playground.room import Attachment

MOST_UNSENT = 25 * PICTURE_BYTES
"""Most bytes of uploads that no message has yet; the oldest are deleted first."""
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
    "webm": "video/webm",
    "video": "application/octet-stream",
}
"""Media types by our suffixes. `sound` and `video` are files that browsers don't play."""
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
    "videos": {
        "types": ["video/*"],
        "suffixes": sorted(VIDEO_SUFFIXES),
        "most_bytes": VIDEO_BYTES,
    },
}
"""The files that the page may upload. Browsers know no type for some, so suffixes count, too."""
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
_PLAYED = ("mp4", "webm")
"""The suffixes of videos that browsers play."""
_Kind = tuple[str, int | None, int | None]
"""Our suffix for a file, and the width and height of a picture."""


class Files:
    """The files in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[str, Attachment] = {}
        self._unsent: dict[str, int] = {}

    def path(self, name: str) -> Path | None:
        """Return the path of the file with this name; None if it doesn't exist or isn't ours."""
        path = self._folder / name
        return path if NAME.fullmatch(name) and path.is_file() else None

    async def take(self, kind: str, chunks: AsyncIterator[bytes], *, filename: str) -> Attachment:
        """Store one upload; `kind` is a key of `UPLOADS`.

        Raises `Refused` if the file is too large, or its first bytes are of another type. The rest
        of a sound or a video is validated later, when an order is prepared.
        """
        look, most, code = _KINDS[kind]
        partial = self._folder / f"{secrets.token_hex(16)}.part"
        try:
            size = await save(chunks, partial, most=most)
            if size > most:
                megabytes = size / 1_000_000
                raise GivenTooLarge(code, megabytes=megabytes, most=most / 1_000_000)
            suffix, width, height = await asyncio.to_thread(look, partial)
            name = f"{partial.stem}.{suffix}"
            await asyncio.to_thread(partial.rename, self._folder / name)
        finally:
            await asyncio.to_thread(partial.unlink, missing_ok=True)
        taken = Attachment(name=name, filename=filename, size=size, width=width, height=height)
        self._taken[taken.name] = taken
        self._unsent[taken.name] = taken.size
        while sum(self._unsent.values()) > MOST_UNSENT:
            await self.drop(next(iter(self._unsent)))
        return taken

    def taken(self, name: str, gone: str = "picture_gone") -> Attachment:
        """Return an upload of this process's lifetime. Raises `Refused` if it is gone."""
        if name not in self._taken:
            raise Refused.of(gone)
        return self._taken[name]

    def sent(self, name: str) -> None:
        """Note that a message has the file, which keeps it from being deleted as unsent."""
        self._unsent.pop(name, None)

    def unsent(self, given: Attachment) -> None:
        """Note that no message has the file any more. It isn't deleted at once, because a page may
        still show it."""
        self._unsent[given.name] = given.size

    async def copy(self, source: Path, suffix: str) -> str:
        """Copy a file into the folder and return the name of the copy."""
        name = f"{secrets.token_hex(16)}.{suffix}"
        await asyncio.to_thread(shutil.copyfile, source, self._folder / name)
        return name

    async def drop(self, name: str | None) -> None:
        """Delete a file. A missing file or None counts as success."""
        path = self.path(name or "")
        self._taken.pop(name or "", None)
        self._unsent.pop(name or "", None)
        if path is not None:
            await asyncio.to_thread(path.unlink, missing_ok=True)

    async def sweep(self, known: set[str]) -> None:
        """Delete all files whose names are not in `known`."""

        def swept() -> None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in self._folder.iterdir():
                if path.name not in known:
                    path.unlink(missing_ok=True)

        await asyncio.to_thread(swept)


def _looked_at(file: Path) -> _Kind:
    """Read a picture's suffix, width and height from its header, without decoding it."""
    with file.open("rb") as opened:
        header = header_of(opened)
        if header is None:
            raise refusal_of(opened)
    return _PICTURES[header.format], header.width, header.height


def _listened_to(file: Path) -> _Kind:
    """Read a sound's suffix from its first bytes, without decoding it."""
    with file.open("rb") as opened:
        found = found_in(opened)
    if found is None:
        raise Refused("no_sound")
    return _SOUNDS.get(found[0], "sound"), None, None


def _watched(file: Path) -> _Kind:
    """Read a video's suffix from its first bytes, without decoding it."""
    with file.open("rb") as opened:
        head = opened.read(HEAD)
        container = container_of(head)
        if container is None or holds_only_sound(opened):
            raise Refused("no_video")
    suffix = suffix_of(head, container)
    return suffix if suffix in _PLAYED else "video", None, None


_KINDS = {
    "pictures": (_looked_at, PICTURE_BYTES, "picture_too_large"),
    "sounds": (_listened_to, SOUND_BYTES, "sound_too_large"),
    "videos": (_watched, VIDEO_BYTES, "video_too_large"),
}
