"""Merge the tables of a model: its vendor's wire, its own table, the dialect, the plugin.

The values are checked after the merge.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.config import plugins
from bot.config.plugins import Version
from bot.config.settings import Dialect, Gateway
from bot.gateways.dialects import DIALECTS

Tables = dict[str, Any]
_WHOLE = frozenset({"sizes", "extras"})
"""Tables that are replaced whole. If they were merged, no key could be removed from them."""


class Route(BaseModel):
    """The keys of a model's table that decide which other tables are merged with it."""

    gateway: str | None = None
    wire: str | None = None
    only: tuple[Dialect, ...] | None = None
    dialects: dict[Dialect, dict[str, Any]] = Field(default_factory=dict)


class Served(BaseModel):
    """`[[….dialects.<dialect>.served]]`: the differences for known versions of a plugin."""

    model_config = ConfigDict(extra="allow")

    since: Version
    below: Version | None = None

    def covers(self, oldest: tuple[int, ...], newest: tuple[int, ...] | None) -> bool:
        """Whether this table applies to all versions from `oldest` to `newest` (None: unknown)."""
        if oldest < self.since:
            return False
        return self.below is None or (newest is not None and newest < self.below)

    @property
    def laid(self) -> dict[str, Any]:
        """The values of the table that are merged: all but `since` and `below`."""
        return dict(self.model_extra or {})


def laid(table: Tables, wires: Tables, gateway: Gateway, lowest: Tables) -> Tables:
    """Return a model's merged table for this gateway. Later tables override earlier ones.

    The order: the base of the gateway's dialect; `lowest`; the wire's table, its part for that
    dialect, its part for the gateway's generation or plugin version (`served`); then the same
    three parts of the model's own table.
    """
    wire = Route.model_validate(table).wire
    found = merged(DIALECTS[gateway.dialect].base, lowest)
    for under in (wires[wire] if wire else {}, table):
        common = {key: value for key, value in under.items() if key != "dialects"}
        spoken = dict(Route.model_validate(under).dialects.get(gateway.dialect, {}))
        served = [Served.model_validate(each) for each in spoken.pop("served", ())]
        found = merged(merged(found, common), spoken)
        version = gateway.plugins.get(found.get("plugin", ""))
        span = plugins.known(gateway.generation, version)
        found = merged(found, next((each.laid for each in served if each.covers(*span)), {}))
    return found


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Tables:
    """Return `under` with the values of `over`, merged by table; `_WHOLE` tables are replaced."""
    both = dict(under)
    for key, value in over.items():
        earlier = both.get(key)
        if key not in _WHOLE and isinstance(earlier, dict) and isinstance(value, dict):
            value = merged(earlier, value)
        both[key] = value
    return both
