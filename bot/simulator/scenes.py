"""A requested video, and its frames one after another.

Without a picture, a zoetrope turns above the text of the prompt. With one picture, the view moves
over it slowly; two pictures fade into each other. This module only draws: it knows nothing of
HTTP, models or video files.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from urllib.parse import urlsplit

from PIL import Image, ImageDraw, ImageOps

from bot.simulator import lettering, zoetrope

FPS = 24
ZOOM = 1.16  # the largest magnification of the slow move over a picture

Picture = bytes | str  # a picture file, or its URL, which is never fetched
Voice = bytes | str  # a sound file, or its URL, which is never fetched
Painter = Callable[[int], Image.Image]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A requested video; width and height are even, in pixels."""

    model: str
    prompt: str
    width: int
    height: int
    seconds: int
    pictures: tuple[Picture, ...] = ()
    sound: bool = True
    voice: Voice | None = None  # the sound of the request; None for a sound of our own
    watermark: bool = False
    seed: int = 0

    @property
    def mood(self) -> int:
        """A number that selects colours and sound, always the same for the same prompt and seed."""
        return zlib.crc32(self.prompt.encode(errors="replace")) + self.seed


def frames(scene: Scene) -> Iterator[Image.Image]:
    """Draw every frame, of exactly the video's size.

    Raises `ValueError` if a picture file can't be read to its end.
    """
    size = (scene.width, scene.height)
    total = scene.seconds * FPS
    match [_fitted(picture, size) for picture in scene.pictures]:
        case []:
            paint = _words(scene)
        case [only]:
            paint = _move(only, size, total, scene.mood)
        case [first, last, *_]:
            paint = _melt(first, last, size, total, scene.mood)
    badge, corner = _badge(scene)
    for number in range(total):
        frame = paint(number)
        frame.paste(badge, corner, badge)
        yield frame


# ---------------------------------------------------------------------------- painters


def _words(scene: Scene) -> Painter:
    palette = zoetrope.PALETTES[scene.mood % len(zoetrope.PALETTES)]
    width, height = scene.width, scene.height
    words = lettering.block(
        scene.prompt,
        width=round(width * 0.8),
        height=round(height * 0.2),
        largest=max(round(min(width, height) * 0.06), 9),
    )

    def paint(number: int) -> Image.Image:
        frame = zoetrope.draw(width, height, palette, number)
        if words:
            middle = round(height * 0.84 - words.height / 2)
            frame.paste(words, ((width - words.width) // 2, middle), words)
        return frame

    return paint


def _move(picture: Image.Image, size: tuple[int, int], total: int, mood: int) -> Painter:
    """Return a painter of frames that zooms in or out of a picture and moves to one side."""
    side = math.pi / 4 * (2 * (mood % 4) + 1)
    back = mood % 2 == 1

    def paint(number: int) -> Image.Image:
        way = _ease(number / max(total - 1, 1))
        near = 1 - way if back else way
        share = 1 / (1 + (ZOOM - 1) * near)
        wide, high = picture.width * share, picture.height * share
        left = (picture.width - wide) / 2 * (1 + 0.7 * math.cos(side))
        top = (picture.height - high) / 2 * (1 + 0.7 * math.sin(side))
        box = (left, top, left + wide, top + high)
        return picture.resize(size, Image.Resampling.BILINEAR, box=box)

    return paint


def _melt(
    first: Image.Image, last: Image.Image, size: tuple[int, int], total: int, mood: int
) -> Painter:
    """Return a painter of frames that fades from `first` to `last` in the video's middle half."""
    before, after = _move(first, size, total, mood & ~1), _move(last, size, total, mood | 1)

    def paint(number: int) -> Image.Image:
        share = _ease((number / max(total - 1, 1) - 0.25) * 2)
        if share <= 0:
            return before(number)
        if share >= 1:
            return after(number)
        return Image.blend(before(number), after(number), share)

    return paint


def _ease(way: float) -> float:
    """Map 0..1 to 0..1 with a smooth start and end; values outside are clamped."""
    way = min(max(way, 0), 1)
    return way * way * (3 - 2 * way)


# ---------------------------------------------------------------------------- pictures


def _fitted(picture: Picture, size: tuple[int, int]) -> Image.Image:
    """Read a picture and crop it to the video's shape, a little larger, for the zoom."""
    wanted = (round(size[0] * ZOOM), round(size[1] * ZOOM))
    if isinstance(picture, str):
        return _placeholder(picture, wanted)
    upright = _upright(picture, wanted)
    if upright.has_transparency_data:
        ground = Image.new("RGBA", upright.size, (255, 255, 255, 255))
        upright = Image.alpha_composite(ground, upright.convert("RGBA"))
    return ImageOps.fit(upright.convert("RGB"), wanted, Image.Resampling.BICUBIC)


def _upright(data: bytes, wanted: tuple[int, int]) -> Image.Image:
    try:
        with Image.open(BytesIO(data)) as picture:
            if picture.getexif().get(0x0112, 1) < 5:  # a drafted size would not fit a turned one
                picture.draft("RGB", wanted)
            return ImageOps.exif_transpose(picture)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("the picture cannot be read") from error


def _placeholder(url: str, size: tuple[int, int]) -> Image.Image:
    """Draw a placeholder for a picture that was given by URL; it shows the URL."""
    width, height = size
    palette = zoetrope.PALETTES[zlib.crc32(url.encode(errors="replace")) % len(zoetrope.PALETTES)]
    picture = Image.new("RGB", size, palette.bottom)
    draw = ImageDraw.Draw(picture)
    across = min(size)
    sun = across * 0.13
    middle = (width * 0.68, height * 0.3)
    draw.ellipse(
        (middle[0] - sun, middle[1] - sun, middle[0] + sun, middle[1] + sun), fill=palette.sun
    )
    for number, colour in enumerate((palette.lights[1], palette.top, palette.drum)):
        draw.polygon(_hills(width, height, number), fill=colour)
    parts = urlsplit(url)
    address = f"{parts.netloc}{parts.path}"
    for text, high, share in (("picture by URL", 0.7, 0.06), (address, 0.82, 0.042)):
        words = lettering.block(
            text,
            width=round(width * 0.7),
            height=round(height * 0.14),
            largest=round(across * share),
        )
        if words:
            corner = ((width - words.width) // 2, round(height * high - words.height / 2))
            picture.paste(words, corner, words)
    return picture


def _hills(width: int, height: int, number: int) -> list[tuple[float, float]]:
    ridge = [
        (x, height * (0.5 + 0.1 * number + 0.07 * math.sin(x / width * (4 + number) + 2 * number)))
        for x in range(0, width + 8, 8)
    ]
    return [(0, height), *ridge, (width, height)]


def _badge(scene: Scene) -> tuple[Image.Image, tuple[int, int]]:
    """Return the small text on every frame that says that the video is simulated."""
    parts = ["simulated", scene.model]
    if scene.watermark:
        parts.insert(0, "AI generated")
    if not scene.pictures and scene.prompt.strip() and not lettering.shown(scene.prompt):
        parts.append("no font here shows this prompt")
    size = max(round(min(scene.width, scene.height) * 0.026), 9)
    badge = lettering.block(
        " · ".join(parts), width=scene.width, height=size * 2, largest=size
    ) or Image.new("RGBA", (1, 1))
    badge.putalpha(badge.getchannel("A").point(lambda v: v * 3 // 4))
    return badge, ((scene.width - badge.width) // 2, scene.height - badge.height - size // 3)
