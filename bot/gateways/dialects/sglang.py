"""The dialect of SGLang, a server for models on one's own GPU."""

from bot.gateways.dialects.dialect import Dialect, base

DIALECT = Dialect(
    name="sglang",
    base=base("sglang.toml"),
    as_file=frozenset({"input_reference"}),
    as_text=frozenset({"reference_url"}),
    drops_unknown=True,
    keyless=True,
    deletes=True,
)
