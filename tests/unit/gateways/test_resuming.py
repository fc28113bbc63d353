"""A download that broke off goes on where it did, where its server knows how."""

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
    """All of the file is promised, and the line breaks."""
    return wire.sending(wire.answer(body[:CUT], headers=headers, length=len(body)))


def second(
    body: bytes = FILE, start: int = CUT, whole: int | None = None, **headers: str
) -> wire.Fault:
    span = f"bytes {start}-{len(body) - 1}/{len(body) if whole is None else whole}"
    headers = {"Content-Range": span} | {name.replace("_", "-"): it for name, it in headers.items()}
    return wire.sending(wire.answer(body[start:], 206, headers=headers))


async def test_the_rest_is_asked_for_and_put_behind_what_is_there(video: Path) -> None:
    server = Wire(first(KNOWN), second())
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Fetched(len(FILE))
    assert video.read_bytes() == FILE
    asked = server.requests[1].headers
    assert (asked["range"], asked["if-range"]) == (f"bytes={CUT}-", '"one"')
    assert "range" not in server.requests[0].headers
    assert server.requests[1].is_authorized


async def test_it_may_break_off_more_than_once(video: Path) -> None:
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


async def test_a_server_that_begins_anew_is_taken_from_its_beginning(video: Path) -> None:
    """Because it does not know ranges, or because the file is another one now."""
    other = FILE[:12] + bytes(len(FILE) - 12)
    server = Wire(first(KNOWN), wire.sending(wire.answer(other)))
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Fetched(len(other))
    assert video.read_bytes() == other


async def test_what_is_blank_before_a_video_counts_among_what_came(video: Path) -> None:
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
async def test_a_part_that_is_not_the_rest_is_no_video(video: Path, fault: wire.Fault) -> None:
    server = Wire(first(KNOWN), fault)
    async with server.serve() as url, opened(url) as gateway:
        assert isinstance(await fetched(gateway, "v", [], video), Trouble)


async def test_a_rest_that_is_shorter_than_it_says_makes_no_whole_video(video: Path) -> None:
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
async def test_where_the_file_might_be_another_one_nothing_is_put_together(
    video: Path, headers: dict[str, str]
) -> None:
    server = Wire(first(headers))
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Trouble("ClientPayloadError")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body", [b'{"error": "' + FILE[16:].hex().encode(), FILE[:99]], ids=["words", "nine bytes"]
)
async def test_of_words_and_of_what_is_not_yet_told_from_them_nothing_more_is_asked(
    video: Path, body: bytes
) -> None:
    """Words in place of a video may be others the next time: they are asked for anew."""
    cut = CUT if len(body) > CUT else 9
    broken = wire.sending(wire.answer(body[:cut], headers=KNOWN, length=len(body)))
    server = Wire(broken, second(body, cut))
    async with server.serve() as url, opened(url) as gateway:
        assert await gateway.content("v", None, video) == Trouble("ClientPayloadError")
    assert len(server.requests) == 1


async def test_of_a_file_that_was_given_up_while_it_was_written_nothing_more_is_asked(
    video: Path,
) -> None:
    """Nobody knows how much of the last piece is there: more of it would be put behind a gap."""
    server = Wire(wire.sending(wire.answer(FILE, headers=KNOWN)), second())
    async with server.serve() as url, opened(url) as gateway:
        with no_file_larger_than(CUT):
            assert await gateway.content("v", None, video) == Trouble("OSError")
    assert len(server.requests) == 1


async def test_it_is_not_taken_up_for_ever(video: Path) -> None:
    server = Wire(first(KNOWN), *[first(KNOWN)] * 9)
    async with server.serve() as url, opened(url) as gateway:
        assert await fetched(gateway, "v", [], video) == Trouble("ClientPayloadError")
    assert len(server.requests) == 4


async def test_a_file_of_which_more_comes_each_time_comes_to_its_end(video: Path) -> None:
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
