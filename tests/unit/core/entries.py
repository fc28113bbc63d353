"""A common entry over real rows, for tests of any network."""

from collections.abc import Sequence

from bot.core.access import Access
from bot.core.cards import Cards
from bot.core.conversions import Conversions
from bot.core.entry import Entry
from bot.core.learned import Learned
from bot.core.listings import Contact, Listings
from bot.core.ports import Clock
from bot.core.service import Service
from bot.store.conversions import ConversionQueue
from bot.store.database import Database
from bot.store.jobs import Jobs
from bot.store.places import Places
from bot.store.posts import Posts
from bot.store.settings import StoredValues


def open_entry(
    service: Service,
    access: Access,
    database: Database,
    clock: Clock,
    *,
    cards: Cards | None = None,
    seen: Sequence[str] = (),
) -> Entry:
    """Return a door on this service's accounts. On the networks in `seen`, others read along."""
    jobs, posts = Jobs(database), Posts(database)
    conversions = Conversions(ConversionQueue(database), StoredValues(database), clock)
    drawn = cards or Cards(
        jobs=jobs,
        learned=Learned(jobs),
        posts=posts,
        accounts=service.accounts,
        conversions=conversions,
        at_once=lambda _: None,
        currency="USD",
        clock=clock,
    )
    listings = Listings(
        service=service,
        cards=drawn,
        jobs=jobs,
        posts=posts,
        contact=Contact(owners=Places(database).owners),
        seen=frozenset(seen),
    )
    return Entry(service, access, listings)
