"""The app as a process of its own: new from the start, or a fork that has imported all already."""

import os
import sys
from asyncio import StreamReader, create_subprocess_exec
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from tests.e2e.forkserver import fork


class Running(Protocol):
    """A process that may be killed."""

    pid: int
    stderr: StreamReader | None

    @property
    def returncode(self) -> int | None:
        """Minus the signal that ended it; None until then."""
        ...

    async def wait(self) -> int:
        """Wait for its end."""
        ...

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait for its end, and read what it wrote."""
        ...

    def send_signal(self, signal: int) -> None:
        """Send it if it is still there."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...


Begin = Callable[[str, list[str], Mapping[str, str]], Awaitable[Running]]
"""Begins `python -m module …` with these arguments and variables."""


async def spawned(module: str, arguments: list[str], variables: Mapping[str, str]) -> Running:
    """As an operator does it."""
    return await create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), env=_all(variables), stderr=PIPE
    )


async def forked(module: str, arguments: list[str], variables: Mapping[str, str]) -> Running:
    """The same without the second that the imports take."""
    return await fork(module, *arguments, env=_all(variables))


def _all(variables: Mapping[str, str]) -> dict[str, str]:
    """With those of the tests, but for what they may say of the app."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ZOETROPE_")}
    return ours | dict(variables)
