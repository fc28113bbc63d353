"""`zoetrope jobs list` and `jobs show`: show the rows of jobs to operators.

Both commands only read, with or without a running service.
"""

import asyncio
from typing import Annotated

import typer

from bot.cli import drawing, times
from bot.cli.control import configuration
from bot.cli.jobs import asked, facts
from bot.cli.options import AsJson, ConfigFile, JobId
from bot.cli.words import tell
from bot.core.clock import SystemClock

app = typer.Typer(no_args_is_help=True)

Community = Annotated[
    str | None, typer.Option(help="The id of a server or group: 123 or discord:123.")
]
Since = Annotated[
    str | None, typer.Option(help="Only jobs ordered since: 90m, 12h, 7d, or 2026-01-31 [14:30].")
]


@app.command("list")
def jobs_list(
    status: Annotated[
        list[str] | None,
        typer.Option(help="Only jobs in this state; several: repeat it, or use commas."),
    ] = None,
    platform: Annotated[
        str | None, typer.Option(help="Only jobs from discord, telegram or playground.")
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="Only jobs of this person: a name, an id, or discord:123.")
    ] = None,
    community: Community = None,
    gateway: Annotated[str | None, typer.Option(help="Only jobs at this gateway.")] = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(help="The most jobs to list: 1 to 1000.")] = 20,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """List jobs, the newest first."""
    from bot.cli.jobs import reading, table

    most, known, now = asked.most(limit), configuration(config), SystemClock().now()
    place, community = asked.place(platform, community)
    place, person = asked.whose(place, person)
    wanted = reading.Wanted(
        statuses=asked.statuses(status or ()),
        platform=place,
        person=person,
        community=community,
        gateway=gateway,
        since=times.ago(since, now=now) if since else None,
    )
    found, counts = asyncio.run(reading.newest(known, wanted, most))
    if as_json:
        drawing.as_json(facts.listed(found, counts))
    elif not counts and wanted == reading.Wanted():
        print(tell("jobs.none_yet"))
    else:
        table.show(found, counts, currency=known.settings.currency, now=now)


@app.command("show")
def jobs_show(
    id: JobId,  # noqa: A002
    prompt: Annotated[
        bool, typer.Option("--prompt", help="Show the prompt too, which is private to the person.")
    ] = False,
    as_json: AsJson = False,
    config: ConfigFile = None,
) -> None:
    """Show everything about one job."""
    from bot.cli.jobs import reading, sheet

    beginning, known = asked.beginning(id), configuration(config)
    job, posts = asyncio.run(reading.one(known, beginning))
    if as_json:
        drawing.as_json(facts.whole(job, posts, prompt=prompt))
    else:
        now = SystemClock().now()
        sheet.show(job, posts, currency=known.settings.currency, prompt=prompt, now=now)
