"""Writes `docs/videos.md`, which shows what becomes of videos: python -m docs.videos_page"""

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
# What becomes of a video

Whatever a gateway made, what is posted is H.264 of 8 bits and 4:2:0 with AAC or no sound, upright,
in an MP4 whose index comes first. The file as it came is kept beside it, byte for byte, with the
content credentials that it may carry; a conversion says in its metadata that a model made it.
[docs/operating.md](operating.md#videos-that-do-not-play-everywhere) says how.

{len(SAMPLES)} kinds were tried. This page is written by `python -m docs.videos_page` from the table
`tests/unit/media/videos.py`. `tests/unit/media/test_playing.py` holds what is seen in each of them
to it; `tests/browser/test_videos.py` takes each the whole way, reads what is posted, compares all
pictures with those of the source, and plays it to its end in a browser.
"""
TABLE = """
| kind | comes as | because of | pictures | sound | size |
|---|---|---|---|---|---|
"""
LAST = f"""
## Not read

Of these the download says *not a video*, as of anything else that is none: {", ".join(UNREAD)}.

## What a video is changed for

| word | says |
|---|---|
"""
PARTS = {
    "Kept as it is": ("H.264 in an MP4, and", KEPT),
    "Put into another file": ("Good pictures and sound, in", REMUXED),
    "Heard anew": ("Good pictures, with", HEARD_ANEW),
    "Seen anew": ("", SEEN_ANEW),
    "All ways up": ("H.264 that a matrix in the file shows", TURNED),
}
REASONS = {
    "codec": "The pictures are no H.264.",
    "pixels": "They have more than 8 bits, other colours than 4:2:0, or the full range.",
    "profile": "The profile of H.264 is none that phones decode.",
    "level": "The level of H.264 is above 5.2.",
    "interlaced": "Each picture is woven of two.",
    "hdr": "The colours are for bright screens, and pale on others.",
    "times": "The container does not tell when each picture is shown, or its times start over.",
    "odd_size": "A side is odd.",
    "size": "A side is above 4096, or there are more pixels than level 5.2 has.",
    "rate": "There are more than 60 pictures a second, or more pixels than level 5.2 has.",
    "sizes": "The size changes on the way. Other pictures are fitted into the first one's.",
    "pixel_shape": "The pixels are not square.",
    "turned": "A matrix turns or mirrors the pictures.",
    "cut": "An edit list leaves pictures out, repeats them or has them in another order.",
    "sound": "The sound is no AAC of at most six channels and 48 kHz.",
    "sound_changes": "The channels or the rate change on the way.",
    "sound_holes": "There are times without any sound; players run ahead of the pictures there.",
    "sound_overlaps": "Two sounds have one time, as where each is a part of its own.",
    "sound_cut": "The sound is cut with the pictures.",
    "container": "The file is no MP4.",
    "index": "The index comes behind the content, or in parts.",
    "tag": "The parameters of the pictures stand in the stream.",
    "tracks": "There is more than one video, or more than one sound.",
    "start": "The first time is not zero.",
    "length": "The index does not say how long it lasts.",
    "edits": "An edit list lets time stand still, or says what nobody does: all is shown once.",
    "tail": "Bytes that belong to nothing lie behind the last box.",
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
"""Codecs, by their encoder."""


def page() -> str:
    """The whole page."""
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
    return "made anew" if is_new else "as they came"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
