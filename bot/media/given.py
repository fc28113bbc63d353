"""Makes our own copy of a video that a person sent, as a model takes it.

Runs in a worker process and does not trust the file. Only pictures and sound are kept, both encoded
again: titles, places, subtitles, other tracks and data hidden behind the video are dropped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import av

from bot.core.clips import VideoFit
from bot.core.containers import Container
from bot.core.errors import CannotShrink, NotAVideo, Refused, VideoDamaged, VideoTruncated
from bot.media.checking import check
from bot.media.encoding import affordable, paced, write
from bot.media.facts import Probe, container_in
from bot.media.reading import end_of_boxes, opened, video_stream
from bot.media.tracks import Plan
from bot.media.videos import glimpse, probe

MOST_DECODED = 8192 * 4320
"""Pixels of the largest frame that is decoded: more need too much memory."""

_INEXACT = 0.1
"""Seconds by which the length of a copy may be off: its sound may end after its last picture."""


def fit_video(source: Path, fit: VideoFit, target: Path) -> Probe:
    """Write `source` to `target` as an MP4 that satisfies `fit`; return facts of the copy.

    Raises `Refused`: `video_format` (none that we read), `video_broken`, `video_demanding`,
    `video_short`, `video_long`, or `video_stays_large` (too many bytes even if it is blurred).
    """
    with _refused():
        if container_in(source) is Container.MP4:
            end_of_boxes(source)
        _check_sides(source)
        clip = glimpse(source)
    if clip.seconds:
        # Before the whole video is decoded: that takes long.
        fit.check(clip.seconds)
    with _refused():
        full = check(source)
        plan = replace(_within(affordable(clip, fit.most_bytes), fit), pace=paced(clip, full))
        if clip.seconds > fit.most_seconds:
            plan = replace(plan, until=Fraction(fit.most_seconds))
        write(source, target, plan, marks=False)
        made = probe(target)
    fit.check(made.seconds)
    if made.seconds > fit.most_seconds + _INEXACT:
        raise Refused("video_long", seconds=made.seconds, most=fit.most_seconds)
    if target.stat().st_size > fit.most_bytes:
        raise Refused("video_stays_large")
    return made


@contextmanager
def _refused() -> Iterator[None]:
    """Translate an error about a foreign video into the refusal that its person reads."""
    try:
        yield
    except (VideoDamaged, VideoTruncated) as error:
        raise Refused("video_broken") from error
    except NotAVideo as error:
        raise Refused("video_format") from error
    except CannotShrink as error:
        raise Refused("video_stays_large") from error
    except MemoryError as error:
        raise Refused("video_demanding") from error
    except (av.FFmpegError, ValueError) as error:
        raise Refused("video_broken") from error


def _check_sides(source: Path) -> None:
    """Raise `Refused("video_demanding")` if a frame has too many pixels to decode one."""
    with opened(source) as container:
        codec = video_stream(container).codec_context
        if codec.width * codec.height > MOST_DECODED:
            raise Refused("video_demanding")


def _within(plan: Plan, fit: VideoFit) -> Plan:
    """Return the plan with a frame of as many pixels as the model takes, and even sides."""
    pixels = plan.width * plan.height
    wanted = min(max(pixels, fit.least_pixels), fit.most_pixels)
    if wanted == pixels:
        return plan
    halves = [side * (wanted / pixels) ** 0.5 / 2 for side in (plan.width, plan.height)]
    width, height = (max(2, 2 * (floor(it) if wanted < pixels else ceil(it))) for it in halves)
    return replace(plan, width=width, height=height)
