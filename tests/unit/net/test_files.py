"""Bytes from the net go onto the disk in one place, at most so many of them."""

import ast
import os
from collections.abc import AsyncIterator, Callable
from io import FileIO
from pathlib import Path
from typing import TypeVar

import pytest

import bot
from bot.net.files import LITTLE, STEP, save, write

TextAnswer = TypeVar("TextAnswer")
PACKAGE = Path(bot.__file__).parent


class Source:
    """Chunks, and how many of them were asked for."""

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
async def test_no_more_is_kept_than_may_come_and_no_more_is_read_than_shows_it(
    tmp_path: Path, most: int, size: int, kept: bytes, read: int
) -> None:
    source = Source(b"aa", b"bb", b"cc")
    assert await save(source, tmp_path / "f", most=most) == size
    assert ((tmp_path / "f").read_bytes(), source.read) == (kept, read)


async def test_it_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"before")
    await save(Source(b"aa"), file)
    assert file.read_bytes() == b"aa"


async def test_a_disk_that_takes_a_part_is_given_the_rest(tmp_path: Path) -> None:
    """A write to a disk that is nearly full takes less than it was given, and raises nothing."""

    async def reluctant(do: Callable[..., TextAnswer], /, *given: object) -> TextAnswer:
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


async def test_what_comes_fast_is_written_a_step_at_a_time(tmp_path: Path) -> None:
    chunk, handed = b"x" * LITTLE, 0

    async def counted(do: Callable[..., TextAnswer], /, *given: object) -> TextAnswer:
        nonlocal handed
        handed += 1
        return do(*given)

    many = 2 * STEP // LITTLE
    with (tmp_path / "f").open("wb", buffering=0) as file:
        assert await write(Source(*[chunk] * many), file, takes=counted) == 2 * STEP
    assert (handed, (tmp_path / "f").stat().st_size) == (2, 2 * STEP)


async def test_what_came_before_a_line_broke_is_written(tmp_path: Path) -> None:
    """The rest is asked for, and goes behind it."""

    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * LITTLE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await save(breaking(), tmp_path / "f")
    assert (tmp_path / "f").stat().st_size == LITTLE


def writers(tree: ast.AST) -> int:
    """Loops over what comes, in which a file is written."""
    return sum(
        isinstance(loop, ast.AsyncFor)
        and any(isinstance(it, ast.Attribute) and it.attr == "write" for it in ast.walk(loop))
        for loop in ast.walk(tree)
    )


def test_nothing_else_writes_what_comes_chunk_by_chunk() -> None:
    found = {
        str(path.relative_to(PACKAGE)): count
        for path in PACKAGE.rglob("*.py")
        if "simulator" not in path.parts and (count := writers(ast.parse(path.read_text("utf-8"))))
    }
    assert found == {}, "`files.write` holds what comes, and writes it"


def test_negative_control_another_loop_is_found() -> None:
    loop = "async def f():\n    async for chunk in chunks:\n        file.write(chunk)\n"
    assert writers(ast.parse(loop)) == 1
