"""Prices: what a video costs, in whole micro-units of the one currency."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.orders import VideoRequest

MICRO = 1_000_000
"""Micro-units in one unit of the currency."""


def money(micro: int, currency: str) -> str:
    """Format micro-units as a price for people, such as `0.40 USD`."""
    return f"{micro / MICRO:.2f} {currency}"


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
