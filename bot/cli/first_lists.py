"""Read gateways' lists that were never read, if no model can be ordered without them."""

from bot.cli.words import explain
from bot.config import Config
from bot.config.discoveries import now
from bot.config.listing import listed
from bot.core.errors import BotError
from bot.gateways.offers.asking import list_of


async def with_lists(config: Config, only: str | None = None) -> Config:
    """Return the configuration with the models of these lists. Print why a list can't be read.

    `only`: read the list of this gateway alone, whatever models other gateways have. Only free
    GETs are sent.
    """
    for gateway, offers in config.offers.items():
        if offers or (config.catalog.models if only is None else gateway != only):
            continue
        table = config.settings.gateways[gateway]
        try:
            read = await list_of(table.base_url, table.key, table.dialect)
            config = listed(config, gateway, read, now())
        except BotError as error:
            print(explain(error), flush=True)
    return config
