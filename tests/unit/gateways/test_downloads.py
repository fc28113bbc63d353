"""Content: only a whole file that begins like an MP4, in bounds of size, time and memory."""

import asyncio
import tracemalloc
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from bot.core.jobs import Reason
from bot.core.outcomes import Fetched, Locked, Trouble
from bot.gateways.bounds import Bounds
from tests.fakes import wire
from tests.fakes.wire import Fault, Wire

from .samples import MP4, opened

HASTY = Bounds(look=1.0, stall=0.7, video=100_000)
HEAD = wire.answer(MP4[:12], length=None)
NOT_VIDEO: dict[str, tuple[Fault, Trouble]] = {
    "HTML": (wire.html, Trouble("not an MP4")),
    "JSON": (wire.sending(wire.answer('{"error": null}')), Trouble("not an MP4")),
    "a picture": (wire.sending(wire.answer(b"\xff\xd8\xff\xe0" * 9)), Trouble("not an MP4")),
    "nothing": (wire.sending(wire.answer()), Trouble("not an MP4")),
    "seven bytes": (wire.sending(wire.answer(MP4[:7])), Trouble("not an MP4")),
    "half of what was promised": (
        wire.sending(wire.answer(MP4, length=2 * len(MP4))),
        Trouble("ClientPayloadError"),
    ),
    "a reset in the middle": (wire.resets_read, Trouble("ClientOSError")),
    "no answer": (wire.silent, Trouble("SocketTimeoutError")),
    "a header of 20 kB": (wire.long_header, Trouble("ClientResponseError")),
    "garbage": (wire.garbage, Trouble("ClientResponseError")),
    "gzip": (
        wire.sending(wire.answer(MP4, headers={"Content-Encoding": "gzip"})),
        Trouble("encoded content"),
    ),
    "an unknown coding": (
        wire.sending(wire.answer(MP4, headers={"Content-Encoding": "secret"})),
        Trouble("encoded content"),
    ),
    "too much, announced": (
        wire.sending(wire.answer(MP4, length=100_001)),
        Trouble("larger than we take"),
    ),
    "a video without end": (wire.endless(HEAD, bytes(65536)), Trouble("larger than we take")),
    "HTML without end": (
        wire.endless(wire.answer("<html>", length=None), b"x" * 65536),
        Trouble("not an MP4"),
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


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


async def test_a_video_arrives_whole(video: Path) -> None:
    server = Wire(wire.sending(wire.answer(MP4, headers={"Content-Type": "video/mp4"})))
    async with server.serve() as url, opened(url) as gateway:
        fetch = await gateway.content("video_1", [], video)

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
        wire.answer(
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(MP4), MP4),
            length=None,
            headers={"Transfer-Encoding": "chunked"},
        ),
    ],
    ids=["no length", "no type", "identity", "chunked"],
)
async def test_a_video_is_told_by_its_bytes_and_not_by_its_headers(video: Path, raw: bytes) -> None:
    async with Wire(wire.sending(raw)).serve() as url, opened(url) as gateway:
        fetch = await gateway.content("v", [], video)

    assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)


@pytest.mark.parametrize("name", NOT_VIDEO)
async def test_what_is_no_whole_video_is_trouble(video: Path, name: str) -> None:
    fault, expected = NOT_VIDEO[name]
    async with Wire(fault).serve() as url, opened(url, bounds=HASTY) as gateway:
        assert await gateway.content("v", [], video) == expected


async def written(video: Path, size: int) -> None:
    """Until so many bytes are in the file."""
    while not video.exists() or video.stat().st_size < size:
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("body", "expected"), [(MP4, Fetched(len(MP4))), (b"<!doctype html>", Trouble("not an MP4"))]
)
async def test_the_first_bytes_may_come_one_at_a_time(
    video: Path, body: bytes, expected: object
) -> None:
    async def taken(size: int) -> None:
        # What is no video is told by the eighth byte, and not written any more.
        await written(video, min(size, 7))

    pieces = [body[at : at + 1] for at in range(12)] + [body[12:]]
    server = Wire(wire.dripping(wire.answer(length=None), pieces, taken=taken))
    async with server.serve() as url, opened(url) as gateway:
        assert await gateway.content("v", [], video) == expected


@pytest.mark.parametrize(
    "bounds", [Bounds(stall=0.3), Bounds(content=0.3)], ids=["a stall", "the whole time"]
)
async def test_a_byte_now_and_then_is_no_progress(video: Path, bounds: Bounds) -> None:
    """It keeps a socket alive for ever, but no download."""

    async def taken(size: int) -> None:
        await written(video, size)

    pieces = chain((MP4[at : at + 1] for at in range(12)), repeat(b"\0"))
    server = Wire(wire.dripping(wire.answer(length=None), pieces, taken=taken))
    async with server.serve() as url, opened(url, bounds=bounds) as gateway:
        fetch = await gateway.content("v", [], video)

    assert fetch == Trouble("TimeoutError")
    assert 12 < video.stat().st_size < bounds.stride


async def test_a_slow_download_that_makes_progress_may_outlast_every_stall(video: Path) -> None:
    """Each stride buys a new stall; negative control of the test above."""
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
        fetch = await gateway.content("v", [], video)

    assert fetch == Fetched(video.stat().st_size)
    assert loop.time() > begun + 1.2


async def test_a_large_video_is_never_held_in_memory(video: Path) -> None:
    """60 MB pass through less than 5 MB, the server's own share included."""
    chunk, count = bytes(64 * 1024), 60 * 16

    async def fault(connection: wire.Connection) -> None:
        await connection.receive()
        await connection.send(wire.answer(MP4, length=len(MP4) + count * len(chunk)))
        for _ in range(count):
            await connection.send(chunk)

    async with Wire(fault).serve() as url, opened(url) as gateway:
        tracemalloc.start()
        try:
            fetch = await gateway.content("v", [], video)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert fetch == Fetched(len(MP4) + count * len(chunk)) == Fetched(video.stat().st_size)
    assert peak < 5_000_000


async def test_a_full_disk_is_trouble_for_later() -> None:
    body = MP4 + bytes(1_000_000)
    async with Wire(wire.sending(wire.answer(body))).serve() as url, opened(url) as gateway:
        assert await gateway.content("v", [], Path("/dev/full")) == Trouble("OSError")


# ------------------------------------------------------------------------- other addresses


async def test_the_first_source_that_has_it_is_taken_when_our_own_address_fails(
    video: Path,
) -> None:
    gateway = Wire(wire.sending(wire.answer('{"error": {"message": "later"}}', 502)))
    media = Wire(wire.html, wire.sending(wire.answer(MP4)))
    async with (
        gateway.serve() as url,
        media.serve() as origin,
        opened(url, media_origins=frozenset({origin})) as client,
    ):
        sources = ["not an address", f"{origin}/1", f"{origin}/2", f"{origin}/3"]
        fetch = await client.content("v", sources, video)

    assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)
    assert [one.path for one in media.requests] == ["/1", "/2"]
    assert [one.is_authorized for one in media.requests] == [False, False]


async def test_if_no_source_has_it_our_own_address_says_why(video: Path) -> None:
    server = Wire(wire.sending(wire.answer("Bad Gateway", 502)), wire.html)
    async with server.serve() as url, opened(url) as client:
        fetch = await client.content("v", [f"{url}/files/1"], video)

    assert fetch == Trouble("HTTP 502: Bad Gateway")


REFUSAL = '{"error": {"message": "invalid token"}}'


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refused_key_locks_where_the_key_was_shown(video: Path, status: int) -> None:
    server = Wire(wire.sending(wire.answer(REFUSAL, status)))
    async with server.serve() as url, opened(url) as client:
        locked = await client.content("v", [], video)

    reason = Reason.NO_BALANCE if status == 402 else Reason.BAD_KEY
    assert locked == Locked(reason, f"HTTP {status}: invalid token")


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refusal_where_no_key_was_shown_pauses_nothing(video: Path, status: int) -> None:
    """An expired link on an allowed host says nothing about our key."""
    media = Wire(wire.sending(wire.answer(REFUSAL, status)))
    async with media.serve() as origin:
        gateway = Wire(wire.redirecting(f"{origin}/v.mp4", 302))
        async with (
            gateway.serve() as url,
            opened(url, media_origins=frozenset({origin})) as client,
        ):
            fetch = await client.content("v", [], video)

    assert fetch == Trouble(f"HTTP {status}: invalid token")
    assert [one.is_authorized for one in media.requests] == [False]


async def test_a_refused_key_is_not_tried_around(video: Path) -> None:
    server = Wire(wire.sending(wire.answer("", 401)), wire.sending(wire.answer(MP4)))
    async with server.serve() as url, opened(url) as client:
        assert isinstance(await client.content("v", [f"{url}/1"], video), Locked)

    assert len(server.connections) == 1


async def test_a_redirect_on_the_same_host_keeps_the_key_and_a_later_return_does_not(
    video: Path,
) -> None:
    gateway, other = Wire(), Wire()
    async with gateway.serve() as url, other.serve() as elsewhere:
        gateway.plan(
            wire.redirecting("/2", 302),
            wire.redirecting(f"{elsewhere}/3", 302),
            wire.sending(wire.answer(MP4)),
        )
        other.plan(wire.redirecting(f"{url}/4", 302))
        async with opened(url, media_origins=frozenset({elsewhere})) as client:
            fetch = await client.content("v", [], video)

    assert fetch == Fetched(len(MP4))
    assert [(one.path, one.is_authorized) for one in gateway.requests] == [
        ("/v1/videos/v/content", True),
        ("/2", True),
        ("/4", False),
    ]
    assert [one.is_authorized for one in other.requests] == [False]


# ---------------------------------------------------------------------------------- looks


@pytest.mark.parametrize(
    "fault",
    [
        wire.resets_unread,
        wire.resets_read,
        wire.closes_unread,
        wire.closes_read,
        wire.half_headers,
        wire.garbage,
        wire.long_header,
        wire.bad_length,
        wire.html,
        wire.truncated,
        wire.false_gzip,
        wire.false_chunks,
        wire.silent,
        wire.slow,
        wire.endless_answer,
        wire.redirecting("/v1/videos/other"),
    ],
)
async def test_a_look_that_fails_is_trouble_and_decides_nothing(fault: Fault) -> None:
    async with Wire(fault).serve() as url, opened(url, bounds=HASTY) as gateway:
        assert isinstance(await gateway.retrieve("v"), Trouble)


@pytest.mark.parametrize(
    ("gateway_id", "path"),
    [
        ("video_123", "/v1/videos/video_123"),
        ("5f0c0a5e-7b1e-4c8e-9d0a-0123456789ab", "/v1/videos/5f0c0a5e-7b1e-4c8e-9d0a-0123456789ab"),
        ("a/../b?c#d", "/v1/videos/a%2F..%2Fb%3Fc%23d"),
        ("Z2F0ZXdheQ==", "/v1/videos/Z2F0ZXdheQ%3D%3D"),
        ("视频 1%", "/v1/videos/%E8%A7%86%E9%A2%91%201%25"),
        ("x" * 200, "/v1/videos/" + "x" * 200),
    ],
)
async def test_an_id_is_opaque_and_stays_one_part_of_the_path(
    video: Path, gateway_id: str, path: str
) -> None:
    server = Wire(wire.sending(wire.answer('{"status": "queued"}')))
    async with server.serve() as url, opened(url) as gateway:
        await gateway.retrieve(gateway_id)
        await gateway.content(gateway_id, [], video)

    assert [one.path for one in server.requests] == [path, f"{path}/content"]
