"""A broken download is resumed where it broke off, if the server supports that."""

from pathlib import Path

import pytest

from bot.core.outcomes import Fetched, Trouble
from tests.fakes import wire
from tests.fakes.disk import no_file_larger_than
from tests.fakes.wire import Wire

from .samples import opened
from .shelf import fetched

FILE = b"\0\0\0\x10ftypisom" + bytes(range(256)) * 400
CUT = 40_000
KNOWN = {"Accept-Ranges": "bytes", "ETag": '"one"'}


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return tmp_path / "video.mp4"


def first(headers: dict[str, str], body: bytes = FILE) -> wire.Fault:
    """Promise the whole file, and break the connection after a part."""
    return wire.sending(wire.answer(body[:CUT], headers=headers, length=len(body)))


def second(
    body: bytes = FILE, start: int = CUT, whole: int | None = None, **headers: str
) -> wire.Fault:
    """Answer with the rest of the file from `start` on."""
    span = f"bytes {start}-{len(body) - 1}/{len(body) if whole is None else whole}"
    headers = {"Content-Range": span} | {name.replace("_", "-"): it for name, it in headers.items()}
    return wire.sending(wire.answer(body[start:], 206, headers=headers))


async def test_a_broken_download_is_resumed_with_the_missing_bytes(video: Path) -> None:
    server = Wire(first(KNOWN), second())
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Fetched(len(FILE))
    assert video.read_bytes() == FILE
    asked = server.requests[1].headers
    assert (asked["range"], asked["if-range"]) == (f"bytes={CUT}-", '"one"')
    assert "range" not in server.requests[0].headers
    assert server.requests[1].is_authorized


async def test_a_download_may_break_off_and_resume_more_than_once(video: Path) -> None:
    half = wire.answer(
        FILE[CUT : 2 * CUT],
        206,
        headers={"Content-Range": f"bytes {CUT}-{len(FILE) - 1}/{len(FILE)}"},
        length=len(FILE) - CUT,
    )
    server = Wire(first(KNOWN), wire.sending(half), second(start=2 * CUT))
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Fetched(len(FILE))
    assert video.read_bytes() == FILE


async def test_a_server_that_answers_a_resume_with_the_whole_file_replaces_the_first_part(
    video: Path,
) -> None:
    """The server may not support ranges, or the file may have changed."""
    other = FILE[:12] + bytes(len(FILE) - 12)
    server = Wire(first(KNOWN), wire.sending(wire.answer(other)))
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Fetched(len(other))
    assert video.read_bytes() == other


async def test_white_space_before_a_video_counts_in_the_position_of_a_resume(video: Path) -> None:
    server = Wire(first(KNOWN, b"\r\n" + FILE), second(b"\r\n" + FILE))
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Fetched(len(FILE))
    assert video.read_bytes() == FILE


@pytest.mark.parametrize(
    "fault",
    [
        second(start=CUT + 1),
        second(whole=len(FILE) + 1),
        second(ETag='"two"'),
        second(Content_Encoding="gzip"),
        wire.sending(wire.answer("no", 416)),
    ],
)
async def test_a_resumed_part_that_does_not_match_gives_trouble(
    video: Path, fault: wire.Fault
) -> None:
    server = Wire(first(KNOWN), fault)
    async with server.serve() as url, opened(url) as gateway:
        assert isinstance(await fetched(gateway, "v", [], video), Trouble)


async def test_a_resumed_part_shorter_than_declared_gives_no_whole_video(video: Path) -> None:
    span = f"bytes {CUT}-{len(FILE) - 1}/{len(FILE)}"
    short = wire.answer(FILE[CUT:-100], 206, headers={"Content-Range": span})
    server = Wire(first(KNOWN), wire.sending(short))
    async with server.serve() as url, opened(url) as gateway:
        told = f"{len(FILE) - 100} of {len(FILE)} bytes"
        assert await fetched(gateway, "v", [], video) == Trouble(told)


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"one"'},
        {"Accept-Ranges": "none", "ETag": '"one"'},
        {"Accept-Ranges": "bytes"},
        {"Accept-Ranges": "bytes", "ETag": 'W/"one"'},
    ],
)
async def test_a_download_that_may_have_changed_on_the_server_is_not_resumed(
    video: Path, headers: dict[str, str]
) -> None:
    server = Wire(first(headers))
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Trouble("ClientPayloadError")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", [b'{"error": "' + FILE[16:].hex().encode(), FILE[:99]], ids=["JSON", "nine bytes"]
)
async def test_a_broken_download_that_is_no_recognized_video_is_not_resumed(
    video: Path, body: bytes
) -> None:
    """Text in place of a video may differ the next time, so it is requested from the beginning."""
    cut = CUT if len(body) > CUT else 9
    broken = wire.sending(wire.answer(body[:cut], headers=KNOWN, length=len(body)))
    server = Wire(broken, second(body, cut))
    async with server.serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == Trouble("ClientPayloadError")
    assert len(server.requests) == 1


async def test_a_download_that_failed_while_writing_to_disk_is_not_resumed(
    video: Path,
) -> None:
    """How much of the last piece was written is unknown, so a resumed part could leave a gap."""
    server = Wire(wire.sending(wire.answer(FILE, headers=KNOWN)), second())
    async with server.serve() as url, opened(url) as gateway:
        with no_file_larger_than(CUT):
            assert await gateway.content("v", None, video) == Trouble("OSError")
    assert len(server.requests) == 1


async def test_a_download_that_makes_no_progress_is_resumed_only_a_few_times(video: Path) -> None:
    server = Wire(first(KNOWN), *[first(KNOWN)] * 9)
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Trouble("ClientPayloadError")
    assert len(server.requests) == 4


async def test_a_download_that_makes_progress_is_resumed_until_its_end(video: Path) -> None:
    long, step = FILE * 8, 100_000
    parts = [
        wire.answer(
            long[start : start + step],
            206,
            headers={"Content-Range": f"bytes {start}-{len(long) - 1}/{len(long)}"},
            length=len(long) - start,
        )
        for start in range(CUT, len(long), step)
    ]
    server = Wire(first(KNOWN, long), *map(wire.sending, parts))
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Fetched(len(long))
    assert video.read_bytes() == long
    assert len(server.requests) > 4
