"""Sums of the costs that gateways told, beside our estimates of the same videos.

Amounts of different currencies are never added up. The fee of a gateway is no cost of a video.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.core.prices import MICRO


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The jobs with the same keys whose gateways told a cost in the same currency."""

    keys: tuple[str, ...]
    """What the jobs are grouped by, such as a model."""
    currency: str
    is_fee: bool
    """Whether the gateways told their fees alone."""
    is_estimated: bool
    """Whether our estimates are known; else the models have no price."""
    count: int
    seconds: int
    """The length of the videos for which our prices count."""
    estimate: int
    """The sum of our estimates in micro-units, as the limits count them."""
    told: int
    """The sum of the told costs, in micro-units of `currency`."""

    def is_in(self, currency: str) -> bool:
        """Whether these are whole costs in this currency."""
        return self.currency == currency.strip().upper() and not self.is_fee


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The jobs whose estimate and told cost are both known in our currency."""

    videos: int
    estimate: int
    told: int


def compared(found: Iterable[Told], currency: str) -> Compared:
    """Sum up the jobs that can be compared."""
    both = [each for each in found if each.is_in(currency) and each.is_estimated]
    return Compared(
        videos=sum(each.count for each in both),
        estimate=sum(each.estimate for each in both),
        told=sum(each.told for each in both),
    )


def others(found: Sequence[Told], currency: str) -> list[dict[str, object]]:
    """Return the sum of each other currency, and of mere fees in each currency, for an answer."""
    apart = [each for each in found if not each.is_in(currency)]
    return [
        {
            "currency": name,
            "is_fee": is_fee,
            "videos": sum(it.count for it in apart if (it.currency, it.is_fee) == (name, is_fee)),
            "told": sum(it.told for it in apart if (it.currency, it.is_fee) == (name, is_fee)),
        }
        for name, is_fee in sorted({(each.currency, each.is_fee) for each in apart})
    ]


def right_price(each: Told) -> str:
    """Return the price of a second with which our estimate would have been right.

    It is rounded up to a hundredth of a cent, so that the next estimate is not too low.
    """
    step = MICRO // 10_000
    micro = -(-each.told // max(1, each.seconds))
    return f"{-(-micro // step) * step / MICRO:.4f}".rstrip("0").rstrip(".")
