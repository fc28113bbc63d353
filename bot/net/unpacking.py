"""Decompresses gzip and deflate in bounded pieces: some servers compress without being asked.

The bytes decide, not the header: some proxies decompress but keep the header, or compress without
setting it.
"""

import zlib
from collections.abc import Iterator

from bot.core.containers import BLANK, HEAD, bare, container_of

PIECE = 256 * 1024
"""The most bytes of one piece: a few bytes may decompress to gigabytes."""
_GZIP = b"\x1f\x8b"
_HEAD = 12
"""Bytes that distinguish a video from compressed data."""


class CannotUnpack(ValueError):
    """An error: the compressed data is damaged."""


class Unpacking:
    """A decompressor for a response body that comes chunk by chunk."""

    def __init__(self, coding: str | None) -> None:
        """`coding` is the value of the header Content-Encoding."""
        self._is_deflate = (coding or "").strip().casefold() == "deflate"
        self._head: bytes | None = b""
        self._inner: zlib._Decompress | None = None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the decompressed chunk in pieces. Raises `CannotUnpack`."""
        if self._head is not None:
            chunk = self._head = self._head + chunk
            is_begun = len(chunk) >= (_HEAD if self._is_deflate else len(_GZIP))
            if not is_begun and (self._is_deflate or _GZIP.startswith(chunk)):
                return
            self._inner, self._head = self._opened(chunk), None
        if self._inner is None:
            yield chunk
            return
        try:
            yield from self._unpacked(self._inner, chunk)
        except zlib.error as error:
            raise CannotUnpack("damaged") from error

    @property
    def is_plain(self) -> bool:
        """Whether the body is not compressed."""
        return self._inner is None

    @property
    def is_whole(self) -> bool:
        """Whether the end of the compressed data has come. Always true for uncompressed data."""
        return self._inner is None or self._inner.eof

    def _opened(self, head: bytes) -> "zlib._Decompress | None":
        if head.startswith(_GZIP):
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        if not self._is_deflate or container_of(head):
            return None
        # The standard wants a zlib header; many servers send raw deflate without it.
        has_header = head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)

    def _unpacked(self, inner: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
        while True:
            if inner.eof:
                # Several gzip members in a row are one file; any other bytes behind are ignored.
                if not chunk.startswith(_GZIP):
                    return
                inner = self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)
            piece = inner.decompress(chunk, PIECE)
            if piece:
                yield piece
            chunk = inner.unused_data if inner.eof else inner.unconsumed_tail
            if not chunk and (inner.eof or len(piece) < PIECE):
                return


class Baring:
    """A filter that takes a file piece by piece and removes leading blanks."""

    def __init__(self) -> None:
        self._head: bytes | None = b""

    def piece(self, piece: bytes) -> bytes:
        """Return the bytes that are known to belong to the file; empty while all may be blank."""
        if self._head is None:
            return piece
        self._head += piece
        if len(self._head) < HEAD and self._head[:1] in BLANK:
            return b""
        return self.rest()

    def rest(self) -> bytes:
        """Return the bytes that are still held back at the end of the file."""
        begun = bare(self._head or b"")
        self._head = None if begun else b""
        return begun
