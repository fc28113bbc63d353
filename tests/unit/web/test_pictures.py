"""Pictures and sounds that gateways fetch, over real connections: only for holders of links."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from bot.core.clips import VideoCopy, VideoFit
from bot.core.jobs import HARD_DEADLINE, Job
from bot.core.links import Signer
from bot.core.orders import Fit, Recording, Still
from bot.media.storage import new_key
from bot.media.studio import Studio
from bot.web.pages import Pages
from bot.web.server import serve
from tests.fakes.clock import FakeClock
from tests.unit.core.kinds import DANCE
from tests.unit.core.orders import CAT, SONG, job, order

PUBLIC = "https://example.com"
SIGNER = Signer({"a": b"k" * 32})
NOTHING = (404, b"404: Not Found")
FIRST, LAST = b"\xff\xd8\xff first", b"\xff\xd8\xff the last"
SOUND = b"\xff\xfb la la"
VIDEO = b"\0\0\0\x10ftyp" + bytes(range(200))


@dataclass
class Gallery:
    """A server with a job of two pictures and a sound, and a client session."""

    studio: Studio
    clock: FakeClock
    job: Job
    links: list[str]
    """The links as the server makes them, with this machine's address."""
    session: aiohttp.ClientSession

    async def get(self, link: str) -> tuple[int, bytes]:
        async with self.session.get(link) as response:
            return response.status, await response.read()


@pytest.fixture
async def gallery(tmp_path: Path) -> AsyncIterator[Gallery]:
    async with _gallery(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def _gallery(folder: Path, signer: Signer = SIGNER) -> AsyncIterator[Gallery]:
    """Run the server with a job of pictures and a sound."""
    async with AsyncExitStack() as stack:
        studio = await stack.enter_async_context(Studio(folder))
        keys = [new_key("pictures", "jpg") for _ in range(2)]
        for key, data in zip(keys, (FIRST, LAST), strict=True):
            (folder / "picture").write_bytes(data)
            await studio.storage.put(key, folder / "picture")
        # The third picture is not stored yet.
        pictures = (
            *(CAT.kept(Still(key=key, whole="", width=64, height=36), Fit()) for key in keys),
            CAT,
        )
        sound = new_key("sounds", "mp3")
        (folder / "sound").write_bytes(SOUND)
        await studio.storage.put(sound, folder / "sound")
        song = SONG.kept(Recording(key=sound, size=9, seconds=7.2))
        given = new_key("given", "mp4")
        (folder / "given").write_bytes(VIDEO)
        await studio.storage.put(given, folder / "given")
        copy = VideoCopy(key=given, size=len(VIDEO), seconds=4.0, width=64, height=36)
        clip = DANCE.kept(copy, VideoFit())
        row = replace(job(), order=order(pictures=pictures, video=clip, sound=song))

        async def get_job(id_: str) -> Job | None:
            return row if id_ == row.id else None

        clock = FakeClock()
        pages = Pages(
            get_job=get_job,
            media=studio,
            signer=signer,
            clock=clock,
            public_url=PUBLIC,
            lifetime=3 * 86_400.0,
        )
        here = await stack.enter_async_context(serve(pages.routes, host="127.0.0.1", port=0))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        links = [here + link.removeprefix(PUBLIC) for link in pages.file_links(row)]
        yield Gallery(studio, clock, row, links, session)


async def test_each_picture_link_serves_exactly_its_own_picture(gallery: Gallery) -> None:
    first, last, *_ = gallery.links
    async with gallery.session.get(first) as response:
        status, headers, body = response.status, response.headers, await response.read()
    assert (status, body) == (200, FIRST)
    wanted = {
        "Content-Type": "image/jpeg",
        "Content-Length": str(len(FIRST)),
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    assert {name: headers[name] for name in wanted} == wanted
    assert await gallery.get(last) == (200, LAST)


async def test_the_link_after_those_of_the_pictures_serves_the_sound(gallery: Gallery) -> None:
    link = gallery.links[-1]
    async with gallery.session.get(link) as response:
        kind, body = response.headers["Content-Type"], await response.read()
    assert (link[-4:], kind, body) == (".mp3", "audio/mpeg", SOUND)
    assert await gallery.get(link.replace("-4/", "-1/")) == NOTHING


async def test_the_link_of_a_video_serves_it_in_parts_and_ends_with_its_job(
    gallery: Gallery,
) -> None:
    link = gallery.links[3]
    assert link.endswith(".mp4")
    async with gallery.session.get(link, headers={"Range": "bytes=8-19"}) as response:
        assert (response.status, await response.read()) == (206, VIDEO[8:20])
        assert response.headers["Content-Type"] == "video/mp4"
        assert response.headers["Content-Range"] == f"bytes 8-19/{len(VIDEO)}"
    assert await gallery.get(link) == (200, VIDEO)
    assert await gallery.get(link.replace(gallery.job.id, "other")) == NOTHING
    await gallery.clock.advance(HARD_DEADLINE)
    assert await gallery.get(link) == NOTHING


async def test_head_on_a_picture_link_has_the_headers_and_no_body(gallery: Gallery) -> None:
    async with gallery.session.head(gallery.links[0]) as response:
        assert (response.status, await response.read()) == (200, b"")
        assert response.headers["Content-Length"] == str(len(FIRST))


async def test_a_picture_link_works_as_long_as_we_wait_for_the_video(gallery: Gallery) -> None:
    await gallery.clock.advance(HARD_DEADLINE - 1)
    assert (await gallery.get(gallery.links[0]))[0] == 200
    await gallery.clock.advance(1)
    assert await gallery.get(gallery.links[0]) == NOTHING


async def test_a_forged_unknown_or_deleted_picture_link_gets_the_same_404(gallery: Gallery) -> None:
    first, last, not_here, *_ = gallery.links
    start, _, end = first.partition(gallery.job.id)
    await gallery.studio.delete(gallery.job.order.pictures[1].key or "")
    assert (await gallery.get(last))[0] == 404, "deleted"
    for link in (
        not_here,
        first.replace("-0/", "-1/"),
        f"{start}{'b' * 16}{end}",
        first.replace(".jpg", "0.jpg"),
        first.removesuffix(".jpg"),
        first.rpartition("/")[0],
        start,
    ):
        assert await gallery.get(link) == NOTHING, link
    assert (await gallery.get(first))[0] == 200, "negative control"


class Trusting(Signer):
    """A signer that accepts every signature, as a negative control."""

    def verify(self, purpose: str, id_: str, expiry: str, signature: str, *, now: float) -> bool:
        return True


async def test_negative_control_without_signatures_a_forged_picture_link_works(
    tmp_path: Path,
) -> None:
    async with _gallery(tmp_path, Trusting({"a": b"k" * 32})) as gallery:
        forged = gallery.links[0].replace("-0/", "-1/")
        assert await gallery.get(forged) == (200, LAST)


async def test_the_signature_of_a_picture_link_does_not_open_a_video_and_vice_versa(
    gallery: Gallery,
) -> None:
    start, _, rest = gallery.links[0].partition("/i/")
    name, expiry, signature = rest.removesuffix(".jpg").split("/")
    assert SIGNER.verify("i", name, expiry, signature, now=gallery.clock.now())
    assert not SIGNER.verify("v", name, expiry, signature, now=gallery.clock.now())
    video = SIGNER.path("v", name, expires_at=float(expiry))
    assert await gallery.get(f"{start}{video.replace('/v/', '/i/')}.jpg") == NOTHING
