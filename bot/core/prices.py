"""Prices: what a video costs, in whole micro-units of the one currency."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.orders import VideoRequest

MICRO = 1_000_000
"""Micro-units in one unit of the currency."""
_MOST = 1_000_000
"""The most units of a currency that a video may cost. A higher amount is surely no cost."""
_AMOUNT = re.compile(r"[0-9]{1,7}(\.[0-9]{1,20})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The cost of a video as its gateway told it."""

    micro: int
    currency: str
    """The ISO code of the currency, which need not be that of our prices."""
    is_fee: bool = False
    """Whether this is the gateway's fee alone: the vendor bills the video to the operator's key."""


def money(micro: int, currency: str) -> str:
    """Format micro-units as a price for people, such as `0.40 USD`."""
    return f"{micro / MICRO:.2f} {currency}"


def micro_of(value: object) -> int | None:
    """Return an amount in an answer in micro-units; None if it can't be what a video costs."""
    if isinstance(value, str) and _AMOUNT.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        return None
    return round(value * MICRO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A model's prices of one second of video."""

    prices: Mapping[str, int] = field(default_factory=dict)
    """Micro-units for one second of video, by quality; empty if no price is set."""
    silent_prices: Mapping[str, int] = field(default_factory=dict)
    """Micro-units for one second of video without sound, by quality; empty if it costs the same."""

    def price(self, quality: str | None, *, audio: bool | None = None) -> int:
        """Return the price of one second in this quality; 0 if no price is set.

        For a quality without a price, return the highest price.
        """
        prices = self.silent_prices if audio is False and self.silent_prices else self.prices
        return prices.get(quality or "", max(prices.values(), default=0))

    def cost(self, seconds: int, quality: str | None, *, audio: bool | None = None) -> int:
        """Return the cost of a video of this length in micro-units.

        The cost is at least 1, so that a video counts even if no price is set.
        """
        return max(1, self.price(quality, audio=audio) * seconds)

    def cost_of(self, request: VideoRequest) -> int:
        """Return the cost of a request. A length that the model chooses costs as its longest."""
        seconds = request.seconds + request.input_seconds
        return self.cost(seconds, request.quality, audio=request.audio)
