"""Which files of people may be pictures or sounds: their names and types are hints.

Phones, browsers and networks name the same file differently, or not at all. So a hint decides only
whether a file is worth a look; `headers` then goes by its bytes.
"""

from pathlib import PurePath

PICTURE_SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo"),
        *(".png", ".apng", ".webp", ".gif"),
        *(".heic", ".heif", ".heics", ".heifs", ".hif", ".avif", ".avifs"),
    }
)
SOUND_SUFFIXES = frozenset(
    {
        *(".mp3", ".mp2", ".mpga", ".m4a", ".m4b", ".m4r", ".aac", ".adts", ".alac"),
        *(".wav", ".wave", ".rf64", ".bwf", ".w64", ".aif", ".aiff", ".aifc", ".caf", ".au"),
        *(".3ga", ".3gp"),
        *(".snd", ".ogg", ".oga", ".opus", ".spx", ".flac", ".weba", ".mka", ".amr", ".awb"),
        *(".wma", ".ac3", ".eac3", ".dts", ".wv", ".ape", ".tta", ".mpc", ".tak", ".dsf", ".voc"),
    }
)
PICTURE_TYPES = frozenset(
    f"image/{each}"
    for each in (
        *("jpeg", "jpg", "jpe", "jfif", "pjpeg", "x-jpeg", "x-jpg", "x-citrix-jpeg", "mpo"),
        *("png", "x-png", "x-citrix-png", "apng", "vnd.mozilla.apng"),
        *("webp", "x-webp", "gif", "x-gif"),
        *("heic", "heif", "heic-sequence", "heif-sequence", "x-heic", "x-heif"),
        *("avif", "avif-sequence", "x-avif"),
    )
)
SOUND_TYPES = frozenset({"application/ogg", "application/x-ogg"})
"""Types of sounds besides `audio/…`."""

_VAGUE = frozenset(
    {
        *("", "image", "image/*", "audio", "*/*", "file", "unknown", "unknown/unknown"),
        *("application/octet-stream", "binary/octet-stream", "application/octetstream"),
        *("application/binary", "application/x-binary", "application/unknown"),
        *("application/download", "application/x-download", "application/force-download"),
        *("application/x-unknown", "application/x-unknown-content-type", "content/unknown"),
        *("application/mp4", "application/file", "multipart/form-data"),
    }
)
"""Types that say nothing: the name decides."""
_NOTES = frozenset(
    f"audio/{each}"
    for each in ("midi", "mid", "x-midi", "x-mid", "sp-midi", "x-mpegurl", "mpegurl")
)
"""Notes and playlists: there is nothing in them to hear."""


def may_be_picture(filename: str | None, media_type: str | None) -> bool:
    """Whether a file is worth a look as a picture."""
    named, said = _suffix(filename) in PICTURE_SUFFIXES, _bare(media_type)
    if said in PICTURE_TYPES:
        return True
    return named and (said in _VAGUE or said.startswith(("image/", "application/")))


def may_be_sound(filename: str | None, media_type: str | None) -> bool:
    """Whether a file is worth a look as a sound.

    Some call an M4A or an OGG a film, as its container also holds films: its name knows better.
    """
    named, said = _suffix(filename) in SOUND_SUFFIXES, _bare(media_type)
    if said in SOUND_TYPES or (said.startswith("audio/") and said not in _NOTES):
        return True
    return named and (said in _VAGUE or said.startswith(("video/", "application/")))


def _suffix(filename: str | None) -> str:
    return PurePath((filename or "").strip().lower()).suffix


def _bare(media_type: str | None) -> str:
    """The type without its parameters: `audio/ogg; codecs=opus` is `audio/ogg`."""
    return (media_type or "").partition(";")[0].strip().lower()
