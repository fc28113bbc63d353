"""Small pictures and request bodies for tests."""

import base64
from io import BytesIO

import aiohttp
from PIL import Image

RED, BLUE = (200, 30, 40), (30, 40, 200)


def png(colour: tuple[int, int, int] = RED, size: tuple[int, int] = (64, 48)) -> bytes:
    """Return a PNG of one colour."""
    buffer = BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def gif(size: tuple[int, int]) -> bytes:
    """Return a GIF."""
    buffer = BytesIO()
    Image.new("P", size).save(buffer, "GIF")
    return buffer.getvalue()


def data_uri(data: bytes) -> str:
    """Return a picture as a `data:` URI."""
    return "data:image/png;base64," + base64.b64encode(data).decode()


def form(fields: dict[str, str], **files: bytes) -> aiohttp.FormData:
    """Return a multipart body as `curl -F` makes it."""
    body = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        body.add_field(name, value)
    for name, data in files.items():
        body.add_field(name, data, filename=f"{name}.png", content_type="image/png")
    return body
