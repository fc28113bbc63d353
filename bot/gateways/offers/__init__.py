"""The models of gateways' own lists, and pure readers of such lists.

Each reader takes a list as parsed JSON of any shape. Values that it can't use are left out.
"""

from bot.gateways.offers import names, openrouter, served
from bot.gateways.offers.offer import Offer, ReadList

__all__ = ["Offer", "ReadList", "names", "openrouter", "served"]
