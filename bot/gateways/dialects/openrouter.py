"""The dialect of OpenRouter: JSON only, and a picture is a link or a data: URI."""

from bot.gateways.dialects.dialect import Dialect, base

DIALECT = Dialect(
    name="openrouter",
    base=base("openrouter.toml"),
    as_file=frozenset(),
    as_text=frozenset({"frame_images", "input_references"}),
    drops_unknown=True,
    currency="USD",
)
