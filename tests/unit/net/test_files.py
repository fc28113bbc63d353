"""Downloaded bytes are written to the disk in one place, up to a limit."""

import ast
import os
from collections.abc import AsyncIterator, Callable
from io import FileIO
from pathlib import Path
from typing import TypeVar

import pytest

import bot
from bot.net.files import LITTLE, STEP, save, write

Result = TypeVar("Result")
PACKAGE = Path(bot.__file__).parent


class Source:
    """A response body of chunks, with a count of the chunks that were read."""

    def __init__(self, *chunks: bytes) -> None:
        self.chunks = chunks
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            self.read += 1
            yield chunk


@pytest.mark.parametrize(
    ("most", "size", "kept", "read"),
    [(6, 6, b"aabbcc", 3), (5, 6, b"aabb", 3), (3, 4, b"aa", 2), (0, 2, b"", 1)],
)
async def test_save_keeps_at_most_the_given_bytes_and_stops_reading_beyond(
    tmp_path: Path, most: int, size: int, kept: bytes, read: int
) -> None:
    source = Source(b"aa", b"bb", b"cc")
    assert await save(source, tmp_path / "f", most=most) == size
    assert ((tmp_path / "f").read_bytes(), source.read) == (kept, read)


async def test_save_replaces_an_existing_file(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"before")
    await save(Source(b"aa"), file)
    assert file.read_bytes() == b"aa"


async def test_a_disk_that_takes_part_of_a_write_is_given_the_rest(tmp_path: Path) -> None:
    """A write to a nearly full disk may take less than it was given and raise nothing."""

    async def reluctant(do: Callable[..., Result], /, *given: object) -> Result:
        if do is os.writev:
            number, chunks = given
            assert isinstance(number, int)
            assert isinstance(chunks, list)
            return do(number, [chunks[0][:1]])
        if isinstance(getattr(do, "__self__", None), FileIO):
            (data,) = given
            assert isinstance(data, memoryview)
            return do(data[:1])
        return do(*given)

    with (tmp_path / "f").open("wb", buffering=0) as file:
        await write(Source(b"whole"), file, takes=reluctant)
    assert (tmp_path / "f").read_bytes() == b"whole"


async def test_small_chunks_that_come_fast_are_written_in_large_steps(tmp_path: Path) -> None:
    chunk, handed = b"x" * LITTLE, 0

    async def counted(do: Callable[..., Result], /, *given: object) -> Result:
        nonlocal handed
        handed += 1
        return do(*given)

    many = 2 * STEP // LITTLE
    with (tmp_path / "f").open("wb", buffering=0) as file:
        assert await write(Source(*[chunk] * many), file, takes=counted) == 2 * STEP
    assert (handed, (tmp_path / "f").stat().st_size) == (2, 2 * STEP)


async def test_bytes_received_before_a_connection_broke_are_written(tmp_path: Path) -> None:
    """The rest is then requested and appended."""

    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * LITTLE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await save(breaking(), tmp_path / "f")
    assert (tmp_path / "f").stat().st_size == LITTLE


def writers(tree: ast.AST) -> int:
    """Return the number of loops over received chunks in which a file is written."""
    return sum(
        isinstance(loop, ast.AsyncFor)
        and any(isinstance(it, ast.Attribute) and it.attr == "write" for it in ast.walk(loop))
        for loop in ast.walk(tree)
    )


def test_only_net_files_writes_chunks_of_a_response_to_a_file() -> None:
    found = {
        str(path.relative_to(PACKAGE)): count
        for path in PACKAGE.rglob("*.py")
        if "simulator" not in path.parts and (count := writers(ast.parse(path.read_text("utf-8"))))
    }
    assert found == {}, "`files.write` holds what comes, and writes it"


def test_negative_control_a_second_writing_loop_is_found() -> None:
    loop = "async def f():\n    async for chunk in chunks:\n        file.write(chunk)\n"
    assert writers(ast.parse(loop)) == 1
