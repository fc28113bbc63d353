"""The small pictures of a film: one frame, or one of every second side by side."""

from dataclasses import replace
from io import BytesIO
from itertools import islice

from PIL import Image

from bot.simulator.scenes import FPS, Film, frames

PARTS = {"thumbnail": ("WEBP", "image/webp"), "spritesheet": ("JPEG", "image/jpeg")}
"""Format and media type of each."""
SHRUNK = 4


def shrunk(film: Film) -> Film:
    """The same film, a quarter as wide and high."""
    width, height = film.width // SHRUNK // 2 * 2, film.height // SHRUNK // 2 * 2
    return replace(film, width=width, height=height)


def draw(film: Film, variant: str) -> bytes:
    """Draw one of `PARTS`; it belongs in a thread. ValueError: a picture cannot be read."""
    small = shrunk(film)
    seconds = 1 if variant == "thumbnail" else film.seconds
    shown = list(islice(frames(small), 0, seconds * FPS, FPS))
    sheet = Image.new("RGB", (small.width * len(shown), small.height))
    for place, frame in enumerate(shown):
        sheet.paste(frame, (place * small.width, 0))
    file = BytesIO()
    sheet.save(file, PARTS[variant][0])
    return file.getvalue()
