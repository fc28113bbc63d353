"""HEIC files as phones write them: H.265 pictures in the boxes of ISO/IEC 23008-12.

Our decoder can't write them, so the boxes are made here.
"""

import io
import struct
from collections.abc import Sequence

import av
from PIL import Image


def heic(
    picture: Image.Image,
    *,
    turns: int = 0,
    mirror: int | None = None,
    exif: bytes = b"",
    tiles: int = 1,
    rows: int = 1,
    brand: bytes = b"heic",
    pix_fmt: str = "yuv420p",
    kind: bytes = b"hvc1",
) -> bytes:
    """Return a HEIC picture.

    `turns` are quarter turns counter-clockwise, `mirror` is 0 (up-down) or 1 (left-right). Several
    `tiles` are arranged in `rows`, as in the pictures of every iPhone. `kind` is the codec that the
    file declares.
    """
    width, height = picture.size
    crops = _cut(picture, tiles, rows)
    part, tall = crops[0].size
    known: dict[bytes, tuple[bytes, bytes]] = {}
    for each in crops:
        if each.tobytes() not in known:
            known[each.tobytes()] = _h265(each, pix_fmt)
    encoded = [known[each.tobytes()] for each in crops]
    items = [(kind, sample) for _, sample in encoded]
    if len(crops) > 1:
        items.append((b"grid", struct.pack(">BBBBHH", 0, 0, rows - 1, tiles - 1, width, height)))
    primary = len(items)
    if exif:
        items.append((b"Exif", struct.pack(">I", 0) + exif))
    shared = [encoded[0][0], _full(b"ispe", struct.pack(">II", part, tall))]
    turned = [_box(b"irot", bytes([turns]))] if turns else []
    turned += [] if mirror is None else [_box(b"imir", bytes([mirror]))]
    if len(crops) == 1:
        properties, owned = [*shared, *turned], {1: [1, 2, *range(3, 3 + len(turned))]}
    else:
        properties = [*shared, _full(b"ispe", struct.pack(">II", width, height)), *turned]
        owned = {number: [1, 2] for number in range(1, primary)}
        owned[primary] = [3, *range(4, 4 + len(turned))]
    references = b""
    if len(crops) > 1:
        references += _reference(b"dimg", primary, range(1, primary))
    if exif:
        references += _reference(b"cdsc", primary + 1, [primary])
    return _file(brand, items, primary, properties, owned, references)


def _cut(picture: Image.Image, columns: int, rows: int) -> list[Image.Image]:
    wide, tall = picture.width // columns, picture.height // rows
    return [
        picture.crop((at * wide, row * tall, (at + 1) * wide, (row + 1) * tall))
        for row in range(rows)
        for at in range(columns)
    ]


def _file(
    brand: bytes,
    items: Sequence[tuple[bytes, bytes]],
    primary: int,
    properties: Sequence[bytes],
    owned: dict[int, list[int]],
    references: bytes,
) -> bytes:
    kinds = b"".join(
        _full(b"infe", struct.pack(">HH", number, 0) + kind + b"\0", version=2)
        for number, (kind, _) in enumerate(items, 1)
    )
    marked = b"".join(
        struct.pack(">HB", number, len(each)) + bytes(0x80 | place for place in each)
        for number, each in owned.items()
    )
    head = _box(
        b"ftyp", brand + bytes(4) + b"mif1" + (brand if brand.startswith(b"he") else b"heic")
    )

    def meta(start: int) -> bytes:
        places, at = b"", start
        for number, (_, body) in enumerate(items, 1):
            places += struct.pack(">HHHII", number, 0, 1, at, len(body))
            at += len(body)
        return _full(
            b"meta",
            _full(b"hdlr", bytes(4) + b"pict" + bytes(13))
            + _full(b"pitm", struct.pack(">H", primary))
            + _full(b"iinf", struct.pack(">H", len(items)) + kinds)
            + (_full(b"iref", references) if references else b"")
            + _box(
                b"iprp",
                _box(b"ipco", b"".join(properties))
                + _full(b"ipma", struct.pack(">I", len(owned)) + marked),
            )
            + _full(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)) + places),
        )

    start = len(head) + len(meta(0)) + 8
    return head + meta(start) + _box(b"mdat", b"".join(body for _, body in items))


def _h265(picture: Image.Image, pix_fmt: str) -> tuple[bytes, bytes]:
    """Return the decoder's configuration as a box, and the one frame."""
    video = io.BytesIO()
    with av.open(video, "w", format="mp4") as output:
        options = {"x265-params": "log-level=none:keyint=1:info=0:crf=4", "preset": "ultrafast"}
        stream = output.add_stream("libx265", rate=1, options=options)
        stream.width, stream.height, stream.pix_fmt = *picture.size, pix_fmt
        stream.codec_context.codec_tag = "hvc1"
        output.mux(stream.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        output.mux(stream.encode(None))
    body = video.getvalue()
    at = body.index(b"hvcC") - 4
    content = body.index(b"mdat") - 4
    size = int.from_bytes(body[content : content + 4])
    return body[at : at + int.from_bytes(body[at : at + 4])], body[content + 8 : content + size]


def _reference(kind: bytes, source: int, targets: Sequence[int]) -> bytes:
    numbers = struct.pack(f">{len(targets)}H", *targets)
    return _box(kind, struct.pack(">HH", source, len(targets)) + numbers)


def _full(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + body)


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body
