"""The one way in: a command asks the running service, or does the same work without one.

Without a service it takes the lock that the service would have, so that none can start meanwhile.
"""

import asyncio
import os
import socket
from contextlib import suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from bot import control, log
from bot.app import gateway_settings
from bot.cli.owner import check_user
from bot.cli.rim import unreachable
from bot.config import Config, load
from bot.core.acts import Values, perform
from bot.core.bells import Bells
from bot.core.clock import SystemClock
from bot.core.errors import Broken, DatabaseInUse, DatabaseOlder, Temporary
from bot.gateways import videos_api
from bot.opening import open_store
from bot.operators import use_cases
from bot.parts import Basis
from bot.store.identity import Home
from bot.store.listing import open_listing


def ask(config: Config, name: str, /, **values: object) -> Values:
    """The answer of this use case. Raises whatever it refuses, with a sentence for each."""
    return asyncio.run(_ask(config, name, values))


def configuration(file: Path | None) -> Config:
    """The configuration; what is shown is redacted by its secrets."""
    config = load(file)
    log.configure(level="ERROR", secrets=config.secrets)
    return config


async def _ask(config: Config, name: str, values: Values) -> Values:
    values = control.carried(values)
    answer = await control.ask(config.data_dir, name, values)
    if answer is not None:
        return answer
    try:
        return await _alone(config, name, values)
    except DatabaseInUse as taken:
        raise _silent(str(taken.values["holder"])) from taken
    except OSError as error:
        if make_url(config.database_url).host is None:
            raise
        raise unreachable(config.database_url, error) from error


async def _alone(config: Config, name: str, values: Values) -> Values:
    check_user(config)
    await _check_there(config)
    actor = f"cli:{control.user_name(os.getuid())}"
    clock = SystemClock()
    async with (
        open_store(config, Home(config.data_dir), clock, changed=lambda: None) as store,
        videos_api.open_gateways(gateway_settings(config)) as gateways,
    ):
        bells = Bells.new()
        basis = Basis(config=config, clock=clock, bells=bells, store=store, gateways=gateways)
        found = use_cases(basis)
        if name not in found:
            raise Broken("control_unknown")
        return await perform(found[name], values, actor=actor)


async def _check_there(config: Config) -> None:
    """No command makes a database; one of an earlier version is brought up to date, as by `run`."""
    with suppress(DatabaseOlder):
        async with open_listing(config.database_url):
            pass


def _silent(holder: str) -> Broken | Temporary:
    """A service has the lock, and nobody listens in our data folder."""
    host = holder.partition(" @ ")[2]
    if host not in ("", socket.gethostname()):
        return Broken("service_elsewhere", holder=holder)
    return Temporary("service_silent", holder=holder)
