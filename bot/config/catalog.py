"""Build the catalog from the packaged tables, the operator's tables and the gateway's dialect.

The operator's tables override the packaged ones. The result is the core's `Catalog` and a list of
all mistakes.
"""

import tomllib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from importlib.resources import files

from pydantic import TypeAdapter, ValidationError

from bot.config.layers import Route, Tables, laid, merged
from bot.config.problems import Problem, problems_of
from bot.config.settings import Dialect, Settings
from bot.config.tables import FieldsTable, ModelTable, PresetTable
from bot.core.catalog import Catalog
from bot.core.models import EACH, Fields, Model
from bot.core.orders import Kind, Transport
from bot.core.presets import Preset

_MODELS = TypeAdapter(Model)
_FILES = {
    Kind.PICTURE: 1,
    Kind.KEY_FRAMES: 2,
    Kind.SOUND: 2,
    Kind.REFERENCES: 1,
    Kind.VIDEO: 1,
    Kind.EXTEND: 1,
}
"""Kind → the number of lists of fields for its files. One list is for all references."""
_OF_VIDEO = (Kind.VIDEO, Kind.EXTEND)


class _Wrong(Exception):
    """A mistake in a model's table, with the key in that table."""

    def __init__(self, key: str, code: str, **values: object) -> None:
        self.key, self.code, self.values = key, code, values


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
        except _Wrong as wrong:
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
        raise _Wrong("gateway", "gateway_unknown", given=gateway, can=", ".join(settings.gateways))
    if gateway in settings.claimed:
        raise _Wrong("gateway", "gateway_claimed", given=gateway)
    dialect = settings.gateways[gateway].dialect
    if (wire := Route.model_validate(table).wire) not in (None, *wires):
        raise _Wrong("wire", "not_one_of", given=wire, can=", ".join(wires))
    whole = laid(table, wires, settings.gateways[gateway])
    if dialect not in (Route.model_validate(whole).only or (dialect,)):
        return None
    row = ModelTable.model_validate(whole)
    linked = settings.web.public_url is not None
    kinds, places = _kinds(row, dialect, linked=linked), _fields_of(row.places, dialect)
    _check_fields(row, kinds, places)
    if row.hidden or not kinds:
        return None
    family = families.get(row.family, {})
    picture = row.picture.model_dump() if row.picture else None
    video = row.video.model_dump() if row.video else None
    own = {
        "name": name,
        "label": str(family.get("label", row.family)),
        "note": str(family.get("note", "")),
        "gateway": gateway,
        "dialect": dialect,
        "kinds": kinds,
        "places": places,
        "picture": picture and {**picture, "fit": picture},
        "video": video and {**video, "fit": video},
        "is_json": row.body == "json",
        "takes": [extra for extra in row.takes if places.of(extra)],
    }
    # All other fields are taken from the table unchanged.
    model = _MODELS.validate_python({**row.model_dump(), **own})
    _check_way(table, settings.models.get(name, {}), model, linked=linked)
    return model


def _kinds(row: ModelTable, dialect: Dialect, *, linked: bool) -> tuple[Kind, ...]:
    """Return the kinds of the table, without those whose files can't be sent.

    OpenAI's own API takes a file only as a file, and knows no metadata. Without a public address
    there are no links, and most vendors take a video only by link.
    """
    lacks = set(row.lacks)
    for kind in _FILES:
        way = _transport(row, kind)
        if dialect == "openai" and way not in (None, Transport.UPLOAD):
            lacks.add(kind)
        by_id = kind is Kind.EXTEND and row.places.extend_id
        if kind in _OF_VIDEO and way is Transport.URL and not linked and not by_id:
            lacks.add(kind)
    return tuple(kind for kind in row.kinds if kind not in lacks)


def _transport(row: ModelTable, kind: Kind) -> Transport | None:
    """Return how the files of this kind are sent; None if the table does not say."""
    way = row.video if kind in _OF_VIDEO else row.picture
    return way.transport if way is not None else None


def _fields_of(table: FieldsTable, dialect: Dialect) -> Fields:
    plain = table.model_dump(exclude={kind.value for kind in _FILES})
    if table.extras is None:
        plain["extras"] = () if dialect == "openai" else ("metadata.*",)
    return Fields(**plain, files={kind: getattr(table, kind) for kind in _FILES})


# --- its mistakes --------------------------------------------------------------------------------


def _check_fields(row: ModelTable, kinds: Iterable[Kind], places: Fields) -> None:
    """Raise `_Wrong` if a file has no field, or a field would make gateways answer 400."""
    is_form = row.body == "form"
    fields = [*places.size, *places.aspect, *places.length, *places.extras, *places.extend_id]
    for kind in (each for each in kinds if each in _FILES):
        key, given, wanted = f"places.{kind}", places.files[kind], _FILES[kind]
        each = [place for several in given for place in several]
        uploads = _transport(row, kind) is Transport.UPLOAD
        if kind is Kind.EXTEND and places.extend_id and not given:
            continue
        _check_numbered(kind, each, places)
        if len(given) != wanted:
            raise _Wrong(key, "places_missing", given=len(given), wanted=wanted)
        if uploads and not is_form:
            raise _Wrong(key, "file_in_json")
        if uploads and any("." in place for place in each):
            raise _Wrong(key, "place_of_file")
        is_one_of_many = [place.partition("[")[0] for place in each].count("images") == 1
        if (is_form and not uploads and is_one_of_many) or len(set(each)) < len(each):
            raise _Wrong(key, "place_repeated")
        fields += each
    if is_form and any("." in f and not f.startswith("metadata.") for f in fields):
        raise _Wrong("places", "table_in_form")


def _check_numbered(kind: Kind, paths: Iterable[str], places: Fields) -> None:
    """Raise `_Wrong` if a field of references lacks `[*]`, or a field of another file has it."""
    for path in paths:
        if (EACH in path) is not (kind is Kind.REFERENCES):
            code = "place_unnumbered" if kind is Kind.REFERENCES else "place_numbered"
            raise _Wrong(f"places.{kind}", code, given=path)
    for path in places.fixed.get(kind, {}):
        if EACH in path and kind is not Kind.REFERENCES:
            raise _Wrong(f"places.fixed.{kind}", "place_numbered", given=path)


def _check_way(table: Tables, own_table: Tables, model: Model, *, linked: bool) -> None:
    """Raise `_Wrong` if the model's way of sending files would lose people's files.

    `own_table` is the operator's own: a packaged model without a link only lacks these kinds.
    """
    # new-api drops the file that goes up with a sound; its variants may not.
    own = Route.model_validate(table).dialects.get("new-api", {}).get("places", {})
    if model.dialect == "new-api" and Kind.SOUND in model.kinds and Kind.SOUND not in own:
        raise _Wrong("dialects.new-api.places.s2v", "sound_dropped")
    if linked:
        return
    by_link = model.picture is not None and model.picture.transport is Transport.URL
    if by_link and not _FILES.keys().isdisjoint({*model.kinds} - {*_OF_VIDEO}):
        raise _Wrong("picture.transport", "link_nowhere")
    said = own_table.get("video", {})
    if isinstance(said, dict) and said.get("transport") == Transport.URL:
        raise _Wrong("video.transport", "link_nowhere")
