"""`zoetrope run`: the service in the foreground."""

import asyncio
from pathlib import Path

from bot import log
from bot.app import run
from bot.config import Misconfigured, Problem, load


def run_service(file: Path | None) -> None:
    """Run until SIGTERM or SIGINT."""
    config = load(file)
    if config.settings.discord.token is None:
        raise Misconfigured([Problem("discord.token", "platform_missing")])
    log.configure(level=config.settings.log_level, secrets=config.secrets)
    asyncio.run(run(config))
