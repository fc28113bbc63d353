"""Stores the videos of a simulated gateway, so that it still has them after a restart.

There is one JSON file beside each MP4. A video whose rendering was interrupted is rendered once
more; a file that can't be read is skipped.
"""

import base64
import json
import logging
import os
from dataclasses import asdict
from pathlib import Path

from bot.simulator.scenes import Picture, Scene
from bot.simulator.videos import Failure, Video

log = logging.getLogger(__name__)


def keep(video: Video) -> None:
    """Write an accepted video's data to its JSON file, atomically."""
    voice = video.scene.voice
    scene = asdict(video.scene) | {
        "pictures": [_written(each) for each in video.scene.pictures],
        "voice": _written(voice) if voice else None,
    }
    words = {
        "scene": scene,
        "created_at": video.created_at,
        "takes": video.takes,
        "owner": video.owner,
        "failure": asdict(video.failure) if video.failure else None,
        "withheld": asdict(video.withheld) if video.withheld else None,
        "stuck": video.stuck,
        "tick": video.tick,
        "sweep": video.sweep,
        "remixed_from": video.remixed_from,
        "repeated": dict(video.repeated),
    }
    partial = video.path.with_suffix(".json.part")
    with partial.open("w", encoding="utf-8") as file:
        json.dump(words, file)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(video.path.with_suffix(".json"))


def kept(folder: Path) -> list[Video]:
    """Return all videos stored in a folder, in any order. Unreadable files are skipped, logged."""
    found = []
    for file in folder.glob("*.json"):
        try:
            found.append(_read(file))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning("simulator.video_unreadable file=%s error=%r", file, error)
    return found


def _read(file: Path) -> Video:
    words = json.loads(file.read_text("utf-8"))
    scene = words.pop("scene")
    failure, withheld = words.pop("failure"), words.pop("withheld", None)
    pictures = tuple(_picture(each) for each in scene.pop("pictures"))
    voice = scene.pop("voice", None)
    return Video(
        id=file.stem,
        scene=Scene(**scene, pictures=pictures, voice=_picture(voice) if voice else None),
        path=file.with_suffix(".mp4"),
        failure=Failure(**failure) if failure else None,
        withheld=Failure(**withheld) if withheld else None,
        **words,
    )


def _written(picture: Picture) -> dict[str, str]:
    if isinstance(picture, str):
        return {"url": picture}
    return {"base64": base64.b64encode(picture).decode()}


def _picture(written: dict[str, str]) -> Picture:
    return written.get("url") or base64.b64decode(written["base64"])
