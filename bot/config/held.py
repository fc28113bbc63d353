"""Kinds of models that are held back because nobody said which version of a plugin serves them."""

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
    """The kinds that one model could do if the plugin is new enough."""

    model: Model
    plugin: str
    kinds: tuple[Kind, ...]
    relay: Generation | None = None
    """The older generation that its gateway was found to be, if nobody said that it stays so."""

    @property
    def key(self) -> str:
        """The setting that decides."""
        if self.relay:
            return f"gateways.{self.model.gateway}.generation"
        return f"gateways.{self.model.gateway}.plugins.{self.plugin}"


def held_back(
    settings: Settings, catalog: Catalog, relays: Mapping[str, Generation] = NONE
) -> list[Held]:
    """Per model, the kinds that the newest plugins have and `catalog` does not.

    At an older generation no plugin runs: at those of `relays`, the kinds that it has itself, and
    none where the settings name it.
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
    """The kinds that are offered already."""
    offered = catalog.model(model.name)
    return frozenset(offered.kinds if offered else ())


def known_models(settings: Settings) -> frozenset[str]:
    """The names of all models that have a table, ours or the operator's."""
    return frozenset(_plugins(settings))


def _plugins(settings: Settings) -> Mapping[str, str | None]:
    """The plugin of each model there is."""
    packaged: dict[str, Any] = tomllib.loads(files("bot").joinpath("catalog.toml").read_text())
    wires, tables = packaged["wires"], packaged["models"]
    plugins: dict[str, str | None] = {}
    for name in {**tables, **settings.models}:
        table = {**tables.get(name, {}), **settings.models.get(name, {})}
        wire = wires.get(table.get("wire"), {})
        plugins[name] = table.get("plugin") or wire.get("plugin")
    return plugins
