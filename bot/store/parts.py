"""The store: one value that holds an object for each part of the database."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.store.acts import Acts
from bot.store.blocks import Blocks
from bot.store.causes import Causes
from bot.store.communities import Communities
from bot.store.conversions import ConversionQueue
from bot.store.copies import Copies
from bot.store.database import Database
from bot.store.grants import Grants
from bot.store.holds import Holds
from bot.store.jobs import Jobs
from bot.store.notices import Notices
from bot.store.outlook import Outlook
from bot.store.pauses import Pauses
from bot.store.places import Places
from bot.store.polls import Polls
from bot.store.posts import Posts
from bot.store.preferences import PreferencesOf
from bot.store.settings import StoredValues
from bot.store.settling import Settling
from bot.store.spool import Spool
from bot.store.statistics import Sums
from bot.store.sweeps import Sweeps
from bot.store.times import Times
from bot.store.usage import UsageCounters


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """The parts of the store: objects for the tables, and the spool."""

    database: Database
    jobs: Jobs
    polls: Polls
    posts: Posts
    pauses: Pauses
    notices: Notices
    settings: StoredValues
    places: Places
    communities: Communities
    line: ConversionQueue
    spool: Spool
    times: Times
    acts: Acts
    holds: Holds
    blocks: Blocks
    settling: Settling
    grants: Grants
    counters: UsageCounters
    sums: Sums
    sweeps: Sweeps
    causes: Causes
    outlook: Outlook
    preferences: PreferencesOf
    copies: Copies

    @classmethod
    def of(cls, database: Database, folder: Path) -> Self:
        """Build the store on `database`, with its spool file in `folder`."""
        return cls(
            database=database,
            jobs=Jobs(database),
            polls=Polls(database),
            posts=Posts(database),
            pauses=Pauses(database),
            notices=Notices(database),
            settings=StoredValues(database),
            places=Places(database),
            communities=Communities(database),
            line=ConversionQueue(database),
            spool=Spool(folder),
            times=Times(database),
            acts=Acts(database),
            holds=Holds(database),
            blocks=Blocks(database),
            settling=Settling(database),
            grants=Grants(database),
            counters=UsageCounters(database),
            sums=Sums(database),
            sweeps=Sweeps(database),
            causes=Causes(database),
            outlook=Outlook(database),
            preferences=PreferencesOf(database),
            copies=Copies(database),
        )
