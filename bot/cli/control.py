"""Run an operator's use case: ask the running service, or do the same work without a service."""

import asyncio
import socket
from pathlib import Path

from bot import control, log
from bot.cli.errors import reached
from bot.config import Config, load
from bot.core.acts import Values
from bot.core.errors import Broken, DatabaseInUse, Temporary


def ask(config: Config, name: str, /, **values: object) -> Values:
    """Run a use case by name and return its answer. Raises the use case's `BotError`."""
    return asyncio.run(asked(config, name, values))


def configuration(file: Path | None) -> Config:
    """Load the configuration, and set up the log to redact its secrets."""
    config = load(file)
    log.configure(level="ERROR", secrets=config.secrets)
    return config


async def asked(config: Config, name: str, values: Values) -> Values:
    """Do the same as `ask` for a caller that runs in an event loop.

    The running service performs the use case; without a service, this process does.
    """
    values = control.carried(values)
    answer = await control.ask(config.data_dir, name, values)
    if answer is not None:
        return answer
    from bot.cli.alone import perform_alone  # imports nearly all packages

    try:
        with reached(config.database_url):
            return await perform_alone(config, name, values)
    except DatabaseInUse as taken:
        raise _silent(str(taken.values["holder"])) from taken


def _silent(holder: str) -> Broken | Temporary:
    """Return the error for a service that has the lock but no socket in our data folder."""
    host = holder.partition(" @ ")[2]
    if host not in ("", socket.gethostname()):
        return Broken("service_elsewhere", holder=holder)
    return Temporary("service_silent", holder=holder)
