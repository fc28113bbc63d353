"""Run an operator's use case without a service.

The command holds the service's lock, so no service can start meanwhile.
"""

import os
from contextlib import suppress

from bot import control
from bot.app import gateway_settings
from bot.cli.owner import check_user
from bot.config import Config
from bot.core.acts import Values, perform
from bot.core.bells import Bells
from bot.core.clock import SystemClock
from bot.core.errors import Broken, DatabaseOlder
from bot.gateways import videos_api
from bot.opening import open_store
from bot.operators import use_cases
from bot.parts import Basis, accounts_of
from bot.store.identity import Home
from bot.store.listing import open_listing


async def perform_alone(config: Config, name: str, values: Values) -> Values:
    """Run the use case and return its answer. Raises `DatabaseInUse` if a service runs."""
    check_user(config)
    with suppress(
        DatabaseOlder
    ):  # `open_store` upgrades it below, as `run` does; a missing one is an error
        async with open_listing(config.database_url):
            pass
    clock = SystemClock()
    async with (
        open_store(config, Home(config.data_dir), clock, changed=lambda: None) as store,
        videos_api.open_gateways(gateway_settings(config)) as gateways,
    ):
        bells = Bells.new()
        basis = Basis(
            config=config,
            clock=clock,
            bells=bells,
            store=store,
            gateways=gateways,
            accounts=accounts_of(config, store),
        )
        found = use_cases(basis)
        if name not in found:
            raise Broken("control_unknown")
        return await perform(found[name], values, actor=f"cli:{control.user_name(os.getuid())}")
