"""The player page and the files behind it, over real connections; none of it may log an error."""

import base64
import hashlib
import logging
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
import pytest
from aiohttp import web

from bot.core.jobs import Job, Original, Status, Video
from bot.core.links import Signer
from bot.core.ports import Media
from bot.media.storage import new_key
from bot.media.studio import Studio
from bot.web.pages import PURPOSE, REMEMBERED, Pages
from bot.web.server import serve
from tests.fakes.clock import FakeClock
from tests.unit.core.orders import changed, job

MP4 = bytes(range(256)) * 2048
"""Half a megabyte: more than one chunk, and every part of it can be told."""
SIZE = len(MP4)
PUBLIC = "https://example.com"
ORIGINAL = b"as the gateway made it"
STILL = b"\xff\xd8\xff" + bytes(range(200))
SIGNER = Signer({"a": b"k" * 32})
LIFETIME = 3 * 86_400.0
LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT"


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
        """It is there until a test takes it away."""
        assert self.job.video is not None
        return self.job.video

    def change(self, **changes: Any) -> None:
        """The job's row from now on."""
        self.jobs[self.job.id] = replace(self.job, **changes)

    async def page(self, link: str = "", **headers: str) -> tuple[int, Mapping[str, str], str]:
        """A page, by default the player's: status, headers and text."""
        async with self.session.get(link or self.link, headers=headers) as response:
            return response.status, response.headers, await response.text()

    async def tags(self) -> dict[str, str]:
        """The player page's tags for chats."""
        _, _, page = await self.page()
        found = re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)">', page)
        assert len(found) == len(dict(found)), "no tag stands twice"
        return {name: unescape(content) for name, content in found}

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
    """The server logs no error, whatever it answers."""
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
async def _house(
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
    """A proxy: it serves another server's pages under a path of its own."""

    async def forward(request: web.Request) -> web.Response:
        async with session.get(f"{behind}/{request.match_info['path']}") as answer:
            kept = {"Content-Type": answer.headers["Content-Type"]}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    route = web.get(f"{prefix}/{{path:.*}}", forward)
    async with serve([route], host="127.0.0.1", port=0) as address:
        yield f"{address}{prefix}"


# --- the file ------------------------------------------------------------------------------------


async def test_the_whole_video_comes_with_what_browsers_must_know(house: House) -> None:
    status, headers, body = await house.get()
    assert (status, body) == (200, MP4)
    wanted = {
        "Content-Type": "video/mp4",
        "Content-Length": str(SIZE),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
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
    assert (status, body) == (206, MP4[start:end])
    assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", "bytes=9-1", "words"])
async def test_a_range_that_is_none_is_told_the_size(house: House, asked: str) -> None:
    """The answer is complete: the next one comes over the same connection."""
    for _ in range(2):
        status, headers, _ = await house.get(headers={"Range": asked})
        assert (status, headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert (await house.get())[0] == 200


async def test_of_a_converted_video_both_files_are_offered(tmp_path: Path) -> None:
    """The one that plays, and the one that the gateway made, each with its size."""
    async with _house(tmp_path) as house:
        source = tmp_path / "video.webm"
        source.write_bytes(ORIGINAL)
        original = Original(key=new_key("originals", "mkv"), size=2_000_000)
        await house.studio.storage.put(original.key, source)
        house.change(video=replace(house.video, converted=original))

        _, _, page = await house.page()
        assert "2.0 MB" in page
        assert "As the gateway made it" in page
        plays, reference = re.findall(r'href="([^"]+)" download', page)
        async with house.session.get(urljoin(house.link, plays)) as response:
            assert await response.read() == MP4
            assert response.headers["Content-Disposition"].endswith('.mp4"')
        async with house.session.get(urljoin(house.link, reference)) as response:
            assert await response.read() == ORIGINAL
            named = f'attachment; filename="zoetrope-{house.job.id}.mkv"'
            assert response.headers["Content-Disposition"] == named
        assert (await house.get())[2] == MP4


async def test_a_video_that_could_not_be_converted_is_served_as_what_it_is(tmp_path: Path) -> None:
    async with _house(tmp_path) as house:
        source = tmp_path / "video.webm"
        source.write_bytes(ORIGINAL)
        key = new_key("originals", "webm")
        await house.studio.storage.put(key, source)
        house.change(video=replace(house.video, key=key, plays=False))

        status, headers, body = await house.get()
        assert (status, body, headers["Content-Type"]) == (200, ORIGINAL, "video/webm")
        assert headers["Content-Disposition"].endswith(f'"zoetrope-{house.job.id}.webm"')
        _, _, page = await house.page()
        assert "I could not convert this one" in page
        assert "og:video:type" not in page


async def test_head_says_everything_but_the_video(house: House) -> None:
    status, headers, body = await house.get(method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(SIZE), b"")
    assert (await house.get())[2] == MP4


async def test_an_unchanged_video_is_not_sent_again(house: House) -> None:
    _, headers, _ = await house.get()
    for condition in (
        {"If-Modified-Since": headers["Last-Modified"]},
        {"If-None-Match": headers["ETag"]},
        {"If-None-Match": f'"other", W/{headers["ETag"]}'},
        {"If-None-Match": "*"},
    ):
        status, _, body = await house.get(headers=condition)
        assert (status, body) == (304, b"")
    assert (await house.get())[2] == MP4


async def test_a_condition_that_holds_is_answered_with_the_video(house: House) -> None:
    _, headers, _ = await house.get()
    for condition in (
        {"If-None-Match": '"other"', "If-Modified-Since": headers["Last-Modified"]},
        {"If-Match": headers["ETag"], "If-Unmodified-Since": LONG_AGO},
        {"If-Unmodified-Since": headers["Last-Modified"]},
    ):
        assert (await house.get(headers=condition))[2] == MP4


@pytest.mark.parametrize("condition", [{"If-Match": '"other"'}, {"If-Unmodified-Since": LONG_AGO}])
async def test_a_condition_that_fails_is_told(house: House, condition: Mapping[str, str]) -> None:
    status, _, body = await house.get(headers=condition)
    assert (status, body) == (412, b"")


async def test_the_rest_of_a_video_comes_only_to_those_who_have_its_beginning(house: House) -> None:
    """A range is of the file that `If-Range` names, or else the whole file is sent."""
    _, headers, _ = await house.get()
    rest = {"Range": "bytes=100-"}
    for same in (headers["ETag"], headers["Last-Modified"]):
        status, _, body = await house.get(headers={**rest, "If-Range": same})
        assert (status, body) == (206, MP4[100:])
    for other in ('"other"', f"W/{headers['ETag']}", LONG_AGO):
        status, _, body = await house.get(headers={**rest, "If-Range": other})
        assert (status, body) == (200, MP4)


async def test_a_link_to_a_video_that_was_deleted_opens_nothing(house: House) -> None:
    """Its row is remembered for seconds, for players that ask for part after part."""
    assert (await house.get())[2] == MP4
    house.change(video=None)
    assert (await house.page())[0] == 404, "its page says so at once"
    await house.clock.advance(REMEMBERED)
    assert (await house.get())[0] == 404


async def test_a_remembered_link_expires_in_its_second(house: House) -> None:
    await house.clock.advance(LIFETIME - 1)
    assert (await house.get())[2] == MP4
    await house.clock.advance(1)
    assert (await house.get())[0] == 404


async def test_a_video_that_is_gone_is_not_found(house: House) -> None:
    await house.studio.delete(house.video.key)
    status, headers, body = await house.get()
    assert (status, body) == (404, b"")
    assert "Content-Disposition" not in headers


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (30.2, "This video was kept for 30 days and is gone."),
        (1.9, "This video was kept for one day and is gone."),
        (0.5, "This video is gone: its place was needed for newer ones."),
    ],
)
async def test_a_link_to_a_video_that_was_kept_for_its_time_says_so(
    house: House, days: float, said: str
) -> None:
    ended = house.clock.now()
    house.change(video=None, ended_at=ended, video_gone_at=ended + days * 86_400)
    status, headers, page = await house.page()
    assert (status, headers["Cache-Control"]) == (404, "no-store")
    assert said in page
    await house.clock.advance(LIFETIME + 1)
    assert said in (await house.page())[2], "also once the link has expired"
    forged = await house.page(f"{house.link}0")
    assert (forged[0], said in forged[2]) == (404, False), "whoever has no link learns nothing"


async def test_a_link_works_no_longer_than_its_video_is_kept(house: House) -> None:
    now = house.clock.now()
    for since, left in ((0.0, LIFETIME), (29 * 86_400.0, 86_400.0), (31 * 86_400.0, 0.0)):
        house.change(ended_at=now - since)
        link = house.pages.link(house.job)
        assert link is not None
        assert link.expires_at == now + left


async def test_whoever_leaves_in_the_middle_harms_nobody(house: House) -> None:
    response = await house.session.get(f"{house.link}.mp4")
    await response.content.readexactly(10)
    response.close()
    assert (await house.get())[2] == MP4


async def test_no_copy_outlives_the_link(house: House) -> None:
    await house.clock.advance(LIFETIME - 40)
    for ending in (".mp4", ".jpg"):
        async with house.session.get(house.link + ending) as response:
            assert response.headers["Cache-Control"] == "private, max-age=40"


# --- the still -----------------------------------------------------------------------------------


async def test_the_still_opens_with_the_same_signature(house: House) -> None:
    async with house.session.get(f"{house.link}.jpg") as response:
        assert (response.status, response.content_type) == (200, "image/jpeg")
        assert await response.read() == STILL


async def test_a_video_without_a_still_has_a_page_without_one(house: House) -> None:
    house.change(video=replace(house.video, thumbnail=None))
    status, _, page = await house.page()
    assert (status, "poster" in page, ".jpg" in page) == (200, False, False)
    assert (await house.page(f"{house.link}.jpg"))[0] == 404


# --- the page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/zoe", "/a/b"])
async def test_the_page_plays_the_video_wherever_the_world_sees_it(
    tmp_path: Path, prefix: str
) -> None:
    async with _house(tmp_path, prefix=prefix) as house:
        _, _, page = await house.page()
        own = re.findall(r'(?:src|href|poster)="(?!data:)([^"]+)"', page)
        assert len(own) == 3, "the player, its poster and the download"
        for reference in own:
            async with house.session.get(urljoin(house.link, reference)) as response:
                wanted = STILL if reference.endswith(".jpg") else MP4
                assert (response.status, await response.read()) == (200, wanted)
        path = house.link[house.link.index("/v/") :]
        assert (await house.tags())["og:video"] == f"https://example.com{prefix}{path}.mp4"


async def test_a_chat_is_told_all_that_it_needs_to_play_it_in_place(house: House) -> None:
    address = PUBLIC + house.link[house.link.index("/v/") :]
    assert await house.tags() == {
        "viewport": "width=device-width, initial-scale=1",
        "color-scheme": "light dark",
        "robots": "noindex",
        "theme-color": "#c8553d",
        "og:site_name": "Zoetrope",
        "og:type": "video.other",
        "og:title": "a cat",
        "og:description": "AI-generated · Wan · asked by Ann",
        "og:image": f"{address}.jpg",
        "og:image:type": "image/jpeg",
        "og:image:width": "1280",
        "og:image:height": "720",
        "twitter:image": f"{address}.jpg",
        "og:video": f"{address}.mp4",
        "og:video:secure_url": f"{address}.mp4",
        "og:video:type": "video/mp4",
        "og:video:width": "1920",
        "og:video:height": "1080",
        "twitter:card": "player",
        "twitter:player": f"{address}.mp4",
        "twitter:player:width": "1920",
        "twitter:player:height": "1080",
        "twitter:player:stream": f"{address}.mp4",
        "twitter:player:stream:content_type": "video/mp4",
    }


async def test_without_a_public_address_no_tag_points_anywhere(tmp_path: Path) -> None:
    """The page itself still plays: what it loads is relative."""
    async with _house(tmp_path, public_url=None) as house:
        tags = await house.tags()
        assert {name for name in tags if name.startswith(("og:", "twitter:"))} == {
            "og:site_name",
            "og:type",
            "og:title",
            "og:description",
        }
        assert house.pages.link(house.job) is None


async def test_an_address_that_is_not_secure_is_not_told_as_such(tmp_path: Path) -> None:
    async with _house(tmp_path, public_url="http://example.com") as house:
        tags = await house.tags()
    assert tags["og:video"].startswith("http://example.com/v/")
    assert "og:video:secure_url" not in tags


async def test_a_fresh_link_opens_the_page_until_the_hour_it_names(tmp_path: Path) -> None:
    async with _house(tmp_path) as house:
        link = house.pages.link(house.job)
        assert link is not None
        assert link.expires_at == house.clock.now() + LIFETIME
        here = house.link[: house.link.index("/v/")] + link.url.removeprefix(PUBLIC)
        status, _, page = await house.page(here)
        assert status == 200
        moment = '<time datetime="2026-01-18T12:00:00+00:00">Jan 18, 2026, 12:00 UTC</time>'
        assert f"This link works until {moment}." in page
        await house.clock.advance(LIFETIME - 1)
        assert (await house.page(here))[0] == 200
        await house.clock.advance(1)
        assert (await house.page(here))[0] == 404


async def test_the_page_is_asked_for_anew_every_time(house: House) -> None:
    """Its video may have been deleted since."""
    _, headers, _ = await house.page()
    assert headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("gone", [False, True])
async def test_the_policy_allows_the_style_that_is_there_and_no_other(
    house: House, gone: bool
) -> None:
    _, headers, page = await house.page(f"{house.link}0" if gone else "")
    (style,) = re.findall(r"<style>(.*)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert not re.search(r"<script|\son\w+=|\sstyle=", page)


HOSTILE = '</h1><script>alert(1)</script> <img src=x onerror=alert(2)> "quoted" {name} $title &amp;'


async def test_what_people_wrote_is_text_everywhere(house: House) -> None:
    request = replace(house.job.request, prompt=HOSTILE)
    order = changed(house.job.order, person=replace(house.job.order.call.person, name="<b>Ann"))
    house.change(request=request, order=order)
    _, _, page = await house.page()
    for markup in ("<script", "<img", "<b>"):
        assert markup not in page
    assert escape(HOSTILE) in page
    tags = await house.tags()
    assert (tags["og:title"], tags["og:description"]) == (
        HOSTILE,
        "AI-generated · Wan · asked by <b>Ann",
    )


@pytest.mark.parametrize(("length", "folds"), [(140, False), (141, True), (4000, True)])
async def test_a_long_prompt_is_whole_but_folded(house: House, length: int, folds: bool) -> None:
    prompt = ("slowly " * 600)[: length - 1] + "!"
    house.change(request=replace(house.job.request, prompt=prompt))
    _, _, page = await house.page()
    assert prompt in page
    assert ("<details>" in page) is folds


# --- no video ------------------------------------------------------------------------------------


async def test_every_link_to_nothing_is_answered_alike(house: House) -> None:
    """Forged, cut off, another job's, deleted, expired: status, words and headers are one."""
    answers = []

    async def ask(link: str) -> None:
        for ending in ("", ".mp4", ".jpg"):
            async with house.session.get(link + ending) as response:
                headers = {k: v for k, v in response.headers.items() if k != "Date"}
                answers.append((response.status, headers, await response.text()))

    await ask(house.link[:-1] + ("0" if house.link[-1] != "0" else "1"))
    await ask(house.link[:-5])
    await ask(house.link + ".")
    await ask(house.link.replace(house.job.id, "b" * 16))
    await ask(house.link.rpartition("/")[0])
    house.change(video=None)
    await ask(house.link)
    await house.clock.advance(LIFETIME)
    await ask(house.link)
    status, headers, text = answers[0]
    assert answers == [answers[0]] * 21
    assert (status, headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert (headers["Cache-Control"], headers["X-Robots-Tag"]) == ("no-store", "noindex")
    assert "There is no video here." in text


async def test_a_good_link_is_not_answered_like_that(house: House) -> None:
    """Negative control."""
    for ending in ("", ".mp4", ".jpg"):
        async with house.session.get(house.link + ending) as response:
            assert response.status == 200


class Trusting(Signer):
    """Negative control: takes every signature for its own."""

    def has_signed(self, purpose: str, id_: str, expiry: str, signature: str) -> bool:
        return True


async def test_only_the_signature_keeps_strangers_out(tmp_path: Path) -> None:
    async with _house(tmp_path, signer=Trusting({"a": b"k" * 32})) as house:
        assert (await house.page(f"{house.link}0"))[0] == 200


@pytest.mark.parametrize("liked", ["en-GB,en;q=0.9", "xx", "*", "", "../en", "en;q=1" * 500])
async def test_whatever_language_is_liked_there_are_words(house: House, liked: str) -> None:
    headers = {"Accept-Language": liked}
    status, _, page = await house.page(f"{house.link}0", **headers)
    assert (status, 'lang="en"' in page, "no video here" in page) == (404, True, True)


@pytest.mark.parametrize(
    ("method", "ending", "status"),
    [
        ("HEAD", "", 200),
        ("HEAD", "0", 404),
        ("POST", "", 405),
        ("DELETE", ".mp4", 405),
        ("PROPFIND", "0", 405),
    ],
)
async def test_other_methods_are_answered_in_order(
    house: House, method: str, ending: str, status: int
) -> None:
    """And the connection goes on."""
    async with house.session.request(method, house.link + ending) as response:
        assert response.status == status
    assert (await house.page())[0] == 200
