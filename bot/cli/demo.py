"""`zoetrope demo`: a simulated gateway, and prompts typed right here."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from rich.console import Console

from bot.cli import output
from bot.cli.generate import Ticket, Wish, generate, simulated
from bot.cli.words import explain, tell
from bot.config import Config
from bot.core.errors import BotError

_CHUNK = 65_536


async def run_demo() -> None:
    """Make a video of every line until the input ends, or somebody ends it."""
    console = Console(highlight=False, soft_wrap=True, markup=False)
    try:
        async with simulated() as config:
            address = config.settings.gateways["simulator"].base_url
            console.print(tell("demo.welcome", url=address))
            console.print("› ", end="")
            async for line in _lines():
                if line.strip():
                    await _answer(line.strip(), config, console)
                console.print("› ", end="")
    finally:
        console.print("\n" + tell("demo.goodbye"))


async def _answer(line: str, config: Config, console: Console) -> None:
    """A line is a prompt; `@picture.png` in front of it animates that picture."""
    picture, prompt = _parsed(line)
    wish = Wish(prompt=prompt, pictures=(picture,) if picture else ())
    try:
        into = output.free(_stem(prompt or "picture"))
        await generate(wish, into=into, config=config, ticket=Ticket())
    except BotError as error:
        console.print(explain(error))


async def _lines() -> AsyncIterator[str]:
    """Lines of standard input, as they come."""
    rest = b""
    while chunk := await _chunk():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


async def _chunk() -> bytes:
    """What there is to read. No thread waits for it: that one could not be interrupted."""
    if sys.stdin is None:
        return b""
    loop, source, ready = asyncio.get_running_loop(), sys.stdin.fileno(), asyncio.Event()
    try:
        loop.add_reader(source, ready.set)
    except PermissionError:  # a file: it never lets anybody wait
        return os.read(source, _CHUNK)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(source)
    return os.read(source, _CHUNK)


def _parsed(line: str) -> tuple[Path | None, str]:
    if not line.startswith("@"):
        return None, line
    name, _, prompt = line[1:].partition(" ")
    return Path(name), prompt.strip()


def _stem(prompt: str) -> str:
    return re.sub(r"[^\w]+", "-", prompt.casefold()).strip("-")[:40] or "video"
