"""The catalogue as data: packaged tables, the operator's tables over them, the gateway's dialect.

Answers with the core's `Catalog` and every mistake found on the way.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from bot.config.problems import Problem, problems_of
from bot.config.settings import Dialect, Settings
from bot.core.catalog import ASPECTS, MICRO, QUALITIES, Catalog, Model, PictureRule
from bot.core.orders import Kind, Transport

DEAREST = 1_000_000
"""The most that a second may cost: beyond it, sums of a day no longer fit into a column."""
Tables = dict[str, Any]
_PIXELS = re.compile(r"[1-9]\d{0,4}[x*][1-9]\d{0,4}")
Shapes = Annotated[dict[str, str], Field(min_length=1)]
"""Aspect → the wire's word for it."""


class PictureTable(BaseModel):
    """`[models.<name>.picture]`"""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    transport: Transport
    place: str
    exact: bool = False
    least_side: int = Field(1, ge=1)
    most_side: int = Field(4096, ge=16)
    widest: float = Field(4.0, ge=1)
    most_bytes: int = Field(10_000_000, ge=10_000)


class ModelTable(BaseModel):
    """`[models.<name>]`"""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    family: str
    kinds: tuple[Kind, ...] = Field(min_length=1)
    seconds: tuple[PositiveInt, ...] = Field(min_length=1)
    sizes: dict[str, str | Shapes] = Field(min_length=1)
    prompt_limit: int = Field(gt=0)
    typical: float = Field(180, gt=0)
    picture: PictureTable | None = None
    extras: dict[str, str | int | bool] = Field(default_factory=dict)
    price: float | None = Field(None, ge=0, le=DEAREST)
    hidden: bool = False
    gateway: str | None = None


class Route(BaseModel):
    """What has to be known of a table before its dialect's own table can be laid over it."""

    gateway: str | None = None
    dialects: dict[Dialect, dict[str, Any]] = Field(default_factory=dict)


def resolve(settings: Settings) -> tuple[Catalog, list[Problem]]:
    """Every model that this configuration can run, spelt for its gateway's dialect."""
    packaged = tomllib.loads(files("bot").joinpath("catalog.toml").read_text("utf-8"))
    families: Tables = _merged(packaged["families"], settings.families)
    presets: Tables = _merged(packaged["presets"], settings.presets)
    found: list[Problem] = []
    models: list[Model] = []
    for name, table in _merged(packaged["models"], settings.models).items():
        try:
            model = _model(name, table, families, settings)
        except ValidationError as error:
            found += problems_of(error, ModelTable, prefix=f"models.{name}")
        except _Wrong as wrong:
            found.append(wrong.problem)
        else:
            models += [model] if model else []
    models = _in_family_order(models, families)
    if settings.gateways and not models and not found:
        found.append(Problem("models", "no_models"))
    found += _about_the_whole(models, settings)
    first: Tables = next(iter(presets.values()), {})
    preset = str(first.get("prompt", ""))
    catalog = Catalog(models=tuple(models), default=settings.default_model, preset=preset)
    return catalog, found


class _Wrong(Exception):
    def __init__(self, key: str, code: str, **values: object) -> None:
        super().__init__(code)
        self.problem = Problem(key, code, values)


def _model(name: str, table: Tables, families: Tables, settings: Settings) -> Model | None:
    route = Route.model_validate(table)
    gateway = route.gateway or _default_gateway(settings)
    if gateway is None:
        return None
    if gateway not in settings.gateways:
        raise _Wrong(
            f"models.{name}.gateway",
            "gateway_unknown",
            given=gateway,
            can=", ".join(settings.gateways),
        )
    dialect = settings.gateways[gateway].dialect
    common = {key: value for key, value in table.items() if key != "dialects"}
    row = ModelTable.model_validate(_merged(common, route.dialects.get(dialect, {})))
    _check_words(name, row)
    kinds = row.kinds
    if dialect == "openai" and row.picture and row.picture.transport is not Transport.UPLOAD:
        kinds = tuple(kind for kind in kinds if kind is Kind.TEXT)
    if row.hidden or not kinds:
        return None
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
        picture=PictureRule(**row.picture.model_dump()) if row.picture else None,
        extras=row.extras,
        price=None if row.price is None else round(row.price * MICRO),
    )


def _check_words(name: str, row: ModelTable) -> None:
    for quality, sizes in row.sizes.items():
        if quality not in QUALITIES:
            can = ", ".join(QUALITIES)
            raise _Wrong(f"models.{name}.sizes.{quality}", "not_one_of", given=quality, can=can)
        for aspect in sizes if isinstance(sizes, dict) else ():
            if aspect not in ASPECTS:
                key = f"models.{name}.sizes.{quality}.{aspect}"
                raise _Wrong(key, "not_one_of", given=aspect, can=", ".join(ASPECTS))
    if row.picture is None and set(row.kinds) != {Kind.TEXT}:
        raise _Wrong(f"models.{name}.picture", "missing")
    if row.picture and row.picture.exact:
        _check_exact(name, row)


def _check_exact(name: str, row: ModelTable) -> None:
    """A picture can be cut to the size of the video only where the wire's words are pixels."""
    for quality, sizes in row.sizes.items():
        for word in [sizes] if isinstance(sizes, str) else sizes.values():
            if not _PIXELS.fullmatch(word):
                wanted = {"given": repr(word), "wanted": "1280x720"}
                raise _Wrong(f"models.{name}.sizes.{quality}", "wrong_type", **wanted)


def _default_gateway(settings: Settings) -> str | None:
    named = settings.default_gateway
    return named if named in settings.gateways else next(iter(settings.gateways), None)


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
            if model.price is None
        ]
    return found


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> Tables:
    """`over` laid upon `under`, table by table; a `sizes` table replaces the whole one."""
    merged = dict(under)
    for key, value in over.items():
        earlier = merged.get(key)
        if key != "sizes" and isinstance(earlier, dict) and isinstance(value, dict):
            merged[key] = _merged(earlier, value)
        else:
            merged[key] = value
    return merged
