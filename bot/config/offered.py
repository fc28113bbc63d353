"""Turn the models of gateways' own lists into model tables, and tell where each fact comes from.

Such a table lies under a packaged table of the same wire name and under the operator's table. A
model is offered only if no fact is missing and the operator agrees to the guessed facts.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.config.layers import Route, Tables, merged
from bot.config.money import UNLIMITED
from bot.config.settings import Gateway, Settings
from bot.core.models import Origin
from bot.core.orders import Kind
from bot.core.wishes import Extra
from bot.gateways.dialects import DIALECTS
from bot.gateways.offers import Offer

Offers = Mapping[str, Mapping[str, Offer]]
"""Gateway → wire name → what its list says, for gateways whose lists build the catalog."""
NOTHING: Offers = {}
FACTS = ("kinds", "seconds", "sizes", "takes", "price", "prompt_limit")
"""The facts of a model whose origin is told, by their keys in its table."""
FREE: Tables = {"price": 0.0}
"""The price of a model where `own = true`."""
PROMPT = 2_000
"""The most characters of a prompt, where nobody tells another limit."""
_NEEDED = ("family", "kinds", "seconds", "sizes", "prompt_limit")


class Unready(Exception):
    """A model is not offered: facts are missing, or guesses are not confirmed."""

    def __init__(
        self, missing: Collection[str], guesses: Collection[str], whole: Tables, layers: "Layers"
    ) -> None:
        self.missing, self.guesses = tuple(missing), tuple(guesses)
        self.whole, self.origins = whole, layers.origins(whole)


def table_of(offer: Offer, settings: Settings, gateway: Gateway) -> Tables:
    """Return the model table of an offer. A fact that nobody tells has no key."""
    dialect = DIALECTS[gateway.dialect]
    table: Tables = {
        "family": offer.family,
        "kinds": list(offer.kinds),
        "seconds": list(offer.seconds),
        "sizes": {quality: dict(each) for quality, each in offer.sizes.items()},
        "prompt_limit": dialect.base.get("prompt_limit", PROMPT),
    }
    if offer.places:
        table["places"] = {name: list(fields) for name, fields in offer.places.items()}
    if offer.follows:
        table["picture"] = {"follows": True}
    if offer.seed is not None:
        takes = {Extra.SEED: offer.seed, Extra.AUDIO: offer.sound}
        table["takes"] = [extra for extra, is_taken in takes.items() if is_taken]
    else:
        named = dialect.base.get("places", {}).get("named", {})
        table["takes"] = [extra for extra in named if extra != Extra.AUDIO]
    if offer.sound is not None:
        table |= {"silent": not offer.sound, "unasked": {Extra.AUDIO: True} if offer.sound else {}}
    if offer.prices and dialect.currency in ("", settings.currency):
        table |= {"price": dict(offer.prices), "silent_price": dict(offer.silent_prices)}
    elif gateway.own:
        table |= FREE
    return {key: value for key, value in table.items() if value not in ("", [], {})}


def _fitting(under: Tables, over: Tables) -> Tables:
    """Return an offer's table without the facts that the tables above it make wrong.

    A price of the operator replaces all prices of the list. Other qualities may have no price, so a
    quality that only the list names is left out.
    """
    prices, sizes = under.get("price"), over.get("sizes")
    lacks = (
        isinstance(prices, dict) and isinstance(sizes, dict) and not sizes.keys() <= prices.keys()
    )
    if "price" in over or lacks:
        under = {key: it for key, it in under.items() if key not in ("price", "silent_price")}
    for each in (over.get("price"), over.get("silent_price")):
        if isinstance(each, dict) and isinstance(listed := under.get("sizes"), dict):
            priced = (sizes if isinstance(sizes, dict) else {}) | each
            under = {**under, "sizes": {it: listed[it] for it in listed if it in priced}}
    return under


@dataclass(frozen=True, slots=True, kw_only=True)
class Layers:
    """The tables of one model, apart: whose fact is which."""

    own: Tables
    """The operator's."""
    packaged: Tables
    """Zoetrope's, with the wire's."""
    lowest: Tables
    """The table of the offer, without prices that a table above makes wrong."""
    offer: Offer | None
    settings: Settings
    gateway: str
    is_built: bool
    """Whether the gateway's list builds the catalog."""
    has_lists: bool
    """Whether the list of any gateway does."""

    @property
    def _at(self) -> Gateway:
        return self.settings.gateways[self.gateway]

    def origins(self, whole: Tables) -> Mapping[str, Origin]:
        """Return where each fact of the merged table comes from."""
        return {fact: self._origin(fact) for fact in FACTS if fact in whole}

    def _origin(self, fact: str) -> Origin:
        for table, origin in ((self.own, Origin.YOURS), (self.packaged, Origin.CATALOG)):
            spoken = Route.model_validate(table).dialects.get(self._at.dialect, {})
            if fact in table or fact in spoken:
                return origin
        offer = self.offer
        if fact == "price" and self.lowest.get("price") == FREE["price"]:
            return Origin.YOURS  # `own = true` says that its videos cost nothing
        is_dialects = fact == "prompt_limit" or (fact == "takes" and offer and offer.seed is None)
        if offer is None or fact not in self.lowest or is_dialects:
            return Origin.CATALOG
        return Origin.GUESS if fact in offer.guessed else Origin.LIST

    def missing(self, whole: Tables) -> tuple[str, ...]:
        """Return the keys of needed facts that nobody tells."""
        kinds = whole.get("kinds")
        lacking = [key for key in _NEEDED if not whole.get(key)]
        if self.settings.limits.purse_money_per_day != UNLIMITED and whole.get("price") is None:
            lacking.append("price")
        if isinstance(kinds, list) and "picture" not in whole and kinds not in ([], [Kind.TEXT]):
            lacking.append("picture")
        return tuple(lacking)

    def guesses(self, whole: Tables) -> tuple[str, ...]:
        """Return the facts that are guesses."""
        return tuple(fact for fact, it in self.origins(whole).items() if it is Origin.GUESS)

    def check(self, whole: Tables) -> None:
        """Raise `Unready` if a needed fact is missing, or a guess is not confirmed.

        A table at a gateway without such a list is a mistake instead, or complete.
        """
        # Without a family, it may be a table for a model that left its gateway's list.
        is_partial = self.has_lists and "family" not in whole
        is_built = self.is_built or is_partial
        if whole.get("hidden") or not (self.offer or (is_built and not self.packaged)):
            return
        missing, guesses = self.missing(whole), self.guesses(whole)
        if missing or (guesses and not takes_guesses(self._at)):
            raise Unready(missing, guesses, whole, self)


def layers_of(
    name: str, table: Tables, packaged: Tables, settings: Settings, gateway: str, offers: Offers
) -> Layers:
    """Return the tables of a model, apart. `table`: the packaged and the operator's, merged."""
    wire = packaged["wires"].get(Route.model_validate(table).wire, {})
    is_packaged = DIALECTS[settings.gateways[gateway].dialect].packaged
    ours = merged(wire, packaged["models"].get(name, {}) if is_packaged else {})
    offer = offers.get(gateway, {}).get(name)
    at = settings.gateways[gateway]
    lowest = table_of(offer, settings, at) if offer else FREE if at.own else {}
    return Layers(
        own=settings.models.get(name, {}),
        packaged=ours,
        lowest=_fitting(lowest, merged(ours, table)),
        offer=offer,
        settings=settings,
        gateway=gateway,
        is_built=gateway in offers,
        has_lists=bool(offers),
    )


def takes_guesses(gateway: Gateway) -> bool:
    """Whether models with guessed facts are offered: a wrong guess at one's own server is free."""
    return gateway.own if gateway.guesses is None else gateway.guesses


def added(tables: Tables, packaged: Tables, settings: Settings, offers: Offers) -> Tables:
    """Return the tables, each with the gateway that lists it, and one for each other listed model.

    Of equal names at several gateways, the one at the operator's default gateway counts. A packaged
    table, and one that names a gateway, stay as they are.
    """
    both = dict(tables)
    own = settings.own_gateway
    others = (name for name in settings.gateways if name not in settings.claimed)
    for gateway in dict.fromkeys(filter(None, (own, *others))):
        for name in offers.get(gateway, {}):
            if name not in packaged:
                both[name] = {"gateway": gateway, **both.get(name, {})}
    return both


def elsewhere(settings: Settings) -> Callable[[str, str], bool]:
    """Return a function that tells if a model is at another gateway without the operator's word."""
    own = settings.own_gateway
    return lambda name, at: at != own and "gateway" not in settings.models.get(name, {})


def labelled(families: Tables, offers: Offers) -> dict[str, Any]:
    """Return the families, and behind them those of the lists. No two have the same label."""
    both = dict(families)
    labels = {str(each.get("label", name)).casefold() for name, each in families.items()}
    for offer in (offer for each in offers.values() for offer in each.values()):
        if offer.family and offer.family not in both:
            is_free = offer.label and offer.label.casefold() not in labels
            both[offer.family] = {"label": offer.label if is_free else offer.family}
            labels.add(both[offer.family]["label"].casefold())
    return both


def building(settings: Settings, offers: Mapping[str, Collection[Offer]]) -> Offers:
    """Return the offers by name, for each gateway whose list builds the catalog, read or not."""
    return {
        name: {offer.model: offer for offer in offers.get(name, ())} for name in _building(settings)
    }


def _building(settings: Settings) -> Iterator[str]:
    for name, gateway in settings.gateways.items():
        if DIALECTS[gateway.dialect].builds:
            yield name
