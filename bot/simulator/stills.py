"""Draws small pictures of a video: one frame, or one frame per second side by side."""

from dataclasses import replace
from io import BytesIO
from itertools import islice

from PIL import Image

from bot.simulator.scenes import FPS, Scene, frames

PARTS = {"thumbnail": ("WEBP", "image/webp"), "spritesheet": ("JPEG", "image/jpeg")}
"""Format and media type of each variant."""
SHRUNK = 4


def shrunk(scene: Scene) -> Scene:
    """Return the same video, a quarter as wide and high."""
    width, height = scene.width // SHRUNK // 2 * 2, scene.height // SHRUNK // 2 * 2
    return replace(scene, width=width, height=height)


def draw(scene: Scene, variant: str) -> bytes:
    """Draw one of `PARTS`; call this in a thread. Raises `ValueError` for an unreadable picture."""
    small = shrunk(scene)
    seconds = 1 if variant == "thumbnail" else scene.seconds
    shown = list(islice(frames(small), 0, seconds * FPS, FPS))
    sheet = Image.new("RGB", (small.width * len(shown), small.height))
    for index, frame in enumerate(shown):
        sheet.paste(frame, (index * small.width, 0))
    file = BytesIO()
    sheet.save(file, PARTS[variant][0])
    return file.getvalue()
