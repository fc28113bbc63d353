"""Recognize the container of a video by its first bytes, as file names and types are unreliable."""

from enum import StrEnum

from bot.core.headers import PICTURE_BRANDS

HEAD = 189
"""Bytes needed to recognize any container. Twelve are enough for all but those in `SLOW`."""
SLOW = (b"\x47", b"\x89PNG")
"""The first bytes of a transport stream, and of a PNG, which may be animated."""


class Container(StrEnum):
    """The containers that videos are taken from; the values are libav's names for its demuxers."""

    MP4 = "mp4"
    QUICKTIME = "mov"
    MATROSKA = "matroska"
    """Matroska, including WebM."""
    AVI = "avi"
    FLV = "flv"
    OGG = "ogg"
    ASF = "asf"
    MPEG = "mpeg"
    TRANSPORT = "mpegts"
    GIF = "gif"
    APNG = "apng"
    IVF = "ivf"
    """A simple container for VP8, VP9 or AV1."""


_MAGIC: tuple[tuple[bytes, Container], ...] = (
    (b"\x1a\x45\xdf\xa3", Container.MATROSKA),
    (b"FLV\x01", Container.FLV),
    (b"OggS", Container.OGG),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Container.ASF),
    (b"\x00\x00\x01\xba", Container.MPEG),
    (b"GIF87a", Container.GIF),
    (b"GIF89a", Container.GIF),
    (b"DKIF", Container.IVF),
)
SUFFIXES = {each: each.value for each in Container} | {
    Container.MATROSKA: "mkv",
    Container.OGG: "ogv",
    Container.ASF: "wmv",
    Container.MPEG: "mpg",
    Container.TRANSPORT: "ts",
    Container.APNG: "png",
}
"""The file name extension of each container."""
WEBM = "webm"
"""The extension of a Matroska file that says it is WebM."""
BLANK = b"\xef\xbb\xbf \t\r\n"
"""White space and the byte order mark, which some servers put before a file."""
_OLD_QUICKTIME = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""The first boxes of a QuickTime file that has no `ftyp` box."""


def suffix_of(head: bytes, container: Container) -> str:
    """Return the file name extension for a file that begins with `head`."""
    is_webm = container is Container.MATROSKA and b"\x42\x82\x84webm" in head
    return WEBM if is_webm else SUFFIXES[container]


def container_of(head: bytes) -> Container | None:
    """Return the container of a file that begins with `head`; None if it is no video."""
    kind, brand = head[4:8], head[8:12]
    if kind == b"ftyp":
        if brand in PICTURE_BRANDS:
            return None
        return Container.QUICKTIME if brand == b"qt  " else Container.MP4
    for magic, container in _MAGIC:
        if head.startswith(magic):
            return container
    if head.startswith(b"RIFF") and brand == b"AVI ":
        return Container.AVI
    if head[:1] == b"\x47" and head[188:189] == b"\x47":
        return Container.TRANSPORT
    if head.startswith(b"\x89PNG\r\n\x1a\n") and b"acTL" in head.partition(b"IDAT")[0]:
        return Container.APNG
    return Container.QUICKTIME if kind in _OLD_QUICKTIME else None


def bare(head: bytes) -> bytes:
    """Return `head` without leading white space and byte order mark."""
    return head if container_of(head) else head.lstrip(BLANK)
