"""The POST that costs money: it is sent at most once, and its fate is never guessed."""

import asyncio
import errno
import gzip
import socket
import tracemalloc
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from structlog.testing import capture_logs

from bot.core.jobs import Reason
from bot.core.orders import Transport
from bot.core.outcomes import Accepted, Creation, Made, NotSent, Rejected, Uncertain
from bot.gateways.videos_api import GatewayOptions, Ready, VideosApi, open_gateways
from bot.net.bounds import Bounds
from tests.fakes import wire
from tests.fakes.disk import no_file_larger_than
from tests.fakes.wire import Fault, Wire

from .samples import MP4, create, opened, request, with_files

HASTY = Bounds(post=1.0)
CREATED = wire.sending(wire.answer('{"id": "video_1", "status": "queued"}', 201))
REFUSED = '{"error": {"message": "no", "type": "invalid_request_error"}}'

SOCKET_FAULTS: dict[str, Fault] = {
    "reset before it is read": wire.resets_unread,
    "reset while it is read": wire.resets_half_read,
    "reset after it is read": wire.resets_read,
    "closed before it is read": wire.closes_unread,
    "closed after it is read": wire.closes_read,
    "half the headers": wire.half_headers,
    "a garbage status line": wire.garbage,
    "another protocol": wire.not_http,
    "a header of 20 kB": wire.long_header,
    "a length that is no number": wire.bad_length,
    "a truncated body": wire.truncated,
    "a false Content-Encoding": wire.false_gzip,
    "false chunks": wire.false_chunks,
    "no answer": wire.silent,
    "half an answer": wire.slow,
    "an endless answer": wire.endless_answer,
    "200 and HTML": wire.html,
    "200 and nothing": wire.sending(wire.answer()),
    "502 and HTML": wire.sending(wire.answer("<html>Bad Gateway</html>", 502)),
}
AT_ONCE = ("reset before it is read", "closed before it is read")
"""Faults that may or may not arrive before our first byte; if they do, nothing was sent."""


def doubts(name: str) -> tuple[type[Creation], ...]:
    """Return the outcomes that a fault of a socket may have."""
    return (Uncertain, NotSent) if name in AT_ONCE else (Uncertain,)


REFUSALS: dict[str, tuple[Fault, Creation]] = {
    "a redirect": (
        wire.redirecting("/v1/videos"),
        Rejected(Reason.WRONG_ADDRESS, "HTTP 307: redirect to /v1/videos"),
    ),
    "a redirect to another host": (
        wire.redirecting("https://example.com/v1/videos"),
        Rejected(Reason.WRONG_ADDRESS, "HTTP 307: redirect to https://example.com/v1/videos"),
    ),
    "a redirect that keeps POST": (
        wire.redirecting("/v1/videos", 308),
        Rejected(Reason.WRONG_ADDRESS, "HTTP 308: redirect to /v1/videos"),
    ),
    "a refusal": (
        wire.sending(wire.answer(REFUSED, 400)),
        Rejected(Reason.REFUSED, "HTTP 400: invalid_request_error no"),
    ),
}


async def submit(fault: Fault, *, bounds: Bounds = HASTY) -> tuple[Creation, Wire]:
    """Send a POST to a server with this fault, and return the outcome and the server."""
    server = Wire(fault, CREATED)  # a second POST would succeed and be noticed
    async with server.serve() as url, opened(url, bounds=bounds) as gateway:
        outcome = await create(gateway, request(), [])
        await server.over()
    return outcome, server


async def called_off_by(error: Exception, *, hasty: bool = False) -> int:
    """Return the bytes that reach the server when the work before the sending raises `error`."""

    async def call_off(gateway: VideosApi) -> None:
        async with gateway.ready(request(), []) as ready:
            assert not isinstance(ready, NotSent)
            if hasty:
                await ready.send()
            raise error

    server = Wire(CREATED)
    async with server.serve() as url, opened(url) as gateway:
        with pytest.raises(type(error)) as caught:
            await call_off(gateway)
        assert caught.value is error
        return (await server.over()).bytes_received


# --- faults and refusals --------------------------------------------------------------


@pytest.mark.parametrize("name", SOCKET_FAULTS)
async def test_a_fault_after_the_first_byte_of_a_post_gives_uncertain_and_no_second_post(
    name: str,
) -> None:
    outcome, server = await submit(SOCKET_FAULTS[name])

    assert isinstance(outcome, doubts(name))
    assert (len(server.connections), server.charges <= 1) == (1, True)


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_definite_refusal_of_a_post_is_rejected_and_no_redirect_is_followed(
    name: str,
) -> None:
    fault, expected = REFUSALS[name]

    outcome, server = await submit(fault)

    assert (outcome, len(server.connections), server.charges) == (expected, 1, 1)


@pytest.mark.proof
@pytest.mark.parametrize("name", [*SOCKET_FAULTS, *REFUSALS])
async def test_no_fault_ever_causes_a_second_post(name: str) -> None:
    """Bar B7: every fault 25 times, with at most one charge each and always the same outcome."""
    faults = SOCKET_FAULTS | {key: fault for key, (fault, _) in REFUSALS.items()}
    expected = doubts(name) if name in SOCKET_FAULTS else (Rejected,)
    stalls = name in ("no answer", "half an answer")
    for _ in range(25):
        outcome, server = await submit(faults[name], bounds=Bounds(post=0.3 if stalls else 10.0))
        assert isinstance(outcome, expected)
        assert len(server.connections) == 1
        assert server.charges <= 1


async def test_each_post_uses_a_connection_of_its_own() -> None:
    """A server that keeps connections alive still gets a new connection for each POST."""
    kept = wire.answer('{"id": "v"}', headers={"Connection": "keep-alive"})
    server = Wire(wire.stalling(kept))
    async with server.serve() as url, opened(url) as gateway:
        outcomes = [await create(gateway, request(), []) for _ in range(3)]
        for _ in range(3):
            await server.over()

    assert outcomes == [Accepted("v")] * 3
    assert (len(server.connections), server.charges) == (3, 3)


async def test_a_gateway_that_hangs_up_before_the_first_byte_was_sent_nothing() -> None:
    """A proxy does this when it is restarted while our row is being written."""

    async def hangs_up(connection: wire.Connection) -> None:
        """Close the connection without an answer."""

    server = Wire(hangs_up)
    async with (
        server.serve() as url,
        opened(url) as gateway,
        gateway.ready(request(), []) as ready,
    ):
        await server.over()
        for _ in range(100):  # until the client notices
            await asyncio.sleep(0)
        assert isinstance(ready, Ready)
        assert await ready.send() == NotSent("ClientConnectionError")

    assert server.charges == 0


async def test_a_cancelled_post_is_neither_repeated_nor_reported_as_not_sent() -> None:
    """The row stays `submitting` and becomes `unconfirmed` when its claim runs out."""
    server = Wire(wire.silent)
    async with server.serve() as url, opened(url) as gateway:
        task = asyncio.create_task(create(gateway, request(), []))
        await server.received()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.over()

    assert server.charges == 1


async def test_a_server_that_stops_reading_in_the_middle_of_a_post_gives_uncertain(
    tmp_path: Path,
) -> None:
    picture = tmp_path / "large.jpg"
    picture.write_bytes(bytes(16_000_000))
    wanted = with_files(Transport.UPLOAD, ("input_reference",))
    async with Wire(wire.never_reads).serve() as url, opened(url, bounds=HASTY) as gateway:
        outcome = await create(gateway, wanted, [picture])

    assert outcome == Uncertain("TimeoutError")


async def test_a_proxy_that_refuses_a_large_body_before_reading_it_is_understood(
    tmp_path: Path,
) -> None:
    """nginx does so: it answers at once, reads on for a while, and throws the body away."""
    page = wire.answer("<html><h1>413 Request Entity Too Large</h1></html>", 413)

    async def refuses(connection: wire.Connection) -> None:
        await connection.send(page)
        await connection.hung_up()

    picture = tmp_path / "large.jpg"
    picture.write_bytes(bytes(16_000_000))
    wanted = with_files(Transport.UPLOAD, ("input_reference",))
    async with Wire(refuses).serve() as url, opened(url) as gateway:
        outcome = await create(gateway, wanted, [picture])

    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.charged) == (Reason.PICTURE_TOO_LARGE, False)


# --- posts that certainly were not sent ------------------------------------------------------


async def test_a_post_on_a_refused_connection_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with opened(f"http://127.0.0.1:{port}") as gateway:
        assert await create(gateway, request(), []) == NotSent("ClientConnectorError")


class NoNames(AbstractResolver):
    """A resolver that knows no name."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(errno.ENOENT, "name not known")

    async def close(self) -> None:
        """Do nothing: nothing is open."""


async def test_a_post_to_a_name_that_does_not_resolve_was_not_sent() -> None:
    async with opened("http://gateway.example", resolver=NoNames()) as gateway:
        assert await create(gateway, request(), []) == NotSent("ClientConnectorDNSError")


async def test_a_post_to_an_invalid_name_was_not_sent() -> None:
    async with opened(f"http://{'a' * 64}.example") as gateway:
        outcome = await create(gateway, request(), [])

    assert isinstance(outcome, NotSent)


@pytest.mark.parametrize("bounds", [Bounds(connect=0.2), Bounds(post=0.2)])
async def test_a_post_that_timed_out_while_connecting_was_not_sent(bounds: Bounds) -> None:
    """The TLS handshake never ends; once the connect timeout strikes, once the total timeout."""
    server = Wire(lambda connection: connection.hung_up())
    async with (
        server.serve() as url,
        opened(url.replace("http:", "https:"), bounds=bounds) as gateway,
    ):
        outcome = await create(gateway, request(), [])

    assert isinstance(outcome, NotSent)
    assert server.charges == 0


async def test_a_post_to_a_server_without_tls_was_not_sent() -> None:
    server = Wire(wire.greets)
    async with server.serve() as url, opened(url.replace("http:", "https:")) as gateway:
        outcome = await create(gateway, request(), [])

    assert (outcome, server.charges) == (NotSent("ClientConnectorSSLError"), 0)


async def test_a_post_whose_picture_cannot_be_read_was_not_sent(tmp_path: Path) -> None:
    server = Wire(CREATED)
    async with server.serve() as url, opened(url) as gateway:
        outcomes = [
            await create(gateway, with_files(transport, ("img_url",)), [tmp_path / "gone.jpg"])
            for transport in (Transport.UPLOAD, Transport.DATA_URI, Transport.BASE64)
        ]

    assert outcomes == [NotSent("FileNotFoundError")] * 3
    assert server.connections == []


async def test_a_key_that_is_no_valid_header_value_charges_nothing() -> None:
    server = Wire(CREATED)
    async with server.serve() as url:
        settings = GatewayOptions(name="g", base_url=url, api_key="sk-\r\nHost: elsewhere")
        async with open_gateways([settings]) as gateways:
            outcome = await create(gateways["g"], request(), [])

    assert isinstance(outcome, NotSent | Uncertain)
    assert server.charges == 0


# --- between the connection and the sending ------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [LookupError("withdrawn"), OSError("no database"), TimeoutError("slow"), ValueError("x")],
    ids=lambda error: type(error).__name__,
)
async def test_a_post_cancelled_before_it_is_sent_sends_no_byte(
    error: Exception,
) -> None:
    """The error is not taken for trouble with the connection, and the connection is closed."""
    assert await called_off_by(error) == 0


async def test_negative_control_a_post_cancelled_after_it_was_sent_is_noticed() -> None:
    assert await called_off_by(LookupError("withdrawn"), hasty=True) > 0


async def test_a_post_that_is_ready_has_a_connection_and_has_sent_nothing() -> None:
    server = Wire(CREATED)
    async with (
        server.serve() as url,
        opened(url) as gateway,
        gateway.ready(request(), []) as ready,
    ):
        while not server.connections:
            await asyncio.sleep(0)
        seen = (len(server.connections), server.connections[0].bytes_received)
        assert not isinstance(ready, NotSent)
        outcome = await ready.send()

    assert (outcome, seen) == (Accepted("video_1"), (1, 0))
    assert len(server.connections) == 1


async def test_a_post_that_is_ready_can_be_sent_only_once() -> None:
    server = Wire(CREATED, CREATED)
    async with (
        server.serve() as url,
        opened(url) as gateway,
        gateway.ready(request(), []) as ready,
    ):
        assert not isinstance(ready, NotSent)
        outcomes = [await ready.send(), await ready.send()]
        await server.over()

    assert outcomes == [Accepted("video_1"), Uncertain("ClientConnectionError")]
    assert (len(server.connections), server.charges) == (1, 1)


async def test_a_post_whose_time_ran_out_before_it_was_sent_sends_nothing() -> None:
    """Writing the row took as long as the whole POST may take."""
    server = Wire(CREATED)
    async with server.serve() as url, opened(url, bounds=Bounds(post=0.2)) as gateway:
        async with gateway.ready(request(), []) as ready:
            assert not isinstance(ready, NotSent)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await asyncio.Event().wait()
            outcome = await ready.send()
        connection = await server.over()

    assert outcome == NotSent("TimeoutError")
    assert connection.bytes_received == 0


async def test_a_post_carries_the_key_as_a_bearer_token_and_goes_to_the_documented_path() -> None:
    for tail in ("", "/", "/v1", "/v1/"):
        server = Wire(CREATED)
        async with server.serve() as url, opened(f"{url}{tail}") as gateway:
            await create(gateway, request(), [])
        sent = server.requests[0]
        assert (sent.method, sent.path) == ("POST", "/v1/videos")
        assert sent.headers["authorization"] == "Bearer sk-test-key"
        assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")


# --- a video as the answer to a POST -------------------------------------------------------------

BRIEF = Bounds(content=0.5, post=5.0)


async def made(raw: Fault, into: Path | None) -> Creation:
    """Send a POST that is answered like this, with room for a video at `into`."""
    async with Wire(raw).serve() as url, opened(url, bounds=BRIEF) as gateway:
        return await create(gateway, request(), [], into=into)


@pytest.mark.parametrize(
    "raw",
    [
        wire.answer(MP4, headers={"Content-Type": "video/mp4"}),
        wire.answer(MP4, 201, length=None, headers={"Content-Type": "application/json"}),
        wire.answer(b"\xef\xbb\xbf\r\n" + MP4),
        wire.answer(gzip.compress(MP4), headers={"Content-Encoding": "gzip"}),
    ],
    ids=["typed", "known by its bytes", "after white space", "compressed"],
)
async def test_a_video_that_is_the_answer_to_a_post_is_saved(tmp_path: Path, raw: bytes) -> None:
    into = tmp_path / "video"
    assert await made(wire.sending(raw), into) == Made(len(MP4))
    assert into.read_bytes() == MP4


TOO_LARGE = Rejected(Reason.CONTENT_TOO_LARGE, "too large: more than 20000000 bytes", charged=True)


async def test_an_endless_video_as_the_answer_is_too_large_charged_and_not_held_in_memory(
    tmp_path: Path,
) -> None:
    """The video is written to the disk piece by piece, up to the maximum of any download."""
    server = Wire(wire.endless(wire.answer(MP4, length=None), bytes(65536)))
    bounds = Bounds(video=20_000_000)
    async with server.serve() as url, opened(url, bounds=bounds) as gateway:
        tracemalloc.start()
        got = await create(gateway, request(), [], into=tmp_path / "v")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert got == TOO_LARGE
    assert 19_000_000 < (tmp_path / "v").stat().st_size <= 20_000_000
    assert most < 5_000_000


async def _arriving(raw: bytes, into: Path, bounds: Bounds, *, room: ExitStack) -> Creation:
    """Send a video while the disk takes no writes; once the client has noticed, close `room`."""

    async def noticed() -> None:
        while not any(entry["event"] == "video.no_room" for entry in said):
            await asyncio.sleep(0)
        room.close()

    with capture_logs() as said:
        async with (
            Wire(wire.sending(raw)).serve() as url,
            opened(url, bounds=bounds) as gateway,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(noticed())
            return await create(gateway, request(), [], into=into)


@pytest.mark.parametrize("size", [0, 100_000], ids=["from its first byte", "in its middle"])
async def test_a_video_as_the_answer_waits_while_the_disk_is_full(
    tmp_path: Path, size: int
) -> None:
    video, room = MP4 + bytes(range(256)) * 4000, ExitStack()
    room.enter_context(no_file_larger_than(size))
    got = await _arriving(wire.answer(video), tmp_path / "v", Bounds(room=0.01), room=room)
    assert got == Made(len(video))
    assert (tmp_path / "v").read_bytes() == video


async def test_a_video_as_the_answer_without_any_room_is_rejected_as_no_room_and_charged(
    tmp_path: Path,
) -> None:
    with no_file_larger_than(0):
        got = await _arriving(
            wire.answer(MP4), tmp_path / "v", Bounds(room=0.01, content=0.5), room=ExitStack()
        )
    assert got == Rejected(Reason.NO_ROOM, "the service's disk: File too large", charged=True)


async def test_a_sender_that_hangs_up_while_our_disk_is_full_is_not_blamed(
    tmp_path: Path,
) -> None:
    room = ExitStack()
    room.enter_context(no_file_larger_than(0))
    cut = wire.answer(MP4, length=len(MP4) + 9)
    got = await _arriving(cut, tmp_path / "v", Bounds(room=0.01), room=room)
    assert got == Rejected(Reason.NO_ROOM, "the service's disk: File too large", charged=True)


@pytest.mark.parametrize(
    "fault",
    [
        wire.sending(wire.answer(MP4, length=len(MP4) + 9)),
        wire.stalling(wire.answer(MP4, length=len(MP4) + 9)),
        wire.sending(wire.answer(b"", headers={"Content-Type": "video/mp4"})),
        wire.sending(wire.answer("not yet", headers={"Content-Type": "video/mp4"})),
    ],
    ids=["cut", "stalled", "empty", "words"],
)
async def test_half_a_video_as_the_answer_gives_uncertain(tmp_path: Path, fault: Fault) -> None:
    assert isinstance(await made(fault, tmp_path / "v"), Uncertain)


async def test_an_error_status_with_a_video_as_its_body_saves_no_video(tmp_path: Path) -> None:
    refused = await made(wire.sending(wire.answer(MP4, 502)), tmp_path / "v")
    assert isinstance(refused, Uncertain)
    assert not (tmp_path / "v").exists()
