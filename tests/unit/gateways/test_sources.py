"""The sources of a download: links and envelopes, and which of them are shown our key."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.jobs import UNNAMED, Reason
from bot.core.outcomes import Fetched, Locked, Trouble
from bot.net.bounds import Bounds
from tests.fakes import wire
from tests.fakes.wire import Fault, Wire
from tests.unit.gateways import file_store
from tests.unit.gateways.content import HASTY, HEAD, nothing_to_wait_for, too_large

from .samples import MP4, opened

# --- other addresses of a video ----------------------------------------------------------


async def test_when_our_own_address_fails_the_first_link_with_the_video_is_used(
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
        fetch = await file_store.fetched(client, "v", sources, video)

    assert (fetch, video.read_bytes()) == (Fetched(len(MP4)), MP4)
    assert [one.path for one in media.requests] == ["/1", "/2"]
    assert [one.is_authorized for one in media.requests] == [False, False]


async def test_if_no_link_has_the_video_the_error_of_our_own_address_is_reported(
    video: Path,
) -> None:
    server = Wire(wire.sending(wire.answer("Bad Gateway", 502)), wire.html)
    async with server.serve() as url, opened(url) as client:
        fetch = await file_store.fetched(client, "v", [f"{url}/files/1"], video)

    assert fetch == Trouble("HTTP 502: Bad Gateway")


MP4S = {
    "WebM": b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01" + bytes(99),
    "AVI": b"RIFF\0\0\1\0AVI LIST" + bytes(99),
    "a transport stream": (b"\x47" + bytes(187)) * 3,
    "a moving PNG": b"\x89PNG\r\n\x1a\n" + bytes(25) + b"\0\0\0\x08acTL" + bytes(199),
    "QuickTime": b"\0\0\0\x08wide\0\0\0\x10mdat" + bytes(99),
}


@pytest.mark.parametrize("name", MP4S)
async def test_a_video_in_any_container_is_recognized_by_its_bytes(video: Path, name: str) -> None:
    """Also if the body comes byte by byte, and whatever its declared type is."""
    body = MP4S[name]
    pieces = [body[at : at + 1] for at in range(190)]
    drip = wire.dripping(wire.answer(length=None), pieces, taken=nothing_to_wait_for)
    server = Wire(wire.sending(wire.answer(body)), drip)
    async with server.serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == Fetched(len(body))
        assert await gateway.content("v", None, video) == Fetched(len(b"".join(pieces)))


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
async def test_a_json_answer_to_a_download_is_followed_to_the_video_link_in_it(
    video: Path, name: str
) -> None:
    """The link passes the guard against private addresses, and our key goes to the gateway only."""
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


async def test_a_link_to_the_gateway_itself_is_requested_with_the_key_and_only_a_few_times(
    video: Path,
) -> None:
    gateway = Wire()
    async with gateway.serve() as url, opened(url) as client:
        gateway.plan(wire.sending(wire.answer(json.dumps({"url": f"{url}/again"}))))
        fetch = await client.content("v", None, video)

    assert fetch == Trouble("too many redirects")
    assert [one.is_authorized for one in gateway.requests] == [True] * 4


async def test_a_plain_text_answer_that_is_an_address_is_followed_as_a_link(video: Path) -> None:
    gateway = Wire()
    async with gateway.serve() as url, opened(url) as client:
        gateway.plan(
            wire.sending(wire.answer(f"{url}/v.mp4\r\n", headers={"Content-Type": "text/plain"})),
            wire.sending(wire.answer(MP4)),
        )
        assert await client.content("v", None, video) == Fetched(len(MP4))


async def test_of_several_links_the_first_that_has_the_video_is_used(video: Path) -> None:
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


async def test_a_video_that_is_too_large_is_not_downloaded_from_its_other_links(
    video: Path,
) -> None:
    server = Wire(wire.endless(HEAD, bytes(65536)))
    async with server.serve() as url, opened(url, bounds=HASTY) as client:
        fetch = await file_store.fetched(client, "v", [f"{url}/1", f"{url}/2"], video)

    assert fetch == too_large("more than 100000 bytes")
    assert len(server.connections) == 1
    assert not video.exists()


async def test_a_video_made_without_an_id_is_downloaded_from_its_links_only(video: Path) -> None:
    server = Wire(wire.sending(wire.answer("gone", 410)), wire.sending(wire.answer(MP4)))
    async with server.serve() as url, opened(url) as client:
        gone = await file_store.fetched(client, UNNAMED, [f"{url}/1"], video)
        fetch = await file_store.fetched(client, UNNAMED, [f"{url}/1"], video)

    assert (gone, fetch) == (Trouble("HTTP 410: gone", definite=True), Fetched(len(MP4)))
    assert [(one.path, one.is_authorized) for one in server.requests] == [("/1", False)] * 2


REFUSAL = '{"error": {"message": "invalid token"}}'


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refused_download_with_our_key_gives_locked(video: Path, status: int) -> None:
    server = Wire(wire.sending(wire.answer(REFUSAL, status)))
    async with server.serve() as url, opened(url) as client:
        locked = await client.content("v", None, video)

    reason = Reason.NO_BALANCE if status == 402 else Reason.BAD_KEY
    assert locked == Locked(reason, f"HTTP {status}: invalid token")


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_refused_download_without_our_key_gives_trouble(video: Path, status: int) -> None:
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


async def test_a_refused_download_at_our_own_address_does_not_stop_the_links_from_being_tried(
    video: Path,
) -> None:
    server = Wire(wire.sending(wire.answer("", 401)), wire.sending(wire.answer(MP4)))
    async with server.serve() as url, opened(url) as client:
        fetch = await file_store.fetched(client, "v", [f"{url}/1"], video)

    assert fetch == Fetched(len(MP4))
    assert [one.is_authorized for one in server.requests] == [True, False]


async def test_a_redirect_on_the_same_host_keeps_the_key_and_one_back_from_another_host_does_not(
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


# --- polls ------------------------------------------------------------------------------


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
async def test_a_poll_that_fails_on_the_connection_gives_trouble(fault: Fault) -> None:
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
async def test_a_gateway_id_with_special_characters_stays_one_part_of_the_path(
    video: Path, gateway_id: str, path: str
) -> None:
    server = Wire(wire.sending(wire.answer('{"status": "queued"}')))
    async with server.serve() as url, opened(url) as gateway:
        await gateway.retrieve(gateway_id)
        await gateway.content(gateway_id, None, video)

    assert [one.path for one in server.requests] == [path, f"{path}/content"]


async def test_an_address_that_was_too_slow_gets_twice_the_time_at_the_next_download(
    video: Path,
) -> None:
    """LiteLLM's proxy sends the first byte of a video only after it has received the last one."""
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


async def test_the_wait_for_a_first_byte_never_exceeds_half_the_time_of_a_download(
    video: Path,
) -> None:
    hasty = Bounds(poll=0.1, content=0.3)
    async with Wire(wire.silent).serve() as url, opened(url, bounds=hasty) as gateway:
        for _ in range(3):
            await gateway.content("v", None, video)
        assert list(gateway._downloads.waits.values()) == [0.15]
