"""Find kinds of models that are not offered because the version of their plugin is unknown."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from bot.config.catalog import resolve
from bot.config.plugins import Generation
from bot.config.settings import Gateway, Settings
from bot.core.catalog import Catalog
from bot.core.models import Model
from bot.core.orders import Kind

NEWEST = (9999,)
OLDER = ("A", "B")
"""The generations of new-api without plugins."""
NONE: Mapping[str, Generation] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Held:
    """The kinds that a model can do only if its plugin is new enough."""

    model: Model
    plugin: str
    kinds: tuple[Kind, ...]
    relay: Generation | None = None
    """The older generation that was found at the gateway, if the settings don't confirm it."""

    @property
    def key(self) -> str:
        """The key of the setting that makes these kinds available."""
        if self.relay:
            return f"gateways.{self.model.gateway}.generation"
        return f"gateways.{self.model.gateway}.plugins.{self.plugin}"


def held_back(
    settings: Settings, catalog: Catalog, relays: Mapping[str, Generation] = NONE
) -> list[Held]:
    """Return the kinds of each model that its gateway may serve but `catalog` does not offer.

    A gateway may serve all kinds that the newest plugins serve. A gateway of generation A or B has
    no plugins: it serves the kinds of its generation. `relays` holds the generations that were
    found at gateways. If the settings name a gateway's generation A or B, `catalog` offers all its
    kinds already.
    """
    plugins = _plugins(settings)
    newest = dict.fromkeys(filter(None, plugins.values()), NEWEST)

    def answered(name: str, gateway: Gateway) -> Mapping[str, object]:
        if (relay := gateway.generation or relays.get(name)) in OLDER:
            return {"generation": relay}
        return {"plugins": newest | gateway.plugins}

    gateways = {
        name: gateway.model_copy(update=answered(name, gateway))
        for name, gateway in settings.gateways.items()
    }
    could, _ = resolve(settings.model_copy(update={"gateways": gateways}))
    held = []
    for model in could.models:
        plugin = plugins.get(model.name)
        lacking = tuple(kind for kind in model.kinds if kind not in _kinds(catalog, model))
        if plugin and lacking:
            held.append(Held(model, plugin, lacking, relays.get(model.gateway)))
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
