"""Guess by names and media types which files may be pictures, sounds or videos.

Phones, browsers and networks name the same file differently, or not at all. So a guess decides only
whether a file is worth reading; `headers` then decides by the bytes.
"""

from bot.core.unread import NOTES, VIDEO_SUFFIXES, bare, named, suffix_of

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
        *(".latm", ".loas", ".qta"),
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
"""Media types of sounds other than `audio/…`."""

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
"""Media types without information."""
_OTHERS = frozenset(
    {
        *(".txt", ".md", ".log", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".toml", ".ini"),
        *(".html", ".htm", ".css", ".js", ".ts", ".py", ".c", ".h", ".cpp", ".java", ".rs", ".go"),
        *(".sh", ".bat", ".sql", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods"),
        *(".odp", ".rtf", ".epub", ".mobi", ".zip", ".rar", ".7z", ".tar", ".gz", ".bz2", ".xz"),
        *(".zst", ".iso", ".dmg", ".exe", ".msi", ".apk", ".ipa", ".deb", ".rpm", ".jar", ".dll"),
        *(".ttf", ".otf", ".woff", ".woff2", ".srt", ".vtt", ".ass", ".ics", ".vcf", ".eml"),
        *(".stl", ".obj", ".fbx", ".glb", ".gltf", ".blend", ".torrent", ".db", ".sqlite"),
        *(".mid", ".midi", ".m3u", ".m3u8", ".pls", ".safetensors", ".ckpt", ".gguf", ".pt"),
    }
)
"""Extensions of files that are neither pictures nor sounds."""


def may_be_picture(filename: str | None, media_type: str | None) -> bool:
    """Whether a file may be a picture: its name and type say so, or say nothing else."""
    suffix, said = suffix_of(filename), bare(media_type)
    if is_called_picture(filename, media_type):
        return True
    is_other = named(filename, media_type) or suffix in _OTHERS | SOUND_SUFFIXES | VIDEO_SUFFIXES
    return not is_other and (said in _VAGUE or said.startswith("image/"))


def is_called_picture(filename: str | None, media_type: str | None) -> bool:
    """Whether a file's name or type says that the file is a picture.

    Telegram keeps the name of a GIF that it converts to a video. There the type decides.
    """
    said = bare(media_type)
    is_named = suffix_of(filename) in PICTURE_SUFFIXES
    return said in PICTURE_TYPES or (is_named and not said.startswith(("video/", "audio/")))


def may_be_sound(filename: str | None, media_type: str | None) -> bool:
    """Whether a file may be a sound, by its name and type.

    Some clients call an M4A or OGG a video, as its container can hold one. There the name decides.
    """
    is_named, said = suffix_of(filename) in SOUND_SUFFIXES, bare(media_type)
    if said in SOUND_TYPES or (said.startswith("audio/") and said not in NOTES):
        return True
    return is_named and (said in _VAGUE or said.startswith(("video/", "application/", "text/")))


def may_hold_sound(filename: str | None, media_type: str | None) -> bool:
    """Whether a file that a person sends as a sound may be a sound.

    A video container may hold a sound alone.
    """
    suffix, said = suffix_of(filename), bare(media_type)
    if may_be_sound(filename, media_type) or said.startswith("video/"):
        return True
    is_other = named(filename, media_type) or suffix in _OTHERS | PICTURE_SUFFIXES
    return said in _VAGUE and not is_other


def may_be_video(filename: str | None, media_type: str | None) -> bool:
    """Whether a file that a person sends as a video may be one: its name or its type says so, or
    both say nothing."""
    suffix, said = suffix_of(filename), bare(media_type)
    if said.startswith("video/") or suffix in VIDEO_SUFFIXES:
        return True
    is_other = named(filename, media_type) or suffix in _OTHERS | PICTURE_SUFFIXES | SOUND_SUFFIXES
    return said in _VAGUE and not is_other
