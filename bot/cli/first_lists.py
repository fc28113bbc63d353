"""Read gateways' lists that were never read, if no model can be ordered without them."""

from bot.cli.words import explain
from bot.config import Config
from bot.config.discoveries import now
from bot.config.listing import listed
from bot.core.errors import BotError
from bot.gateways.offers.asking import list_of


async def with_lists(config: Config) -> Config:
    """Return the configuration with the models of these lists. Print why a list can't be read.

    Only free GETs are sent.
    """
    for gateway, offers in config.offers.items():
        if config.catalog.models or offers:
            continue
        table = config.settings.gateways[gateway]
        try:
            read = await list_of(table.base_url, table.key, table.dialect)
            config = listed(config, gateway, read, now())
        except BotError as error:
            print(explain(error), flush=True)
    return config
