"""Build the catalog from the packaged tables, the operator's tables and the gateway's dialect.

The operator's tables override the packaged ones. The result is the core's `Catalog` and a list of
all mistakes.
"""

import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.resources import files

from pydantic import TypeAdapter, ValidationError

from bot.config import offered
from bot.config.layers import Route, Tables, laid, merged
from bot.config.offered import NOTHING, Offers, Unready
from bot.config.problems import Problem, problems_of
from bot.config.settings import Settings
from bot.config.tables import ModelTable, PictureTable, PresetTable, VideoTable
from bot.config.unlike import arriving, wanted
from bot.config.ways import Wrong, check_fields, check_link, check_way, fields_of, kinds_of
from bot.core.catalog import Catalog
from bot.core.models import Model
from bot.core.presets import Preset
from bot.gateways.dialects import DIALECTS
from bot.gateways.which import LABELS

_MODELS = TypeAdapter(Model)

MISTAKES = (ValidationError, Wrong)
"""The errors that `model_of` raises for a mistake in a table."""


def packaged_tables() -> Tables:
    """Return the tables of `catalog.toml`."""
    return tomllib.loads(files("bot").joinpath("catalog.toml").read_text("utf-8"))


def resolve(settings: Settings, offers: Offers = NOTHING) -> tuple[Catalog, list[Problem]]:
    """Return the catalog of all models that this configuration can run, and all mistakes.

    Each model's field names and values follow its gateway's dialect. `offers`: the models of the
    gateways' own lists.
    """
    packaged = packaged_tables()
    families = offered.labelled(merged(packaged["families"], settings.families), offers)
    presets = merged(packaged["presets"], settings.presets)
    found: list[Problem] = []
    models: list[Model] = []
    for name, table in tables_there(packaged["models"], settings, offers).items():
        try:
            model = model_of(name, table, packaged, families, settings, offers)
        except Unready:
            continue
        except MISTAKES as wrong:
            if name in packaged["models"] or name in settings.models:  # no mistake of a list
                found += mistakes(name, table, packaged["models"], wrong)
        else:
            models += [model] if model else []
    order = {family: number for number, family in enumerate(families)}
    others = offered.elsewhere(settings)
    # A model that only another gateway's list brings changes no default.
    models.sort(key=lambda it: (others(it.name, it.gateway), order.get(it.family, len(order))))
    # Where a list builds the catalog, only `run` needs a model: see `obstacles` in cli/run.
    if settings.own_gateway and not models and not found and not offers:
        found.append(_nothing(settings.own_gateway, settings))
    found += _about_the_whole(models, settings, is_listed=bool(offers))
    catalog = Catalog(
        models=tuple(models),
        default=settings.default_model,
        presets=dict(_presets(presets, found)),
        linked=settings.web.public_url is not None,
    )
    return catalog, found


def _nothing(name: str, settings: Settings) -> Problem:
    """Return the problem of a catalog without models: the gateway's dialect, or the tables."""
    gateway = settings.gateways[name]
    if needed := wanted(gateway):
        values = {"software": LABELS.get(gateway.software or ""), "wanted": needed.name}
        return Problem(f"gateways.{name}.dialect", "dialect_unlike", values)
    return Problem("models", "no_models")


def mistakes(name: str, table: Tables, packaged: Tables, wrong: Exception) -> list[Problem]:
    """Return the problems of a table for which `model_of` raised one of `MISTAKES`."""
    if isinstance(wrong, Wrong):
        return [Problem(f"models.{name}.{wrong.key}", wrong.code, wrong.values)]
    assert isinstance(wrong, ValidationError)
    known = _alike(name, table, packaged)
    return known or list(problems_of(wrong, ModelTable, prefix=f"models.{name}"))


def _alike(name: str, table: Tables, packaged: Tables) -> list[Problem]:
    """Return a problem that names a similar packaged model, if `name` looks misspelt.

    A new model needs a family, so a table without one is taken as a misspelt packaged model.
    """
    is_known = name in packaged or "family" in table
    near = [] if is_known else get_close_matches(name, packaged, n=1, cutoff=0.5)
    return [Problem(f"models.{name}", "model_near", {"near": each}) for each in near]


def tables_there(packaged: Tables, settings: Settings, offers: Offers) -> Tables:
    """Return all tables of the operator, and the packaged ones that the gateway should have.

    These are the models that the gateway lists, or the `assumed` ones if it has no list. A server
    that makes only its own models has none, and may not even check a model's name. Behind all
    these are tables for the models that only `offers` name.
    """
    own = settings.own_gateway
    listed = settings.gateways[own].models if own else None

    def is_there(name: str, table: Tables) -> bool:
        named = settings.models.get(name, {}).get("gateway")
        gateway = settings.gateways.get(named if isinstance(named, str) else own or "")
        if gateway is not None and not DIALECTS[gateway.dialect].packaged:
            return False
        if name in settings.models:
            return True
        is_assumed = bool(table.get("assumed")) if listed is None else name in listed
        return is_assumed and not (gateway and wanted(gateway))

    ours = {name: table for name, table in packaged.items() if is_there(name, table)}
    return offered.added(merged(ours, settings.models), packaged, settings, offers)


def _presets(tables: Tables, found: list[Problem]) -> Iterator[tuple[str, Preset]]:
    for name, table in tables.items():
        try:
            row = PresetTable.model_validate(table)
        except ValidationError as error:
            found += problems_of(error, PresetTable, prefix=f"presets.{name}")
        else:
            if not row.hidden:
                yield name, Preset(row.label or name, row.prompt)


def _about_the_whole(
    models: list[Model], settings: Settings, *, is_listed: bool
) -> Iterator[Problem]:
    wanted, families = settings.default_model, sorted({model.family for model in models})
    # A family that a list no longer has must not stop the service: another family is used.
    if families and wanted and wanted not in families and not is_listed:
        can = ", ".join(families)
        yield Problem("default_model", "not_one_of", {"given": wanted, "can": can})
    for model in models:
        if settings.limits.purse_money_per_day >= 0 and not model.prices:
            yield Problem(f"models.{model.name}.price", "price_missing")


# --- one model -----------------------------------------------------------------------------------


def model_of(
    name: str,
    table: Tables,
    packaged: Tables,
    families: Tables,
    settings: Settings,
    offers: Offers = NOTHING,
) -> Model | None:
    """Return the model of a table, or None if it is hidden or elsewhere.

    Raises `Unready` if a list must tell more, or the operator; `MISTAKES` for a wrong table.
    """
    if (gateway := _gateway_of(table, settings, packaged["wires"])) is None:
        return None
    at = settings.gateways[gateway]
    dialect = DIALECTS[at.dialect]
    layers = offered.layers_of(name, table, packaged, settings, gateway, offers)
    whole = laid(table, packaged["wires"], at, layers.lowest)
    if dialect.name not in (Route.model_validate(whole).only or (dialect.name,)):
        return None
    layers.check(whole)
    row = ModelTable.model_validate(whole)
    linked = settings.web.public_url is not None
    check_link(settings.models.get(name, {}), linked=linked)
    kinds, places = kinds_of(row, dialect, linked=linked), fields_of(row.places, dialect)
    check_fields(row, kinds, places, dialect)
    if row.hidden or not kinds:
        return None
    own = {
        **_named(name, gateway, families.get(row.family, {}), row),
        "dialect": dialect.name,
        "kinds": kinds,
        "places": places,
        "origins": layers.origins(whole),
        "takes": [extra for extra in row.takes if places.of(extra)],
    }
    # All other fields are taken from the table unchanged.
    model = _MODELS.validate_python({**row.model_dump(), **own})
    check_way(table, model, dialect, linked=linked)
    return arriving(model, needed) if (needed := wanted(at)) else model


def _named(name: str, gateway: str, family: Tables, row: ModelTable) -> Tables:
    """Return the values of a model that have another form in its table."""
    return {
        "name": name,
        "gateway": gateway,
        "label": str(family.get("label", row.family)),
        "note": str(family.get("note", "")),
        "picture": _with_fit(row.picture),
        "video": _with_fit(row.video),
        "is_json": row.body == "json",
    }


def _with_fit(table: PictureTable | VideoTable | None) -> Tables | None:
    """Return the values of a rule about files; those of its `fit` are in the same table."""
    values = table.model_dump() if table is not None else None
    return values and {**values, "fit": values}


def _gateway_of(table: Tables, settings: Settings, wires: Tables) -> str | None:
    """Return the gateway of a model's table. Raises `Wrong` for an unknown gateway or wire."""
    route = Route.model_validate(table)
    gateway = route.gateway or settings.own_gateway
    if gateway is not None and gateway not in settings.gateways:
        raise Wrong("gateway", "gateway_unknown", given=gateway, can=", ".join(settings.gateways))
    if gateway is not None and gateway in settings.claimed:
        raise Wrong("gateway", "gateway_claimed", given=gateway)
    if gateway is not None and route.wire not in (None, *wires):
        raise Wrong("wire", "not_one_of", given=route.wire, can=", ".join(wires))
    return gateway
