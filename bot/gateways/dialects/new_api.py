"""The dialect of new-api, in all its generations."""

from bot.gateways.dialects.dialect import Dialect

DIALECT = Dialect(
    name="new-api",
    packaged=True,
    extras=("metadata.*",),
    drops_sounds=True,
    refuses_by_5xx=True,
)
