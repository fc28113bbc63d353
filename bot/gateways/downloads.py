"""Brings a video to disk: from origins we were told of directly, from strangers past the guard."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
from yarl import URL

from bot.core.outcomes import Fetch, Fetched, Trouble
from bot.gateways.answers import read_refusal
from bot.gateways.bounds import Bounds
from bot.gateways.guard import check_url
from bot.gateways.sending import read

REDIRECTS = 3
_MOVED = (301, 302, 303, 307, 308)
_SAID_NO = (400, 404, 409, 410, 422, 425)


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloads:
    """The two ways to a file, and which origins take the direct one."""

    direct: aiohttp.ClientSession
    guarded: aiohttp.ClientSession
    origins: frozenset[str]
    bounds: Bounds

    async def fetch(self, url: URL, into: Path, *, key: Mapping[str, str]) -> Fetch:
        """Follow redirects by hand: `key`, the headers for this origin, goes to no other.

        Raises what aiohttp raises, and ValueError for an address that is none.
        """
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=self.bounds.connect, sock_read=self.bounds.look
        )
        for _ in range(REDIRECTS + 1):
            check_url(url, origins=self.origins)
            session = self.direct if str(url.origin()) in self.origins else self.guarded
            headers = {"Accept-Encoding": "identity", **key}
            async with session.get(
                url, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                if response.status not in _MOVED:
                    return await self._save(response, into, keyed=bool(key))
                target = url.join(URL(response.headers.get("Location", "")))
            if target.origin() != url.origin():
                key = {}
            url = target
        return Trouble("too many redirects")

    async def _save(self, response: aiohttp.ClientResponse, into: Path, *, keyed: bool) -> Fetch:
        """Stream an answer to disk; only a whole file that begins like an MP4 counts."""
        if response.status != 200:
            refusal = read_refusal(await read(response, most=self.bounds.answer))
            if isinstance(refusal, Trouble):
                return replace(refusal, definite=response.status in _SAID_NO)
            # A 401 says nothing about our key where the key was not shown.
            return refusal if keyed else Trouble(refusal.detail)
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            return Trouble("encoded content")
        if (response.content_length or 0) > self.bounds.video:
            return Trouble("larger than we take")
        fetch = await self._stream(response, into)
        promised = response.content_length
        if isinstance(fetch, Fetched) and promised is not None and promised != fetch.size:
            return Trouble(f"{fetch.size} of {promised} bytes")
        return fetch

    async def _stream(self, response: aiohttp.ClientResponse, into: Path) -> Fetch:
        now = asyncio.get_running_loop().time
        head, size, mark = b"", 0, self.bounds.stride
        with into.open("wb", buffering=0) as file:
            async with asyncio.timeout(self.bounds.stall) as patience:
                async for chunk in response.content.iter_chunked(256 * 1024):
                    size += len(chunk)
                    if len(head) < 8:
                        head += chunk[:8]
                        if len(head) >= 8 and head[4:8] != b"ftyp":
                            return Trouble("not an MP4")
                    if size > self.bounds.video:
                        return Trouble("larger than we take")
                    await asyncio.to_thread(file.write, chunk)
                    if size >= mark:
                        mark = size + self.bounds.stride
                        patience.reschedule(now() + self.bounds.stall)
        return Fetched(size) if len(head) >= 8 else Trouble("not an MP4")
