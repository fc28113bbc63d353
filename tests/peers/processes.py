"""Installs a published server into a folder, and runs it in a process of its own."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
WEB = ("fastapi==0.165.0", "python-multipart==0.0.34", "uvicorn==0.54.0", "httpx==0.28.1")
DATA = (
    "pydantic-settings==2.16.3",
    "numpy==2.4.6",
    "pillow==13.0.0",
    "msgspec==0.23.0",
    "pybase64==1.5.1",
    "packaging==26.4",
)
ANY_PLATFORM = ("--python-version", "3.11", "--platform", "manylinux_2_34_x86_64")
"""The published wheel for this platform is also read elsewhere: only its Python code is used."""


def install(package: str, folder: Path) -> Path:
    """Install this package without its dependencies, and the few that its routes need."""
    alone = ("--no-deps", "--only-binary", ":all:", *ANY_PLATFORM, package)
    for wanted in (WEB + DATA, alone):
        command = (sys.executable, "-m", "pip", "install", "-q", "--no-compile")
        ended = subprocess.run(
            [*command, "--target", str(folder), *wanted], capture_output=True, text=True
        )
        assert ended.returncode == 0, ended.stderr
    return folder


@dataclass(frozen=True)
class Peer:
    """A running server of others."""

    url: str
    log: Path

    def noted(self) -> list[dict[str, Any]]:
        """Return what its engine was asked for, in order. The first call waits for the start."""
        try:
            with urlopen(f"{self.url}/noted", timeout=300) as answer:  # a server of our own
                noted: list[dict[str, Any]] = json.load(answer)
        except OSError as error:
            raise AssertionError(self.log.read_text()) from error
        return noted


@contextmanager
def running(module: str, packages: Path, arguments: Sequence[str], folder: Path) -> Iterator[Peer]:
    """Run a module of ours with only these packages, until the block ends."""
    log = folder / "log.txt"
    with socket.create_server(("127.0.0.1", 0)) as ours, log.open("w") as written:
        port, number = ours.getsockname()[1], ours.fileno()
        process = subprocess.Popen(
            # -S: without the packages of the tests' own environment.
            [sys.executable, "-S", "-m", module, str(number), *arguments],
            env={"PYTHONPATH": f"{packages}:{ROOT}", "PATH": "/usr/bin:/bin", "HOME": str(folder)},
            cwd=folder,
            pass_fds=(number,),
            stdout=written,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Peer(f"http://127.0.0.1:{port}", log)
    finally:
        process.terminate()
        process.wait(timeout=20)
