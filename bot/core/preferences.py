"""A person's lasting choices (settings). They fill what an order leaves open.

A choice never causes a refusal: a choice that doesn't fit the order is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from bot.core.accounts import Accounts
from bot.core.catalog import Catalog
from bot.core.choosing import alternatives
from bot.core.errors import Refused
from bot.core.models import Model
from bot.core.offers import takes
from bot.core.orders import Call, Order
from bot.core.variations import relaxed
from bot.core.wishes import ASPECTS, AUTO, AUTO_WORD, DRAFT, QUALITIES, length_of, switch_of

FIELDS = {"model": "family", **{name: name for name in ("seconds", "aspect", "quality")}}
"""Setting, by its name for people → the field of a wish that the setting fills."""
PRIVATE = "private"
"""The one setting that is on or off."""
SETTINGS = (*FIELDS, PRIVATE)
NONE = "none"
"""The value that people type for *no lasting choice*."""
_SMALL = ("quality", "aspect", "seconds")
"""The choices that are given up before the model is, the least important first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The lasting choices of one person on one platform. None means no choice."""

    family: str | None = None
    seconds: int | None = None
    """`AUTO` leaves the length to the model."""
    aspect: str | None = None
    quality: str | None = None
    private: bool = False
    """The person's videos are sent to the person alone, wherever they were ordered."""


class Kept(Protocol):
    """The stored preferences. Each method is one whole transaction."""

    async def get(self, platform: str, person_id: str) -> Preferences: ...

    async def put(self, platform: str, person_id: str, preferences: Preferences) -> None: ...


@dataclass(frozen=True, slots=True)
class Preferring:
    """Reads and changes people's lasting choices, and fills orders with them."""

    kept: Kept
    accounts: Accounts

    async def of(self, call: Call) -> Preferences:
        """Return the lasting choices of the person who makes this call."""
        return await self.kept.get(call.address.platform, call.person.id)

    async def prefer(self, call: Call, name: str, value: str) -> Preferences:
        """Save a choice, or remove it if the value is `NONE`. Return all choices of the person.

        Raises `Refused` for a value that the place of the call doesn't offer.
        """
        catalog = (await self.accounts.terms(call.address)).catalog
        after = chosen(await self.of(call), catalog, name, value)
        await self.kept.put(call.address.platform, call.person.id, after)
        return after

    async def filled(self, order: Order, catalog: Catalog) -> tuple[Order, bool]:
        """Return the order filled with its person's choices, and whether the result is private.

        Always False for an order in a private chat, where nobody else sees the result.
        """
        address = order.call.address
        liked = await self.kept.get(address.platform, order.call.person.id)
        return applied(liked, order, catalog), liked.private and address.community is not None


def applied(preferences: Preferences, order: Order, catalog: Catalog) -> Order:
    """Return the order filled with as many of these choices as fit it.

    Values that the order sets itself stay. If not all choices fit, the model is given up last. An
    order with a picture gets no aspect, as the picture has one. An order that no model takes is
    returned unchanged, so that its refusal is about what the person asked for.
    """
    if order.is_whole or order.remix_of:
        return order
    known = replace(preferences, family=_known(preferences, catalog))
    if order.pictures or order.video:
        known = replace(known, aspect=None)
    fills = {
        field: value
        for field in FIELDS.values()
        if getattr(order.wish, field) is None and (value := getattr(known, field)) is not None
    }
    if not fills:
        return order
    small = tuple(field for field in _SMALL if field in fills)
    wish = order.wish.having(**fills)
    families = [fills["family"], None] if "family" in fills else [order.wish.family]
    return next(
        (
            fewer
            for family in families
            for fewer in relaxed(order.wishing(wish.having(family=family)), small)
            if takes(catalog, fewer)
        ),
        order,
    )


def held(preferences: Preferences, catalog: Catalog) -> Preferences:
    """Return the choices that the catalog still offers, for the chosen model if there is one."""
    known = replace(preferences, family=_known(preferences, catalog))
    kept: dict[str, Any] = {
        FIELDS[name]: value
        for name in ("seconds", "aspect", "quality")
        if (value := getattr(known, FIELDS[name])) in offered(known, catalog, name)
    }
    return Preferences(family=known.family, private=known.private, **kept)


def chosen(preferences: Preferences, catalog: Catalog, name: str, value: str) -> Preferences:
    """Return the preferences with one setting changed to `value`, as a person typed it.

    With a new model, choices that the model can't make are dropped.
    Raises `Refused` for a value that is not offered.
    """
    check_setting(name)
    if name == PRIVATE:
        return replace(preferences, private=switch_of(value))
    change: dict[str, Any] = {FIELDS[name]: None}
    if value.strip().casefold() != NONE:
        change = {FIELDS[name]: _value(preferences, catalog, name, value)}
    after = replace(preferences, **change)
    return held(after, catalog) if name == "model" else after


def check_setting(name: str) -> None:
    """Raise `Refused("setting_unknown")` if there is no setting of this name."""
    if name not in SETTINGS:
        raise Refused("setting_unknown", wanted=name, can=tuple(SETTINGS))


def offered(preferences: Preferences, catalog: Catalog, name: str) -> Sequence[str | int]:
    """Return the values of a setting to choose from: those of the chosen model, if there is one."""
    family = _known(preferences, catalog)
    models = [model for model in catalog.models if family in (None, model.family)]
    match name:
        case "model":
            return catalog.families
        case "seconds":
            auto = [AUTO] if any(model.auto for model in models) else []
            return [*auto, *sorted({each for model in models for each in _lengths(model)})]
        case "aspect":
            return [each for each in ASPECTS if any(each in model.aspects for model in models)]
    can = [each for each in QUALITIES if any(each in model.sizes for model in models)]
    return [DRAFT, *can] if len(can) > 1 else can


def _value(preferences: Preferences, catalog: Catalog, name: str, value: str) -> str | int:
    can = offered(preferences, catalog, name)
    wanted: str | int = value.strip().casefold()
    if name == "seconds":
        wanted = length_of(value)
    if name == "model":
        named = catalog.named(value)
        wanted = named[0].family if named else value
    if wanted not in can:
        words = (catalog.label(str(each)) if name == "model" else _word(each) for each in can)
        raise Refused("setting_unavailable", wanted=value, can=alternatives(words))
    return wanted


def _word(value: str | int) -> str | int:
    return AUTO_WORD if value == AUTO else value


def _lengths(model: Model) -> set[int]:
    return {each for quality in model.qualities for each in model.lengths(quality)}


def _known(preferences: Preferences, catalog: Catalog) -> str | None:
    """Return the chosen family if the catalog still has it.

    The whole id must match: a family whose name only begins like this was not chosen.
    """
    return preferences.family if preferences.family in catalog.families else None
