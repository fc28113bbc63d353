"""Tables of a model over one another: its vendor's wire, its own, the dialect, the plugin.

What each says is checked when all are laid.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.config import plugins
from bot.config.plugins import Version
from bot.config.settings import Dialect, Gateway

Tables = dict[str, Any]
_WHOLE = frozenset({"sizes", "extras"})
"""Tables that would otherwise never lose what they once had."""


class Route(BaseModel):
    """The keys of a table that decide which others are laid under and over it."""

    gateway: str | None = None
    wire: str | None = None
    only: tuple[Dialect, ...] | None = None
    dialects: dict[Dialect, dict[str, Any]] = Field(default_factory=dict)


class Served(BaseModel):
    """`[[….dialects.<dialect>.served]]`: what differs where versions of a plugin are known."""

    model_config = ConfigDict(extra="allow")

    since: Version
    below: Version | None = None

    def covers(self, oldest: tuple[int, ...], newest: tuple[int, ...] | None) -> bool:
        """Whether this holds for all versions that may be there."""
        if oldest < self.since:
            return False
        return self.below is None or (newest is not None and newest < self.below)

    @property
    def laid(self) -> dict[str, Any]:
        """The rest of the table."""
        return dict(self.model_extra or {})


def laid(table: Tables, wires: Tables, gateway: Gateway) -> Tables:
    """The wire's table, then the model's own; over each, what it says for the gateway's dialect.

    Over that, what it says for the plugin that is known to serve the model there.
    """
    wire = Route.model_validate(table).wire
    found: Tables = {}
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
    """`over` laid upon `under`, table by table; some replace the whole one."""
    both = dict(under)
    for key, value in over.items():
        earlier = both.get(key)
        if key not in _WHOLE and isinstance(earlier, dict) and isinstance(value, dict):
            value = merged(earlier, value)
        both[key] = value
    return both
