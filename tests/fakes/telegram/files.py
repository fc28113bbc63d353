"""Files: kept for ever under ids that only this bot can use, and served under links that expire.

Photos are re-encoded as at Telegram: JPEG in several sizes, without the camera's metadata.
"""

import base64
import hmac
import io
import mimetypes
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from PIL import Image

from .calls import Call, Method, bad, method
from .model import MIB, File, Json, Media, Size

LINK_SECONDS = 3600
PHOTO_EDGES = (90, 320, 800, 1280)


@dataclass(frozen=True, slots=True)
class Download:
    """One GET request for a file's link."""

    path: str
    status: int


@dataclass(frozen=True, slots=True)
class _Link:
    file: File
    until: float


class Files:
    """Every file that Telegram knows.

    `downloads` lists every request for a link. `download_limit` is in bytes; links live for an hour
    on the clock. With a folder `local` every requested file is written there and named by its path,
    without links and limits.
    """

    def __init__(self, *, bot: int, clock: Callable[[], float]) -> None:
        self.downloads: list[Download] = []
        self.download_limit = 20 * MIB
        self.local: Path | None = None
        self._bot = bot
        self._clock = clock
        self._secret = secrets.token_bytes()
        self._files: dict[str, File] = {}
        self._links: dict[str, _Link] = {}
        self._media: dict[str, Media] = {}

    def methods(self) -> list[Method]:
        """Return the table of methods."""
        return [method("getFile", "file_id", self.get_file)]

    def store(
        self,
        content: bytes,
        *,
        folder: str,
        name: str = "",
        mime_type: str | None = None,
        size: int | None = None,
    ) -> File:
        """Keep a file.

        `size` in bytes is the size that Telegram states, if it is to differ from the real one.
        """
        number = len(self._files) + 1
        guessed = mimetypes.guess_type(name)[0] or ""
        file = File(
            id=self._id(number, self._bot),
            unique_id=f"AgAD{number:08x}",
            folder=folder,
            content=content,
            size=len(content) if size is None else size,
            name=name,
            mime_type=guessed if mime_type is None else mime_type,
        )
        self._files[file.id] = file
        return file

    def store_photo(self, content: bytes, *, size: int | None = None) -> tuple[Size, ...]:
        """Keep a photo in its sizes, the smallest first.

        Raises OSError for bytes that are no picture. `size` is the size that Telegram states for
        the largest.
        """
        made = list(_shrunk(content))
        sizes = []
        for place, (width, height, data) in enumerate(made):
            claimed = size if place == len(made) - 1 else None
            file = self.store(data, folder="photos", mime_type="image/jpeg", size=claimed)
            sizes.append(Size(file=file, width=width, height=height))
        return tuple(sizes)

    def find(self, file_id: str) -> File | None:
        """Return the file with this id, or None; ids of another bot are unknown."""
        return self._files.get(file_id)

    def remember(self, media: Media) -> Media:
        """Keep media, so that they can be sent again by their file id."""
        for file in (media.file, *(size.file for size in media.sizes)):
            self._media[file.id] = media
        return media

    def media(self, file_id: str) -> Media | None:
        """Return the media with this file id, or None."""
        return self._media.get(file_id)

    def foreign_id(self) -> str:
        """Return a file id that belongs to another bot."""
        return self._id(1, self._bot + 1)

    def expire_links(self) -> None:
        """Expire every link given out so far."""
        self._links.clear()

    def get_file(self, call: Call) -> Json:
        """Return a link to a file."""
        if not call.text("file_id"):
            raise bad("file_id not specified")
        file = self.find(call.text("file_id"))
        if file is None:
            raise bad("invalid file_id")
        if file.size > self.download_limit and self.local is None:
            raise bad("file is too big")
        if file.is_lost:
            raise bad("wrong file_id or the file is temporarily unavailable")
        place = f"{file.folder}/file_{list(self._files).index(file.id)}{_suffix(file)}"
        if self.local is None:
            self._links[place] = _Link(file, self._clock() + LINK_SECONDS)
        else:
            place = _laid_down(file, self.local / place)
        shown = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": file.size}
        return shown | {"file_path": place}

    async def serve(self, path: str) -> web.Response:
        """Send the file behind a link.

        The response may lack the file's type and name, as at Telegram.
        """
        link = self._links.get(path)
        if link is None or link.until <= self._clock():
            self.downloads.append(Download(path, web.HTTPNotFound.status_code))
            raise web.HTTPNotFound(text="Not Found")
        self.downloads.append(Download(path, web.HTTPOk.status_code))
        return web.Response(body=link.file.content, content_type="application/octet-stream")

    def _id(self, number: int, bot: int) -> str:
        proof = hmac.new(self._secret, f"{bot} {number}".encode(), "sha256").digest()[:24]
        return "BAACAgI" + base64.urlsafe_b64encode(number.to_bytes(4) + proof).decode().rstrip("=")


def picture_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height, or None for bytes that are no picture."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except OSError:
        return None


def _shrunk(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    with Image.open(io.BytesIO(content)) as picture:
        plain = picture.convert("RGB")
    longest = max(plain.size)
    edges = [edge for edge in PHOTO_EDGES if edge < longest] + [min(longest, PHOTO_EDGES[-1])]
    for edge in sorted(set(edges)):
        smaller = plain.copy()
        smaller.thumbnail((edge, edge))
        out = io.BytesIO()
        smaller.save(out, "JPEG", quality=87)
        yield *smaller.size, out.getvalue()


def _laid_down(file: File, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    return str(path.absolute())


def _suffix(file: File) -> str:
    known = mimetypes.guess_extension(file.mime_type) if file.mime_type else None
    return known or ""
