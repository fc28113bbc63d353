"""Converts a video to an MP4 that plays everywhere, or to fewer bytes.

Runs in a worker process, like all code that opens foreign files.
"""

import gc
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av

from bot.core.errors import Broken, CannotShrink
from bot.media.checking import FullFacts, full_facts
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
"""The share of the allowed bytes that we plan to use."""
_LEAST_RATE = 100_000
"""Bits per second; below this, pictures are unrecognizable."""
_BEST_RATE = 40_000_000
"""Bits per second: a maximum above the needs of any video of good quality."""
_BITS_PER_PIXEL = 0.05
"""Bits per pixel and frame; with fewer bits, a smaller picture looks better."""
_LEAST_SIDE = 240
_FINEST = 100_000
"""The largest denominator of a frame rate: enough to get 24000/1001 back from its decimals."""


def remux(source: Path, target: Path, verdict: Verdict) -> Probe:
    """Make an MP4 that plays everywhere, with the frames copied and not encoded again.

    Raises `Broken("cannot_copy")` if the source has too little information about its packets.
    """
    plan = _same(glimpse(source))
    with translated("cannot_copy"):
        write(source, target, plan, keeps_pictures=True, keeps_sound=not verdict.sound)
    if judge(see(target, full_facts(target))).reasons:
        raise Broken("cannot_copy")
    return probe(target)


def convert(source: Path, target: Path) -> tuple[Probe, tuple[str, ...]]:
    """Encode the frames again, into an MP4 that plays everywhere; return facts and reasons.

    The sound is copied if only the frames were a problem. Raises `Broken("cannot_convert")`.
    """
    return _converted(source, target, _same)


def convert_sparingly(source: Path, target: Path) -> tuple[Probe, tuple[str, ...]]:
    """Convert as `convert` does with less memory and work: large frames become smaller."""
    return _converted(source, target, _sparing)


def _converted(
    source: Path, target: Path, planned: Callable[[Probe], Plan]
) -> tuple[Probe, tuple[str, ...]]:
    full, clip = full_facts(source), glimpse(source)
    seen = see(source, full)
    verdict = judge(seen)
    clip = replace(clip, frames_per_second=seen.pictures_per_second or clip.frames_per_second)
    keeps_sound = bool(verdict.pictures) and not verdict.sound and not full.starts_over
    plan = replace(planned(clip), pace=paced(clip, full))
    with translated("cannot_convert"):
        write(source, target, plan, keeps_sound=keeps_sound)
    return probe(target), verdict.reasons


def shrink(source: Path, target: Path, most_bytes: int) -> None:
    """Re-encode `source` as H.264 and AAC in at most `most_bytes`, ready to play while loading.

    Raises `Broken("cannot_shrink")` if the result would be unwatchable or too large.
    """
    clip = probe(source)
    plan = replace(affordable(clip, most_bytes), pace=paced(clip, full_facts(source)))
    with translated("cannot_shrink"):
        write(source, target, plan)
    if target.stat().st_size > most_bytes:
        raise CannotShrink()


# ---------------------------------------------------------------- quality and size


def _sparing(clip: Probe) -> Plan:
    """Return a plan with half of the largest side at most, and one thread to save memory."""
    return replace(_same(clip, most_side=MOST_SIDE // 2), threads=1)


def _same(clip: Probe, *, most_side: int = MOST_SIDE) -> Plan:
    """Return a plan that keeps the quality. If a side is odd, its last row or column is cut off."""
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
    """Return a plan with this size and these bit rates; the rest is as in the source."""
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


def paced(clip: Probe, full: FullFacts) -> Fraction | None:
    """Return the seconds per picture if most pictures share a timestamp with another; else None."""
    if not full.shown or full.at_once * 2 < full.shown:
        return None
    even = Fraction(clip.seconds) / full.shown
    return even if even >= Fraction(1, MOST_PICTURES) else Fraction(1, 25)


def affordable(clip: Probe, most_bytes: int) -> Plan:
    """Return a plan for a copy of at most `most_bytes`. Raises `Broken("cannot_shrink")`."""
    audio_rate = _audio_rate(clip, most_bytes)
    # The container itself needs some bytes for every frame and every packet of sound.
    tables = 32_000 + clip.seconds * (clip.frames_per_second * 160 + bool(audio_rate) * 400)
    bits = most_bytes * 8 * _MARGIN - tables - audio_rate * 1.1 * clip.seconds
    # x264 may exceed its rate by one full buffer: reserve that.
    video_rate = min(_BEST_RATE, int(bits / (clip.seconds + BUFFER_SECONDS)))
    if video_rate < _LEAST_RATE:
        raise CannotShrink()
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


# ---------------------------------------------------------------- writing the new file


def write(
    source: Path,
    target: Path,
    plan: Plan,
    *,
    keeps_pictures: bool = False,
    keeps_sound: bool = False,
    marks: bool = True,
) -> None:
    """Write `source` as an MP4 by this plan.

    `marks`: keep the marks of its origin, and mark it as made by a model. A person's has none.
    """
    gc.collect()  # decoders used before keep their pictures until then
    options = {"movflags": "+faststart+use_metadata_tags"}
    with (
        opened(source, threads=plan.threads) as container,
        av.open(str(target), "w", format="mp4", options=options) as output,
    ):
        if marks:
            output.metadata.update(container.metadata)
        video, sound = video_stream(container), audio_stream(container)
        video.thread_type = "AUTO"
        pictures: Track = Copied(output, video) if keeps_pictures else Pictures(output, video, plan)
        tracks = {video.index: pictures}
        if sound is not None:
            tracks[sound.index] = (
                Copied(output, sound) if keeps_sound else Heard(output, plan.audio_rate, plan.until)
            )
        timeline = Timeline(container)
        for packet in container.demux(*([video, sound] if sound else [video])):
            timeline.add(packet)
            tracks[packet.stream.index].take(packet)
        for track in tracks.values():
            track.end()
    with opened(target) as container:
        if video_stream(container).frames != pictures.written:
            raise ValueError("frames were lost")
    if marks:
        label(target)
