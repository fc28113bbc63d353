"""The dialect of the API's document, which some resellers follow."""

from bot.gateways.dialects.dialect import Dialect

DIALECT = Dialect(name="documented", packaged=True, extras=("metadata.*",))
