"""Making a video anew: into an MP4 that plays everywhere, or into fewer bytes.

Runs in a worker process, like all that touches somebody else's file.
"""

from fractions import Fraction
from pathlib import Path

import av

from bot.core.errors import Broken
from bot.media.checking import told_of
from bot.media.judging import Verdict, judge
from bot.media.labels import label
from bot.media.reading import audio_stream, opened, translated, video_stream
from bot.media.tracks import BUFFER_SECONDS, Copied, Heard, Pictures, Plan, Track
from bot.media.videos import Probe, glimpse, probe, see

_MARGIN = 0.98
"""Of the bytes allowed, what we plan to use."""
_LEAST_RATE = 100_000
"""Bits per second; below, a picture is mud."""
_BEST_RATE = 40_000_000
"""A ceiling that no clip of good quality meets."""
_BEST_SIDE = 3840
"""Pixels of the longest side that we make."""
_BEST_PIXELS = 9_000_000
_BEST_PIXELS_PER_SECOND = 500_000_000
"""With more, a film needs a level of H.264 that phones lack."""
_BITS_PER_PIXEL = 0.05
"""With fewer bits per pixel and frame, fewer pixels look better."""
_LEAST_SIDE = 240


def remux(source: Path, target: Path, verdict: Verdict) -> Probe:
    """Make an MP4 that plays everywhere of a `source` whose pictures are good: they are copied.

    Raises `Broken("cannot_copy")` where the source tells too little of its packets for that.
    """
    plan = _same(glimpse(source))
    with translated("cannot_copy"):
        _write(source, target, plan, keeps_pictures=True, keeps_sound=not verdict.sound)
    if judge(see(target)).reasons:
        raise Broken("cannot_copy")
    return probe(target)


def convert(source: Path, target: Path) -> tuple[Probe, tuple[str, ...]]:
    """Make its pictures anew, into an MP4 that plays everywhere; and why that is necessary.

    Sound that is good is copied, if it is not that which could not be. Raises
    `Broken("cannot_convert")`.
    """
    verdict = judge(see(source, told_of(source)))
    keeps_sound = bool(verdict.pictures) and not verdict.sound
    with translated("cannot_convert"):
        _write(source, target, _same(glimpse(source)), keeps_sound=keeps_sound)
    return probe(target), verdict.reasons


def shrink(source: Path, target: Path, most_bytes: int) -> None:
    """Re-encode `source` as H.264 and AAC in at most `most_bytes`, ready to play while loading.

    Raises `Broken("cannot_shrink")` where that would look like nothing.
    """
    clip = probe(source)
    plan = _smaller(clip, most_bytes)
    with translated("cannot_shrink"):
        _write(source, target, plan)
    if target.stat().st_size > most_bytes:
        raise Broken("cannot_shrink")


# ---------------------------------------------------------------- how good, how large


def _same(clip: Probe) -> Plan:
    """As good as it was; where a side is odd, without its last row."""
    pixels = clip.width * clip.height
    scale = min(
        1.0,
        _BEST_SIDE / max(clip.width, clip.height),
        (_BEST_PIXELS / pixels) ** 0.5,
        (_BEST_PIXELS_PER_SECOND / (pixels * clip.frames_per_second)) ** 0.5,
    )
    width, height = (max(2, round(side * scale)) for side in (clip.width, clip.height))
    is_odd = width % 2 or height % 2
    return Plan(
        width=width,
        height=height,
        crop=(width - width % 2, height - height % 2) if is_odd else None,
        orientation=clip.orientation,
        is_interlaced=clip.is_interlaced,
        video_rate=_BEST_RATE,
        audio_rate=160_000,
    )


def _smaller(clip: Probe, most_bytes: int) -> Plan:
    audio_rate = _audio_rate(clip, most_bytes)
    # What the container itself takes: some bytes for every frame and every packet of sound.
    tables = 32_000 + clip.seconds * (clip.frames_per_second * 160 + bool(audio_rate) * 400)
    bits = most_bytes * 8 * _MARGIN - tables - audio_rate * 1.1 * clip.seconds
    # x264 may run ahead of its rate by one full buffer: pay for it beforehand.
    video_rate = int(bits / (clip.seconds + BUFFER_SECONDS))
    if video_rate < _LEAST_RATE:
        raise Broken("cannot_shrink")
    width, height = _affordable_size(clip, video_rate)
    return Plan(
        width=width,
        height=height,
        orientation=clip.orientation,
        is_interlaced=clip.is_interlaced,
        video_rate=video_rate,
        audio_rate=audio_rate,
    )


def _audio_rate(clip: Probe, most_bytes: int) -> int:
    if not clip.has_audio:
        return 0
    return 96_000 if most_bytes * 8 / clip.seconds > 600_000 else 48_000


def _affordable_size(clip: Probe, rate: int) -> tuple[int, int]:
    affordable = rate / clip.frames_per_second / _BITS_PER_PIXEL
    scale = (affordable / (clip.width * clip.height)) ** 0.5
    scale = min(1.0, max(scale, _LEAST_SIDE / min(clip.width, clip.height)))
    width, height = (max(2, round(side * scale / 2) * 2) for side in (clip.width, clip.height))
    return width, height


# ---------------------------------------------------------------- from file to file


def _write(
    source: Path,
    target: Path,
    plan: Plan,
    *,
    keeps_pictures: bool = False,
    keeps_sound: bool = False,
) -> None:
    options = {"movflags": "+faststart+use_metadata_tags"}
    with (
        opened(source) as container,
        av.open(str(target), "w", format="mp4", options=options) as output,
    ):
        output.metadata.update(container.metadata)  # where the video comes from stays in it
        start = max(Fraction(0), Fraction(container.start_time or 0, av.time_base))
        film, sound = video_stream(container), audio_stream(container)
        film.thread_type = "AUTO"
        tracks: dict[int, Track] = {
            film.index: Copied(output, film, start)
            if keeps_pictures
            else Pictures(output, film, start, plan)
        }
        if sound is not None:
            tracks[sound.index] = (
                Copied(output, sound, start)
                if keeps_sound
                else Heard(output, start, plan.audio_rate)
            )
        for packet in container.demux(*([film, sound] if sound else [film])):
            tracks[packet.stream.index].take(packet)
        for track in tracks.values():
            track.end()
    label(target)
