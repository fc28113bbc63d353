"""Jobs as a table: one line each where nobody looks, folded to the width of a terminal."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from bot.cli import tables
from bot.cli.jobs import wording
from bot.cli.words import tell
from bot.core.jobs import Job, Status
from bot.i18n import printable

_COLUMNS = (
    *("id", "status", "reason", "model", "seconds", "who", "community", "gateway"),
    *("cost", "ordered"),
)


def show(jobs: Sequence[Job], counts: Mapping[Status, int], *, currency: str, now: float) -> None:
    """Print them, and how many there are in each state; ids are cut by no width."""
    console = Console(highlight=False, markup=False)
    if jobs:
        tables.show(console, _table(jobs, currency=currency, now=now))
        console.print()
    each = ", ".join(f"{count} {status}" for status, count in counts.items())
    matching = sum(counts.values())
    if not matching:
        told = tell("jobs.none")
    elif matching > len(jobs):
        told = tell("jobs.some", shown=len(jobs), count=matching, each=each)
    else:
        told = tell("jobs.all", count=matching, each=each)
    console.print(told, soft_wrap=True)


def _table(jobs: Sequence[Job], *, currency: str, now: float) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for column in _COLUMNS:
        heading = tell(f"jobs.{column}")
        table.add_column(heading, overflow="fold", no_wrap=column == "id")
    for job in jobs:
        table.add_row(
            *map(printable, _row(job, currency=currency, now=now)),
            style=_style(job),
        )
    return table


def _row(job: Job, *, currency: str, now: float) -> tuple[str, ...]:
    address = job.order.address
    return (
        job.id,
        f"{_mark(job)}{job.status}",
        _why(job),
        job.request.model,
        f"≤{job.request.seconds}" if job.request.auto else str(job.request.seconds),
        f"{address.platform} {job.order.person.name}",
        address.community or tell("jobs.private"),
        job.gateway,
        wording.spend(job, currency),
        wording.age(job.created_at, now=now),
    )


def _why(job: Job) -> str:
    """Its reason; and of a video that was swept, since when it is gone."""
    gone = job.video_gone_at
    swept = tell("jobs.swept", when=wording.day(gone)) if gone else ""
    return "; ".join(each for each in (wording.reason(job), swept) if each)


def _mark(job: Job) -> str:
    """A mark that needs no colours."""
    if job.status is Status.UNCONFIRMED:
        return "! "
    return "" if job.is_over else "… "


def _style(job: Job) -> str:
    if job.status is Status.UNCONFIRMED:
        return "bold red"
    if job.status in (Status.FAILED, Status.CANCELLED):
        return "dim"
    return "" if job.is_over else "bold yellow"
