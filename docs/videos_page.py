"""Writes `docs/videos.md`, which shows how videos are converted: python -m docs.videos_page"""

from collections.abc import Iterator
from pathlib import Path

from bot.media.judging import Way
from tests.unit.media.videos import (
    HEARD_ANEW,
    KEPT,
    REMUXED,
    SAMPLES,
    SEEN_ANEW,
    TURNED,
    UNREAD,
    way_of,
)

PAGE = Path(__file__).with_name("videos.md")
HEAD = f"""\
# How videos are converted

Every posted video is H.264 (8 bits, 4:2:0) with AAC or no sound, upright, in an MP4 whose index
comes first. Other files are converted. The original is kept beside the conversion, byte for byte,
with any content credentials. A conversion says in its metadata that a model made it.
[docs/operating.md](operating.md#videos-that-do-not-play-everywhere) explains the conversion.

{len(SAMPLES)} kinds of files were tried. `python -m docs.videos_page` writes this page from the
table `tests/unit/media/videos.py`. `tests/unit/media/test_playing.py` checks the verdict on each
file. `tests/browser/test_videos.py` converts and posts each file, compares all its frames with the
source, and plays it to its end in a browser.
"""
TABLE = """
| kind | format | reasons | pictures | sound | posted size |
|---|---|---|---|---|---|
"""
LAST = f"""
## Files that are not read

These files are refused as *not a video*, like any other file that is none: {", ".join(UNREAD)}.

## Reasons for a conversion

| reason | meaning |
|---|---|
"""
PARTS = {
    "Posted as it came": ("H.264 in an MP4, and", KEPT),
    "Copied to a new file (remuxed)": ("Good pictures and sound, in", REMUXED),
    "Sound converted": ("Good pictures, with", HEARD_ANEW),
    "Pictures converted (re-encoded)": ("", SEEN_ANEW),
    "Turned and mirrored videos": ("H.264 that a matrix in the file shows", TURNED),
}
REASONS = {
    "codec": "The pictures are not H.264.",
    "pixels": "The pictures have more than 8 bits, other colours than 4:2:0, or the full range.",
    "profile": "Phones do not decode this profile of H.264.",
    "level": "The level of H.264 is above 5.2.",
    "interlaced": "Each frame contains the lines of two moments.",
    "hdr": "The colours are made for HDR screens, and look pale on others.",
    "times": "The container does not say when each frame is shown, or its times start again.",
    "odd_size": "The width or the height is an odd number.",
    "size": "A side is above 4096, or a frame has more pixels than level 5.2 allows.",
    "rate": "There are more than 60 frames a second, or more pixels than level 5.2 allows.",
    "sizes": "The size changes within the video. Later frames are fitted into the first size.",
    "pixel_shape": "The pixels are not square.",
    "turned": "A matrix turns or mirrors the pictures.",
    "cut": "An edit list leaves out, repeats or reorders frames.",
    "sound": "The sound is not AAC with at most six channels and 48 kHz.",
    "sound_changes": "The channels or the sample rate change within the video.",
    "sound_holes": "The sound has gaps. Players skip them and run ahead of the pictures.",
    "sound_overlaps": "Two pieces of sound have the same time, as in some fragmented files.",
    "sound_cut": "The sound is cut together with the pictures.",
    "container": "The file is not an MP4.",
    "index": "The index comes after the content, or in parts.",
    "tag": "The parameters of H.264 are in the stream instead of the index.",
    "tracks": "There is more than one video, or more than one sound.",
    "start": "The first time is not zero.",
    "length": "The index does not say how long the video lasts.",
    "edits": "An edit list that players treat differently. Everything is shown once.",
    "tail": "There are extra bytes after the last box.",
}
NAMES = {
    "libx264": "h264",
    "libx264rgb": "h264",
    "libx265": "hevc",
    "libsvtav1": "av1",
    "libvpx": "vp8",
    "libvpx-vp9": "vp9",
    "prores_ks": "prores",
    "libopus": "opus",
    "libmp3lame": "mp3",
    "libopencore_amrnb": "amr",
}
"""The codec of each encoder."""


def page() -> str:
    """Return the page as Markdown."""
    words = (f"| `{word}` | {said} |\n" for word, said in REASONS.items())
    return "".join((HEAD, *_parts(), LAST, *words))


def _parts() -> Iterator[str]:
    for title, (words, videos) in PARTS.items():
        yield f"\n## {title}\n"
        yield f"\n{words} …\n" * bool(words)
        yield TABLE
        yield from map(_row, videos)


def _row(name: str) -> str:
    video, way = SAMPLES[name], way_of(name)
    how = video.how
    parts = [video.codec, how.get("pix_fmt"), how.get("sound"), how.get("second_sound")]
    came = " ".join(f"`{NAMES.get(part, part)}`" for part in parts if part)
    why = video.why.split()
    sound = "–" if "sound" not in how else _made("sound" in video.why)
    made = way is Way.REENCODED and not set(why) <= _OF_SOUND
    width, height = video.posted
    because = " ".join(f"`{word}`" for word in why) or "–"
    return (
        f"| {name} | {came} in `{video.container}` | {because} "
        f"| {_made(made)} | {sound} | {width}×{height} |\n"
    )


_OF_SOUND = {
    "sound",
    "sound_holes",
    "sound_overlaps",
    "container",
    "index",
    "start",
    "tag",
    "tracks",
    "tail",
    "edits",
    "length",
}
"""Reasons that leave the pictures alone."""


def _made(is_new: bool) -> str:
    return "converted" if is_new else "copied"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
