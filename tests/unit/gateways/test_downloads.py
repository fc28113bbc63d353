"""Downloads: a whole file that begins like a video, within limits of size, time and memory."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import Fetched, Trouble, Unusable
from bot.net.bounds import Bounds
from tests.fakes import wire
from tests.fakes.disk import no_file_larger_than
from tests.fakes.wire import Fault, Wire
from tests.unit.gateways.content import HASTY, HEAD, nothing_to_wait_for, too_large

from .samples import MP4, opened

PACKED = gzip.compress(MP4)
NO_VIDEO = Trouble("not a video: application/json", definite=True)
NOT_VIDEO: dict[str, tuple[Fault, Trouble | Unusable]] = {
    "HTML": (wire.html, Trouble("not a video: text/html", definite=True)),
    "JSON": (
        wire.sending(wire.answer('{"error": null}')),
        Trouble('HTTP 200: {"error": null}', definite=True),
    ),
    "JSON of an error": (
        wire.sending(wire.answer('{"error": {"code": "no_video", "message": "sorry"}}')),
        Trouble("HTTP 200: no_video sorry", definite=True),
    ),
    "JSON of a job under way": (
        wire.sending(wire.answer('{"id": "v", "status": "processing", "url": ""}')),
        Trouble("HTTP 200: processing"),
    ),
    "a playlist": (wire.sending(wire.answer("#EXTM3U\n#EXT-X-VERSION:3")), NO_VIDEO),
    "a picture in the boxes of a video": (
        wire.sending(wire.answer(b"\0\0\0\x1cftypavif" + bytes(99))),
        NO_VIDEO,
    ),
    "a picture": (wire.sending(wire.answer(b"\xff\xd8\xff\xe0" * 9)), NO_VIDEO),
    "nothing": (wire.sending(wire.answer()), NO_VIDEO),
    "seven bytes": (wire.sending(wire.answer(MP4[:7])), NO_VIDEO),
    "half of what was promised": (
        wire.sending(wire.answer(MP4, length=2 * len(MP4))),
        Trouble("ClientPayloadError"),
    ),
    "a reset in the middle": (wire.resets_read, Trouble("ClientOSError")),
    "no answer": (wire.silent, Trouble("SocketTimeoutError")),
    "a header of 20 kB": (wire.long_header, Trouble("ClientResponseError")),
    "garbage": (wire.garbage, Trouble("ClientResponseError")),
    "packed in a way we do not know": (
        wire.sending(wire.answer(b"\x0b\x80" + MP4[:99], headers={"Content-Encoding": "br"})),
        Trouble("not a video: application/json br", definite=True),
    ),
    "damaged gzip": (
        wire.sending(wire.answer(PACKED[:50] + b"noise" * 9)),
        Unusable(Reason.CONTENT_BAD, "Content-Encoding: damaged"),
    ),
    "gzip that is cut": (
        wire.sending(wire.answer(PACKED[:-9], headers={"Content-Encoding": "gzip"})),
        Trouble("compressed content is truncated", definite=True),
    ),
    "gzip that unpacks to too much": (
        wire.sending(wire.answer(gzip.compress(MP4 + bytes(200_000)))),
        too_large("more than 100000 bytes"),
    ),
    "a part": (
        wire.sending(
            wire.answer(MP4[:999], 206, headers={"Content-Range": f"bytes 0-998/{len(MP4)}"})
        ),
        Trouble(f"HTTP 206: bytes 0-998/{len(MP4)}", definite=True),
    ),
    "the end": (
        wire.sending(
            wire.answer(MP4[99:], 206, headers={"Content-Range": f"bytes 99-{len(MP4) - 1}/*"})
        ),
        Trouble(f"HTTP 206: bytes 99-{len(MP4) - 1}/*", definite=True),
    ),
    "several parts": (
        wire.sending(
            wire.answer(MP4, 206, headers={"Content-Type": "multipart/byteranges; boundary=x"})
        ),
        Trouble("HTTP 206: several parts", definite=True),
    ),
    "too much, announced": (
        wire.stalling(wire.answer(b"", length=100_001)),
        too_large("100001 bytes announced"),
    ),
    "a video without end": (
        wire.endless(HEAD, bytes(65536)),
        too_large("more than 100000 bytes"),
    ),
    "HTML without end": (
        wire.endless(wire.answer("<html>...", length=None), b"x" * 65536),
        NO_VIDEO,
    ),
    "JSON without end": (
        wire.endless(wire.answer('{"url": "', length=None), b"x" * 65536),
        NO_VIDEO,
    ),
    "a video that stops": (wire.stalling(HEAD), Trouble("TimeoutError")),
    "another success word": (
        wire.sending(wire.answer("later", 202)),
        Trouble("HTTP 202: later"),
    ),
    "a redirect to nowhere": (wire.redirecting("https://[/v.mp4"), Trouble("ValueError")),
    "a redirect to no address": (wire.redirecting("mailto:me"), Trouble("ValueError")),
    "a redirect in circles": (wire.redirecting("/again"), Trouble("too many redirects")),
    "a redirect without a place": (
        wire.sending(wire.answer(status=302)),
        Trouble("too many redirects"),
    ),
}


def words(text: str) -> list[str]:
    return text.split()


async def test_a_video_is_downloaded_whole_with_the_key_and_uncompressed(video: Path) -> None:
    server = Wire(wire.sending(wire.answer(MP4, headers={"Content-Type": "video/mp4"})))
    async with server.serve() as url, opened(url) as gateway:
        fetch = await gateway.content("video_1", None, video)

    sent = server.requests[0]
    assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)
    assert (sent.method, sent.path) == ("GET", "/v1/videos/video_1/content")
    assert (sent.headers["accept-encoding"], sent.is_authorized) == ("identity", True)


@pytest.mark.parametrize(
    "raw",
    [
        wire.answer(MP4, length=None),
        wire.answer(MP4, headers={"Content-Type": "application/octet-stream"}),
        wire.answer(MP4, headers={"Content-Encoding": "Identity"}),
        wire.answer(MP4, headers={"Content-Encoding": "gzip"}),
        wire.answer(MP4, headers={"Content-Encoding": "br"}),
        wire.answer(MP4, headers={"Content-Encoding": "deflate"}),
        wire.answer(PACKED, headers={"Content-Encoding": "gzip"}),
        wire.answer(PACKED, headers={"Content-Encoding": "X-GZip"}, length=None),
        wire.answer(PACKED),
        wire.answer(gzip.compress(MP4[:99]) + gzip.compress(MP4[99:]) + bytes(9)),
        wire.answer(zlib.compress(MP4), headers={"Content-Encoding": "deflate"}),
        wire.answer(zlib.compress(MP4)[2:-4], headers={"Content-Encoding": "deflate"}),
        wire.answer(MP4, 206),
        wire.answer(MP4, 206, headers={"Content-Range": f"bytes 0-{len(MP4) - 1}/{len(MP4)}"}),
        wire.answer(
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(MP4), MP4),
            length=None,
            headers={"Transfer-Encoding": "chunked"},
        ),
    ],
    ids=words(
        "no-length no-type identity gzip-by-header-alone br-by-header-alone deflate-by-header-alone"
        " gzip x-gzip gzip-by-bytes-alone gzip-in-parts deflate deflate-without-header"
        " 206 206-of-all chunked"
    ),
)
async def test_a_video_is_recognized_by_its_bytes_not_by_its_headers(
    video: Path, raw: bytes
) -> None:
    async with Wire(wire.sending(raw)).serve() as url, opened(url) as gateway:
        fetch = await gateway.content("v", None, video)

    assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)


@pytest.mark.parametrize(
    "blank", [b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \r\n\t\r\n", b" " * 1000], ids=repr
)
async def test_white_space_before_a_video_is_removed_from_the_download(
    video: Path, blank: bytes
) -> None:
    """However the body is cut into pieces, and also compressed."""
    pieces = [blank[:1], blank[1:2], blank[2:], MP4[:5], MP4[5:]]
    for fault in (
        wire.sending(wire.answer(blank + MP4)),
        wire.sending(wire.answer(gzip.compress(blank + MP4))),
        wire.dripping(wire.answer(length=None), pieces, taken=nothing_to_wait_for),
    ):
        async with Wire(fault).serve() as url, opened(url) as gateway:
            fetch = await gateway.content("v", None, video)
        assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)


async def test_a_first_mp4_box_that_starts_like_white_space_is_kept(video: Path) -> None:
    """The box is an `mdat` of 168 MB, as cameras write it."""
    large = b"\x0a\x20\x0d\x0amdat" + bytes(300)
    async with Wire(wire.sending(wire.answer(large))).serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == Fetched(len(large))
    assert video.read_bytes() == large


@pytest.mark.parametrize("body", [b"\r\n", b"\xef\xbb\xbf" * 99, b"\r\n<html>", b" "])
async def test_white_space_or_a_web_page_is_no_video(video: Path, body: bytes) -> None:
    async with Wire(wire.sending(wire.answer(body))).serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == NO_VIDEO


@pytest.mark.parametrize("name", NOT_VIDEO)
async def test_a_download_that_is_no_whole_video_gives_the_right_trouble(
    video: Path, name: str
) -> None:
    fault, expected = NOT_VIDEO[name]
    async with Wire(fault).serve() as url, opened(url, bounds=HASTY) as gateway:
        fetch = await gateway.content("v", None, video)
    if name == "a video that stops" and fetch == Trouble("SocketTimeoutError"):
        return  # aiohttp's timer, which has the same length as ours
    assert fetch == expected


async def written(video: Path, size: int) -> None:
    """Wait until the file has so many bytes."""
    while not video.exists() or video.stat().st_size < size:
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("body", "expected"), [(MP4, Fetched(len(MP4))), (b"<!doctype html>", NO_VIDEO)]
)
async def test_a_video_whose_first_bytes_come_one_at_a_time_is_downloaded(
    video: Path, body: bytes, expected: object
) -> None:
    async def taken(size: int) -> None:
        # After the twelfth byte, a body that is no video is recognized and no longer written.
        await written(video, min(size, 11))

    pieces = [body[at : at + 1] for at in range(12)] + [body[12:]]
    server = Wire(wire.dripping(wire.answer(length=None), pieces, taken=taken))
    async with server.serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == expected


@pytest.mark.parametrize(
    "bounds", [Bounds(stall=0.3), Bounds(content=0.3)], ids=["a stall", "the whole time"]
)
async def test_a_download_that_gets_only_a_byte_now_and_then_times_out(
    video: Path, bounds: Bounds
) -> None:
    """Such bytes keep a socket open for ever, but the download makes no progress."""

    async def taken(size: int) -> None:
        await written(video, size)

    pieces = chain((MP4[at : at + 1] for at in range(12)), repeat(b"\0"))
    server = Wire(wire.dripping(wire.answer(length=None), pieces, taken=taken))
    async with server.serve() as url, opened(url, bounds=bounds) as gateway:
        fetch = await gateway.content("v", None, video)

    assert fetch == Trouble("TimeoutError")
    assert 12 < video.stat().st_size < bounds.stride


@pytest.mark.proof
async def test_negative_control_a_slow_download_that_makes_progress_does_not_time_out(
    video: Path,
) -> None:
    """Each stride of bytes restarts the timeout."""
    loop = asyncio.get_running_loop()
    bounds = Bounds(stall=0.8, stride=1)
    begun = loop.time()

    async def taken(size: int) -> None:
        await written(video, size)

    def pieces() -> Iterator[bytes]:
        yield MP4
        while loop.time() < begun + 1.2:
            yield b"\0"

    server = Wire(wire.dripping(wire.answer(length=None), pieces(), taken=taken))
    async with server.serve() as url, opened(url, bounds=bounds) as gateway:
        fetch = await gateway.content("v", None, video)

    assert fetch == Fetched(video.stat().st_size)
    assert loop.time() > begun + 1.2


async def test_a_large_video_is_downloaded_without_holding_it_in_memory(video: Path) -> None:
    """60 MB are downloaded with less than 5 MB of memory, including the server's share."""
    chunk, count = bytes(64 * 1024), 60 * 16

    async def fault(connection: wire.Connection) -> None:
        await connection.receive()
        await connection.send(wire.answer(MP4, length=len(MP4) + count * len(chunk)))
        for _ in range(count):
            await connection.send(chunk)

    async with Wire(fault).serve() as url, opened(url) as gateway:
        tracemalloc.start()
        try:
            fetch = await gateway.content("v", None, video)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert fetch == Fetched(len(MP4) + count * len(chunk)) == Fetched(video.stat().st_size)
    assert peak < 5_000_000


async def test_a_full_disk_during_a_download_is_a_trouble_that_is_retried() -> None:
    body = MP4 + bytes(1_000_000)
    async with Wire(wire.sending(wire.answer(body))).serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, Path("/dev/full")) == Trouble("OSError")


async def test_a_download_whose_last_bytes_do_not_fit_on_the_disk_is_not_whole(video: Path) -> None:
    """The system writes the bytes that still fit, and only then says that the disk is full."""
    async with Wire(wire.sending(wire.answer(MP4))).serve() as url, opened(url) as gateway:
        with no_file_larger_than(len(MP4) - 9):
            assert await gateway.content("v", None, video) == Trouble("OSError")
