"""The terms of each place: the models that people can order there, and the limits.

Most places have the operator's terms. A community may have its own terms. They stay with it under
every id that it ever had, so that a community with a new id never spends the operator's money.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.core import variations
from bot.core.catalog import Catalog
from bot.core.jobs import Job
from bot.core.orders import Address
from bot.core.quotas import Limits
from bot.core.replies import Ways


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The models that people can order, and the limits of the purse that pays."""

    catalog: Catalog
    """The catalog. The purse of `limits` pays all gateways of its models."""
    limits: Limits


async def _unmoved(_platform: str, community: str) -> Sequence[str]:
    return (community,)


@dataclass(slots=True)
class Accounts:
    """The operator's terms, and by platform and id the terms of communities with their own.

    All parts of a service share one object: `renew` changes the models for all of them at once.
    """

    general: Terms
    own: Mapping[tuple[str, str], Terms] = field(default_factory=dict)
    ids: Callable[[str, str], Awaitable[Sequence[str]]] = _unmoved
    """Returns all ids that a community has had, the present one first."""

    def price(self, model: str, quality: str, silent: bool) -> int:
        """Return the present price of a second; 0 for a model that is not offered.

        `silent`: the price without sound.
        """
        catalogs = (terms.catalog for terms in (self.general, *self.own.values()))
        known = next(filter(None, (catalog.model(model) for catalog in catalogs)), None)
        return known.price(quality, audio=False if silent else None) if known else 0

    def renew(self, general: Terms, own: Mapping[tuple[str, str], Terms]) -> None:
        """Use these terms from now on."""
        self.general, self.own = general, own

    def at_once(self, name: str) -> int | None:
        """Return how many orders of this model its gateway makes at once; None: any number."""
        found = (terms.catalog.model(name) for terms in (self.general, *self.own.values()))
        return next((model.at_once for model in found if model), None)

    async def ways(self, job: Job, direct: bool = False) -> Ways:
        """Return the buttons under a video or a failure, by the models available in its place.

        `direct`: the message is in the person's direct messages, wherever the order was made.
        """
        asked = job.order.call.address
        where = replace(asked, community=None) if direct else asked
        return variations.ways(job, (await self.terms(where)).catalog)

    async def terms(self, address: Address) -> Terms:
        """Return the terms of a place. Rows are read only if another id may have its own terms."""
        platform, community = address.platform, address.community
        if community is None or all(platform != name for name, _ in self.own):
            return self.general
        if found := self.own.get((platform, community)):
            return found
        known = [self.own.get((platform, each)) for each in await self.ids(platform, community)]
        return next(filter(None, known), self.general)
