"""The server of the player page over real connections."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot.core.jobs import Job, Status, Video
from bot.core.links import Signer
from bot.core.ports import Media
from bot.media.storage import new_key
from bot.media.studio import Studio
from bot.web.pages import PURPOSE, Pages
from bot.web.server import serve
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import job

MP4 = bytes(range(256)) * 2048
"""Half a megabyte: more than one chunk, and every part can be recognized."""
SIZE = len(MP4)
PUBLIC = "https://example.com"
STILL = b"\xff\xd8\xff" + bytes(range(200))
SIGNER = Signer({"a": b"k" * 32})
LIFETIME = 3 * 86_400.0


class FromAfar:
    """A store whose files are on the disk only while their context lasts, as with a bucket."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def __getattr__(self, name: str) -> object:
        return getattr(self.studio, name)

    @asynccontextmanager
    async def file(self, key: str) -> AsyncIterator[Path]:
        async with self.studio.file(key) as kept, self.studio.scratch() as folder:
            fetched = folder / "video.mp4"
            fetched.write_bytes(kept.read_bytes())
            yield fetched


@dataclass
class House:
    """A server with one video, and a client session."""

    studio: Studio
    clock: FakeClock
    pages: Pages
    jobs: dict[str, Job]
    link: str
    session: aiohttp.ClientSession

    @property
    def job(self) -> Job:
        """The video's job."""
        (job,) = self.jobs.values()
        return job

    @property
    def video(self) -> Video:
        """The job's video, until a test removes it."""
        assert self.job.video is not None
        return self.job.video

    def change(self, **changes: Any) -> None:
        """Change the job's row."""
        self.jobs[self.job.id] = replace(self.job, **changes)

    async def page(self, link: str = "", **headers: str) -> tuple[int, Mapping[str, str], str]:
        """Fetch a page, by default the player page; return status, headers and text."""
        async with self.session.get(link or self.link, headers=headers) as response:
            return response.status, response.headers, await response.text()

    async def tags(self) -> dict[str, str]:
        """Return the player page's tags for chats."""
        _, _, page = await self.page()
        found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', page)
        assert len(found) == len(dict(found)), "no tag stands twice"
        return {name: unescape(content) for name, content in found}

    async def get(
        self, *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Fetch the video; return status, headers and the whole body."""
        async with self.session.request(
            method, f"{self.link}.mp4", headers=headers or {}
        ) as response:
            return response.status, response.headers, await response.read()


@asynccontextmanager
async def serve_pages(
    folder: Path,
    *,
    afar: bool = False,
    prefix: str = "",
    public_url: str | None = PUBLIC,
    signer: Signer = SIGNER,
) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(Studio(folder))
        clip = folder / "video.mp4"
        clip.write_bytes(MP4)
        still = folder / "still.jpg"
        still.write_bytes(STILL)
        video = Video(
            key=new_key("videos", "mp4"),
            size=SIZE,
            width=1920,
            height=1080,
            seconds=5.0,
            thumbnail=new_key("thumbnails", "jpg"),
        )
        await studio.storage.put(video.key, clip)
        await studio.storage.put(video.thumbnail or "", still)
        made = replace(job(), status=Status.DELIVERED, video=video)
        jobs = {made.id: made}

        async def get_job(id_: str) -> Job | None:
            return jobs.get(id_)

        clock = FakeClock()
        media: Media = FromAfar(studio) if afar else studio  # type: ignore[assignment]
        pages = Pages(
            get_job=get_job,
            media=media,
            signer=signer,
            clock=clock,
            public_url=public_url and public_url + prefix,
            lifetime=LIFETIME,
            kept=30 * 86_400.0,
        )
        await stack.enter_async_context(aclosing(pages))
        address = await stack.enter_async_context(serve(pages.routes, host="127.0.0.1", port=0))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        if prefix:
            address = await stack.enter_async_context(_proxy(address, prefix, session))
        path = signer.path(PURPOSE, made.id, expires_at=clock.now() + LIFETIME)
        yield House(studio, clock, pages, jobs, f"{address}{path}", session)


@asynccontextmanager
async def _proxy(behind: str, prefix: str, session: aiohttp.ClientSession) -> AsyncIterator[str]:
    """Run a proxy that serves another server's pages under a path prefix."""

    async def forward(request: web.Request) -> web.Response:
        async with session.get(f"{behind}/{request.match_info['path']}") as answer:
            kept = {"Content-Type": answer.headers["Content-Type"]}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    route = web.get(f"{prefix}/{{path:.*}}", forward)
    async with serve([route], host="127.0.0.1", port=0) as address:
        yield f"{address}{prefix}"
