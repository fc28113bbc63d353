"""The dialect of OpenRouter: JSON only, and a picture is a link or a data: URI."""

from bot.gateways.dialects.dialect import Dialect, base
from bot.gateways.offers import openrouter

DIALECT = Dialect(
    name="openrouter",
    base=base("openrouter.toml"),
    as_file=frozenset(),
    as_text=frozenset({"frame_images", "input_references"}),
    drops_unknown=True,
    currency="USD",
    lists="/v1/videos/models",
    read_list=openrouter.read,
    builds=True,
)
