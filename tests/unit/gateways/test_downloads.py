"""Content: a whole file that begins like a video, in whatever envelope, in bounds of size, time
and memory."""

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from bot.core.jobs import UNNAMED, Reason
from bot.core.outcomes import Fetched, Locked, Trouble, Unusable
from bot.net.bounds import Bounds
from tests.fakes import wire
from tests.fakes.disk import no_file_larger_than
from tests.fakes.wire import Fault, Wire
from tests.unit.gateways import shelf

from .samples import MP4, opened

HASTY = Bounds(poll=1.0, stall=0.7, video=100_000, answer=50_000)
PACKED = gzip.compress(MP4)
HEAD = wire.answer(MP4[:12], length=None)
NO_VIDEO = Trouble("not a video: application/json", definite=True)


def too_large(detail: str) -> Unusable:
    return Unusable(Reason.CONTENT_TOO_LARGE, f"larger than we take: {detail}")


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
        Trouble("packed content is cut", definite=True),
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


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


async def test_a_video_arrives_whole(video: Path) -> None:
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
async def test_a_video_is_told_by_its_bytes_and_not_by_its_headers(video: Path, raw: bytes) -> None:
    async with Wire(wire.sending(raw)).serve() as url, opened(url) as gateway:
        fetch = await gateway.content("v", None, video)

    assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)


@pytest.mark.parametrize(
    "blank", [b"\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf \r\n\t\r\n", b" " * 1000], ids=repr
)
async def test_what_is_blank_before_a_video_is_left_out(video: Path, blank: bytes) -> None:
    """However it is cut on its way, and packed as well."""
    pieces = [blank[:1], blank[1:2], blank[2:], MP4[:5], MP4[5:]]
    for fault in (
        wire.sending(wire.answer(blank + MP4)),
        wire.sending(wire.answer(gzip.compress(blank + MP4))),
        wire.dripping(wire.answer(length=None), pieces, taken=nothing_to_wait_for),
    ):
        async with Wire(fault).serve() as url, opened(url) as gateway:
            fetch = await gateway.content("v", None, video)
        assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)


async def test_a_first_box_that_begins_like_white_space_stays(video: Path) -> None:
    """`mdat` of 168 MB, as cameras write it."""
    large = b"\x0a\x20\x0d\x0amdat" + bytes(300)
    async with Wire(wire.sending(wire.answer(large))).serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == Fetched(len(large))
    assert video.read_bytes() == large


@pytest.mark.parametrize("body", [b"\r\n", b"\xef\xbb\xbf" * 99, b"\r\n<html>", b" "])
async def test_what_is_blank_or_a_page_is_no_video(video: Path, body: bytes) -> None:
    async with Wire(wire.sending(wire.answer(body))).serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == NO_VIDEO


@pytest.mark.parametrize("name", NOT_VIDEO)
async def test_what_is_no_whole_video_is_trouble(video: Path, name: str) -> None:
    fault, expected = NOT_VIDEO[name]
    async with Wire(fault).serve() as url, opened(url, bounds=HASTY) as gateway:
        assert await gateway.content("v", None, video) == expected


async def written(video: Path, size: int) -> None:
    """Until so many bytes are in the file."""
    while not video.exists() or video.stat().st_size < size:
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("body", "expected"), [(MP4, Fetched(len(MP4))), (b"<!doctype html>", NO_VIDEO)]
)
async def test_the_first_bytes_may_come_one_at_a_time(
    video: Path, body: bytes, expected: object
) -> None:
    async def taken(size: int) -> None:
        # What is no video is told by the twelfth byte, and not written any more.
        await written(video, min(size, 11))

    pieces = [body[at : at + 1] for at in range(12)] + [body[12:]]
    server = Wire(wire.dripping(wire.answer(length=None), pieces, taken=taken))
    async with server.serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == expected


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
        fetch = await gateway.content("v", None, video)

    assert fetch == Trouble("TimeoutError")
    assert 12 < video.stat().st_size < bounds.stride


@pytest.mark.proof
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
        fetch = await gateway.content("v", None, video)

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
            fetch = await gateway.content("v", None, video)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert fetch == Fetched(len(MP4) + count * len(chunk)) == Fetched(video.stat().st_size)
    assert peak < 5_000_000


async def test_a_full_disk_is_trouble_for_later() -> None:
    body = MP4 + bytes(1_000_000)
    async with Wire(wire.sending(wire.answer(body))).serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, Path("/dev/full")) == Trouble("OSError")


async def test_a_video_for_whose_end_the_disk_has_no_room_is_not_whole(video: Path) -> None:
    """The system writes what still fits and says only then that nothing more does."""
    async with Wire(wire.sending(wire.answer(MP4))).serve() as url, opened(url) as gateway:
        with no_file_larger_than(len(MP4) - 9):
            assert await gateway.content("v", None, video) == Trouble("OSError")


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
        fetch = await shelf.fetched(client, "v", sources, video)

    assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)
    assert [one.path for one in media.requests] == ["/1", "/2"]
    assert [one.is_authorized for one in media.requests] == [False, False]


async def test_if_no_source_has_it_our_own_address_says_why(video: Path) -> None:
    server = Wire(wire.sending(wire.answer("Bad Gateway", 502)), wire.html)
    async with server.serve() as url, opened(url) as client:
        fetch = await shelf.fetched(client, "v", [f"{url}/files/1"], video)

    assert fetch == Trouble("HTTP 502: Bad Gateway")


MP4S = {
    "WebM": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01" + bytes(99),
    "AVI": b"RIFF\0\0\1\0AVI LIST" + bytes(99),
    "a transport stream": (b"\x47" + bytes(187)) * 3,
    "a moving PNG": b"\x89PNG\r\n\x1a\n" + bytes(25) + b"\0\0\0\x08acTL" + bytes(199),
    "QuickTime": b"\0\0\0\x08wide\0\0\0\x10mdat" + bytes(99),
}


@pytest.mark.parametrize("name", MP4S)
async def test_any_container_is_taken_by_its_bytes(video: Path, name: str) -> None:
    """Also where it comes byte by byte, and whatever its type says."""
    body = MP4S[name]
    pieces = [body[at : at + 1] for at in range(190)]
    drip = wire.dripping(wire.answer(length=None), pieces, taken=nothing_to_wait_for)
    server = Wire(wire.sending(wire.answer(body)), drip)
    async with server.serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == Fetched(len(body))
        assert await gateway.content("v", None, video) == Fetched(len(b"".join(pieces)))


async def nothing_to_wait_for(_: int) -> None:
    """The drops may come as fast as they like."""


LINKED: dict[str, Callable[[str], object]] = {
    "url": lambda link: {"url": link},
    "data.url": lambda link: {"code": "success", "data": {"url": link}},
    "output.video_url": lambda link: {"status": "completed", "output": {"video_url": link}},
    "data.download.link": lambda link: {"data": {"download": {"link": link}}},
    "download": lambda link: {"download": link},
    "links[].href": lambda link: {"links": [{"rel": "video", "href": link}]},
    "videoUrl in text": lambda link: {"result": json.dumps({"videoUrl": link})},
    "a list": lambda link: [{"file-url": link}],
    "what a chat model says": lambda link: {
        "choices": [{"message": {"content": f"[Here]({link}) it is."}}]
    },
    "a string": lambda link: link,
}


@pytest.mark.parametrize("name", LINKED)
async def test_json_in_place_of_the_video_says_where_it_is(video: Path, name: str) -> None:
    """Its link is followed past the guard, and our key goes nowhere else."""
    gateway, media = Wire(), Wire(wire.sending(wire.answer(MP4)))
    async with gateway.serve() as url, media.serve() as origin:
        gateway.plan(wire.sending(wire.answer(json.dumps(LINKED[name](f"{origin}/v.mp4")))))
        async with opened(url, media_origins=frozenset({origin})) as client:
            fetch = await client.content("v", None, video)
        async with opened(url) as client:
            guarded = await client.content("v", None, video)

    assert (fetch, guarded) == (Fetched(len(MP4)), Trouble("NotPublic"))
    assert [one.is_authorized for one in gateway.requests] == [True, True]
    assert [(one.path, one.is_authorized) for one in media.requests] == [("/v.mp4", False)]


async def test_a_link_to_the_gateway_itself_is_asked_with_the_key_and_not_for_ever(
    video: Path,
) -> None:
    gateway = Wire()
    async with gateway.serve() as url, opened(url) as client:
        gateway.plan(wire.sending(wire.answer(json.dumps({"url": f"{url}/again"}))))
        fetch = await client.content("v", None, video)

    assert fetch == Trouble("too many redirects")
    assert [one.is_authorized for one in gateway.requests] == [True] * 4


async def test_a_bare_address_is_a_link(video: Path) -> None:
    gateway = Wire()
    async with gateway.serve() as url, opened(url) as client:
        gateway.plan(
            wire.sending(wire.answer(f"{url}/v.mp4\r\n", headers={"Content-Type": "text/plain"})),
            wire.sending(wire.answer(MP4)),
        )
        assert await client.content("v", None, video) == Fetched(len(MP4))


async def test_of_several_links_the_first_that_has_it_is_taken(video: Path) -> None:
    gateway = Wire()
    async with gateway.serve() as url, opened(url) as client:
        links = {"url": f"{url}/1", "video_url": f"{url}/2", "result_url": f"{url}/3"}
        gateway.plan(
            wire.sending(wire.answer(json.dumps(links))),
            wire.sending(wire.answer("", 502)),
            wire.sending(wire.answer(MP4)),
        )
        fetch = await client.content("v", None, video)

    assert fetch == Fetched(len(MP4))
    assert [one.path for one in gateway.requests][1:] == ["/1", "/2"]


async def test_too_large_is_not_fetched_a_second_time_by_its_links(video: Path) -> None:
    server = Wire(wire.endless(HEAD, bytes(65536)))
    async with server.serve() as url, opened(url, bounds=HASTY) as client:
        fetch = await shelf.fetched(client, "v", [f"{url}/1", f"{url}/2"], video)

    assert fetch == too_large("more than 100000 bytes")
    assert len(server.connections) == 1
    assert not video.exists()


async def test_what_was_made_without_an_id_is_asked_by_its_links_alone(video: Path) -> None:
    server = Wire(wire.sending(wire.answer("gone", 410)), wire.sending(wire.answer(MP4)))
    async with server.serve() as url, opened(url) as client:
        gone = await shelf.fetched(client, UNNAMED, [f"{url}/1"], video)
        fetch = await shelf.fetched(client, UNNAMED, [f"{url}/1"], video)

    assert (gone, fetch) == (Trouble("HTTP 410: gone", definite=True), Fetched(len(MP4)))
    assert [(one.path, one.is_authorized) for one in server.requests] == [("/1", False)] * 2


REFUSAL = '{"error": {"message": "invalid token"}}'


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refused_key_locks_where_the_key_was_shown(video: Path, status: int) -> None:
    server = Wire(wire.sending(wire.answer(REFUSAL, status)))
    async with server.serve() as url, opened(url) as client:
        locked = await client.content("v", None, video)

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
            fetch = await client.content("v", None, video)

    assert fetch == Trouble(f"HTTP {status}: invalid token")
    assert [one.is_authorized for one in media.requests] == [False]


async def test_a_refusal_of_our_own_address_keeps_no_link_from_being_asked(video: Path) -> None:
    server = Wire(wire.sending(wire.answer("", 401)), wire.sending(wire.answer(MP4)))
    async with server.serve() as url, opened(url) as client:
        fetch = await shelf.fetched(client, "v", [f"{url}/1"], video)

    assert fetch == Fetched(len(MP4))
    assert [one.is_authorized for one in server.requests] == [True, False]


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
            fetch = await client.content("v", None, video)

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
        await gateway.content(gateway_id, None, video)

    assert [one.path for one in server.requests] == [path, f"{path}/content"]


async def test_an_address_that_was_too_slow_gets_twice_the_time_when_it_is_asked_again(
    video: Path,
) -> None:
    """LiteLLM's proxy sends no byte of a video before it has the last."""
    waited: list[float] = []

    async def silent(connection: wire.Connection) -> None:
        now = asyncio.get_running_loop().time
        await connection.receive()
        begun = now()
        await connection.reader.read()  # until the client gives up
        waited.append(now() - begun)

    hasty = Bounds(poll=0.1)
    server = Wire(silent, silent, silent, wire.sending(wire.answer(MP4)))
    async with server.serve() as url, opened(url, bounds=hasty) as gateway:
        tries = [await gateway.content("v", None, video) for _ in range(4)]
        assert tries == [*[Trouble("SocketTimeoutError")] * 3, Fetched(len(MP4))]
        assert waited[2] > 0.39
        assert gateway._downloads.waits == {}, "the next video of this address begins anew"


async def test_no_wait_for_a_first_byte_takes_more_than_half_of_a_download(video: Path) -> None:
    hasty = Bounds(poll=0.1, content=0.3)
    async with Wire(wire.silent).serve() as url, opened(url, bounds=hasty) as gateway:
        for _ in range(3):
            await gateway.content("v", None, video)
        assert list(gateway._downloads.waits.values()) == [0.15]
