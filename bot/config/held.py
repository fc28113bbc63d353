"""Find kinds of models that are not offered because a setting about their gateway is missing."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from bot.config.catalog import resolve
from bot.config.plugins import Generation
from bot.config.settings import Gateway, Settings
from bot.config.unlike import wanted
from bot.core.catalog import Catalog
from bot.core.models import Model
from bot.core.orders import Kind

NEWEST = (9999,)
OLDER = ("A", "B")
"""The generations of new-api without plugins."""
NONE: Mapping[str, Generation] = MappingProxyType({})


class Why(StrEnum):
    """The reasons why kinds are held back."""

    PLUGIN = "plugin_version_unknown"
    """The plugin may be too old."""
    RELAY = "generation_may_change"
    """An older generation was found at the gateway, and the settings don't confirm it."""
    DIALECT = "dialect_unlike"
    """The gateway's software drops fields of the configured dialect."""


@dataclass(frozen=True, slots=True)
class Held:
    """The kinds of a model that a missing setting holds back."""

    model: Model
    kinds: tuple[Kind, ...]
    why: Why
    until: str
    """The plugin whose version is unknown, or the value that the setting needs."""

    @property
    def key(self) -> str:
        """The key of the setting that makes these kinds available."""
        keys = {Why.RELAY: "generation", Why.DIALECT: "dialect"}
        return f"gateways.{self.model.gateway}.{keys.get(self.why, f'plugins.{self.until}')}"


def held_back(
    settings: Settings, catalog: Catalog, relays: Mapping[str, Generation] = NONE
) -> list[Held]:
    """Return the kinds of each model that its gateway may serve but `catalog` does not offer.

    A gateway may serve all kinds that the newest plugins serve. A gateway of generation A or B has
    no plugins: it serves the kinds of its generation. A gateway of another dialect serves all kinds
    if it is told so. `relays` holds the generations that were
    found at gateways. If the settings name a gateway's generation A or B, `catalog` offers all its
    kinds already.
    """
    plugins = _plugins(settings)
    newest = dict.fromkeys(filter(None, plugins.values()), NEWEST)

    def answered(name: str, gateway: Gateway) -> Mapping[str, object]:
        if (relay := gateway.generation or relays.get(name)) in OLDER:
            return {"software": None, "generation": relay}
        return {"software": None, "plugins": newest | gateway.plugins}

    gateways = {
        name: gateway.model_copy(update=answered(name, gateway))
        for name, gateway in settings.gateways.items()
    }
    could, _ = resolve(settings.model_copy(update={"gateways": gateways}))
    held = []
    for model in could.models:
        plugin = plugins.get(model.name)
        lacking = tuple(kind for kind in model.kinds if kind not in _kinds(catalog, model))
        if lacking and (dialect := wanted(settings.gateways[model.gateway])):
            held.append(Held(model, lacking, Why.DIALECT, dialect.name))
        elif lacking and plugin and (relay := relays.get(model.gateway)):
            held.append(Held(model, lacking, Why.RELAY, relay))
        elif lacking and plugin:
            held.append(Held(model, lacking, Why.PLUGIN, plugin))
    return held


def _kinds(catalog: Catalog, model: Model) -> frozenset[Kind]:
    """Return the kinds of this model that the catalog offers already."""
    offered = catalog.model(model.name)
    return frozenset(offered.kinds if offered else ())


def known_models(settings: Settings) -> frozenset[str]:
    """Return the names of all models that have a table, packaged or the operator's."""
    return frozenset(_plugins(settings))


def _plugins(settings: Settings) -> Mapping[str, str | None]:
    """Return the plugin of each model, or None, by the model's name."""
    packaged: dict[str, Any] = tomllib.loads(files("bot").joinpath("catalog.toml").read_text())
    wires, tables = packaged["wires"], packaged["models"]
    plugins: dict[str, str | None] = {}
    for name in {**tables, **settings.models}:
        table = {**tables.get(name, {}), **settings.models.get(name, {})}
        wire = wires.get(table.get("wire"), {})
        plugins[name] = table.get("plugin") or wire.get("plugin")
    return plugins
