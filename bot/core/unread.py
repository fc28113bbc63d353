"""The kinds of files that people send as a picture and that are not read: they are told the name.

A name, a type or the first bytes tell which it is. Names of kinds are the same in every language.
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
FILM_SUFFIXES = frozenset(
    {
        *(".mp4", ".m4v", ".mov", ".qt", ".webm", ".mkv", ".avi", ".wmv", ".flv", ".3gp", ".3g2"),
        *(".mpg", ".mpeg", ".mts", ".m2ts", ".ogv"),
    }
)
NOTES = frozenset(
    f"audio/{each}"
    for each in ("midi", "mid", "x-midi", "x-mid", "sp-midi", "x-mpegurl", "mpegurl")
)
"""Types of notes and playlists: there is nothing in them to hear."""
_OF_TYPE = {
    "image/jxl": "JPEG XL",
    "image/jp2": "JPEG 2000",
    "image/jpx": "JPEG 2000",
    "image/bmp": "BMP",
    "image/x-ms-bmp": "BMP",
    "image/tiff": "TIFF",
    "image/x-icon": "ICO",
    "image/vnd.microsoft.icon": "ICO",
    "image/svg+xml": "SVG",
    "image/vnd.adobe.photoshop": "PSD",
    "image/x-tga": "TGA",
    "image/vnd.radiance": "HDR",
    "image/x-exr": "EXR",
    "image/x-adobe-dng": "camera raw",
    "image/x-canon-cr2": "camera raw",
    "image/x-canon-cr3": "camera raw",
    "image/x-nikon-nef": "camera raw",
    "image/x-sony-arw": "camera raw",
    "application/pdf": "PDF",
    "application/postscript": "EPS",
    "application/x-tgsticker": "TGS",
}
_MAGIC = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"BM", "BMP"),
    (b"II\x2a\0\x10\0\0\0CR", "camera raw"),
    (b"II\x2a\0", "TIFF"),
    (b"MM\0\x2a", "TIFF"),
    (b"II\x2b\0", "TIFF"),
    (b"MM\0\x2b", "TIFF"),
    (b"FUJIFILMCCD-RAW", "camera raw"),
    (b"IIRO", "camera raw"),
    (b"IIRS", "camera raw"),
    (b"IIU\0", "camera raw"),
    (b"FOVb", "camera raw"),
    (b"\0MRM", "camera raw"),
    (b"\0\0\2\0\0\0", "TGA"),  # a cursor of no pictures is none
    (b"\0\0\1\0", "ICO"),
    (b"\0\0\2\0", "ICO"),
    (b"8BPS", "PSD"),
    (b"#?RADIANCE", "HDR"),
    (b"#?RGBE", "HDR"),
    (b"\x76\x2f\x31\x01", "EXR"),
    (b"DDS ", "DDS"),
    (b"qoif", "QOI"),
    (b"%PDF", "PDF"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"\x1f\x8b", "TGS"),
)
"""A moving sticker of Telegram is packed by gzip; no picture is."""
_HEAD = 1_024
_RAW = b"crx "
"""The brand of Canon's CR3, which shares the boxes of MP4."""


def named(filename: str | None, media_type: str | None) -> str | None:
    """The kind by its name or its type; None for what is read, and for what is no picture."""
    suffix, said = _suffix(filename), (media_type or "").partition(";")[0].strip().lower()
    return _OF_SUFFIX.get(suffix) or _OF_TYPE.get(said) or _DOCUMENT_OF.get(suffix)


def is_meant_as_picture(filename: str | None, media_type: str | None) -> bool:
    """Whether a file is a picture of a kind that is not read, and not a document."""
    kind = named(filename, media_type)
    return kind is not None and kind not in _DOCUMENTS


def refusal_by_name(filename: str | None, media_type: str | None) -> Refused:
    """The refusal of a file that, by its name and its type, is no picture that is read."""
    if kind := named(filename, media_type):
        return Refused("picture_kind", kind=kind)
    said = (media_type or "").strip().lower()
    if said in NOTES:
        return Refused("no_sound")
    is_film = said.startswith("video/") or _suffix(filename) in FILM_SUFFIXES
    return MovesAlready() if is_film else NoPicture()


def refusal_of(file: IO[bytes]) -> Refused:
    """The refusal of a file that, by its bytes, is no picture that is read."""
    file.seek(0)
    head = file.read(_HEAD)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return Refused("picture_kind", kind=kind)
    if head[4:8] == b"ftyp" and head[8:12] == _RAW:
        return Refused("picture_kind", kind="camera raw")
    if b"<svg" in head.lower():
        return Refused("picture_kind", kind="SVG")
    return PictureFormat() if container_of(head) is None else MovesAlready()


def _suffix(filename: str | None) -> str:
    return PurePath((filename or "").strip().lower()).suffix
