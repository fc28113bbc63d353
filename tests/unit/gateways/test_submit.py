"""The POST that costs money: sent at most once, and what became of it is never guessed."""

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
"""Whether these are there before our first byte is chance; then it is known that none has left."""


def doubts(name: str) -> tuple[type[Creation], ...]:
    """The outcomes that a fault of a socket may have."""
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
    server = Wire(fault, CREATED)  # a second POST would succeed, and be seen
    async with server.serve() as url, opened(url, bounds=bounds) as gateway:
        outcome = await create(gateway, request(), [])
        await server.over()
    return outcome, server


async def called_off_by(error: Exception, *, hasty: bool = False) -> int:
    """Bytes that reach the server when what comes before the sending fails with `error`."""

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


# ------------------------------------------------------------------------- what was it?


@pytest.mark.parametrize("name", SOCKET_FAULTS)
async def test_whatever_happens_after_the_first_byte_is_uncertain_and_not_repeated(
    name: str,
) -> None:
    outcome, server = await submit(SOCKET_FAULTS[name])

    assert isinstance(outcome, doubts(name))
    assert (len(server.connections), server.charges <= 1) == (1, True)


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_definite_no_is_a_refusal_and_never_followed(name: str) -> None:
    fault, expected = REFUSALS[name]

    outcome, server = await submit(fault)

    assert (outcome, len(server.connections), server.charges) == (expected, 1, 1)


@pytest.mark.proof
@pytest.mark.parametrize("name", [*SOCKET_FAULTS, *REFUSALS])
async def test_no_fault_ever_makes_a_second_post(name: str) -> None:
    """Bar B7: every fault 25 times, at most one charge each, always the same class."""
    faults = SOCKET_FAULTS | {key: fault for key, (fault, _) in REFUSALS.items()}
    expected = doubts(name) if name in SOCKET_FAULTS else (Rejected,)
    stalls = name in ("no answer", "half an answer")
    for _ in range(25):
        outcome, server = await submit(faults[name], bounds=Bounds(post=0.3 if stalls else 10.0))
        assert isinstance(outcome, expected)
        assert len(server.connections) == 1
        assert server.charges <= 1


async def test_a_connection_is_used_for_one_post_only() -> None:
    """A server that keeps connections alive still sees a new one, so the hook sees it too."""
    kept = wire.answer('{"id": "v"}', headers={"Connection": "keep-alive"})
    server = Wire(wire.stalling(kept))
    async with server.serve() as url, opened(url) as gateway:
        outcomes = [await create(gateway, request(), []) for _ in range(3)]
        for _ in range(3):
            await server.over()

    assert outcomes == [Accepted("v")] * 3
    assert (len(server.connections), server.charges) == (3, 3)


async def test_a_gateway_that_hangs_up_before_the_first_byte_has_got_none() -> None:
    """As a front does that is restarted while our row is being written."""

    async def hangs_up(connection: wire.Connection) -> None:
        """Without a word."""

    server = Wire(hangs_up)
    async with (
        server.serve() as url,
        opened(url) as gateway,
        gateway.ready(request(), []) as ready,
    ):
        await server.over()
        for _ in range(100):  # until it is known here
            await asyncio.sleep(0)
        assert isinstance(ready, Ready)
        assert await ready.send() == NotSent("ClientConnectionError")

    assert server.charges == 0


async def test_a_cancelled_post_is_neither_repeated_nor_reported_as_unsent() -> None:
    """The row stays `submitting`, which becomes `unconfirmed` when its claim runs out."""
    server = Wire(wire.silent)
    async with server.serve() as url, opened(url) as gateway:
        task = asyncio.create_task(create(gateway, request(), []))
        await server.received()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.over()

    assert server.charges == 1


async def test_a_server_that_stops_reading_in_the_middle_leaves_doubt(tmp_path: Path) -> None:
    picture = tmp_path / "large.jpg"
    picture.write_bytes(bytes(16_000_000))
    wanted = with_files(Transport.UPLOAD, ("input_reference",))
    async with Wire(wire.never_reads).serve() as url, opened(url, bounds=HASTY) as gateway:
        outcome = await create(gateway, wanted, [picture])

    assert outcome == Uncertain("TimeoutError")


async def test_a_front_that_refuses_a_large_body_unread_is_heard(tmp_path: Path) -> None:
    """As nginx does it: the answer at once, then it reads on for a while and throws that away."""
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


# ----------------------------------------------------------------- what provably did not leave


async def test_a_refused_connection_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with opened(f"http://127.0.0.1:{port}") as gateway:
        assert await create(gateway, request(), []) == NotSent("ClientConnectorError")


class NoNames(AbstractResolver):
    """Knows no name at all."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError(errno.ENOENT, "name not known")

    async def close(self) -> None:
        """Nothing is open."""


async def test_a_name_that_cannot_be_resolved_sent_nothing() -> None:
    async with opened("http://gateway.example", resolver=NoNames()) as gateway:
        assert await create(gateway, request(), []) == NotSent("ClientConnectorDNSError")


async def test_a_name_that_no_resolver_can_take_sent_nothing() -> None:
    async with opened(f"http://{'a' * 64}.example") as gateway:
        outcome = await create(gateway, request(), [])

    assert isinstance(outcome, NotSent)


@pytest.mark.parametrize("bounds", [Bounds(connect=0.2), Bounds(post=0.2)])
async def test_a_timeout_while_connecting_sent_nothing(bounds: Bounds) -> None:
    """The TLS handshake never ends: once the connect timeout strikes, once the total one."""
    server = Wire(lambda connection: connection.hung_up())
    async with (
        server.serve() as url,
        opened(url.replace("http:", "https:"), bounds=bounds) as gateway,
    ):
        outcome = await create(gateway, request(), [])

    assert isinstance(outcome, NotSent)
    assert server.charges == 0


async def test_a_server_that_speaks_no_tls_was_sent_nothing() -> None:
    server = Wire(wire.greets)
    async with server.serve() as url, opened(url.replace("http:", "https:")) as gateway:
        outcome = await create(gateway, request(), [])

    assert (outcome, server.charges) == (NotSent("ClientConnectorSSLError"), 0)


async def test_a_picture_that_cannot_be_read_was_not_sent(tmp_path: Path) -> None:
    server = Wire(CREATED)
    async with server.serve() as url, opened(url) as gateway:
        outcomes = [
            await create(gateway, with_files(transport, ("img_url",)), [tmp_path / "gone.jpg"])
            for transport in (Transport.UPLOAD, Transport.DATA_URI, Transport.BASE64)
        ]

    assert outcomes == [NotSent("FileNotFoundError")] * 3
    assert server.connections == []


async def test_a_key_that_fits_no_header_leaves_at_most_doubt() -> None:
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
async def test_a_post_that_is_called_off_before_it_is_sent_leaves_not_one_byte(
    error: Exception,
) -> None:
    """Nor is the reason taken for trouble on the wire, and the connection is closed."""
    assert await called_off_by(error) == 0


async def test_negative_control_a_post_that_is_called_off_after_it_was_sent_is_noticed() -> None:
    assert await called_off_by(LookupError("withdrawn"), hasty=True) > 0


async def test_a_post_that_is_ready_has_its_connection_and_sent_nothing() -> None:
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


async def test_a_post_whose_time_ran_out_before_it_was_sent_sent_nothing() -> None:
    """The row took as long to be written as the whole POST may take."""
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


async def test_the_key_travels_as_a_bearer_and_the_path_is_the_documented_one() -> None:
    for tail in ("", "/", "/v1", "/v1/"):
        server = Wire(CREATED)
        async with server.serve() as url, opened(f"{url}{tail}") as gateway:
            await create(gateway, request(), [])
        sent = server.requests[0]
        assert (sent.method, sent.path) == ("POST", "/v1/videos")
        assert sent.headers["authorization"] == "Bearer sk-test-key"
        assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")


# --- a video as the answer -----------------------------------------------------------------------

BRIEF = Bounds(content=0.5, post=5.0)


async def made(raw: Fault, into: Path | None) -> Creation:
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
    ids=["typed", "told by its bytes", "blank before it", "packed"],
)
async def test_a_video_that_is_the_answer_is_saved(tmp_path: Path, raw: bytes) -> None:
    into = tmp_path / "video"
    assert await made(wire.sending(raw), into) == Made(len(MP4))
    assert into.read_bytes() == MP4


TOO_LARGE = Rejected(Reason.CONTENT_TOO_LARGE, "too large: more than 20000000 bytes", charged=True)


async def test_a_video_without_end_is_too_large_paid_for_and_never_whole_in_memory(
    tmp_path: Path,
) -> None:
    """It goes onto the disk chunk by chunk, up to what is taken of any download."""
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
    """A video comes while nothing can be written; once that was noticed, `room` is closed."""

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
async def test_a_video_that_comes_while_the_disk_takes_nothing_waits_for_room(
    tmp_path: Path, size: int
) -> None:
    video, room = MP4 + bytes(range(256)) * 4000, ExitStack()
    room.enter_context(no_file_larger_than(size))
    got = await _arriving(wire.answer(video), tmp_path / "v", Bounds(room=0.01), room=room)
    assert got == Made(len(video))
    assert (tmp_path / "v").read_bytes() == video


async def test_a_video_for_which_there_never_was_room_was_made_and_is_paid_for(
    tmp_path: Path,
) -> None:
    with no_file_larger_than(0):
        got = await _arriving(
            wire.answer(MP4), tmp_path / "v", Bounds(room=0.01, content=0.5), room=ExitStack()
        )
    assert got == Rejected(Reason.NO_ROOM, "the service's disk: File too large", charged=True)


async def test_a_sender_that_does_not_wait_for_room_is_not_what_was_at_fault(
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
async def test_half_a_video_as_the_answer_is_uncertain(tmp_path: Path, fault: Fault) -> None:
    assert isinstance(await made(fault, tmp_path / "v"), Uncertain)


async def test_a_refusal_is_no_video_whatever_its_body(tmp_path: Path) -> None:
    refused = await made(wire.sending(wire.answer(MP4, 502)), tmp_path / "v")
    assert isinstance(refused, Uncertain)
    assert not (tmp_path / "v").exists()
