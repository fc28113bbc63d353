"""The player page and the file behind it, over real connections; nothing of it may log an error."""

import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urljoin

import aiohttp
import pytest
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

FILM = bytes(range(256)) * 2048
"""Half a megabyte: more than one chunk, and every part of it can be told."""
SIZE = len(FILM)


class FromAfar:
    """A store whose files are at hand only while their context lasts, like a bucket's."""

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
    """A server with one video, and a browser before it."""

    studio: Studio
    video: Video
    link: str
    session: aiohttp.ClientSession

    async def get(
        self, *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """The file: status, headers and the complete body."""
        async with self.session.request(
            method, f"{self.link}.mp4", headers=headers or {}
        ) as response:
            return response.status, response.headers, await response.read()


@pytest.fixture(autouse=True)
def _no_errors(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever is answered, the server has nothing to complain of."""
    with caplog.at_level(logging.WARNING):
        yield
    # Some come only when the server is taken down, after the test's own part.
    records = [*caplog.get_records("call"), *caplog.get_records("teardown")]
    assert [it for it in records if it.levelno >= logging.ERROR] == []


@pytest.fixture(params=["disk", "afar"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    async with _house(tmp_path, afar=request.param == "afar") as standing:
        yield standing


@asynccontextmanager
async def _house(folder: Path, *, afar: bool = False, prefix: str = "") -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(Studio(folder))
        film = folder / "film.mp4"
        film.write_bytes(FILM)
        video = Video(key=new_key("videos", "mp4"), size=SIZE, width=640, height=360, seconds=5.0)
        await studio.storage.put(video.key, film)
        made = replace(job(), status=Status.DELIVERED, video=video)

        async def get_job(id_: str) -> Job | None:
            return made if id_ == made.id else None

        clock = FakeClock()
        signer = Signer({"a": b"k" * 32})
        media: Media = FromAfar(studio) if afar else studio  # type: ignore[assignment]
        pages = Pages(
            get_job=get_job,
            media=media,
            signer=signer,
            clock=clock,
            public_url=f"https://example.com{prefix}",
        )
        address = await stack.enter_async_context(serve(pages.routes, host="127.0.0.1", port=0))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        if prefix:
            address = await stack.enter_async_context(_proxy(address, prefix, session))
        path = signer.path(PURPOSE, made.id, expires_at=clock.now() + 3600)
        yield House(studio, video, f"{address}{path}", session)


@asynccontextmanager
async def _proxy(behind: str, prefix: str, session: aiohttp.ClientSession) -> AsyncIterator[str]:
    """What stands before many a server: it serves another's pages under a path of its own."""

    async def forward(request: web.Request) -> web.Response:
        async with session.get(f"{behind}/{request.match_info['path']}") as answer:
            kept = {"Content-Type": answer.headers["Content-Type"]}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    route = web.get(f"{prefix}/{{path:.*}}", forward)
    async with serve([route], host="127.0.0.1", port=0) as address:
        yield f"{address}{prefix}"


# --- the file ------------------------------------------------------------------------------------


async def test_the_whole_film_comes_with_what_browsers_must_know(house: House) -> None:
    status, headers, body = await house.get()
    assert (status, body) == (200, FILM)
    wanted = {
        "Content-Type": "video/mp4",
        "Content-Length": str(SIZE),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    assert {name: headers[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-299", 100, 300),
        (f"bytes={SIZE - 5}-", SIZE - 5, SIZE),
        ("bytes=-7", SIZE - 7, SIZE),
        (f"bytes=9-{SIZE + 1000}", 9, SIZE),
    ],
)
async def test_a_range_is_answered_with_that_part(
    house: House, asked: str, start: int, end: int
) -> None:
    status, headers, body = await house.get(headers={"Range": asked})
    assert (status, body) == (206, FILM[start:end])
    assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=9-1", "words"])
async def test_a_range_that_is_none_is_told_the_size(house: House, asked: str) -> None:
    """The answer is complete: the next one comes over the same connection."""
    for _ in range(2):
        status, headers, _ = await house.get(headers={"Range": asked})
        assert (status, headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert (await house.get())[0] == 200


async def test_head_says_everything_but_the_film(house: House) -> None:
    status, headers, body = await house.get(method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(SIZE), b"")
    assert (await house.get())[2] == FILM


async def test_an_unchanged_film_is_not_sent_again(tmp_path: Path) -> None:
    """On disk only: a copy from afar is a new file every time."""
    async with _house(tmp_path) as house:
        _, headers, _ = await house.get()
        for condition in (
            {"If-Modified-Since": headers["Last-Modified"]},
            {"If-None-Match": headers["ETag"]},
        ):
            status, _, body = await house.get(headers=condition)
            assert (status, body) == (304, b"")
        assert (await house.get())[2] == FILM


async def test_a_film_that_is_gone_is_not_found(house: House) -> None:
    await house.studio.delete(house.video.key)
    status, headers, body = await house.get()
    assert (status, body) == (404, b"")
    assert "Content-Disposition" not in headers


async def test_whoever_leaves_in_the_middle_harms_nobody(house: House) -> None:
    response = await house.session.get(f"{house.link}.mp4")
    await response.content.readexactly(10)
    response.close()
    assert (await house.get())[2] == FILM


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/zoe", "/a/b"])
async def test_the_page_plays_the_film_wherever_the_world_sees_it(
    tmp_path: Path, prefix: str
) -> None:
    async with _house(tmp_path, prefix=prefix) as house:
        async with house.session.get(house.link) as response:
            page = await response.text()
            assert response.status == 200
        own = re.findall(r'(?:src|href)="([^"]+)"', page)
        assert len(own) == 2, "the player and the download"
        for reference in own:
            async with house.session.get(urljoin(house.link, reference)) as response:
                assert (response.status, await response.read()) == (200, FILM)
        (film,) = re.findall(r'og:video" content="([^"]+)"', page)
        path = house.link[house.link.index("/v/") :]
        assert film == f"https://example.com{prefix}{path}.mp4"
