"""The common entry of all networks: the use cases behind commands and buttons, and their errors.

A platform reads who asks for what, calls `commands.run` or `presses.press`, and draws the answer.
The core decides, for all platforms alike, what a command or a button does.
"""

from dataclasses import dataclass

from bot.core.access import Access
from bot.core.errors import BotError, Broken, Refused, Temporary, Unwritten
from bot.core.listings import Listings
from bot.core.service import Service
from bot.log import get_logger

log = get_logger()


@dataclass(frozen=True, slots=True)
class Entry:
    """The services that commands and buttons use."""

    service: Service
    access: Access
    listings: Listings


def shown(problem: BaseException, *, platform: str) -> BotError:
    """Return the error to show to a person, and log an unexpected one."""
    match problem:
        case Refused() | Unwritten():
            return problem
        case Temporary():
            return Temporary("busy")
        case _:
            log.error("command.failed", platform=platform, exc_info=problem)
            return Broken("internal")
