"""The dialect of SGLang, a server for models on one's own GPU."""

from bot.gateways.dialects.dialect import Dialect, base
from bot.gateways.offers import served

DIALECT = Dialect(
    name="sglang",
    base=base("sglang.toml"),
    as_file=frozenset({"input_reference", "video_reference"}),
    as_text=frozenset({"reference_url"}),
    drops_unknown=True,
    keyless=True,
    deletes=True,
    read_list=served.read,
    builds=True,
)
