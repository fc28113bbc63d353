"""Build the catalog from the packaged tables, the operator's tables and the gateway's dialect.

The operator's tables override the packaged ones. The result is the core's `Catalog` and a list of
all mistakes.
"""

import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from importlib.resources import files

from pydantic import TypeAdapter, ValidationError

from bot.config.layers import Route, Tables, laid, merged
from bot.config.problems import Problem, problems_of
from bot.config.settings import Settings
from bot.config.tables import ModelTable, PictureTable, PresetTable, VideoTable
from bot.config.ways import Wrong, check_fields, check_link, check_way, fields_of, kinds_of
from bot.core.catalog import Catalog
from bot.core.models import Model
from bot.core.presets import Preset

_MODELS = TypeAdapter(Model)


def resolve(settings: Settings) -> tuple[Catalog, list[Problem]]:
    """Return the catalog of all models that this configuration can run, and all mistakes.

    Each model's field names and values follow its gateway's dialect.
    """
    packaged = tomllib.loads(files("bot").joinpath("catalog.toml").read_text("utf-8"))
    families = merged(packaged["families"], settings.families)
    presets = merged(packaged["presets"], settings.presets)
    found: list[Problem] = []
    models: list[Model] = []
    for name, table in _there(packaged["models"], settings).items():
        try:
            model = _model(name, table, packaged["wires"], families, settings)
        except ValidationError as error:
            known = _alike(name, table, packaged["models"])
            found += known or problems_of(error, ModelTable, prefix=f"models.{name}")
        except Wrong as wrong:
            found.append(Problem(f"models.{name}.{wrong.key}", wrong.code, wrong.values))
        else:
            models += [model] if model else []
    order = {family: number for number, family in enumerate(families)}
    models.sort(key=lambda model: order.get(model.family, len(order)))
    if settings.own_gateway and not models and not found:
        found.append(Problem("models", "no_models"))
    found += _about_the_whole(models, settings)
    catalog = Catalog(
        models=tuple(models),
        default=settings.default_model,
        presets=dict(_presets(presets, found)),
        linked=settings.web.public_url is not None,
    )
    return catalog, found


def _alike(name: str, table: Tables, packaged: Tables) -> list[Problem]:
    """Return a problem that names a similar packaged model, if `name` looks misspelt.

    A new model needs a family, so a table without one is taken as a misspelt packaged model.
    """
    is_known = name in packaged or "family" in table
    near = [] if is_known else get_close_matches(name, packaged, n=1, cutoff=0.5)
    return [Problem(f"models.{name}", "model_near", {"near": each}) for each in near]


def _there(packaged: Tables, settings: Settings) -> Tables:
    """Return all tables of the operator, and the packaged ones that the gateway should have.

    These are the models that the gateway lists, or the `assumed` ones if it has no list.
    """
    own = settings.own_gateway
    listed = settings.gateways[own].models if own else None
    ours = {
        name: table
        for name, table in packaged.items()
        if name in settings.models or (table.get("assumed") if listed is None else name in listed)
    }
    return merged(ours, settings.models)


def _presets(tables: Tables, found: list[Problem]) -> Iterator[tuple[str, Preset]]:
    for name, table in tables.items():
        try:
            row = PresetTable.model_validate(table)
        except ValidationError as error:
            found += problems_of(error, PresetTable, prefix=f"presets.{name}")
        else:
            if not row.hidden:
                yield name, Preset(row.label or name, row.prompt)


def _about_the_whole(models: list[Model], settings: Settings) -> Iterator[Problem]:
    wanted, families = settings.default_model, sorted({model.family for model in models})
    if families and wanted and wanted not in families:
        can = ", ".join(families)
        yield Problem("default_model", "not_one_of", {"given": wanted, "can": can})
    for model in models:
        if settings.limits.purse_money_per_day >= 0 and not model.prices:
            yield Problem(f"models.{model.name}.price", "price_missing")


# --- one model -----------------------------------------------------------------------------------


def _model(
    name: str, table: Tables, wires: Tables, families: Tables, settings: Settings
) -> Model | None:
    gateway = Route.model_validate(table).gateway or settings.own_gateway
    if gateway is None:
        return None
    if gateway not in settings.gateways:
        raise Wrong("gateway", "gateway_unknown", given=gateway, can=", ".join(settings.gateways))
    if gateway in settings.claimed:
        raise Wrong("gateway", "gateway_claimed", given=gateway)
    dialect = settings.gateways[gateway].dialect
    if (wire := Route.model_validate(table).wire) not in (None, *wires):
        raise Wrong("wire", "not_one_of", given=wire, can=", ".join(wires))
    whole = laid(table, wires, settings.gateways[gateway])
    if dialect not in (Route.model_validate(whole).only or (dialect,)):
        return None
    row = ModelTable.model_validate(whole)
    linked = settings.web.public_url is not None
    check_link(settings.models.get(name, {}), linked=linked)
    kinds, places = kinds_of(row, dialect, linked=linked), fields_of(row.places, dialect)
    check_fields(row, kinds, places)
    if row.hidden or not kinds:
        return None
    family = {"label": row.family, "note": "", **families.get(row.family, {})}
    own = {
        "name": name,
        **{key: str(family[key]) for key in ("label", "note")},
        "gateway": gateway,
        "dialect": dialect,
        "kinds": kinds,
        "places": places,
        "picture": _with_fit(row.picture),
        "video": _with_fit(row.video),
        "is_json": row.body == "json",
        "takes": [extra for extra in row.takes if places.of(extra)],
    }
    # All other fields are taken from the table unchanged.
    model = _MODELS.validate_python({**row.model_dump(), **own})
    check_way(table, model, linked=linked)
    return model


def _with_fit(table: PictureTable | VideoTable | None) -> Tables | None:
    """Return the values of a rule about files; those of its `fit` are in the same table."""
    values = table.model_dump() if table is not None else None
    return values and {**values, "fit": values}
