"""The command line as a person meets it: output, mistakes and a real terminal."""

import asyncio
import fcntl
import os
import pty
import re
import socket
import struct
import sys
import termios
import zlib
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import NewUrl
from tests.e2e.command_line import generate_here, inherited, output_of, probe, started, zoetrope
from tests.e2e.world import WAIT, World

# --- pictures ------------------------------------------------------------------------------------


@pytest.mark.proof
async def test_a_photo_with_exif_rotation_makes_an_upright_video(world: World) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (400, 300), "teal").save(world.folder / "photo.jpg", exif=exif)
    code, said = await generate_here(world, "--image", "photo.jpg", "--model", "sora-2")
    assert code == 0, said
    _, _, width, height, _ = probe(world.folder / "video.mp4")
    assert (width, height) == (72, 128)


@pytest.mark.proof
@pytest.mark.parametrize("side", [20_000, 10_000])
async def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, side: int
) -> None:
    (tmp_path / "bomb.png").write_bytes(_png_header(side))
    code, said = await zoetrope("generate", "--image", "bomb.png", "--simulate", folder=tmp_path)
    size = side * side // 1_000_000
    assert (code, said) == (
        1,
        f"That picture has {size} megapixels; I take up to 65. Please make it smaller first.\n",
    )


def _png_header(side: int) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = (head, b"IDAT", b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


# --- output and its targets ----------------------------------------------------------------------


@pytest.mark.proof
async def test_a_closed_pipe_or_a_full_disk_on_stdout_ends_without_a_traceback(
    world: World,
) -> None:
    async with world.app():
        pass
    variables = world.written()
    for command in ("jobs list --json", "models", "--help"):
        for into, words in (("| true", ""), ("> /dev/full", "No space left on device")):
            line = f'{{ "$0" -m bot {command}; echo "ended $?" >&2; }} {into}'
            said = await _shell(line, folder=world.folder, **variables)
            assert said.endswith("ended 1\n"), said
            assert words in said
            assert said.count("\n") == (2 if words else 1), said


async def _shell(line: str, *, folder: Path, **variables: str) -> str:
    """Run a line in a shell, with its pipes, and return what came on stderr."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", line, sys.executable),
        cwd=folder,
        env={**inherited(), **variables},
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(6 * WAIT):
        _, said = await process.communicate()
    return said.decode()


# --- mistakes ------------------------------------------------------------------------------------


MISTAKES: dict[str, tuple[dict[str, str], int, str]] = {
    "a file where a folder is needed": (
        {"DATA_DIR": "/dev/null/x"},
        78,
        "data_dir is /dev/null/x, but I can't write to /dev/null.",
    ),
    "a folder in /proc": ({"DATA_DIR": "/proc/zoetrope"}, 1, "I can't use /proc/zoetrope"),
    "not a database url": ({"DATABASE_URL": "foo"}, 78, "database_url has to be sqlite:"),
    "a database server that does not listen": (
        {"DATABASE_URL": "postgresql+asyncpg://bot:canary@127.0.0.1:1/zoetrope"},
        75,
        "I can't reach the database at 127.0.0.1:1 (Connection refused).",
    ),
    "an unknown database host": (
        {"DATABASE_URL": "postgresql+asyncpg://bot:canary@nobody.invalid/zoetrope"},
        75,
        "I can't reach the database at nobody.invalid:5432",
    ),
    "not a storage url": (
        {"STORAGE_URL": "foo://bar"},
        78,
        "storage_url has to be a folder, or a bucket",
    ),
    "a host that is another machine's": (
        {"WEB__HOST": "192.0.2.1"},
        1,
        "192.0.2.1 is not an address of this machine",
    ),
}


@pytest.mark.proof
@pytest.mark.parametrize(("changes", "code", "words"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_of_the_operator_ends_run_with_one_sentence(
    world: World, changes: dict[str, str], code: int, words: str
) -> None:
    ended, said = await zoetrope("run", folder=world.folder, **world.written(**changes))
    assert (ended, said.startswith(words), said.count("\n")) == (code, True, 1), said
    assert "canary" not in said


@pytest.mark.proof
async def test_a_database_server_that_refuses_access_ends_run_with_one_sentence(
    world: World, new_postgres_url: NewUrl
) -> None:
    url = (await new_postgres_url()).replace("/test", "/nothing-like-test", 1)
    code, said = await zoetrope("run", folder=world.folder, **world.written(DATABASE_URL=url))
    assert code == 1
    assert said.startswith("The database refused the connection: ")
    assert said.count("\n") == 1


@pytest.mark.proof
async def test_a_full_disk_is_not_reported_as_a_damaged_database(world: World) -> None:
    """The limit on file size stops SQLite where a full disk would."""
    command = 'ulimit -f 1; exec "$0" -m bot run'
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        command,
        sys.executable,
        cwd=world.folder,
        env={**inherited(), **world.written()},
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    code, said = await output_of(process)
    assert code == 1
    assert "(disk I/O error). Its content is not the cause" in said
    assert "damaged" not in said


@pytest.mark.proof
async def test_postgresql_without_its_driver_names_the_command_that_installs_it(
    world: World,
) -> None:
    without = "import sys; sys.modules['asyncpg'] = None; sys.argv = ['zoetrope', 'check']"
    url = "postgresql+asyncpg://bot@db/zoetrope"
    process = await started(
        "-c",
        f"{without}\nfrom bot.cli import main\nmain()",
        folder=world.folder,
        **world.written(DATABASE_URL=url),
    )
    assert await output_of(process) == (
        78,
        (
            "database_url names PostgreSQL, but its driver is not installed."
            " In the folder with the source code, run: .venv/bin/pip install '.[postgres]'\n"
        ),
    )


@pytest.mark.proof
async def test_the_simulator_command_says_why_it_cannot_listen(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, said = await zoetrope("simulator", "--port", port, folder=tmp_path)
    assert (code, said.startswith(f"Another program already listens at 127.0.0.1:{port}.")) == (
        1,
        True,
    )
    code, said = await zoetrope("simulator", "--host", "192.0.2.1", folder=tmp_path)
    assert (code, said.startswith("192.0.2.1 is not an address of this machine")) == (1, True)
    code, said = await zoetrope("simulator", "--port", "99999", folder=tmp_path)
    assert (code, "--port" in said, "Traceback" in said) == (2, True, False)


@pytest.mark.proof
async def test_the_table_of_models_never_cuts_a_name(world: World) -> None:
    """The name here is longer than the terminal is wide."""
    name = "wan-" + "long-" * 20 + "t2v"
    mine = (
        f"[models.{name}]\nfamily = 'mine'\nkinds = ['t2v']\nseconds = [1]\nprompt_limit = 9\n"
        "sizes = { 720p = '720P' }\n"
    )
    variables = world.written()
    file = world.folder / "config.toml"
    file.write_text(mine)
    models = ("models", "--config", str(file))
    _, said = await zoetrope(*models, folder=world.folder, **variables)
    assert len([line for line in said.splitlines() if name in line]) == 1
    assert len([line for line in said.splitlines() if "wan2.5-t2v-preview" in line]) == 1
    async with _terminal(*models, folder=world.folder, **variables) as terminal:
        folded = await terminal.rest()
    assert "…" not in folded
    lines = re.sub(r"\x1b\[\d*m", "", folded).splitlines()
    start, end = lines[0].index("Wire"), lines[0].index("Kind")
    assert name in "".join(line[start:end].strip() for line in lines)


@pytest.mark.proof
async def test_the_table_of_models_shows_qualities_prices_and_how_pictures_travel(
    tmp_path: Path,
) -> None:
    gateway = {"BASE_URL": "https://gateway.example", "API_KEY": "sk"}
    variables = {f"ZOETROPE_GATEWAYS__MAIN__{name}": value for name, value in gateway.items()}
    prices = (
        '[models."wan2.5-i2v-preview"]\nprice = { 480p = 0.05, 720p = 0.1, 1080p = 0.15 }\n'
        "[models.sora-2]\nprice = 0.2\n"
    )
    (tmp_path / "config.toml").write_text(prices)
    _, said = await zoetrope("models", folder=tmp_path, **variables)
    (line,) = [line for line in said.splitlines() if "wan2.5-i2v-preview" in line]
    assert "480p 720p 1080p" in line
    assert re.search(r" main new-api +data-uri *$", line)
    assert " 0.05 – 0.15 " in line
    assert " 0.2 " in said
    assert " USD/s " in said.splitlines()[0]


# --- a real terminal -----------------------------------------------------------------------------


class Terminal:
    """A process at a pseudo-terminal of 80 columns."""

    def __init__(self, process: Process, master: int, screen: asyncio.StreamReader) -> None:
        self.process = process
        self._master = master
        self._screen = screen

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    async def until(self, words: str) -> str:
        """Return everything up to these words, including them."""
        async with asyncio.timeout(WAIT):
            return (await self._screen.readuntil(words.encode())).decode()

    async def rest(self) -> str:
        """Return everything until the program has ended."""
        said = b""
        async with asyncio.timeout(WAIT):
            try:
                while chunk := await self._screen.read(4096):
                    said += chunk
            except OSError:
                pass  # a terminal raises OSError when no process writes any more
            await self.process.wait()
        return said.decode()


@asynccontextmanager
async def _terminal(*arguments: str, folder: Path, **variables: str) -> AsyncIterator[Terminal]:
    """Run the command in the foreground of a terminal of its own, 80 columns wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    # Ctrl-C reaches the process whose controlling terminal this is.
    take = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        take + "os.execv(sys.executable, [sys.executable, '-m', 'bot', *sys.argv[1:]])",
        *arguments,
        cwd=folder,
        env={**inherited(), "TERM": "xterm", "COLUMNS": "80", **variables},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    screen = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(screen), os.fdopen(master, "rb", 0, closefd=False)
    )
    try:
        yield Terminal(process, master, screen)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        pipe.close()
        os.close(master)


@pytest.mark.proof
async def test_ctrl_c_in_a_terminal_ends_the_demo_without_a_traceback(tmp_path: Path) -> None:
    async with _terminal("demo", "--no-browser", "--port", "0", folder=tmp_path) as terminal:
        await terminal.until("press Ctrl-C to close it")
        terminal.type("\x03")
        said = await terminal.rest()
        assert (terminal.process.returncode, "Traceback" in said) == (0, False), said
        assert said.rstrip().endswith("Goodbye.")
