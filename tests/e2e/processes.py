"""The app as a process of its own: a new Python process, or a fork that has imported everything."""

import os
import sys
from asyncio import StreamReader, create_subprocess_exec
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from tests.e2e.forkserver import fork


class Running(Protocol):
    """A process of the app that a test may kill."""

    pid: int
    stderr: StreamReader | None

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the signal if a signal ended the process; None while it runs."""
        ...

    async def wait(self) -> int:
        """Wait until the process has ended."""
        ...

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait until the process has ended, and return what it wrote."""
        ...

    def send_signal(self, signal: int) -> None:
        """Send the signal if the process still runs."""
        ...

    def kill(self) -> None:
        """Send SIGKILL."""
        ...

    def terminate(self) -> None:
        """Send SIGTERM."""
        ...


Begin = Callable[[str, list[str], Mapping[str, str]], Awaitable[Running]]
"""A function that starts `python -m module …` with these arguments and variables."""


async def spawned(module: str, arguments: list[str], variables: Mapping[str, str]) -> Running:
    """Start a new Python process, as an operator does."""
    return await create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments), env=_all(variables), stderr=PIPE
    )


async def forked(module: str, arguments: list[str], variables: Mapping[str, str]) -> Running:
    """Start the app in a fork, which saves the second that the imports take."""
    return await fork(module, *arguments, env=_all(variables))


def _all(variables: Mapping[str, str]) -> dict[str, str]:
    """Add the variables of the test process, without those that configure the app."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("ZOETROPE_")}
    return ours | dict(variables)
