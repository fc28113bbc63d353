"""Detects JPEGs whose end is missing: libjpeg fills the missing part with grey and only warns.

The header may announce more than the file holds, or a transfer may have been cut off.
"""

import io
import math

from PIL import Image

from bot.core.segments import ended, with_more

MOST_MISSING = 0.25
"""Share of its height that a picture may lack at its end; all apps show the rest."""
_GREY = frozenset({127, 128})
"""Levels of the pixels with which libjpeg fills a missing part."""
_MORE = bytes(range(1, 255)) * 2


def lacks_its_end(picture: Image.Image, body: bytes) -> bool:
    """Whether more than `MOST_MISSING` of `picture`, the decoded JPEG `body`, is missing."""
    lowest = math.ceil(picture.height * MOST_MISSING)
    end = picture.crop((0, picture.height - lowest, *picture.size))
    levels = (end.getchannel(band).getextrema() for band in end.getbands())
    if not all(_GREY.issuperset(each) for each in levels):
        return False
    # A complete picture may be grey too: then more bytes change nothing.
    whole = ended(body)
    return _glance(whole) != _glance(with_more(whole, _MORE))


def _glance(body: bytes) -> bytes:
    with Image.open(io.BytesIO(body), formats=["JPEG"]) as picture:
        picture.draft(picture.mode, (1, 1))  # an eighth, libjpeg's smallest size
        return picture.tobytes()
