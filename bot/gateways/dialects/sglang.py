"""The dialect of sglang."""

import tomllib
from importlib.resources import files

from bot.gateways.dialects.dialect import Dialect
from bot.gateways.offers import served

DIALECT = Dialect(
    name="sglang",
    base=tomllib.loads(files("bot.gateways.dialects").joinpath("sglang.toml").read_text("utf-8")),
    read_list=served.read,
    builds=True,
    keyless=True,
    deletes=True,
)
