"""Find the container of a person's sound by its first bytes.

Filenames and media types are often wrong.
"""

from enum import StrEnum
from typing import IO

from bot.core.containers import container_of
from bot.core.headers import format_of
from bot.core.mpeg import frames_in


class Recorded(StrEnum):
    """The containers that a sound may have. The values are the names of libav's demuxers."""

    MP3 = "mp3"
    """MPEG audio layer III or II."""
    AAC = "aac"
    LATM = "loas"
    MP4 = "mov"
    """M4A, M4B, 3GP and QuickTime."""
    OGG = "ogg"
    FLAC = "flac"
    WAV = "wav"
    """WAV, or RF64 and BW64, which are WAV over 4 GB."""
    WAVE64 = "w64"
    AIFF = "aiff"
    CAF = "caf"
    AU = "au"
    AMR = "amr"
    MATROSKA = "matroska"
    """Matroska and WebM."""
    ASF = "asf"
    """WMA."""
    AC3 = "ac3"
    DTS = "dts"
    WAVPACK = "wv"
    MONKEY = "ape"
    TRUE_AUDIO = "tta"
    MUSEPACK = "mpc"
    MUSEPACK_8 = "mpc8"
    TAK = "tak"
    DSD = "dsf"
    VOC = "voc"


_MAGIC = (
    (b"OggS", Recorded.OGG),
    (b"fLaC", Recorded.FLAC),
    (b"caff", Recorded.CAF),
    (b".snd", Recorded.AU),
    (b"#!AMR", Recorded.AMR),
    (b"\x1a\x45\xdf\xa3", Recorded.MATROSKA),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Recorded.ASF),
    (b"\x0b\x77", Recorded.AC3),
    (b"\x7f\xfe\x80\x01", Recorded.DTS),
    (b"wvpk", Recorded.WAVPACK),
    (b"MAC ", Recorded.MONKEY),
    (b"TTA1", Recorded.TRUE_AUDIO),
    (b"MP+", Recorded.MUSEPACK),
    (b"MPCK", Recorded.MUSEPACK_8),
    (b"tBaK", Recorded.TAK),
    (b"DSD ", Recorded.DSD),
    (b"Creative Voice File\x1a", Recorded.VOC),
    (b"riff\x2e\x91\xcf\x11", Recorded.WAVE64),
)
_WAVES = frozenset({b"RIFF", b"RIFX", b"RF64", b"BW64"})
_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
"""Boxes that an MP4 or a QuickTime file begins with."""
_REACH = 256_000
"""Bytes in which the first sound frame of an MPEG stream without a container is searched for."""
_MOST_TAGS = 8
"""Most tags in a row that are skipped."""
_APE_HEAD = 32
"""Bytes of the header of an APE tag."""


def found_in(file: IO[bytes]) -> tuple[Recorded, int] | None:
    """Return the container and the byte at which it begins; None for an unknown kind of file."""
    start = _behind_tags(file)
    file.seek(start)
    head = file.read(_REACH)
    kind = _container(head) or _frames(head)
    if kind is Recorded.MP4 and format_of(file) is not None:
        return None  # a HEIF is in the same boxes
    if kind:
        return kind, start
    # Cut recordings and radio streams have other bytes before the first frame.
    may_be_bare = container_of(head) is None and format_of(file) is None
    if may_be_bare and (found := frames_in(head)):
        return Recorded(found[0]), start + found[1]
    return (Recorded.MP3, start) if start else None


def _behind_tags(file: IO[bytes]) -> int:
    """Return the byte at which the sound begins, after any ID3 and APE tags."""
    at = 0
    for _ in range(_MOST_TAGS):
        file.seek(at)
        tag = file.read(_APE_HEAD)
        if tag[:3] == b"ID3" and len(tag) >= 6:
            size = 0
            for each in tag[6:10]:
                size = size << 7 | each & 0x7F
            at += 10 + size + (10 if tag[5] & 0x10 else 0)
        elif tag[:8] == b"APETAGEX" and len(tag) == _APE_HEAD:
            at += _APE_HEAD + int.from_bytes(tag[12:16], "little")
        else:
            break
    return at


def _container(head: bytes) -> Recorded | None:
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] in _WAVES and head[8:12] == b"WAVE":
        return Recorded.WAV
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return Recorded.AIFF
    return Recorded.MP4 if head[4:8] in _BOXES else None


def _frames(head: bytes) -> Recorded | None:
    """Return the kind of MPEG sound whose frame header `head` begins with; None for other bytes."""
    if len(head) < 3:
        return None
    sync = int.from_bytes(head[:2])
    if sync & 0xFFF6 == 0xFFF0:
        return Recorded.AAC
    if sync & 0xFFE0 == 0x56E0:
        return Recorded.LATM
    version, layer = sync >> 3 & 3, sync >> 1 & 3
    rate, sampling = head[2] >> 4, head[2] >> 2 & 3
    fits = sync & 0xFFE0 == 0xFFE0 and version != 1 and layer in (1, 2)
    return Recorded.MP3 if fits and rate != 15 and sampling != 3 else None
