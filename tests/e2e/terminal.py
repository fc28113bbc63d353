"""The command line in a real terminal: what a person would see and type."""

import asyncio
import fcntl
import os
import pty
import sys
import termios
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.world import WAIT

CTRL_C = "\x03"


class Terminal:
    """A process at a pseudo-terminal; `screen` is everything that was ever shown."""

    def __init__(self, process: Process, master: int) -> None:
        self.screen = ""
        self._process = process
        self._master = master
        self._seen = 0
        self._more = asyncio.Event()
        self._raw = b""
        self._over = False
        asyncio.get_running_loop().add_reader(master, self._read)

    async def sees(self, words: str) -> str:
        """Wait for these words; return what was shown since the last call, up to their end."""
        async with asyncio.timeout(WAIT):
            while (at := self.screen.find(words, self._seen)) < 0:
                assert not self._over, f"it ended without {words!r}:\n{self.screen}"
                self._more.clear()
                await self._more.wait()
        end = at + len(words)
        shown, self._seen = self.screen[self._seen : end], end
        return shown

    async def answers(self, question: str, answer: str) -> str:
        """Wait for the question and type the answer. Return what was shown up to the question."""
        shown = await self.sees(question)
        self.types(f"{answer}\n")
        return shown

    def types(self, text: str) -> None:
        """Type these keys."""
        os.write(self._master, text.encode())

    async def ends(self) -> int:
        """Wait until the process has ended, and return its exit code."""
        async with asyncio.timeout(WAIT):
            code = await self._process.wait()
        if self._master >= 0:
            os.set_blocking(self._master, False)
            self._read()
        return code

    def hang_up(self) -> None:
        """Close the terminal window."""
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            self._master = -1

    def _read(self) -> None:
        try:
            chunk = os.read(self._master, 65_536)
        except OSError:  # the process has closed its side
            chunk = b""
        if not chunk:
            self._over = True
            asyncio.get_running_loop().remove_reader(self._master)
        self._raw += chunk
        self.screen = self._raw.decode(errors="replace").replace("\r\n", "\n")
        self._more.set()


@asynccontextmanager
async def terminal(*arguments: str, folder: Path, **variables: str) -> AsyncIterator[Terminal]:
    """Run the command line in `folder`, at a terminal of its own."""
    master, slave = pty.openpty()
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ZOETROPE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        *arguments,
        cwd=folder,
        env={**inherited, "TERM": "dumb", **variables},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(slave)
    shown = Terminal(process, master)
    try:
        yield shown
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        shown.hang_up()
