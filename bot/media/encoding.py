"""Making a video anew: into an MP4 that plays everywhere, or into fewer bytes.

Runs in a worker process, like all that touches somebody else's file.
"""

import gc
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av

from bot.core.errors import Broken
from bot.media.checking import Told, told_of
from bot.media.facts import Probe
from bot.media.judging import (
    MOST_PER_SECOND,
    MOST_PICTURES,
    MOST_PIXELS,
    MOST_SIDE,
    Verdict,
    has_too_many,
    judge,
)
from bot.media.labels import label
from bot.media.reading import audio_stream, opened, translated, video_stream
from bot.media.times import Timeline
from bot.media.tracks import BUFFER_SECONDS, Copied, Heard, Pictures, Plan, Track
from bot.media.videos import glimpse, probe, see

_MARGIN = 0.98
"""Of the bytes allowed, what we plan to use."""
_LEAST_RATE = 100_000
"""Bits per second; below, a picture is mud."""
_BEST_RATE = 40_000_000
"""A ceiling that no clip of good quality meets."""
_BITS_PER_PIXEL = 0.05
"""With fewer bits per pixel and frame, fewer pixels look better."""
_LEAST_SIDE = 240
_FINEST = 100_000
"""The denominator of a rate, at most: 24000/1001 comes back from its decimals."""


def remux(source: Path, target: Path, verdict: Verdict) -> Probe:
    """Make an MP4 that plays everywhere of a `source` whose pictures are good: they are copied.

    Raises `Broken("cannot_copy")` where the source tells too little of its packets for that.
    """
    plan = _same(glimpse(source))
    with translated("cannot_copy"):
        _write(source, target, plan, keeps_pictures=True, keeps_sound=not verdict.sound)
    if judge(see(target, told_of(target))).reasons:
        raise Broken("cannot_copy")
    return probe(target)


def convert(source: Path, target: Path) -> tuple[Probe, tuple[str, ...]]:
    """Make its pictures anew, into an MP4 that plays everywhere; and why that is necessary.

    Sound that is good is copied, if it is not that which could not be. Raises
    `Broken("cannot_convert")`.
    """
    return _converted(source, target, _same)


def convert_sparingly(source: Path, target: Path) -> tuple[Probe, tuple[str, ...]]:
    """The same with less memory and work, for which large pictures get smaller."""
    return _converted(source, target, _sparing)


def _converted(
    source: Path, target: Path, planned: Callable[[Probe], Plan]
) -> tuple[Probe, tuple[str, ...]]:
    told, clip = told_of(source), glimpse(source)
    seen = see(source, told)
    verdict = judge(seen)
    clip = replace(clip, frames_per_second=seen.pictures_per_second or clip.frames_per_second)
    keeps_sound = bool(verdict.pictures) and not verdict.sound and not told.starts_over
    plan = replace(planned(clip), pace=_pace(clip, told))
    with translated("cannot_convert"):
        _write(source, target, plan, keeps_sound=keeps_sound)
    return probe(target), verdict.reasons


def shrink(source: Path, target: Path, most_bytes: int) -> None:
    """Re-encode `source` as H.264 and AAC in at most `most_bytes`, ready to play while loading.

    Raises `Broken("cannot_shrink")` where that would look like nothing.
    """
    clip = probe(source)
    plan = replace(_smaller(clip, most_bytes), pace=_pace(clip, told_of(source)))
    with translated("cannot_shrink"):
        _write(source, target, plan)
    if target.stat().st_size > most_bytes:
        raise Broken("cannot_shrink")


# ---------------------------------------------------------------- how good, how large


def _sparing(clip: Probe) -> Plan:
    """Half as large as the largest at most; by one thread, as each has pictures of its own."""
    return replace(_same(clip, most_side=MOST_SIDE // 2), threads=1)


def _same(clip: Probe, *, most_side: int = MOST_SIDE) -> Plan:
    """As good as it was; where a side is odd, without its last row."""
    pixels = clip.width * clip.height
    rate = min(clip.frames_per_second, MOST_PICTURES)
    scale = min(
        1.0,
        most_side / max(clip.width, clip.height),
        (MOST_PIXELS / pixels) ** 0.5 * most_side / MOST_SIDE,
        (MOST_PER_SECOND / (pixels * rate)) ** 0.5,
    )
    width, height = (max(2, round(side * scale)) for side in (clip.width, clip.height))
    is_odd = width % 2 or height % 2
    plan = _plan(clip, width, height, video_rate=_BEST_RATE, audio_rate=160_000)
    return replace(plan, crop=(width - width % 2, height - height % 2) if is_odd else None)


def _plan(clip: Probe, width: int, height: int, *, video_rate: int, audio_rate: int) -> Plan:
    """Of this size and quality, and otherwise as it was."""
    return Plan(
        width=width,
        height=height,
        orientation=clip.orientation,
        is_interlaced=clip.is_interlaced,
        video_rate=video_rate,
        audio_rate=audio_rate,
        rate=Fraction(clip.frames_per_second).limit_denominator(_FINEST),
        most_pictures=MOST_PICTURES if has_too_many(clip.frames_per_second) else None,
    )


def _pace(clip: Probe, told: Told) -> Fraction | None:
    """Seconds of each picture, where most of them have the time of another one."""
    if not told.shown or told.at_once * 2 < told.shown:
        return None
    even = Fraction(clip.seconds) / told.shown
    return even if even >= Fraction(1, MOST_PICTURES) else Fraction(1, 25)


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
    return _plan(clip, width, height, video_rate=video_rate, audio_rate=audio_rate)


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
    gc.collect()  # decoders that had a look keep their pictures until then
    options = {"movflags": "+faststart+use_metadata_tags"}
    with (
        opened(source, threads=plan.threads) as container,
        av.open(str(target), "w", format="mp4", options=options) as output,
    ):
        output.metadata.update(container.metadata)  # where the video comes from stays in it
        video, sound = video_stream(container), audio_stream(container)
        video.thread_type = "AUTO"
        pictures: Track = Copied(output, video) if keeps_pictures else Pictures(output, video, plan)
        tracks = {video.index: pictures}
        if sound is not None:
            tracks[sound.index] = (
                Copied(output, sound) if keeps_sound else Heard(output, plan.audio_rate)
            )
        timeline = Timeline(container)
        for packet in container.demux(*([video, sound] if sound else [video])):
            timeline.place(packet)
            tracks[packet.stream.index].take(packet)
        for track in tracks.values():
            track.end()
    with opened(target) as container:
        if video_stream(container).frames != pictures.written:
            raise ValueError("pictures got lost")
    label(target)
