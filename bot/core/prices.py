"""Prices: what a video costs, in whole micro-units of the one currency."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.orders import VideoRequest

MICRO = 1_000_000
"""Micro-units in one unit of the currency."""


def money(micro: int, currency: str) -> str:
    """Micro-units as people read a price."""
    return f"{micro / MICRO:.2f} {currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """A thing whose seconds have a price."""

    prices: Mapping[str, int] = field(default_factory=dict)
    """Of one second of video, by quality; empty where none is set."""
    silent_prices: Mapping[str, int] = field(default_factory=dict)
    """The same where it is told to make no sound, if that costs something else."""

    def price(self, quality: str | None, *, audio: bool | None = None) -> int:
        """Of one second; of a quality that nobody knows, the dearest. 0 where no price is set."""
        prices = self.silent_prices if audio is False and self.silent_prices else self.prices
        return prices.get(quality or "", max(prices.values(), default=0))

    def cost(self, seconds: int, quality: str | None, *, audio: bool | None = None) -> int:
        """Of so many seconds; 1 where no price is set, so that every video counts."""
        return max(1, self.price(quality, audio=audio) * seconds)

    def cost_of(self, request: VideoRequest) -> int:
        """Of a length that the model chooses, those of the longest."""
        return self.cost(request.seconds, request.quality, audio=request.audio)
