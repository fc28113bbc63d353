"""Draw text on pictures: find a font that can show the text, wrap the text and draw it.

Pillow's own font is the prettiest but has Latin letters only. A system font is used if it shows
more of the text. A character that no font can show is left out and not drawn as an empty box.
"""

import functools
import unicodedata

from PIL import Image, ImageDraw, ImageFilter, ImageFont

# An empty name is the font inside Pillow. The rest are the usual names on Linux, macOS, Windows.
FONTS = (
    "",
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "STHeiti Light.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "simsun.ttc",
    "malgun.ttf",
)
NO_CHARACTER = "\U0010ffff"  # no font has it: its drawing is the font's sign for "missing"
INK = (255, 246, 228)
SHADOW = (12, 8, 24)

Font = ImageFont.FreeTypeFont


def block(text: str, *, width: int, height: int, largest: int) -> Image.Image | None:
    """Draw a text, centred and with a soft shadow, on a transparent picture of at most this size.

    If needed, the letters shrink from `largest` pixels to half of it. A text that still doesn't fit
    is cut and ends in an ellipsis. None if no font on this machine shows anything of the text.
    """
    name, words = _readable(text)
    if not words:
        return None
    size = largest
    lines = _wrap(words, _font(name, size), width)
    while _line_height(size) * len(lines) > height and size > max(largest // 2, 9):
        size = max(size - max(size // 12, 1), 9)
        lines = _wrap(words, _font(name, size), width)
    room = max(height // _line_height(size), 1)
    if len(lines) > room:
        lines = [*lines[: room - 1], lines[room - 1].rstrip(" .,;:")[:-1] + "…"]
    return _set(lines, _font(name, size), width)


def shown(text: str) -> str:
    """Return the part of a text that the fonts of this machine can show."""
    return _readable(text)[1]


@functools.lru_cache(maxsize=64)
def _readable(text: str) -> tuple[str, str]:
    """Choose the font that shows most of a text; return its name and the part that it shows."""
    words = " ".join(text[:2000].split())
    best, best_text = "", ""
    for name in FONTS:
        if not _exists(name):
            continue
        kept = "".join(character for character in words if _covers(name, character))
        if len(kept) > len(best_text):
            best, best_text = name, kept
        if len(kept) == len(words):
            break
    return best, " ".join(best_text.split())


@functools.lru_cache(maxsize=256)
def _font(name: str, size: int) -> Font:
    if name:
        return ImageFont.truetype(name, size)
    default = ImageFont.load_default(size)
    assert isinstance(default, Font)  # given a size, Pillow answers with its outline font
    return default


@functools.cache
def _exists(name: str) -> bool:
    try:
        _font(name, 20)
    except OSError:
        return False
    return True


@functools.lru_cache(maxsize=4096)
def _covers(name: str, character: str) -> bool:
    if character == " ":
        return True
    if unicodedata.category(character).startswith("C"):  # controls, joiners, lone surrogates
        return False
    font = _font(name, 20)
    return bytes(font.getmask(character)) != bytes(font.getmask(NO_CHARACTER))


def _wrap(text: str, font: Font, width: int) -> list[str]:
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and font.getlength((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [line.rstrip() for line in lines]


def _pieces(text: str) -> list[str]:
    """Split a text where a line may break: before words, and before each wide (CJK) character."""
    pieces = [""]
    for character in text:
        wide = unicodedata.east_asian_width(character) in "WF"
        # A word longer than any line must break somewhere, or it would leave the picture.
        if character == " " or wide or len(pieces[-1]) >= 24:
            pieces.append("")
        pieces[-1] += character
    return pieces


def _line_height(size: int) -> int:
    return round(size * 1.3)


def _set(lines: list[str], font: Font, width: int) -> Image.Image:
    size = round(font.size)
    margin = size // 2
    canvas = (width + 2 * margin, _line_height(size) * len(lines) + 2 * margin)
    letters = Image.new("L", canvas)
    draw = ImageDraw.Draw(letters)
    for number, line in enumerate(lines):
        centre = (canvas[0] / 2, margin + _line_height(size) * (number + 0.5))
        draw.text(centre, line, fill=255, font=font, anchor="mm")
    shadow = letters.filter(ImageFilter.GaussianBlur(size / 7)).point(lambda v: min(v * 2, 170))
    picture = Image.new("RGBA", canvas, (*SHADOW, 0))
    picture.putalpha(shadow)
    inked = Image.new("RGBA", canvas, (*INK, 0))
    inked.putalpha(letters)
    return Image.alpha_composite(picture, inked)
