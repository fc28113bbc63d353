"""Downloads a video to disk: directly from configured origins, through the guard from any other.

The bytes decide what a response is, not its headers. A video may come compressed, as a 206 that
holds the whole file, or as JSON with a link to it. A file that we can't accept and a text instead
of a file are different outcomes.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

import aiohttp
from yarl import URL

from bot.core.containers import HEAD, SLOW, container_of
from bot.core.jobs import Reason
from bot.core.outcomes import Fetch, Fetched, Locked, Trouble, Unusable
from bot.log import redacted
from bot.net.answers import NET, Answer, read
from bot.net.bounds import Bounds
from bot.net.files import STEP, write
from bot.net.guard import check_url
from bot.net.unpacking import Baring, CannotUnpack, Unpacking

_MOST_WAITS = 256
"""Addresses whose longer wait is remembered; the oldest are forgotten."""
REQUESTS = 4
"""The most requests for one address, including all redirects and links that follow from it.

A request that brought at least `Bounds.stride` more bytes of a file does not count.
"""
_MOVED = (301, 302, 303, 307, 308)
_WHOLE = (200, 206)
_SAID_NO = (400, 404, 409, 410, 422, 425)
_SURE = 12
"""Bytes that distinguish text from video; a body that begins with `SLOW` needs `HEAD` bytes."""
_TAGS = ("ETag", "Last-Modified")
"""Headers that change if the file changes."""
_TEXT = (b"{", b"[", b'"', b"http")
"""The beginnings of a response that may hold a link to the video."""

Targets = tuple[str, ...]
"""Addresses to try next, the likeliest first."""
Judge = Callable[[Answer], Targets | Locked | Trouble | Unusable]
"""A function that returns the meaning of a response that is no file."""
Key = Mapping[str, str]
"""Headers that contain our key; empty for servers that must not see it."""


@dataclass(frozen=True, slots=True)
class Downloads:
    """Downloads over two sessions: `direct` for `origins`, `guarded` for all other servers."""

    direct: aiohttp.ClientSession
    guarded: aiohttp.ClientSession
    _: KW_ONLY
    origins: frozenset[str]
    bounds: Bounds
    waits: dict[str, float] = field(default_factory=dict)
    """Addresses whose first byte came too late, and the seconds to wait for it next time.

    LiteLLM's proxy sends the first byte only after it has the whole video, and fetches the video
    again for each request: see findings/.
    """

    async def fetch(self, url: URL | str, into: Path, *, key: Key, judge: Judge) -> Fetch:
        """Download `url` to `into`. Only the origin of `url` gets `key`, also after redirects.

        `judge` reads a response that is no file; links that it returns are tried next. Network
        errors become a `Trouble`: none is raised.
        """
        waiting: list[tuple[URL | str, Key, _Saving | None]] = [(url, key, None)]
        fetch: Fetch = Trouble("no link")
        wait = self.waits.pop(str(url), self.bounds.poll)
        left = REQUESTS
        while waiting and left:
            left -= 1
            target, shown, begun = waiting.pop()
            before = begun.received if begun else 0
            try:
                here = URL(target)
                got = await self._ask(here, into, shown, begun, wait, judge)
                if isinstance(got, tuple):
                    # The likeliest goes last, because the last one is taken next.
                    there = [here.join(URL(each)) for each in reversed(got)]
                    waiting += [
                        (each, shown if each.origin() == here.origin() else {}, None)
                        for each in there
                    ]
                    continue
            except NET as error:
                got = Trouble(type(error).__name__)
                if isinstance(error, aiohttp.SocketTimeoutError):
                    self._wait_longer(str(url), wait)
            if isinstance(got, Fetched):
                return got
            if isinstance(got, _Saving):
                waiting.append((target, shown, got))
                # Progress does not use up a request: a file that grows each time ends some time.
                left += got is begun and got.received - before >= self.bounds.stride
                got = got.broken_by
            fetch = got
        return fetch if not waiting or waiting[-1][2] else Trouble("too many redirects")

    def _wait_longer(self, url: str, wait: float) -> None:
        """Remember a longer wait for `url`, and forget the oldest addresses."""
        self.waits[url] = min(2 * wait, self.bounds.content / 2)
        while len(self.waits) > _MOST_WAITS:
            del self.waits[next(iter(self.waits))]

    async def _ask(
        self, url: URL, into: Path, key: Key, begun: "_Saving | None", wait: float, judge: Judge
    ) -> "Fetch | Targets | _Saving":
        """Send one request. Return a `_Saving` if the file broke off and can be continued."""
        check_url(url, origins=self.origins)
        session = self.direct if str(url.origin()) in self.origins else self.guarded
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self.bounds.connect, sock_read=wait
        )
        async with session.get(
            url,
            headers={"Accept-Encoding": "identity", **key, **(begun.asking if begun else {})},
            allow_redirects=False,
            auto_decompress=False,
            timeout=timeout,
            read_bufsize=STEP // 4,
        ) as response:
            if response.status in _MOVED:
                return (response.headers.get("Location", ""),)
            if response.status not in _WHOLE:
                return await self._refused(response, judge, keyed=bool(key))
            if begun and begun.goes_on_with(response):
                return await self._receive(response, begun, judge)
            if response.status == 206 and (part := _part(response)):
                return Trouble(f"HTTP 206: {part}", definite=True)
            if (response.content_length or 0) > self.bounds.video:
                return _too_large(f"{response.content_length} bytes announced")
            return await self._receive(response, _Saving(into, response, self.bounds), judge)

    async def _refused(
        self, response: aiohttp.ClientResponse, judge: Judge, *, keyed: bool
    ) -> Fetch | Targets:
        refusal = judge(await read(response, most=self.bounds.answer))
        if isinstance(refusal, tuple):
            return refusal
        if isinstance(refusal, Trouble):
            return replace(refusal, definite=response.status in _SAID_NO)
        # A 401 says nothing about our key where the key was not shown.
        return refusal if keyed else Trouble(refusal.detail)

    async def _receive(
        self, response: aiohttp.ClientResponse, saving: "_Saving", judge: Judge
    ) -> "Fetch | Targets | _Saving":
        """Stream a response to disk. Only a complete file that begins like a video is `Fetched`."""
        try:
            got = await saving.run(response)
        except CannotUnpack as damaged:
            return Unusable(Reason.CONTENT_BAD, f"Content-Encoding: {damaged}")
        except NET as error:
            saving.broken_by = Trouble(type(error).__name__)
            return saving if saving.asking else saving.broken_by
        if got is not None:
            return got
        body = await asyncio.to_thread(saving.into.read_bytes)
        said = judge(Answer(response.status, response.headers, body))
        if isinstance(said, Unusable):
            return Trouble(said.detail, definite=True)
        return said


class _Saving:
    """One file that is being written to disk, with the checks on the way.

    The file may come in several responses, each with the rest of what broke off before.
    """

    broken_by: Trouble
    """The reason why the download broke off; unset until then."""

    def __init__(self, into: Path, response: aiohttp.ClientResponse, bounds: Bounds) -> None:
        self.into = into
        self._bounds = bounds
        self._headers = response.headers
        self._whole = response.content_length
        self._tags = {name: tag for name in _TAGS if (tag := self._headers.get(name))}
        self.received = 0
        self._size = 0
        """Bytes after decompression and without leading blanks."""
        self._unpacking = Unpacking(self._headers.get("Content-Encoding"))
        self._baring = Baring()
        self._head = b""
        self._stop: Trouble | Unusable | None = None
        """The reason why the download was stopped."""
        self._is_checked = False
        self._is_text = False

    @property
    def asking(self) -> Mapping[str, str]:
        """Headers that request the rest, or the whole file if it changed; empty if impossible."""
        tag = self._headers.get("ETag", "W/")
        same = self._headers.get("Last-Modified") if tag.startswith("W/") else tag
        if not (same and self._whole and self._headers.get("Accept-Ranges") == "bytes"):
            return {}
        is_clear = self._is_checked and self._unpacking.is_plain
        # A write may be cancelled half way: then the size on disk differs from ours.
        if not is_clear or self._is_text or self.into.stat().st_size != self._size:
            return {}
        return {"Range": f"bytes={self.received}-", "If-Range": same}

    def goes_on_with(self, response: aiohttp.ClientResponse) -> bool:
        """Whether this response is the rest. Some servers support ranges but ignore If-Range."""
        headers = response.headers
        last = (self._whole or 0) - 1
        span = f"bytes {self.received}-{last}/{self._whole}"
        is_span = response.status == 206 and headers.get("Content-Range", "").strip() == span
        is_same = all(headers.get(name, tag) == tag for name, tag in self._tags.items())
        return is_span and is_same and "Content-Encoding" not in headers

    async def run(self, response: aiohttp.ClientResponse) -> Fetch | None:
        """Save the body. Return None if it is a text that may hold a link to the video."""
        with self.into.open("ab" if self.received else "wb", buffering=0) as file:
            async with (
                asyncio.timeout(self._bounds.stall) as patience,
                aclosing(self._pieces(response, patience)) as pieces,
            ):
                await write(pieces, file)
        if self._stop:
            return self._stop
        if self._whole is not None and self._whole != self.received:
            return Trouble(f"{self.received} of {self._whole} bytes")
        if not self._unpacking.is_whole:
            return Trouble("compressed content is truncated", definite=True)
        return self._tell() or (None if self._is_text else Fetched(self._size))

    async def _pieces(
        self, response: aiohttp.ClientResponse, patience: asyncio.Timeout
    ) -> AsyncGenerator[bytes, None]:
        """Yield the pieces to write, until the body is no video, too large or too slow."""
        now = asyncio.get_running_loop().time
        mark = self.received + self._bounds.stride
        async for chunk in response.content.iter_chunked(256 * 1024):
            self.received += len(chunk)
            for packed in self._unpacking.pieces(chunk):
                piece = self._baring.piece(packed)
                if self._stops(piece):
                    return
                yield piece
            if self.received >= mark:
                mark = self.received + self._bounds.stride
                patience.reschedule(now() + self._bounds.stall)
        rest = self._baring.rest()
        if not self._stops(rest):
            yield rest

    def _stops(self, piece: bytes) -> bool:
        self._stop = self._poll(piece)
        return self._stop is not None

    def _poll(self, piece: bytes) -> Trouble | Unusable | None:
        """Return a reason to stop before this piece: too large, or no video; else None."""
        self._size += len(piece)
        if not self._is_checked:
            self._head += piece[:HEAD]
            least = HEAD if self._head.startswith(SLOW) else _SURE
            if len(self._head) >= least and (stop := self._tell()):
                return stop
        if self._is_text and self._size > self._bounds.answer:
            return self._no_video()
        if self._size > self._bounds.video:
            return _too_large(f"more than {self._bounds.video} bytes")
        return None

    def _tell(self) -> Trouble | None:
        if self._is_checked:
            return None
        self._is_checked = True
        self._is_text = self._head.startswith(_TEXT)
        return None if self._is_text or container_of(self._head) else self._no_video()

    def _no_video(self) -> Trouble:
        """Return a `Trouble`: a page or picture instead may be temporary, as in maintenance."""
        named = [self._headers.get(name, "") for name in ("Content-Type", "Content-Encoding")]
        words = redacted(" ".join(filter(str.isprintable, filter(None, named))))[:80]
        return Trouble(f"not a video: {words}" if words else "not a video", definite=True)


def _too_large(detail: str) -> Unusable:
    return Unusable(Reason.CONTENT_TOO_LARGE, f"too large: {detail}")


def _part(response: aiohttp.ClientResponse) -> str | None:
    """Describe the part in a 206 that we did not ask for; None if the part is the whole file."""
    named = response.headers.get("Content-Range", "")
    if not named and not response.content_type.startswith("multipart/"):
        return None
    span = re.fullmatch(r"bytes 0-(\d+)/(\d+)", named.strip())
    is_all = span is not None and int(span[2]) == int(span[1]) + 1
    return None if is_all else (named[:80] or "several parts")
