"""The real service over real rows, built in one place for all tests that need its parts."""

from collections.abc import Callable, Mapping
from itertools import count
from typing import TypeVar

from bot.core.access import Access, Default
from bot.core.accounts import Accounts
from bot.core.bells import Bells
from bot.core.ports import Clock, Jobs, Media
from bot.core.preferences import Preferring
from bot.core.service import AnimateOthers, Service
from bot.store.database import Database
from bot.store.places import Places
from bot.store.preferences import PreferencesOf
from bot.store.settings import StoredValues
from tests.contract.rows import nothing_noted

ServiceT = TypeVar("ServiceT", bound=Service)

GATEWAYS = {"main": "https://gateway.test"}
"""The base URL of each gateway, by name."""


def open_access(database: Database, clock: Clock) -> Access:
    """Return an access under which the bot works in every place."""
    return Access(
        places=Places(database), facts=StoredValues(database), default=Default.OPEN, clock=clock
    )


def numbered() -> Callable[[], str]:
    """Return a maker of job ids that counts from 1."""
    numbers = count(1)
    return lambda: f"job{next(numbers):013}"


def build_service(
    database: Database,
    clock: Clock,
    *,
    accounts: Accounts,
    access: Access,
    jobs: Jobs,
    media: Media,
    card_grace: Mapping[str, float],
    new_id: Callable[[], str],
    base_urls: Mapping[str, str] = GATEWAYS,
    bells: Bells | None = None,
    kind: type[ServiceT],
) -> ServiceT:
    """Return a service of this class whose seeds are all 7 and which keeps no deletion journal."""
    return kind(
        accounts=accounts,
        preferring=Preferring(PreferencesOf(database), accounts),
        animate_others=AnimateOthers.OWN,
        access=access,
        base_urls=base_urls,
        jobs=jobs,
        media=media,
        clock=clock,
        bells=bells or Bells.new(),
        new_id=new_id,
        new_seed=lambda: 7,
        card_grace=card_grace,
        deleting=nothing_noted,
    )
