"""Read the rows of jobs, with or without a running service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.cli.errors import reached
from bot.cli.jobs import asked
from bot.cli.words import listed
from bot.config import Config
from bot.core.errors import Refused
from bot.core.jobs import Job, Status
from bot.core.posts import Post
from bot.store.listing import Listing, Wanted, open_listing

__all__ = ["Wanted", "newest", "one"]

_CANDIDATES = 6


async def newest(config: Config, wanted: Wanted, most: int) -> tuple[list[Job], dict[Status, int]]:
    """Return the newest matching jobs, and the number of matching jobs in each state."""
    async with _opened(config) as listing:
        counts = await listing.counts(wanted)
        if not counts:
            await _check_names(config, listing, wanted)
        return await listing.newest(wanted, most=most), counts


async def _check_names(config: Config, listing: Listing, wanted: Wanted) -> None:
    """Raise `Refused` if a name is unknown: neither configured nor in any row."""
    if wanted.gateway is not None:
        rows = await listing.gateways()
        asked.check(wanted.gateway, [*config.settings.gateways, *rows], "jobs_gateway_unknown")
    if wanted.community is not None:
        places = [*config.communities, *await listing.communities()]
        fitting = {id_: f"{name}:{id_}" for name, id_ in places if wanted.platform in (None, name)}
        if wanted.community not in fitting:
            asked.check(wanted.community, list(fitting.values()), "jobs_community_unknown")
    if wanted.person is not None and not await listing.counts(Wanted(person=wanted.person)):
        raise Refused("jobs_person_unknown", given=wanted.person)


async def one(config: Config, beginning: str) -> tuple[Job, list[Post]]:
    """Return the job whose id begins so, and its posts. Raises `Refused` for none or several."""
    async with _opened(config) as listing:
        ids = await listing.ids(beginning, most=_CANDIDATES)
        if not ids or (ids != [beginning] and len(beginning) < asked.LEAST):
            raise Refused("job_not_found", id=beginning, least=asked.LEAST)
        if len(ids) > 1:
            raise Refused("job_ambiguous", id=beginning, ids=listed(ids))
        return await listing.job(ids[0]), await listing.posts(ids[0])


@asynccontextmanager
async def _opened(config: Config) -> AsyncIterator[Listing]:
    with reached(config.database_url):
        async with open_listing(config.database_url) as listing:
            yield listing
