"""Whether a picture is there as a whole: libjpeg paints grey what a JPEG lacks, and only warns.

A header may say more than the file holds, and a transfer may have been cut off.
"""

import io
import math

from PIL import Image

from bot.core.segments import ended, with_more

MOST_MISSING = 0.25
"""Share of its height that a picture may lack at its end; all apps show the rest."""
_GREY = frozenset({127, 128})
"""Levels of pixels that were never there."""
_MORE = bytes(range(1, 255)) * 2


def lacks_its_end(picture: Image.Image, body: bytes) -> bool:
    """Whether more of it is missing than may be. `picture`: the decoded JPEG of `body`."""
    lowest = math.ceil(picture.height * MOST_MISSING)
    end = picture.crop((0, picture.height - lowest, *picture.size))
    levels = (end.getchannel(band).getextrema() for band in end.getbands())
    if not all(_GREY.issuperset(each) for each in levels):
        return False
    # A picture may also be grey: then it has all it needs, and more bytes change nothing.
    whole = ended(body)
    return _glance(whole) != _glance(with_more(whole, _MORE))


def _glance(body: bytes) -> bytes:
    with Image.open(io.BytesIO(body), formats=["JPEG"]) as picture:
        picture.draft(picture.mode, (1, 1))  # an eighth, the least
        return picture.tobytes()
