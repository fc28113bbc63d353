"""The catalogue as data: packaged tables, the operator's tables over them, the gateway's dialect.

Answers with the core's `Catalog` and every mistake found on the way.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

from pydantic import ValidationError

from bot.config.problems import Problem, problems_of
from bot.config.settings import Dialect, Settings
from bot.config.tables import ModelTable, PlacesTable, PresetTable, Route
from bot.core.catalog import Catalog
from bot.core.models import ASPECTS, MICRO, QUALITIES, Model, PictureRule, Places, Preset
from bot.core.orders import Kind, SoundFit, Transport

Tables = dict[str, Any]
_PIXELS = re.compile(r"[1-9]\d{0,4}[x*][1-9]\d{0,4}")
_WHOLE = frozenset({"sizes", "extras"})
"""Tables that would otherwise never lose what they once had."""
_FILES = {Kind.PICTURE: 1, Kind.KEY_FRAMES: 2, Kind.SOUND: 2}


def resolve(settings: Settings) -> tuple[Catalog, list[Problem]]:
    """Every model that this configuration can run, spelt for its gateway's dialect."""
    packaged = tomllib.loads(files("bot").joinpath("catalog.toml").read_text("utf-8"))
    families: Tables = _merged(packaged["families"], settings.families)
    presets: Tables = _merged(packaged["presets"], settings.presets)
    wires: Tables = packaged["wires"]
    found: list[Problem] = []
    models: list[Model] = []
    for name, table in _merged(packaged["models"], settings.models).items():
        try:
            model = _model(name, table, wires, families, settings)
        except ValidationError as error:
            found += problems_of(error, ModelTable, prefix=f"models.{name}")
        except _Wrong as wrong:
            found.append(wrong.problem)
        else:
            models += [model] if model else []
    models = _in_family_order(models, families)
    if _default_gateway(settings) and not models and not found:
        found.append(Problem("models", "no_models"))
    found += _about_the_whole(models, settings)
    catalog = Catalog(
        models=tuple(models),
        default=settings.default_model,
        presets=dict(_presets(presets, found)),
        linked=settings.web.public_url is not None,
    )
    return catalog, found


def _presets(tables: Tables, found: list[Problem]) -> Iterator[tuple[str, Preset]]:
    for name, table in tables.items():
        try:
            row = PresetTable.model_validate(table)
        except ValidationError as error:
            found += problems_of(error, PresetTable, prefix=f"presets.{name}")
        else:
            if not row.hidden:
                yield name, Preset(row.label or name, row.prompt)


class _Wrong(Exception):
    def __init__(self, key: str, code: str, **values: object) -> None:
        super().__init__(code)
        self.problem = Problem(key, code, values)


def _model(
    name: str, table: Tables, wires: Tables, families: Tables, settings: Settings
) -> Model | None:
    gateway = Route.model_validate(table).gateway or _default_gateway(settings)
    if gateway is None:
        return None
    _check_gateway(name, gateway, settings)
    dialect = settings.gateways[gateway].dialect
    row = ModelTable.model_validate(_laid(name, table, wires, dialect))
    kinds = _kinds(row, dialect)
    _check(name, row, kinds, dialect)
    if row.hidden or not kinds:
        return None
    _check_sounds(name, table, kinds, dialect)
    if settings.web.public_url is None:
        _check_without_links(name, row, kinds)
    places = _places(row.places, dialect)
    return Model(
        name=name,
        family=row.family,
        label=str(families.get(row.family, {}).get("label", row.family)),
        gateway=gateway,
        dialect=dialect,
        kinds=kinds,
        seconds=row.seconds,
        sizes=row.sizes,
        prompt_limit=row.prompt_limit,
        typical=row.typical,
        places=places,
        picture=_picture(row),
        sound=SoundFit(**row.sound.model_dump()),
        extras=row.extras,
        takes=tuple(extra for extra in row.takes if places.of(extra)),
        negative_limit=row.negative_limit,
        silent=row.silent,
        at_once=row.at_once,
        prices=_prices(name, row),
    )


def _prices(name: str, row: ModelTable) -> dict[str, int]:
    """Of every quality that it makes, whether they cost the same or not."""
    if row.price is None:
        return {}
    if isinstance(row.price, float):
        return dict.fromkeys(row.sizes, round(row.price * MICRO))
    for quality in row.price:
        if quality not in QUALITIES:
            key, can = f"models.{name}.price.{quality}", ", ".join(QUALITIES)
            raise _Wrong(key, "not_one_of", given=quality, can=can)
    for quality in row.sizes:
        if quality not in row.price:
            raise _Wrong(f"models.{name}.price.{quality}", "price_of_quality_missing")
    return {quality: round(row.price[quality] * MICRO) for quality in row.sizes}


def _check_gateway(name: str, gateway: str, settings: Settings) -> None:
    key = f"models.{name}.gateway"
    if gateway not in settings.gateways:
        raise _Wrong(key, "gateway_unknown", given=gateway, can=", ".join(settings.gateways))
    if gateway in settings.claimed:
        raise _Wrong(key, "gateway_claimed", given=gateway)


def _laid(name: str, table: Tables, wires: Tables, dialect: Dialect) -> Tables:
    """The wire's table, then the model's own; over each of them, what it says for the dialect."""
    wire = Route.model_validate(table).wire
    if wire is not None and wire not in wires:
        key, can = f"models.{name}.wire", ", ".join(wires)
        raise _Wrong(key, "not_one_of", given=wire, can=can)
    laid: Tables = {}
    for under in (wires[wire] if wire else {}, table):
        common = {key: value for key, value in under.items() if key != "dialects"}
        for_dialect = Route.model_validate(under).dialects.get(dialect, {})
        laid = _merged(_merged(laid, common), for_dialect)
    return laid


def _kinds(row: ModelTable, dialect: Dialect) -> tuple[Kind, ...]:
    """Without those whose files can't travel."""
    if row.picture is None:
        return row.kinds
    # OpenAI's own API takes a picture as a file and knows no metadata.
    if dialect == "openai" and row.picture.transport is not Transport.UPLOAD:
        return tuple(kind for kind in row.kinds if kind not in _FILES)
    return row.kinds


def _places(table: PlacesTable, dialect: Dialect) -> Places:
    extras = table.extras
    if extras is None:
        extras = () if dialect == "openai" else ("metadata.*",)
    return Places(
        size=table.size,
        aspect=table.aspect,
        extras=extras,
        negative_prompt=table.negative_prompt,
        files={kind: table.files(kind) for kind in _FILES},
    )


def _picture(row: ModelTable) -> PictureRule | None:
    if row.picture is None:
        return None
    limits = row.picture.model_dump(exclude={"fit"})
    return PictureRule(**limits, shaping=row.picture.fit)


def _check(name: str, row: ModelTable, kinds: Iterable[Kind], dialect: Dialect) -> None:
    _check_words(name, row)
    _check_places(name, row, kinds)
    if dialect == "new-api" and row.extras.get("prompt_extend") is False:
        # It leaves every false out on the way up, and up there this one is true by default.
        raise _Wrong(f"models.{name}.extras.prompt_extend", "false_dropped")


def _check_without_links(name: str, row: ModelTable, kinds: tuple[Kind, ...]) -> None:
    takes_files = any(kind in _FILES for kind in kinds)
    if takes_files and row.picture and row.picture.transport is Transport.URL:
        raise _Wrong(f"models.{name}.picture.transport", "link_nowhere")


def _check_sounds(name: str, table: Tables, kinds: tuple[Kind, ...], dialect: Dialect) -> None:
    """What goes up with a sound is dropped by new-api; other gateways of its kind may not."""
    own = Route.model_validate(table).dialects.get(dialect, {}).get("places", {})
    if dialect == "new-api" and Kind.SOUND in kinds and Kind.SOUND not in own:
        raise _Wrong(f"models.{name}.dialects.new-api.places.s2v", "sound_dropped")


def _check_words(name: str, row: ModelTable) -> None:
    for quality, sizes in row.sizes.items():
        if quality not in QUALITIES:
            can = ", ".join(QUALITIES)
            raise _Wrong(f"models.{name}.sizes.{quality}", "not_one_of", given=quality, can=can)
        for aspect in sizes if isinstance(sizes, dict) else ():
            if aspect not in ASPECTS:
                key = f"models.{name}.sizes.{quality}.{aspect}"
                raise _Wrong(key, "not_one_of", given=aspect, can=", ".join(ASPECTS))
    if set(row.kinds) == {Kind.REMIX}:
        raise _Wrong(f"models.{name}.kinds", "remix_alone")
    if row.picture is None and not {Kind.TEXT, Kind.REMIX}.issuperset(row.kinds):
        raise _Wrong(f"models.{name}.picture", "missing")
    if row.picture and row.picture.exact:
        _check_exact(name, row)


def _check_places(name: str, row: ModelTable, kinds: Iterable[Kind]) -> None:
    """One place for each file, and none that gateways answer 400 to."""
    for kind in kinds:
        given = row.places.files(kind)
        key = f"models.{name}.places.{kind}"
        if len(given) != _FILES.get(kind, 0):
            raise _Wrong(key, "places_missing", given=len(given), wanted=_FILES[kind])
        count = Counter(place for places in given for place in places)
        if row.picture and row.picture.transport is Transport.UPLOAD:
            if any("." in place for place in count):
                raise _Wrong(key, "place_of_file")
        elif count["images"] == 1 or any(n > 1 for at, n in count.items() if at != "images"):
            raise _Wrong(key, "place_repeated")


def _check_exact(name: str, row: ModelTable) -> None:
    """A picture can be cut to the size of the video only where the wire's words are pixels."""
    for quality, sizes in row.sizes.items():
        for word in [sizes] if isinstance(sizes, str) else sizes.values():
            if not _PIXELS.fullmatch(word):
                wanted = {"given": repr(word), "wanted": "1280x720"}
                raise _Wrong(f"models.{name}.sizes.{quality}", "wrong_type", **wanted)


def _default_gateway(settings: Settings) -> str | None:
    """Never one that a community pays for."""
    named = settings.default_gateway
    others = [name for name in settings.gateways if name not in settings.claimed]
    return named if named in others else next(iter(others), None)


def _in_family_order(models: Iterable[Model], families: Tables) -> list[Model]:
    order = {family: number for number, family in enumerate(families)}
    return sorted(models, key=lambda model: order.get(model.family, len(order)))


def _about_the_whole(models: list[Model], settings: Settings) -> list[Problem]:
    found = []
    names = {model.family for model in models}
    if names and settings.default_model and settings.default_model not in names:
        values: dict[str, object] = {
            "given": settings.default_model,
            "can": ", ".join(sorted(names)),
        }
        found.append(Problem("default_model", "not_one_of", values))
    if settings.limits.purse_money_per_day >= 0:
        found += [
            Problem(f"models.{model.name}.price", "price_missing")
            for model in models
            if not model.prices
        ]
    return found


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Tables:
    """`over` laid upon `under`, table by table; some replace the whole one."""
    merged = dict(under)
    for key, value in over.items():
        earlier = merged.get(key)
        if key not in _WHOLE and isinstance(earlier, dict) and isinstance(value, dict):
            merged[key] = _merged(earlier, value)
        else:
            merged[key] = value
    return merged
