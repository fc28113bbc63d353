"""Media in a call: a part of the request, a file id that Telegram gave out, or an address.

The error texts are those of `telegram-bot-api/Client.cpp` and `td/telegram`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from .calls import Call, Upload, bad
from .files import picture_size
from .model import MIB, File, Json, Kind, Media, Size
from .world import World

PHOTO_LIMIT = 10 * MIB
URL_LIMIT = 20 * MIB
URL_PHOTO_LIMIT = 5 * MIB
THUMBNAIL_EDGE = 320
THUMBNAIL_BYTES = 200_000
LONGEST = 10_000
ATTACHED = "attach://"
JPEG = b"\xff\xd8"

FIELDS = ("video", "photo", "document", "animation", "cover")
FOLDERS = {Kind.PHOTO: "photos", Kind.VIDEO: "videos", Kind.ANIMATION: "animations"}


async def fetch_addresses(call: Call) -> None:
    """Fetch the media that the call names by address, from this machine alone."""
    named = [call.text(name) for name in FIELDS]
    if call.method == "editMessageMedia":
        media = input_media(call)
        named += [str(media.get(name, "")) for name in ("media", "cover")]
    for address in named:
        if address.startswith(("http://", "https://")):
            call.fetched[address] = await _fetch(URL(address))


def input_media(call: Call) -> Json:
    """Return the new media of an edit."""
    given = call.parsed("media", "Can't parse input media JSON object")
    if given is None:
        raise bad('Parameter "media" is required')
    if not isinstance(given, dict):
        raise bad("Can't parse InputMedia: expected an Object")
    return given


def read_media(world: World, call: Call, given: Mapping[str, Any], kind: Kind) -> Media | None:
    """Return the media that a call brings, or None.

    `given` holds width, thumbnail and so on, and the file under the name of the kind.
    """
    named = str(given.get(kind, ""))
    has_spoiler = _is_true(given, "has_spoiler")
    known = world.files.media(named)
    if known is not None:
        if known.kind is not kind:
            raise bad(f"can't use file of type {known.kind.title()} as {kind.title()}")
        return replace(known, has_spoiler=has_spoiler)
    upload = _upload(call, named, kind)
    if upload is None:
        return None
    _check(upload, kind)
    made = _photo(world, upload) if kind is Kind.PHOTO else _other(world, call, given, upload, kind)
    return replace(world.files.remember(made), has_spoiler=has_spoiler)


def _upload(call: Call, named: str, kind: Kind) -> Upload | None:
    if not named:
        return call.files.get(kind)
    if named.startswith(ATTACHED):
        return call.files.get(named.removeprefix(ATTACHED))
    if named not in call.fetched:
        raise bad("Wrong file identifier/HTTP URL specified")
    content = call.fetched[named]
    limit = URL_PHOTO_LIMIT if kind is Kind.PHOTO else URL_LIMIT
    if content is None or len(content) > limit:
        raise bad("Failed to get HTTP URL content")
    if content.lstrip().startswith(b"<"):
        raise bad("Wrong type of the web page content")
    return Upload(URL(named).name, content)


def _check(upload: Upload, kind: Kind) -> None:
    if not upload.content:
        raise bad("file must be non-empty")
    if kind is Kind.PHOTO and upload.size > PHOTO_LIMIT:
        most = f"the maximum size is {PHOTO_LIMIT} bytes"
        raise bad(f"file of size {upload.size} bytes is too big for a photo; {most}")


def _photo(world: World, upload: Upload) -> Media:
    try:
        sizes = world.files.store_photo(upload.content)
    except OSError:
        raise bad("IMAGE_PROCESS_FAILED") from None
    largest = sizes[-1]
    return Media(
        kind=Kind.PHOTO,
        file=largest.file,
        sizes=sizes,
        width=largest.width,
        height=largest.height,
    )


def _other(world: World, call: Call, given: Mapping[str, Any], upload: Upload, kind: Kind) -> Media:
    """Return media with the width, height and duration that the call states, as Telegram does for
    large files.
    """
    silent = world.quirks.silent_videos_are_animations and kind is Kind.VIDEO
    moves = kind in (Kind.VIDEO, Kind.ANIMATION)
    return Media(
        kind=Kind.ANIMATION if silent else kind,
        file=_keep(world, upload, kind, "video/mp4" if moves else None),
        width=_number(given, "width"),
        height=_number(given, "height"),
        duration=_number(given, "duration"),
        thumbnail=_thumbnail(world, call, str(given.get("thumbnail", ""))),
        cover=_cover(world, call, str(given.get("cover", ""))),
        supports_streaming=_is_true(given, "supports_streaming"),
    )


def _keep(world: World, upload: Upload, kind: Kind, mime_type: str | None) -> File:
    folder = FOLDERS.get(kind, "documents")
    return world.files.store(
        upload.content, folder=folder, name=upload.filename, mime_type=mime_type
    )


def _thumbnail(world: World, call: Call, named: str) -> Size | None:
    upload = call.files.get(named.removeprefix(ATTACHED) or "thumbnail")
    if upload is None:
        return None
    size = picture_size(upload.content)
    fits = size is not None and max(size) <= THUMBNAIL_EDGE and upload.size <= THUMBNAIL_BYTES
    if size is None or not fits or not upload.content.startswith(JPEG):
        world.complaints.append("a thumbnail that is no JPEG within 320 px and 200 kB is left out")
        return None
    file = world.files.store(upload.content, folder="thumbnails", mime_type="image/jpeg")
    return Size(file=file, width=size[0], height=size[1])


def _cover(world: World, call: Call, named: str) -> File | None:
    known = world.files.find(named)
    if known is not None or not named:
        return known
    upload = _upload(call, named, Kind.PHOTO)
    return None if upload is None else _photo(world, upload).file


def _number(given: Mapping[str, Any], name: str) -> int:
    text = str(given.get(name, "0"))
    return min(int(text), LONGEST) if text.isdigit() else 0


def _is_true(given: Mapping[str, Any], name: str) -> bool:
    return str(given.get(name, "")).lower() == "true"


async def _fetch(address: URL) -> bytes | None:
    if address.host not in ("127.0.0.1", "localhost"):
        return None
    limit = ClientTimeout(total=10)
    try:
        async with ClientSession(timeout=limit) as http, http.get(address) as answer:
            return await answer.read() if answer.ok else None
    except (ClientError, TimeoutError):
        return None
