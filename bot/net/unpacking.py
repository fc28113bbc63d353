"""Undoes gzip and deflate in bounded pieces: some servers pack what they were asked to send plain.

The bytes decide, not the header: proxies unpack and leave it, or pack and forget it.
"""

import zlib
from collections.abc import Iterator

from bot.core.containers import BLANK, HEAD, bare, container_of

PIECE = 256 * 1024
"""Bytes at most of one piece: a few bytes may unpack to gigabytes."""
_GZIP = b"\x1f\x8b"
_HEAD = 12
"""Bytes that tell a video from what is packed."""


class CannotUnpack(ValueError):
    """It is packed in a way that we do not know, or what is packed is damaged."""


class Unpacking:
    """Takes an answer chunk by chunk and gives what is in it."""

    def __init__(self, coding: str | None) -> None:
        """`coding` is what the header Content-Encoding says."""
        self._is_deflate = (coding or "").strip().casefold() == "deflate"
        self._head: bytes | None = b""
        self._inner: zlib._Decompress | None = None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """The unpacked chunk. Raises `CannotUnpack`."""
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
        """Whether what came is what was sent."""
        return self._inner is None

    @property
    def is_whole(self) -> bool:
        """Whether the end of what is packed has come; of what is plain nobody knows the end."""
        return self._inner is None or self._inner.eof

    def _opened(self, head: bytes) -> "zlib._Decompress | None":
        if head.startswith(_GZIP):
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        if not self._is_deflate or container_of(head):
            return None
        # By the standard with a header of its own, by many servers without.
        has_header = head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0
        return zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS)

    def _unpacked(self, inner: "zlib._Decompress", chunk: bytes) -> Iterator[bytes]:
        while True:
            if inner.eof:
                # Several in a row are one file; what else follows belongs to nothing.
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
    """Takes a file piece by piece and gives it without what is blank before its first byte."""

    def __init__(self) -> None:
        self._head: bytes | None = b""

    def piece(self, piece: bytes) -> bytes:
        """The file's bytes so far; none as long as it may all be blank."""
        if self._head is None:
            return piece
        self._head += piece
        if len(self._head) < HEAD and self._head[:1] in BLANK:
            return b""
        return self.rest()

    def rest(self) -> bytes:
        """The bytes that are held back still when the end has come."""
        begun = bare(self._head or b"")
        self._head = None if begun else b""
        return begun
