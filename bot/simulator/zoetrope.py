"""Draw the animation for a prompt without a picture: a zoetrope that turns in the evening light.

On the inner wall of the drum are drawings of a bird, each with its wings in the next position. As
the drum turns, birds rise from it and fly. This module only draws: it knows sizes and the frames of
the loop, and nothing of prompts, files or video formats.
"""

import functools
import math
from dataclasses import dataclass

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

LOOP = 48  # frames until drum and birds look as they did: the drum has turned by STEPS drawings
STEPS = 2
DRAWINGS = 12
FLOCK = 9
TILT = 0.3  # a circle lying flat, seen a little from above, is this much of its width high
SOFT = 2  # shapes are drawn this many times too large and shrunk, for soft edges


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of the sky from top to bottom, two lights in it, the sun and the drum."""

    top: Colour
    bottom: Colour
    lights: tuple[Colour, Colour]
    sun: Colour
    drum: Colour


PALETTES = (
    Palette(  # dusk
        top=(38, 22, 74),
        bottom=(232, 112, 96),
        lights=((255, 170, 110), (150, 60, 140)),
        sun=(255, 216, 160),
        drum=(40, 20, 58),
    ),
    Palette(  # lagoon
        top=(10, 44, 66),
        bottom=(70, 168, 160),
        lights=((246, 214, 150), (20, 110, 130)),
        sun=(255, 236, 190),
        drum=(8, 36, 52),
    ),
    Palette(  # ember
        top=(60, 18, 40),
        bottom=(240, 148, 84),
        lights=((255, 206, 120), (190, 50, 70)),
        sun=(255, 226, 168),
        drum=(56, 16, 32),
    ),
    Palette(  # lavender
        top=(24, 34, 84),
        bottom=(150, 140, 210),
        lights=((250, 190, 190), (70, 90, 190)),
        sun=(255, 228, 206),
        drum=(22, 24, 62),
    ),
    Palette(  # meadow
        top=(22, 52, 50),
        bottom=(196, 190, 116),
        lights=((250, 220, 140), (60, 130, 100)),
        sun=(255, 240, 196),
        drum=(18, 42, 40),
    ),
)


def draw(width: int, height: int, palette: Palette, frame: int) -> Image.Image:
    """Draw one frame. After `LOOP` frames, everything but the drifting lights repeats."""
    picture = _sky(width, height, palette, frame)
    across = min(width, height * 0.86)
    centre = (width / 2, height * (0.46 if width > height else 0.44))
    _paste(picture, _sun(round(across * 0.66)), palette.sun, (centre[0], centre[1] - across * 0.1))
    turn = frame % LOOP
    drum = _drum(round(across * 0.52), palette, turn)
    corner = (round(centre[0] - drum.width / 2), round(centre[1] - drum.width * TILT / 2))
    picture.paste(drum, corner, drum)
    for bird, offset, strength in _flock(across, turn):
        _paste(
            picture, bird, palette.drum, (centre[0] + offset[0], centre[1] + offset[1]), strength
        )
    return picture


# ------------------------------------------------------------------------------ light


def _sky(width: int, height: int, palette: Palette, frame: int) -> Image.Image:
    """Draw the sky very small and enlarge it, which is fast and makes it smooth."""
    small = (max(width // 12, 8), max(height // 12, 8))
    sky = _fall(palette.top, palette.bottom, small)
    time = frame / 24
    for number, light in enumerate(palette.lights):
        glow = _glow(round(max(small) * 0.9))
        x = small[0] * (0.5 + 0.42 * math.sin(time * 0.5 + 2.6 * number))
        y = small[1] * (0.62 + 0.25 * math.cos(time * 0.4 + 1.9 * number))
        _paste(sky, glow, light, (x, y), 0.75)
    return sky.resize((width, height), Image.Resampling.BILINEAR)


@functools.lru_cache(maxsize=8)
def _fall_mask(size: tuple[int, int]) -> Image.Image:
    return Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)


def _fall(top: Colour, bottom: Colour, size: tuple[int, int]) -> Image.Image:
    sky = Image.new("RGB", size, top)
    sky.paste(bottom, None, _fall_mask(size))
    return sky


@functools.lru_cache(maxsize=8)
def _glow(side: int) -> Image.Image:
    """Return a mask of a round light that fades out towards the edge of its square."""
    rim = Image.radial_gradient("L").resize((side, side), Image.Resampling.BICUBIC)
    return rim.point(lambda v: round(255 * (1 - min(v / 180, 1)) ** 2))


@functools.lru_cache(maxsize=8)
def _sun(side: int) -> Image.Image:
    """Return a mask of a disc that is bright at the top and fades towards its lower edge."""
    disc = Image.new("L", (side * SOFT, side * SOFT))
    ImageDraw.Draw(disc).ellipse((0, 0, side * SOFT - 1, side * SOFT - 1), fill=255)
    fade = Image.linear_gradient("L").resize((side, side)).point(lambda v: 235 - round(v * 0.8))
    return Image.composite(fade, Image.new("L", (side, side)), disc.reduce(SOFT))


# ------------------------------------------------------------------------------- drum


@functools.lru_cache(maxsize=LOOP)
def _drum(width: int, palette: Palette, turn: int) -> Image.Image:
    """Draw the drum at one moment of the loop, on a transparent picture as wide as the drum."""
    radius = width * SOFT / 2
    wall = radius * 0.62
    size = (width * SOFT, round(radius * TILT * 2 + wall + radius * 0.34))
    layer = Image.new("RGBA", size, (*palette.drum, 0))
    draw = ImageDraw.Draw(layer)
    turned = STEPS * turn / LOOP
    rim = (0, 0, 2 * radius, 2 * radius * TILT)
    floor = (0, wall, 2 * radius, wall + 2 * radius * TILT)
    _foot(draw, palette, radius, wall)
    draw.ellipse(rim, fill=(*palette.sun, 255))
    _drawings(draw, palette, radius, wall, turned)
    draw.polygon(_front(radius, wall), fill=(*palette.drum, 255))
    draw.chord(floor, 0, 180, fill=(*palette.drum, 255))
    _slits(draw, palette, radius, wall, turned)
    draw.ellipse(rim, outline=(*palette.drum, 255), width=max(round(radius * 0.022), 2))
    return layer.reduce(SOFT)


def _foot(draw: ImageDraw.ImageDraw, palette: Palette, radius: float, wall: float) -> None:
    base = wall + 2 * radius * TILT
    draw.rectangle((radius * 0.95, wall, radius * 1.05, base + radius * 0.22), fill=palette.drum)
    foot = (radius * 0.62, base + radius * 0.16, radius * 1.38, base + radius * 0.32)
    draw.ellipse(foot, fill=palette.drum)


def _front(radius: float, wall: float) -> list[Point]:
    near = [_on_rim(radius, math.pi * step / 40) for step in range(41)]
    return near + [(x, y + wall) for x, y in reversed(near)]


def _on_rim(radius: float, angle: float) -> Point:
    return radius + radius * math.cos(angle), radius * TILT * (1 + math.sin(angle))


def _drawings(
    draw: ImageDraw.ImageDraw, palette: Palette, radius: float, wall: float, turned: float
) -> None:
    """Draw the strip of birds on the far inner wall, seen over the near rim."""
    for number in range(DRAWINGS):
        angle = 2 * math.pi * (number + turned) / DRAWINGS
        if math.sin(angle) > 0:
            continue
        x, y = _on_rim(radius * 0.999, angle)
        span = radius * 0.19
        squeeze = max(-math.sin(angle), 0.05)
        shape = [
            (x + span * squeeze * px, y + wall * 0.36 + span * py)
            for px, py in _bird(3 * angle + 2 * math.pi * turned / STEPS)
        ]
        draw.polygon(shape, fill=palette.drum)


def _slits(
    draw: ImageDraw.ImageDraw, palette: Palette, radius: float, wall: float, turned: float
) -> None:
    for number in range(DRAWINGS):
        angle = 2 * math.pi * (number + 0.5 + turned) / DRAWINGS
        if math.sin(angle) < 0.04:
            continue
        left, right = _on_rim(radius, angle + 0.035), _on_rim(radius, angle - 0.035)
        top, bottom = wall * 0.14, wall * 0.6
        shape = [
            (left[0], left[1] + top), (right[0], right[1] + top),
            (right[0], right[1] + bottom), (left[0], left[1] + bottom),
        ]  # fmt: skip
        draw.polygon(shape, fill=palette.sun)


# ------------------------------------------------------------------------------ birds


def _flock(across: float, turn: int) -> list[tuple[Image.Image, Point, float]]:
    """Return the birds that rise from the drum in a widening spiral.

    For each bird: its mask, its offset from the drum, and its opacity.
    """
    flock = []
    for number in range(FLOCK):
        way = (number + turn / LOOP) / FLOCK
        angle = 2 * math.pi * (0.16 - 1.35 * way)
        reach = across * (0.12 + 0.36 * way)
        offset = (
            reach * math.cos(angle),
            across * (-0.02 - 0.5 * way) + reach * TILT * math.sin(angle),
        )
        span = across * (0.022 + 0.05 * way) * (1 + 0.25 * math.sin(angle))
        beat = 2 * math.pi * (2 * turn / LOOP) + 9 * way
        strength = min(way * 6, 1, (1 - way) * 5)
        flock.append((_flying(span, beat, 0.2 * math.cos(angle)), offset, strength))
    return flock


def _flying(span: float, beat: float, lean: float) -> Image.Image:
    half = round(span * 1.25) * SOFT
    mask = Image.new("L", (2 * half, 2 * half))
    cos, sin = math.cos(lean) * span * SOFT, math.sin(lean) * span * SOFT
    shape = [(half + x * cos - y * sin, half + x * sin + y * cos) for x, y in _bird(beat)]
    ImageDraw.Draw(mask).polygon(shape, fill=255)
    return mask.reduce(SOFT)


def _bird(beat: float) -> list[Point]:
    """Return the outline of a bird, within -1 to 1, at this phase of its wing beat."""
    lift = 0.25 + 0.55 * math.sin(beat)
    tip = (1.0, -lift - 0.1 * math.cos(beat))
    upper = _curve((0.1, -0.08), (0.5, -0.5 * lift - 0.3), tip)
    lower = _curve(tip, (0.5, -0.5 * lift - 0.04), (0.12, 0.12))
    right = upper + lower[1:]
    tail = [(0.05, 0.2), (0.09, 0.34), (0.0, 0.3)]
    head = [(0.0, -0.2), (0.05, -0.17), (0.07, -0.1)]
    side = head + right + tail
    return side + [(-x, y) for x, y in reversed(side)]


def _curve(start: Point, pull: Point, end: Point) -> list[Point]:
    points = []
    for step in range(9):
        t = step / 8
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        points.append(
            (a * start[0] + b * pull[0] + c * end[0], a * start[1] + b * pull[1] + c * end[1])
        )
    return points


def _paste(
    picture: Image.Image, mask: Image.Image, colour: Colour, centre: Point, strength: float = 1.0
) -> None:
    if strength < 1:
        mask = mask.point(lambda v: round(v * strength))
    corner = (round(centre[0] - mask.width / 2), round(centre[1] - mask.height / 2))
    picture.paste(colour, corner, mask)
