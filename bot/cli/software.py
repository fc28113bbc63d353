"""Find out a gateway's software, for `init` and `doctor`, and write sentences about it."""

from collections.abc import Iterator, Mapping

from bot.cli.words import tell
from bot.config import Config
from bot.config.discoveries import Found, now
from bot.config.held import OLDER, Held, Why, held_back
from bot.config.plugins import Generation
from bot.core.catalog import Catalog
from bot.core.errors import FamilyUnknown, KindLacking, Refused
from bot.core.orders import Kind
from bot.gateways.survey import Survey, identify
from bot.gateways.which import ALIKE, FITTING, LABELS, LITELLM, NEW_API, UNKNOWN

_WAITING = {
    Why.PLUGIN: "which.held",
    Why.RELAY: "which.held_relay",
    Why.DIALECT: "which.held_dialect",
}
_HELD_BACK = {
    Why.PLUGIN: "held_back",
    Why.RELAY: "held_back_relay",
    Why.DIALECT: "held_back_dialect",
}


async def find_out(base_url: str, api_key: str, seen: Survey) -> Found:
    """Ask the gateway for its software after a survey, free of charge; return the findings."""
    which = await identify(base_url, api_key, seen.answers)
    at = now()
    return Found(
        base_url=base_url,
        software=which.software,
        generation=which.generation,
        version=which.version,
        models=seen.models,
        at=at,
        since=at,
    )


def name(found: Found) -> str:
    """Return the gateway's software, version and generation, as far as they are known."""
    if found.software == UNKNOWN:
        return tell("which.unknown")
    known = " ".join(filter(None, (LABELS.get(found.software), found.version)))
    if found.generation is None:
        return known
    generation = ALIKE.get(found.generation, found.generation)
    return tell("which.generation", software=known, generation=generation)


def unlike(gateway: str, found: Found, dialect: str) -> str | None:
    """Return the remedy if the found software needs another dialect, else None."""
    wanted = FITTING.get(found.software)
    if wanted in (None, dialect):
        return None
    return tell(
        "which.dialect", gateway=gateway, software=name(found), dialect=dialect, wanted=wanted
    )


def unlikes(config: Config) -> Iterator[str]:
    """Yield the remedy of every gateway whose software, as last found, needs another dialect."""
    for gateway, found in config.found.items():
        if said := unlike(gateway, found, config.settings.gateways[gateway].dialect):
            yield said


def old(gateway: str, found: Found, config: Config) -> str | None:
    """Return a note if the gateway's older generation is not confirmed by the operator, else None.

    An unconfirmed older generation counts as unknown.
    """
    if generation := relays(config, {gateway: found}).get(gateway):
        return tell("which.old", gateway=gateway, generation=generation)
    return None


def relays(config: Config, found: Mapping[str, Found]) -> Mapping[str, Generation]:
    """Return the older generations found at gateways whose settings name none, by gateway."""
    return {
        gateway: each.generation
        for gateway, each in found.items()
        if each.software == NEW_API and each.generation in OLDER
        if config.settings.gateways[gateway].generation is None
    }


def repeats(gateway: str, found: Found) -> str | None:
    """Return a warning if the gateway may send an order more than once unnoticed, else None."""
    return tell("which.repeats", gateway=gateway) if found.software == LITELLM else None


def held(config: Config, gateway: str | None = None) -> list[str]:
    """Return a sentence for each family with held-back kinds; `gateway` None: at all gateways."""
    families: dict[tuple[str, str, Why, str], dict[Kind, None]] = {}
    for each in held_all(config):
        if gateway in (None, each.model.gateway):
            family = (each.model.label, each.model.gateway, each.why, each.until)
            families.setdefault(family, {}).update(dict.fromkeys(each.kinds))
    return [
        tell(_WAITING[why], family=label, kinds=", ".join(kinds), gateway=at, needs=until)
        for (label, at, why, until), kinds in families.items()
    ]


def held_all(config: Config) -> list[Held]:
    """Return all held-back kinds, with the setting that releases them."""
    return held_back(config.settings, config.catalog, relays(config, config.found))


def held_for(config: Config, wanted: str | None, refused: Refused) -> Refused | None:
    """Return the refusal for a held-back model or kind, if that is the true reason, else None."""
    if not isinstance(refused, FamilyUnknown | KindLacking):
        return None
    kind = refused.values.get("kind")
    held = {each.model.name: each for each in held_all(config)}
    could = Catalog(models=tuple(each.model for each in held.values()))
    for model in could.models if wanted is None else could.named(wanted):
        each = held[model.name]
        if kind is None or kind in each.kinds:
            values = {"family": model.label, "gateway": model.gateway, "key": each.key}
            kinds = ", ".join(each.kinds)
            return Refused(_HELD_BACK[each.why], kinds=kinds, needs=each.until, **values)
    return None
