"""The orientation in which a video's pictures are shown, and the filters that turn them.

libav decodes pictures as they are stored; the display matrix beside them says how to show them.
"""

import struct

import av
from av.sidedata.sidedata import SideData
from PIL import Image
from PIL.Image import Transpose

from bot.media.facts import UPRIGHT, Orientation

_SLANT = 0.01
"""Share of the largest number that counts as zero: some programs compute turns inexactly."""

_TURNS: dict[Orientation, tuple[Transpose | None, tuple[tuple[str, str], ...]]] = {
    UPRIGHT: (None, ()),
    (-1, 0, 0, -1): (Transpose.ROTATE_180, (("hflip", ""), ("vflip", ""))),
    (-1, 0, 0, 1): (Transpose.FLIP_LEFT_RIGHT, (("hflip", ""),)),
    (1, 0, 0, -1): (Transpose.FLIP_TOP_BOTTOM, (("vflip", ""),)),
    (0, -1, 1, 0): (Transpose.ROTATE_90, (("transpose", "cclock"),)),
    (0, 1, -1, 0): (Transpose.ROTATE_270, (("transpose", "clock"),)),
    (0, 1, 1, 0): (Transpose.TRANSPOSE, (("transpose", "cclock_flip"),)),
    (0, -1, -1, 0): (Transpose.TRANSVERSE, (("transpose", "clock_flip"),)),
}
"""All turns by 90° and mirrorings: the transposition for stills, and the filters for videos."""


def orientation(frame: av.VideoFrame) -> Orientation:
    """Return the orientation in which players show a decoded picture of a video.

    Players turn a picture by 90°, 180° or 270° and mirror it; any other angle counts as upright.
    `frame.rotation` is not enough: mirrored pictures have an angle, too.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(matrix, SideData):
        return UPRIGHT
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    least = max(map(abs, (a, b, c, d))) * _SLANT
    found = (_sign(a, least), _sign(b, least), _sign(c, least), _sign(d, least))
    return found if found in _TURNS else UPRIGHT


def turns(shown: Orientation) -> tuple[tuple[str, str], ...]:
    """Return names and arguments of the filters that turn a stored picture."""
    return _TURNS[shown][1]


def turned(still: Image.Image, shown: Orientation) -> Image.Image:
    """Return a stored picture as it is shown."""
    way = _TURNS[shown][0]
    return still if way is None else still.transpose(way)


def is_on_its_side(shown: Orientation) -> bool:
    """Whether the orientation swaps width and height."""
    return shown[0] == 0


def _sign(number: int, least: float) -> int:
    return (number > least) - (number < -least)
