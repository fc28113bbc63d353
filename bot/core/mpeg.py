"""Find the frames of MPEG sound in a stream without a container, by the bits of their headers."""

import re

_SYNC = re.compile(rb"\xff[\xe0-\xff]|\x56[\xe0-\xff]")
_CHAIN = 3
"""Frames in a row that prove that a stream is MPEG sound."""
_MPEG_1 = 3
_LAYER_2 = 2
_BIT_RATES = {
    (True, 1): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (False, 1): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits per second, by whether the frame is MPEG 1 and by the layer bits of its header."""
_RATES = (44_100, 48_000, 32_000)


def frames_in(body: bytes) -> tuple[str, int] | None:
    """Return which of `mp3`, `aac` and `loas` begins first in `body`, and at which byte.

    None if there are no three frames in a row.
    """
    for mark in _SYNC.finditer(body):
        kind, at = _frame(body, mark.start())
        for _ in range(_CHAIN - 1):
            following, size = _frame(body, mark.start() + at)
            if not kind or following != kind:
                break
            at += size
        else:
            return kind, mark.start()
    return None


def _frame(body: bytes, at: int) -> tuple[str, int]:
    """Return kind and size of the MPEG sound frame at byte `at`; `("", 0)` if there is no frame."""
    head = body[at : at + 6]
    if len(head) < 6:
        return "", 0
    sync = int.from_bytes(head[:2])
    if sync & 0xFFE0 == 0x56E0:
        return "loas", ((head[1] & 0x1F) << 8 | head[2]) + 3
    if sync & 0xFFF6 == 0xFFF0:
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return ("aac", size) if size > 7 and head[2] >> 2 & 15 < 13 else ("", 0)
    return _layered(sync, head[2])


def _layered(sync: int, more: int) -> tuple[str, int]:
    version, layer = sync >> 3 & 3, sync >> 1 & 3
    rate, sampling, padding = more >> 4, more >> 2 & 3, more >> 1 & 1
    fits = sync & 0xFFE0 == 0xFFE0 and version != 1 and layer in (1, 2)
    if not fits or rate in (0, 15) or sampling == 3:
        return "", 0
    is_first = version == _MPEG_1
    bits = _BIT_RATES[is_first, layer][rate - 1] * 1_000
    slots = 144 if is_first or layer == _LAYER_2 else 72
    per_second = _RATES[sampling] // {3: 1, 2: 2, 0: 4}[version]
    return "mp3", slots * bits // per_second + padding
