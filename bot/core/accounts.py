"""On whose account people order, by where they are: what can be made there, and how much of it.

Mostly the operator's. A community may have terms of its own, and they are its own under every id
that it ever had: one that changed it must not fall back upon somebody else's money.
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
    """The models that can be ordered, and their purse's limits."""

    catalog: Catalog
    """Its models' gateways are those that the purse of `limits` pays."""
    limits: Limits


async def _unmoved(_platform: str, community: str) -> Sequence[str]:
    return (community,)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The operator's terms, and by platform and id those of communities with their own."""

    general: Terms
    own: Mapping[tuple[str, str], Terms] = field(default_factory=dict)
    ids: Callable[[str, str], Awaitable[Sequence[str]]] = _unmoved
    """Every id of a community, the present one first."""

    async def ways(self, job: Job, direct: bool = False) -> Ways:
        """The buttons under a video or a failure, by the models to be had where it is.

        `direct`: in its person's own messages, wherever it was asked for.
        """
        asked = job.order.call.address
        where = replace(asked, community=None) if direct else asked
        return variations.ways(job, (await self.terms(where)).catalog)

    async def terms(self, address: Address) -> Terms:
        """The terms there. Rows are asked only where one of its other ids may be named."""
        platform, community = address.platform, address.community
        if community is None or all(platform != name for name, _ in self.own):
            return self.general
        if found := self.own.get((platform, community)):
            return found
        known = [self.own.get((platform, each)) for each in await self.ids(platform, community)]
        return next(filter(None, known), self.general)
