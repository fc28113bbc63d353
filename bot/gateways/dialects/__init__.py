"""The registry of dialects. Each has a module with its `Dialect`, and perhaps a table beside it.

The rest of the program reads these facts and knows no dialect by name.
"""

from collections.abc import Mapping

from bot.gateways.dialects import documented, new_api, openai, openrouter, sglang, vllm_omni
from bot.gateways.dialects.dialect import Dialect

__all__ = ["DEFAULT", "DIALECTS", "Dialect"]

_MODULES = (new_api, documented, openai, openrouter, vllm_omni, sglang)
DIALECTS: Mapping[str, Dialect] = {module.DIALECT.name: module.DIALECT for module in _MODULES}
"""The name of each dialect → its facts."""
DEFAULT = new_api.DIALECT.name
"""The dialect of a gateway whose table names none."""
