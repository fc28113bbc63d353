"""Brings a video to disk: from origins we were told of directly, from strangers past the guard.

The bytes say what an answer is. A video may come packed, as a part that is the whole, or as JSON
that says where it is; a file that can't be taken is told apart from words in place of one.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from yarl import URL

from bot.core.containers import HEAD, container_of
from bot.core.jobs import Reason
from bot.core.outcomes import Fetch, Fetched, Trouble, Unusable
from bot.gateways.bounds import Bounds
from bot.gateways.details import Answer
from bot.gateways.guard import check_url
from bot.gateways.looks import read_content, read_refusal
from bot.gateways.meanings import PACKAGED, Meanings
from bot.gateways.sending import NET, read
from bot.gateways.unpacking import Baring, CannotUnpack, Unpacking
from bot.log import redacted

REQUESTS = 4
"""For one address, with all redirects and links that follow from it."""
_MOVED = (301, 302, 303, 307, 308)
_WHOLE = (200, 206)
_SAID_NO = (400, 404, 409, 410, 422, 425)
_TOLD = 12
"""Bytes that tell text from video; only a transport stream takes `HEAD`."""
_TEXT = (b"{", b"[", b'"', b"http")
"""How an answer begins that may say where the video is."""


@dataclass(frozen=True, slots=True)
class Onward:
    """An answer that says where to go on."""

    targets: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The missing part of a download that broke off."""

    why: Trouble
    received: int
    """Bytes of the file so far."""
    size: int
    """Those of them that are on disk."""
    whole: int
    validator: str
    """By which its server knows the very same file."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers for the rest of it, or for all of another file."""
        return {"Range": f"bytes={self.received}-", "If-Range": self.validator}

    def goes_on(self, response: aiohttp.ClientResponse) -> bool:
        """Whether this answer is the rest."""
        told = response.headers.get("Content-Range", "")
        span = f"bytes {self.received}-{self.whole - 1}/{self.whole}"
        return response.status == 206 and told.strip() == span


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads:
    """The two ways to a file, and which origins take the direct one."""

    direct: aiohttp.ClientSession
    guarded: aiohttp.ClientSession
    origins: frozenset[str]
    bounds: Bounds
    meanings: Meanings = PACKAGED

    async def fetch(
        self, url: URL | str, into: Path, *, key: Mapping[str, str], prompt: str = ""
    ) -> Fetch:
        """Follow redirects and links by hand: `key`, the headers for this origin, goes to no other.

        Raises nothing for the wire.
        """
        waiting: list[tuple[URL | str, Mapping[str, str]]] = [(url, key)]
        fetch: Fetch = Trouble("no link")
        rest: Rest | None = None
        for _ in range(REQUESTS):
            if not waiting:
                return fetch
            target, shown = waiting.pop()
            try:
                here = URL(target)
                got = await self._ask(here, into, shown, prompt, rest)
                if isinstance(got, Rest):
                    fetch, rest = got.why, got
                    waiting.append((target, shown))
                    continue
                rest = None
                if isinstance(got, Onward):
                    # The likeliest last: it is the next.
                    there = [here.join(URL(each)) for each in reversed(got.targets)]
                    waiting += [
                        (each, shown if each.origin() == here.origin() else {}) for each in there
                    ]
                    continue
            except NET as error:
                got = Trouble(type(error).__name__)
            fetch = got
            if isinstance(fetch, Fetched):
                return fetch
        return Trouble("too many redirects") if waiting and rest is None else fetch

    async def _ask(
        self, url: URL, into: Path, key: Mapping[str, str], prompt: str, rest: Rest | None
    ) -> Fetch | Onward | Rest:
        check_url(url, origins=self.origins)
        session = self.direct if str(url.origin()) in self.origins else self.guarded
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self.bounds.connect, sock_read=self.bounds.look
        )
        async with session.get(
            url,
            headers={"Accept-Encoding": "identity", **key, **(rest.headers if rest else {})},
            allow_redirects=False,
            auto_decompress=False,
            timeout=timeout,
        ) as response:
            if response.status in _MOVED:
                return Onward([response.headers.get("Location", "")])
            if response.status not in _WHOLE:
                return await self._refused(response, prompt, keyed=bool(key))
            if rest and rest.goes_on(response):
                return await self._receive(response, into, prompt, rest)
            if response.status == 206 and (part := _part(response)):
                return Trouble(f"HTTP 206: {part}", definite=True)
            if (response.content_length or 0) > self.bounds.video:
                return _too_large(f"{response.content_length} bytes announced")
            return await self._receive(response, into, prompt)

    async def _refused(
        self, response: aiohttp.ClientResponse, prompt: str, *, keyed: bool
    ) -> Fetch:
        answer = await read(response, most=self.bounds.answer)
        refusal = read_refusal(answer, prompt=prompt, meanings=self.meanings)
        if isinstance(refusal, Trouble):
            return replace(refusal, definite=response.status in _SAID_NO)
        # A 401 says nothing about our key where the key was not shown.
        return refusal if keyed else Trouble(refusal.detail)

    async def _receive(
        self,
        response: aiohttp.ClientResponse,
        into: Path,
        prompt: str,
        rest: Rest | None = None,
    ) -> Fetch | Onward | Rest:
        """Stream an answer to disk; only a whole file that begins like a video counts."""
        saving = _Saving(into, response, self.bounds, rest)
        try:
            got = await saving.run()
        except CannotUnpack as damaged:
            return Unusable(Reason.CONTENT_BAD, f"Content-Encoding: {damaged}")
        except NET as error:
            if rest := saving.rest_after(Trouble(type(error).__name__)):
                return rest
            raise
        if got is not None:
            return got
        if not saving.is_text:
            return Fetched(saving.size)
        body = await asyncio.to_thread(into.read_bytes)
        answer = Answer(response.status, response.headers, body)
        said = read_content(answer, prompt=prompt, meanings=self.meanings)
        if isinstance(said, Unusable):
            return Trouble(said.detail, definite=True)
        return said if isinstance(said, Trouble) else Onward(said)


class _Saving:
    """One answer on its way to disk, with all that is to be watched on the way."""

    def __init__(
        self,
        into: Path,
        response: aiohttp.ClientResponse,
        bounds: Bounds,
        rest: Rest | None = None,
    ) -> None:
        self._into = into
        self._response = response
        self._bounds = bounds
        self._before = rest
        self._unpacking = Unpacking(response.headers.get("Content-Encoding"))
        self._head = b""
        self._is_told = rest is not None
        self._received = 0
        self._is_writing = False
        """A line may be given up in the middle of it, and nobody knows how much of it is done."""
        self.is_text = False
        self.size = rest.size if rest else 0

    def rest_after(self, why: Trouble) -> Rest | None:
        """How to go on after a line that broke; None where the server would not know how."""
        headers, before = self._response.headers, self._before
        tag = headers.get("ETag", "")
        validator = tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")
        whole = self._response.content_length
        is_known = headers.get("Accept-Ranges") == "bytes"
        if before:
            validator, whole, is_known = before.validator, before.whole, True
        if not (is_known and validator and whole and self._is_told) or self.is_text:
            return None
        if self._is_writing or not self._unpacking.is_plain:
            return None
        received = self._received + (before.received if before else 0)
        return Rest(why=why, received=received, size=self.size, whole=whole, validator=validator)

    async def run(self) -> Trouble | Unusable | None:
        """Save it; None if all of it is on disk and may be what was asked for."""
        now = asyncio.get_running_loop().time
        mark = self._bounds.stride
        baring = Baring(is_bare=self._before is not None)
        with self._into.open("ab" if self._before else "wb", buffering=0) as file:
            async with asyncio.timeout(self._bounds.stall) as patience:
                async for chunk in self._response.content.iter_chunked(256 * 1024):
                    self._received += len(chunk)
                    for packed in [chunk] if self._before else self._unpacking.pieces(chunk):
                        piece = baring.piece(packed)
                        if stop := self._look(piece):
                            return stop
                        self._is_writing = True
                        await asyncio.to_thread(file.write, piece)
                        self._is_writing = False
                    if self._received >= mark:
                        mark = self._received + self._bounds.stride
                        patience.reschedule(now() + self._bounds.stall)
            if stop := self._look(rest := baring.rest()):
                return stop
            await asyncio.to_thread(file.write, rest)
        promised = self._response.content_length
        if promised is not None and promised != self._received:
            return Trouble(f"{self._received} of {promised} bytes")
        if not self._unpacking.is_whole:
            return Trouble("packed content is cut", definite=True)
        return self._tell(self._head)

    def _look(self, piece: bytes) -> Trouble | Unusable | None:
        """Whether to stop before this piece: it is too much, or shows that this is no video."""
        self.size += len(piece)
        if not self._is_told:
            self._head += piece[:HEAD]
            least = HEAD if self._head.startswith(b"\x47") else _TOLD
            if len(self._head) >= least and (stop := self._tell(self._head)):
                return stop
        if self.is_text and self.size > self._bounds.answer:
            return self._no_video()
        if self.size > self._bounds.video:
            return _too_large(f"more than {self._bounds.video} bytes")
        return None

    def _tell(self, head: bytes) -> Trouble | None:
        if self._is_told:
            return None
        self._is_told = True
        self.is_text = head.startswith(_TEXT)
        return None if self.is_text or container_of(head) else self._no_video()

    def _no_video(self) -> Trouble:
        """A page or a picture in its place may be there for an hour only, say of maintenance."""
        headers = self._response.headers
        told = [headers.get(name, "") for name in ("Content-Type", "Content-Encoding")]
        words = redacted(" ".join(filter(str.isprintable, filter(None, told))))[:80]
        detail = f"not a video: {words}" if words else "not a video"
        return Trouble(detail, definite=True)


def _too_large(detail: str) -> Unusable:
    return Unusable(Reason.CONTENT_TOO_LARGE, f"larger than we take: {detail}")


def _part(response: aiohttp.ClientResponse) -> str | None:
    """What a 206 says it is, if that is not the whole: we asked for no part."""
    told = response.headers.get("Content-Range", "")
    if not told and not response.content_type.startswith("multipart/"):
        return None
    unit, _, words = told.strip().partition(" ")
    span, _, whole = words.partition("/")
    first, _, last = span.partition("-")
    is_all = first.strip() == "0" and last.isdecimal() and whole.strip() == str(int(last) + 1)
    return None if unit == "bytes" and is_all else (told[:80] or "several parts")
