"""The front door: everything that a member can ask, on whichever network.

A platform reads who asks for what, hands it in by `commands.run` or `presses.press`, and draws the
answer. What a command or a button means is decided here, once.
"""

from dataclasses import dataclass

from bot.core.access import Access
from bot.core.errors import BotError, Broken, Refused, Temporary, Unwritten
from bot.core.listings import Listings
from bot.core.service import Service
from bot.log import get_logger

log = get_logger()


@dataclass(frozen=True, slots=True)
class Door:
    """The use cases behind commands and buttons."""

    service: Service
    access: Access
    listings: Listings


def shown(problem: BaseException, *, platform: str) -> BotError:
    """The error whose sentence a person is told; what nobody foresaw is logged."""
    match problem:
        case Refused() | Unwritten():
            return problem
        case Temporary():
            return Temporary("busy")
        case _:
            log.error("command.failed", platform=platform, exc_info=problem)
            return Broken("internal")
