"""Sums of the costs that gateways told, beside our estimates of the same videos.

Amounts of different currencies are never added up. The fee of a gateway is no cost of a video.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.core.prices import MICRO, money

MOST_OVER = 10
"""Percent by which told costs may be above our estimates before owners are told."""
MOST_PRICES = 5
"""The most wrong prices that a digest names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The jobs with the same keys whose gateways told a cost in the same currency."""

    keys: tuple[str, ...]
    """The values by which the jobs are grouped, such as a model."""
    currency: str
    is_fee: bool
    """Whether the gateways told their fees alone."""
    is_priced: bool
    """Whether our estimates are known; else the models have no price."""
    is_released: bool
    """Whether our estimates are 0, as for failed videos that the gateways should refund."""
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

    def is_over(self, estimate: int) -> bool:
        """Whether the told costs are more than `MOST_OVER` above an estimate."""
        return self.told * 100 > estimate * (100 + MOST_OVER)

    @property
    def right_price(self) -> str:
        """Return the price of a second with which our estimate would have been right.

        It is rounded up to a hundredth of a cent, so that the next estimate is not too low.
        """
        step = MICRO // 10_000
        steps = -(-self.told // (step * max(1, self.seconds)))
        return f"{steps * step / MICRO:.4f}".rstrip("0").rstrip(".")


Price = Callable[[str, str, bool], int]
"""A function that returns the present price of a second: of a model in a quality, without sound if
true. The price is 0 for a model that is no longer offered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The jobs whose estimate and told cost are both known in our currency."""

    videos: int
    estimate: int
    told: int


def compared(found: Iterable[Told], currency: str) -> Compared:
    """Sum up the jobs that can be compared."""
    both = [each for each in found if each.is_in(currency) and each.is_priced]
    return Compared(
        videos=sum(each.count for each in both),
        estimate=sum(each.estimate for each in both),
        told=sum(each.told for each in both),
    )


def others(found: Sequence[Told], currency: str) -> list[dict[str, object]]:
    """Return the sum of each other currency, and of mere fees in each currency, for an answer."""
    apart: dict[tuple[str, bool], list[Told]] = {}
    for each in found:
        if not each.is_in(currency):
            apart.setdefault((each.currency, each.is_fee), []).append(each)
    return [
        {
            "currency": name,
            "is_fee": is_fee,
            "videos": sum(each.count for each in apart[name, is_fee]),
            "told": sum(each.told for each in apart[name, is_fee]),
        }
        for name, is_fee in sorted(apart)
    ]


def facts(found: Sequence[Told], currency: str, *, made: int, price: Price) -> dict[str, object]:
    """Return what a digest says of a day's told costs. `made`: the videos made in that day.

    `found` is grouped by model, quality, and "silent" or "".
    """
    both, ours = compared(found, currency), [each for each in found if each.is_in(currency)]
    videos = {"videos": both.videos, "of": max(made, sum(each.count for each in found))}
    sums = {"estimate": money(both.estimate, currency), "told": money(both.told, currency)}
    refunds = [each for each in ours if each.is_released and each.told]
    low = sorted((it for it in ours if _is_low(it, price)), key=lambda it: it.estimate - it.told)
    return {
        "costs": {**sums, **videos} if both.videos else None,
        "other_costs": [
            {**each, "told": money(int(str(each["told"])), str(each["currency"]))}
            for each in others(found, currency)
        ],
        "unrefunded": {
            "videos": sum(each.count for each in refunds),
            "told": money(sum(each.told for each in refunds), currency),
        }
        if refunds
        else None,
        "low_prices": [_low_price(each, currency) for each in low[:MOST_PRICES]],
    }


def _is_low(each: Told, price: Price) -> bool:
    """Whether the price was too low and still is: an operator may have corrected it since."""
    model, quality, silent = each.keys
    if not each.is_priced or each.is_released or not each.is_over(each.estimate):
        return False
    return each.is_over(price(model, quality, bool(silent)) * each.seconds)


def _low_price(each: Told, currency: str) -> dict[str, object]:
    model, quality, silent = each.keys
    return {
        "model": model,
        "quality": quality,
        "setting": f'models."{model}".{"silent_price" if silent else "price"}',
        "price": each.right_price,
        "estimate": money(each.estimate, currency),
        "told": money(each.told, currency),
        "videos": each.count,
    }
