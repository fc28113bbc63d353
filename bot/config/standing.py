"""The known facts of each model of a gateway: their sources, guesses, and what is missing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.config import terms
from bot.config.catalog import MISTAKES, mistakes, model_of, packaged_tables, tables_there
from bot.config.layers import Route, Tables
from bot.config.load import Config
from bot.config.offered import FACTS, Unready, labelled
from bot.config.problems import Problem
from bot.core.models import Model, Origin
from bot.core.prices import MICRO
from bot.gateways.offers.names import VIDEO


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One model of a gateway: offered, or why it is not."""

    model: str
    label: str = ""
    is_offered: bool = False
    is_hidden: bool = False
    """The operator hides it, or its dialect can make none of its kinds."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """The known facts, by their keys in the model's table."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    """The keys of facts that nobody tells."""
    guesses: tuple[str, ...] = ()
    """The facts whose guesses the operator did not confirm."""
    wrong: tuple[Problem, ...] = ()


def standings(config: Config, gateway: str) -> list[Standing]:
    """Return all models at a gateway that have a table or an offer; the offered ones first."""
    found = [*_with_tables(config, gateway), *_without(config, gateway)]
    return sorted(found, key=lambda it: (not it.is_offered, it.is_hidden))


def _with_tables(config: Config, gateway: str) -> Iterator[Standing]:
    settings, packaged = config.settings, packaged_tables()
    if gateway in settings.claimed:
        settings = terms.alone(settings, gateway, settings.limits, config.offers)
    families = labelled({**packaged["families"], **settings.families}, config.offers)
    for name, table in tables_there(packaged["models"], settings, config.offers).items():
        if (Route.model_validate(table).gateway or settings.own_gateway) != gateway:
            continue
        try:
            model = model_of(name, table, packaged, families, settings, config.offers)
        except Unready as why:
            yield _unready(name, families, why)
        except MISTAKES as wrong:
            found = mistakes(name, table, packaged["models"], wrong)
            yield Standing(model=name, wrong=tuple(found))
        else:
            yield _ready(model) if model else Standing(model=name, is_hidden=True)


def _ready(model: Model) -> Standing:
    facts = {
        "kinds": model.kinds,
        "seconds": model.seconds,
        "sizes": model.qualities,
        "takes": model.takes,
        "price": {quality: price / MICRO for quality, price in model.prices.items()},
        "prompt_limit": model.prompt_limit,
    }
    return Standing(
        model=model.name,
        label=model.label,
        is_offered=True,
        facts={fact: value for fact, value in facts.items() if value},
        origins=model.origins,
    )


def _unready(name: str, families: Tables, why: Unready) -> Standing:
    family = str(why.whole.get("family", ""))
    facts = {fact: why.whole[fact] for fact in FACTS if fact in why.whole}
    if isinstance(sizes := facts.get("sizes"), dict):
        facts["sizes"] = tuple(sizes)
    return Standing(
        model=name,
        label=str(families.get(family, {}).get("label", family)),
        facts=facts,
        origins=why.origins,
        missing=why.missing,
        guesses=why.guesses if not why.missing else (),
    )


def _without(config: Config, gateway: str) -> Iterator[Standing]:
    """Yield the models for videos of a list that tells only names, if no table has their facts."""
    found = config.found.get(gateway)
    if gateway in config.offers or found is None:
        return
    known = {*packaged_tables()["models"], *config.settings.models}
    for offer in found.offers or ():
        if VIDEO in offer.endpoint_types and offer.model not in known:
            missing = ("family", "kinds", "seconds", "sizes", "prompt_limit")
            yield Standing(model=offer.model, missing=missing)
