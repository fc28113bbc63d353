"""Helpers that run commands of `zoetrope` in tests."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import av

from tests.e2e.forkserver import fork
from tests.e2e.world import WAIT, World


async def zoetrope(
    *arguments: str, folder: Path, stdin: str = "", **variables: str
) -> tuple[int | None, str]:
    """Run the command in `folder`. Return its exit code and its whole output."""
    if any(name.startswith("PYTHON") for name in variables):  # Python reads them only at its start
        return await output_of(
            await started("-m", "bot", *arguments, folder=folder, **variables), stdin
        )
    env = {**inherited(), **variables}
    process = await fork("bot", *arguments, env=env, folder=folder, said=stdin)
    async with asyncio.timeout(3 * WAIT):
        _, said = await process.communicate()
    return process.returncode, said.decode()


async def started(*arguments: str, folder: Path, **variables: str) -> Process:
    """Start Python with these arguments and without the settings of this process."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        env={**inherited(), **variables},
        stdin=PIPE,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def output_of(process: Process, stdin: str = "") -> tuple[int | None, str]:
    """Wait until the process has ended. Return its exit code and its whole output."""
    async with asyncio.timeout(3 * WAIT):
        said, _ = await process.communicate(stdin.encode())
    return process.returncode, said.decode()


def inherited() -> dict[str, str]:
    """Return the environment of this process without its settings of Zoetrope."""
    return {k: v for k, v in os.environ.items() if not k.startswith("ZOETROPE_")}


def probe(file: Path) -> tuple[str, str, int, int, int]:
    """Return video codec, audio codec, width, height and whole seconds of a file."""
    with av.open(str(file), "r") as clip:
        video, audio = clip.streams.video[0], clip.streams.audio[0]
        return (
            video.codec_context.name,
            audio.codec_context.name,
            video.width,
            video.height,
            round((clip.duration or 0) / av.time_base),
        )


def configured(world: World) -> dict[str, str]:
    """Write the configuration file and return the environment variables for the gateway."""
    return world.written()


async def generate_here(world: World, *arguments: str) -> tuple[int | None, str]:
    """Run `zoetrope generate` for a cat with the world's configuration."""
    file = ("--config", str(world.folder / "config.toml"))
    return await zoetrope(
        "generate", "a cat", *file, *arguments, folder=world.folder, **configured(world)
    )
