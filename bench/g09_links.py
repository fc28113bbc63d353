"""G9: videos behind signed links, beside nginx (whole and in parts of 1 MiB) and beside sendfile.

All send the same file, which the page cache holds. The cost is a server's processor time per
megabyte. The reader is a separate process.
"""

import asyncio
import secrets
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa
from aiohttp import web

from bench import paired
from bench.figures import Figure, at_most, folder, void
from bench.paired import Round, Work
from bench.wire import MIB, Reader
from bot.core.clock import SystemClock
from bot.core.jobs import Status, Video
from bot.core.links import Signer
from bot.media.storage import new_key
from bot.media.studio import Studio
from bot.store.database import open_database
from bot.store.jobs import Jobs
from bot.store.rows import job_values
from bot.store.tables import jobs
from bot.web.pages import PURPOSE, Pages
from bot.web.server import serve
from tests.unit.core.orders import job

GOAL = "G9"
SIZE = 50_000_000
_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log /dev/null; user root;
events {{ worker_connections 64; }}
http {{
    access_log off; sendfile on; tcp_nopush on; sendfile_max_chunk 0; keepalive_requests 1000000;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    types {{ video/mp4 mp4; }}
    server {{ listen 127.0.0.1:{port}; root {folder}; }}
}}
"""


def figures() -> list[Figure]:
    """Compare whole files and parts with nginx, and parts with a bare handler."""
    if shutil.which("nginx") is None:
        return [void(GOAL, "≤ 1.15", "there is no nginx on this machine")]
    with folder() as scratch:
        clip = scratch / "video.mp4"
        clip.write_bytes(secrets.token_bytes(SIZE))
        whole, parts = _rounds(scratch, clip, None), _rounds(scratch, clip, MIB)
    return [
        at_most(
            f"{GOAL} {name}",
            paired.ratio(rounds, "links", peer),
            limit,
            what=f"CPU for a megabyte of {what}",
            void=paired.disturbed(rounds, "links", "again"),
        )
        for name, rounds, peer, limit, what in (
            ("whole", whole, "nginx", 1.15, "whole files ÷ nginx"),
            ("parts", parts, "nginx", 1.8, "1 MiB ranges ÷ nginx"),
            ("sendfile", parts, "bare", 1.3, "1 MiB ranges ÷ a few lines around sendfile"),
        )
    ]


def _rounds(scratch: Path, clip: Path, part: int | None) -> list[Round]:
    return paired.rounds(
        {
            "links": partial(links, scratch / f"links-{part}", clip, part),
            "nginx": partial(nginx, scratch / f"nginx-{part}", clip, part),
            "bare": partial(bare, clip, part),
            "again": partial(links, scratch / f"again-{part}", clip, part),
        }
    )


@asynccontextmanager
async def links(scratch: Path, clip: Path, part: int | None) -> AsyncIterator[Work]:
    """Serve a video by our pages, with its row in a database and its file in storage."""
    scratch.mkdir()
    video = Video(key=new_key("videos", "mp4"), size=SIZE, width=1920, height=1080, seconds=5.0)
    made = replace(job(), status=Status.DELIVERED, video=video)
    async with (
        open_database(f"sqlite:///{scratch / 'rows.db'}") as database,
        Studio(scratch / "data") as studio,
    ):
        await database.run(lambda it: it.execute(sa.insert(jobs).values(job_values(made))))
        await studio.storage.put(video.key, clip)
        async with studio.file(video.key) as kept:
            await asyncio.to_thread(kept.read_bytes)
        clock, signer = SystemClock(), Signer({"a": secrets.token_bytes(32)})
        pages = Pages(
            get_job=Jobs(database).get,
            media=studio,
            signer=signer,
            clock=clock,
            public_url=None,
            lifetime=86_400.0,
        )
        path = signer.path(PURPOSE, made.id, expires_at=clock.now() + 86_400.0)
        async with aclosing(pages), serve(pages.routes, host="127.0.0.1", port=0) as address:
            with _read(urlsplit(address).port or 0, f"{path}.mp4", part) as work:
                yield work


@asynccontextmanager
async def bare(clip: Path, part: int | None) -> AsyncIterator[Work]:
    """aiohttp, with a handler that opens the file and calls sendfile."""

    async def handle(request: web.Request) -> web.StreamResponse:
        with clip.open("rb") as file:
            start, stop, _ = request.http_range.indices(SIZE)
            is_part = "Range" in request.headers
            answer = web.StreamResponse(status=206 if is_part else 200)
            answer.content_length = stop - start
            if is_part:
                answer.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{SIZE}"
            await answer.prepare(request)
            assert request.transport is not None
            loop = asyncio.get_running_loop()
            await loop.sendfile(request.transport, file, start, stop - start)
            await answer.write_eof()
            return answer

    app = web.Application()
    app.add_routes([web.get("/video.mp4", handle)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        with _read(runner.addresses[0][1], "/video.mp4", part) as work:
            yield work
    finally:
        await runner.cleanup()


@asynccontextmanager
async def nginx(scratch: Path, clip: Path, part: int | None) -> AsyncIterator[Work]:
    """Serve the video by one worker of nginx."""
    scratch.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (scratch / clip.name).hardlink_to(clip)
    settings = scratch / "nginx.conf"
    settings.write_text(_CONFIGURATION.format(folder=scratch, port=port))
    server = subprocess.Popen(
        ["nginx", "-c", str(settings), "-e", "/dev/null"], stderr=subprocess.DEVNULL
    )
    try:
        paired.beside.append(await _worker_of(server.pid))
        with _read(port, f"/{clip.name}", part) as work:
            yield work
    finally:
        paired.beside.clear()
        server.terminate()
        server.wait()


async def _worker_of(pid: int) -> int:
    """Return the process id of nginx's worker. Raises `Failed` if none starts in 5 seconds."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for _ in range(100):
        if found := children.read_text().split():
            return int(found[0])
        await asyncio.sleep(0.05)
    raise paired.Failed("nginx did not begin")


@contextmanager
def _read(port: int, path: str, part: int | None) -> Iterator[Work]:
    """Yield work in which a reader reads from the server."""
    reader = Reader(port, path, part)

    async def work(seconds: float) -> float:
        return await asyncio.to_thread(reader.read, seconds)

    try:
        yield work
    finally:
        reader.end()
