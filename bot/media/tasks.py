"""The tasks of worker processes: each calls the function of the same name in another module.

The service only names a task, and the worker imports PyAV and Pillow to run it. So the service
saves 30 MB and never loads their native code.
"""

from pathlib import Path

from bot.core.clips import VideoFit
from bot.core.orders import Fit, SoundFit
from bot.media.facts import Examined, Probe
from bot.media.judging import Verdict

_Size = tuple[int, int]


def fit_pictures(source: Path, fit: Fit, target: Path, whole: Path) -> tuple[_Size, _Size]:
    from bot.media import pictures

    return pictures.fit_pictures(source, fit, target, whole)


def show(source: Path, target: Path) -> None:
    from bot.media import pictures

    pictures.show(source, target)


def shrink_still(source: Path, side: int, target: Path) -> None:
    from bot.media import pictures

    pictures.shrink_still(source, side, target)


def fit_sound(source: Path, fit: SoundFit, target: Path) -> float:
    from bot.media import sounds

    return sounds.fit_sound(source, fit, target)


def fit_video(source: Path, fit: VideoFit, target: Path) -> Probe:
    from bot.media import given

    return given.fit_video(source, fit, target)


def examine(source: Path) -> Examined:
    from bot.media import videos

    return videos.examine(source)


def take_thumbnail(source: Path, target: Path) -> None:
    from bot.media import videos

    videos.take_thumbnail(source, target)


def take_last_frame(source: Path, target: Path) -> None:
    from bot.media import videos

    videos.take_last_frame(source, target)


def remux(source: Path, target: Path, verdict: Verdict) -> Probe:
    from bot.media import encoding

    return encoding.remux(source, target, verdict)


def convert(source: Path, target: Path) -> tuple[Probe, tuple[str, ...]]:
    from bot.media import encoding

    return encoding.convert(source, target)


def convert_sparingly(source: Path, target: Path) -> tuple[Probe, tuple[str, ...]]:
    from bot.media import encoding

    return encoding.convert_sparingly(source, target)


def shrink(source: Path, target: Path, most_bytes: int) -> None:
    from bot.media import encoding

    encoding.shrink(source, target, most_bytes)
