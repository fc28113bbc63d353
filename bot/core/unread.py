"""Kinds of files that people send as a picture and that the bot can't read.

The refusal names the kind. A filename, a media type or the first bytes tell it. Names of kinds are
the same in every language.
"""

from pathlib import PurePath
from typing import IO

from bot.core.containers import container_of
from bot.core.errors import MovesAlready, NoPicture, PictureFormat, Refused

_SUFFIXES = {
    "JPEG XL": (".jxl",),
    "JPEG 2000": (".jp2", ".j2k", ".jpf", ".jpx", ".jpm", ".j2c", ".jpc"),
    "BMP": (".bmp", ".dib"),
    "TIFF": (".tif", ".tiff"),
    "ICO": (".ico", ".cur"),
    "SVG": (".svg", ".svgz"),
    "PSD": (".psd", ".psb"),
    "TGA": (".tga",),
    "HDR": (".hdr", ".rgbe"),
    "EXR": (".exr",),
    "DDS": (".dds",),
    "QOI": (".qoi",),
    "camera raw": (
        *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".raf", ".orf"),
        *(".rw2", ".pef", ".srw", ".x3f", ".raw", ".rwl", ".3fr", ".iiq", ".erf", ".mrw"),
    ),
}
_DOCUMENTS = {"PDF": (".pdf",), "EPS": (".eps", ".ps", ".ai"), "TGS": (".tgs",)}
_OF_SUFFIX = {suffix: kind for kind, all_ in _SUFFIXES.items() for suffix in all_}
_DOCUMENT_OF = {suffix: kind for kind, all_ in _DOCUMENTS.items() for suffix in all_}
VIDEO_SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".wmv", ".flv", ".3gp", ".3g2"),
        *(".mpg", ".mpeg", ".mts", ".m2ts", ".ogv"),
    }
)
NOTES = frozenset(
    f"audio/{each}"
    for each in ("midi", "mid", "x-midi", "x-mid", "sp-midi", "x-mpegurl", "mpegurl")
)
"""Media types of musical notes and playlists, which contain no sound."""
_TYPES = {
    "JPEG XL": ("image/jxl",),
    "JPEG 2000": ("image/jp2", "image/jpx"),
    "BMP": ("image/bmp", "image/x-ms-bmp"),
    "TIFF": ("image/tiff",),
    "ICO": ("image/x-icon", "image/vnd.microsoft.icon"),
    "SVG": ("image/svg+xml",),
    "PSD": ("image/vnd.adobe.photoshop",),
    "TGA": ("image/x-tga",),
    "HDR": ("image/vnd.radiance",),
    "EXR": ("image/x-exr",),
    "camera raw": ("image/x-adobe-dng", "image/x-canon-cr2", "image/x-canon-cr3"),
    "PDF": ("application/pdf",),
    "EPS": ("application/postscript",),
    "TGS": ("application/x-tgsticker",),
}
_OF_TYPE = {each: kind for kind, types in _TYPES.items() for each in types}
_CAMERAS = (
    b"II\x2a\0\x10\0\0\0CR",
    b"FUJIVIDEOCCD-RAW",
    b"IIRO",
    b"IIRS",
    b"IIU\0",
    b"FOVb",
    b"\0MRM",
)
_MAGIC = {
    "JPEG XL": (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    "JPEG 2000": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    "BMP": (b"BM",),
    "camera raw": _CAMERAS,  # before TIFF, which one of them is as well
    "TIFF": (b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"),
    "TGA": (b"\0\0\2\0\0\0",),  # before ICO: without pictures it is no cursor
    "ICO": (b"\0\0\1\0", b"\0\0\2\0"),
    "PSD": (b"8BPS",),
    "HDR": (b"#?RADIANCE", b"#?RGBE"),
    "EXR": (b"\x76\x2f\x31\x01",),
    "DDS": (b"DDS ",),
    "QOI": (b"qoif",),
    "PDF": (b"%PDF",),
    "EPS": (b"%!PS", b"\xc5\xd0\xd3\xc6"),
    "TGS": (b"\x1f\x8b",),
}
"""The first bytes of each kind. TGS, Telegram's animated sticker, is gzip; no picture is."""
_HEAD = 1_024
_RAW = b"crx "
"""The brand of Canon's CR3, which shares the boxes of MP4."""


def named(filename: str | None, media_type: str | None) -> str | None:
    """Return the kind of a file that can't be read, by its filename or its media type.

    None for pictures that can be read, and for other files.
    """
    suffix, said = suffix_of(filename), bare(media_type)
    return _OF_SUFFIX.get(suffix) or _OF_TYPE.get(said) or _DOCUMENT_OF.get(suffix)


def is_meant_as_picture(filename: str | None, media_type: str | None) -> bool:
    """Whether a file is a picture of a kind that the bot can't read, and not a document."""
    kind = named(filename, media_type)
    return kind is not None and kind not in _DOCUMENTS


def refusal_by_name(filename: str | None, media_type: str | None) -> Refused:
    """Return the error for a file that, by filename and media type, is no readable picture."""
    if kind := named(filename, media_type):
        return Refused("picture_kind", kind=kind)
    said = (media_type or "").strip().lower()
    if said in NOTES:
        return Refused("no_sound")
    is_video = said.startswith("video/") or suffix_of(filename) in VIDEO_SUFFIXES
    return MovesAlready() if is_video else NoPicture()


def refusal_of(file: IO[bytes]) -> Refused:
    """Return the error for a file that, by its first bytes, is no readable picture."""
    file.seek(0)
    head = file.read(_HEAD)
    for kind, beginnings in _MAGIC.items():
        if head.startswith(beginnings):
            return Refused("picture_kind", kind=kind)
    if head[4:8] == b"ftyp" and head[8:12] == _RAW:
        return Refused("picture_kind", kind="camera raw")
    if b"<svg" in head.lower():
        return Refused("picture_kind", kind="SVG")
    return PictureFormat() if container_of(head) is None else MovesAlready()


def suffix_of(filename: str | None) -> str:
    """Return the suffix of a filename in lower case, such as `.png`; "" if there is none."""
    return PurePath((filename or "").strip().lower()).suffix


def bare(media_type: str | None) -> str:
    """Return the media type without its parameters: `audio/ogg; codecs=opus` is `audio/ogg`."""
    return (media_type or "").partition(";")[0].strip().lower()
