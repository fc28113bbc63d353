"""The one way in: a command asks the running service, or does the same work without one."""

import asyncio
import socket
from pathlib import Path

from bot import control, log
from bot.cli.rim import reached
from bot.config import Config, load
from bot.core.acts import Values
from bot.core.errors import Broken, DatabaseInUse, Temporary


def ask(config: Config, name: str, /, **values: object) -> Values:
    """The answer of this use case. Raises whatever it refuses, with a sentence for each."""
    return asyncio.run(asked(config, name, values))


def configuration(file: Path | None) -> Config:
    """The configuration; what is shown is redacted by its secrets."""
    config = load(file)
    log.configure(level="ERROR", secrets=config.secrets)
    return config


async def asked(config: Config, name: str, values: Values) -> Values:
    """The same within a loop."""
    values = control.carried(values)
    answer = await control.ask(config.data_dir, name, values)
    if answer is not None:
        return answer
    from bot.cli.alone import perform_alone  # it brings the whole house along

    try:
        with reached(config.database_url):
            return await perform_alone(config, name, values)
    except DatabaseInUse as taken:
        raise _silent(str(taken.values["holder"])) from taken


def _silent(holder: str) -> Broken | Temporary:
    """A service has the lock, and nobody listens in our data folder."""
    host = holder.partition(" @ ")[2]
    if host not in ("", socket.gethostname()):
        return Broken("service_elsewhere", holder=holder)
    return Temporary("service_silent", holder=holder)
