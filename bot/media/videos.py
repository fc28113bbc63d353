"""Examines a gateway's video, whether it is complete and what it contains, and takes stills of it.

Runs in a worker process, because libav is native code and the file is not trusted.
"""

from collections import deque
from contextlib import suppress
from pathlib import Path

import av
from PIL import Image

from bot.core.containers import Container
from bot.core.errors import NotAVideo
from bot.core.jobs import thumbnail_size
from bot.media.brightness import BRIGHT
from bot.media.checking import FullFacts, check
from bot.media.edits import Edits, edits_in
from bot.media.facts import UPRIGHT, Examined, Probe, container_in, suffix_in
from bot.media.judging import Seen, Sound
from bot.media.orientation import is_on_its_side, orientation, turned
from bot.media.reading import (
    WITH_EDITS,
    audio_stream,
    begins_with_index,
    end_of_boxes,
    is_in_parts,
    opened,
    translated,
    video_stream,
    videos,
)

_NOTHING = FullFacts()


def probe(source: Path) -> Probe:
    """Return facts of a complete video whose first frame can be decoded.

    Raises `Broken`: `not_a_video`, or `video_truncated` if an MP4 is incomplete.
    """
    if container_in(source) is Container.MP4:
        end_of_boxes(source)
    seen = glimpse(source)
    if seen.seconds <= 0:
        raise NotAVideo()
    return seen


def glimpse(source: Path) -> Probe:
    """Return the same facts as `probe` also for an incomplete file or one of unknown duration."""
    with translated("not_a_video"), opened(source) as container:
        stream = video_stream(container)
        frame = _frame_at(container, stream, 0.0)
        width, height = _shown_size(stream, frame)
        return Probe(
            width=width,
            height=height,
            seconds=max(0.0, (container.duration or 0) / av.time_base),
            codec=stream.codec_context.name,
            has_audio=audio_stream(container) is not None,
            frames_per_second=float(stream.average_rate or 25),
            orientation=orientation(frame),
            is_interlaced=frame.interlaced_frame,
        )


def examine(source: Path) -> Examined:
    """Check that a gateway's file is complete, and return its facts.

    Raises `Broken`: `not_a_video`, `video_truncated` or `video_damaged`.
    """
    if container_in(source) is Container.MP4:
        end_of_boxes(source)
    full = check(source)
    return Examined(clip=glimpse(source), seen=see(source, full), suffix=suffix_in(source))


def see(source: Path, full: FullFacts = _NOTHING) -> Seen:
    """Return the facts of a video that matter to players; `full`: those that need a full read."""
    kind = container_in(source)
    is_mp4 = kind is Container.MP4
    in_parts = is_mp4 and is_in_parts(source)
    edits = edits_in(source) if kind in WITH_EDITS else Edits.NONE
    with translated("not_a_video"), opened(source) as container:
        stream, sound = video_stream(container), audio_stream(container)
        frame = _frame_at(container, stream, 0.0)
        codec = stream.codec_context
        # The index of a fragmented file does not have the number of pictures.
        stored = stream.frames if kind in WITH_EDITS and not in_parts else 0
        return Seen(
            container=kind,
            codec=codec.name,
            profile=codec.profile,
            pixels=frame.format.name,
            tag=codec.codec_tag,
            width=frame.width,
            height=frame.height,
            has_square_pixels=(stream.sample_aspect_ratio or 1) == 1,
            level=max(0, codec.level),
            is_interlaced=frame.interlaced_frame,
            is_hdr=codec.color_trc in BRIGHT,
            tells_times=(kind is not Container.AVI or not codec.has_b_frames)
            and not (full.at_once or full.starts_over),
            pictures_per_second=_per_second(container, stream, full.shown if in_parts else None),
            has_one_size=full.has_one_size,
            is_upright=orientation(frame) == UPRIGHT,
            is_cut=edits is Edits.FOLLOWED or (bool(stored) and full.shown not in (None, stored)),
            has_odd_edits=edits is Edits.IGNORED,
            sound=_heard(sound, full) if sound else None,
            has_one_track_each=len(videos(container)) == 1
            and len(container.streams.audio) == bool(sound),
            begins_with_index=not is_mp4 or (begins_with_index(source) and not in_parts),
            starts_at=(container.start_time or 0) / av.time_base,
            tells_length=(container.duration or 0) > 0,
            has_tail=is_mp4 and end_of_boxes(source) < source.stat().st_size,
        )


def _per_second(
    container: av.container.InputContainer, stream: av.VideoStream, shown: int | None
) -> float:
    """Return pictures per second. `shown` is the number of pictures of a fragmented file: libav
    knows only those of the first fragment.
    """
    if shown and container.duration:
        return shown * av.time_base / container.duration
    return float(stream.average_rate or 0)


def _heard(sound: av.AudioStream, full: FullFacts) -> Sound:
    codec = sound.codec_context
    return Sound(
        codec=codec.name,
        profile=sound.profile,
        rate=codec.sample_rate,
        channels=codec.channels,
        has_changes=full.sound_changes,
        has_holes=full.has_holes,
        has_overlaps=full.has_overlaps,
    )


def take_thumbnail(source: Path, target: Path) -> None:
    """Write the frame at a third of the video as a JPEG."""
    with translated("not_a_video"), opened(source) as container:
        stream = video_stream(container)
        frame = _frame_at(container, stream, (container.duration or 0) / av.time_base / 3)
        still = _still(frame, thumbnail_size(*_shown_size(stream, frame)))
    still.save(target, "JPEG", quality=85)


def take_last_frame(source: Path, target: Path) -> None:
    """Write the last frame as it is shown, upright and with square pixels, without any loss."""
    with translated("not_a_video"), opened(source) as container:
        stream = video_stream(container)
        frame = _last_frame(container, stream)
        still = _still(frame, _shown_size(stream, frame))
    still.save(target, "PNG")


def _still(frame: av.VideoFrame, size: tuple[int, int]) -> Image.Image:
    still: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]  # bare in its stub
    return turned(still, orientation(frame)).resize(size, Image.Resampling.LANCZOS)


def _shown_size(stream: av.VideoStream, frame: av.VideoFrame) -> tuple[int, int]:
    width = max(1, round(frame.width * (stream.sample_aspect_ratio or 1)))
    is_turned = is_on_its_side(orientation(frame))
    return (frame.height, width) if is_turned else (width, frame.height)


def _frame_at(
    container: av.container.InputContainer, stream: av.VideoStream, second: float
) -> av.VideoFrame:
    if second > 0:
        with suppress(av.FFmpegError):  # a file without an index is read from its beginning
            container.seek(int(second * av.time_base))
    frame = None
    for frame in container.decode(stream):
        if frame.time is not None and frame.time >= second:
            break
    if frame is None:
        raise NotAVideo()
    return frame


def _last_frame(container: av.container.InputContainer, stream: av.VideoStream) -> av.VideoFrame:
    """Return the last frame by decoding to the end: timestamps may start anywhere."""
    for start in ((container.start_time or 0) + (container.duration or 0), 0):
        container.seek(start)  # to the key frame before it
        if last := deque(container.decode(stream), maxlen=1):
            return last[0]
    raise NotAVideo()
