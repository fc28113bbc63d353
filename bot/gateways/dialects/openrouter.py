"""The dialect of openrouter."""

import tomllib
from importlib.resources import files

from bot.gateways.dialects.dialect import Dialect
from bot.gateways.offers import openrouter

DIALECT = Dialect(
    name="openrouter",
    base=tomllib.loads(files("bot.gateways.dialects").joinpath("openrouter.toml").read_text("utf-8")),
    lists="/v1/videos/models",
    read_list=openrouter.read,
    builds=True,
    currency="USD",
)
