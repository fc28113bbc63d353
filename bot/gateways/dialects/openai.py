"""The dialect of OpenAI's own API: a picture is a file, and there is no metadata."""

from bot.gateways.dialects.dialect import Dialect

DIALECT = Dialect(name="openai", packaged=True, as_text=frozenset())
