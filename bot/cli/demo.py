"""`zoetrope demo`: a simulated gateway, and prompts typed right here."""

import asyncio
import re
import sys
from pathlib import Path

from rich.console import Console

from bot.cli.generate import Wish, generate, simulated
from bot.cli.words import explain, tell
from bot.config import Config
from bot.core.errors import BotError


async def run_demo() -> None:
    """Make a video of every line until the input ends."""
    console = Console(highlight=False, soft_wrap=True)
    async with simulated() as config:
        console.print(tell("demo.welcome", url=config.settings.gateways["simulator"].base_url))
        while True:
            console.print("› ", end="")
            line = await asyncio.to_thread(sys.stdin.readline)
            if not line:
                break
            if line.strip():
                await _answer(line.strip(), config, console)
    console.print(tell("demo.goodbye"))


async def _answer(line: str, config: Config, console: Console) -> None:
    """A line is a prompt; `@picture.png` in front of it animates that picture."""
    picture, prompt = _parsed(line)
    output = _free_name(prompt or "picture")
    try:
        await generate(
            Wish(prompt=prompt, pictures=(picture,) if picture else ()),
            output=output,
            config=config,
        )
    except BotError as error:
        console.print(explain(error))


def _parsed(line: str) -> tuple[Path | None, str]:
    if not line.startswith("@"):
        return None, line
    name, _, prompt = line[1:].partition(" ")
    return Path(name), prompt.strip()


def _free_name(prompt: str) -> Path:
    stem = re.sub(r"[^\w]+", "-", prompt.casefold()).strip("-")[:40] or "video"
    names = (Path(f"{stem}{f'-{n}' if n > 1 else ''}.mp4") for n in range(1, 10_000))
    return next(name for name in names if not name.exists())
