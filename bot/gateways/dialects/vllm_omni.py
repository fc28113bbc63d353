"""The dialect of vLLM-Omni, a server for models on one's own GPU."""

from bot.gateways.dialects.dialect import Dialect, base
from bot.gateways.offers import served

DIALECT = Dialect(
    name="vllm-omni",
    base=base("vllm_omni.toml"),
    as_file=frozenset({"input_reference", "input_references"}),
    as_text=frozenset({"image_reference"}),
    drops_unknown=True,
    keyless=True,
    deletes=True,
    read_list=served.read,
    builds=True,
)
