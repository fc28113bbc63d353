"""`zoetrope jobs list` and `jobs show`: the rows, for whoever has to mend something.

Both look and change nothing, beside the running service or without it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.cli import drawing, times
from bot.cli.control import configuration
from bot.cli.jobs import asked, facts, sheet, table
from bot.cli.rim import reached
from bot.cli.words import listed, tell
from bot.config import Config
from bot.core.clock import SystemClock
from bot.core.errors import Refused
from bot.core.jobs import Job, Status
from bot.core.posts import Post
from bot.store.listing import Listing, Wanted, open_listing

_CANDIDATES = 6


def list_jobs(
    file: Path | None,
    *,
    statuses: Sequence[str],
    platform: str | None,
    person: str | None,
    community: str | None,
    gateway: str | None,
    since: str | None,
    most: int,
    as_json: bool,
) -> None:
    """Print the newest jobs that fit, and how many there are. Raises `Refused` for odd options."""
    most = asked.most(most)
    config, now = configuration(file), SystemClock().now()
    place, community = asked.place(platform, community)
    place, person = asked.whose(place, person)
    wanted = Wanted(
        statuses=asked.statuses(statuses),
        platform=place,
        person=person,
        community=community,
        gateway=gateway,
        since=times.ago(since, now=now) if since else None,
    )
    found, counts = asyncio.run(_newest(config, wanted, most))
    if as_json:
        jobs = [facts.of(job) for job in found]
        each = {status.value: count for status, count in counts.items()}
        drawing.as_json({"jobs": jobs, "counts": each})
    elif not counts and wanted == Wanted():
        print(tell("jobs.none_yet"))
    else:
        table.show(found, counts, currency=config.settings.currency, now=now)


def show_job(file: Path | None, beginning: str, *, prompt: bool, as_json: bool) -> None:
    """Print all there is about one job. Raises `Refused` where no or more than one id fits."""
    beginning = asked.beginning(beginning)
    config = configuration(file)
    job, posts = asyncio.run(_one(config, beginning))
    if as_json:
        drawing.as_json(facts.whole(job, posts, prompt=prompt))
    else:
        now = SystemClock().now()
        sheet.show(job, posts, currency=config.settings.currency, prompt=prompt, now=now)


async def _newest(config: Config, wanted: Wanted, most: int) -> tuple[list[Job], dict[Status, int]]:
    async with _opened(config) as listing:
        counts = await listing.counts(wanted)
        if not counts:
            await _check_names(config, listing, wanted)
        return await listing.newest(wanted, most=most), counts


async def _check_names(config: Config, listing: Listing, wanted: Wanted) -> None:
    """Raise `Refused` where nothing fits because a name is none: not known, and in no row."""
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


async def _one(config: Config, beginning: str) -> tuple[Job, list[Post]]:
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
