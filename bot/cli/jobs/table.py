"""Print jobs as a table: folded to a terminal's width, elsewhere one line each."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from bot.cli import terminal
from bot.cli.jobs import wording
from bot.cli.words import tell
from bot.core.jobs import Job, Status
from bot.i18n import printable

Row = Mapping[str, str]

_COLUMNS = (
    *("id", "status", "reason", "model", "seconds", "who", "community", "gateway"),
    *("cost", "ordered"),
)
_WHOLE = frozenset({"id", "status", "seconds", "community", "cost", "ordered"})
"""Columns that are never folded, because people copy some of them."""
_MOST = {"reason": 20, "who": 16}
"""The width in characters of columns with free text, on a terminal."""
_FIRST_TO_GO = ("community", "gateway", "seconds", "model")


def show(jobs: Sequence[Job], counts: Mapping[Status, int], *, currency: str, now: float) -> None:
    """Print jobs, and the number of jobs in each state. Ids are never cut."""
    console = terminal.plain()
    if jobs:
        rows = [_row(job, currency=currency, now=now) for job in jobs]
        columns = _fitting(console, jobs, rows)
        terminal.show(console, _table(console, columns, jobs, rows))
        console.print()
        if any(_mark(job) for job in jobs):
            console.print(tell("jobs.marks"), soft_wrap=True)
        if left_out := [tell(f"jobs.{name}") for name in _COLUMNS if name not in columns]:
            narrow = tell("jobs.narrow", columns=", ".join(left_out))
            console.print(narrow, soft_wrap=True)
    each = ", ".join(f"{count} {status}" for status, count in counts.items())
    matching = sum(counts.values())
    if not matching:
        text = tell("jobs.none")
    elif matching > len(jobs):
        text = tell("jobs.some", shown=len(jobs), count=matching, each=each)
    else:
        text = tell("jobs.all", count=matching, each=each)
    console.print(text, soft_wrap=True)


def _fitting(console: Console, jobs: Sequence[Job], rows: Sequence[Row]) -> Sequence[str]:
    """Return the columns that fit on the terminal; all columns without a terminal."""
    columns = list(_COLUMNS)
    for name in _FIRST_TO_GO if console.is_terminal else ():
        table = _table(console, columns, jobs, rows)
        if terminal.width(console, table) <= console.width:
            break
        columns.remove(name)
    return columns


def _table(
    console: Console, columns: Sequence[str], jobs: Sequence[Job], rows: Sequence[Row]
) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in columns:
        most = _MOST.get(name) if console.is_terminal else None
        is_whole = name in _WHOLE
        table.add_column(tell(f"jobs.{name}"), overflow="fold", no_wrap=is_whole, max_width=most)
    for job, row in zip(jobs, rows, strict=True):
        table.add_row(*(printable(row[name]) for name in columns), style=_style(job))
    return table


def _row(job: Job, *, currency: str, now: float) -> Row:
    seconds = job.request.seconds
    return {
        "id": job.id,
        "status": f"{_mark(job)}{job.status}",
        "reason": _why(job),
        "model": job.request.model,
        "seconds": f"≤{seconds} s" if job.request.auto else f"{seconds} s",
        "who": job.order.call.person.name,
        "community": wording.place(job.order.call.address),
        "gateway": job.gateway,
        "cost": wording.spend(job, currency),
        "ordered": wording.ago(job.created_at, now=now),
    }


def _why(job: Job) -> str:
    """Return the job's reason, and since when its video is gone if it was swept."""
    gone = job.video_gone_at
    swept = tell("jobs.swept", when=wording.day(gone)) if gone else ""
    return "; ".join(each for each in (wording.reason(job), swept) if each)


def _mark(job: Job) -> str:
    """Return a mark of the job's state that works without colours."""
    if job.status is Status.UNCONFIRMED:
        return "! "
    return "" if job.is_over else "… "


def _style(job: Job) -> str:
    if job.status is Status.UNCONFIRMED:
        return "bold red"
    if job.status in (Status.FAILED, Status.CANCELLED):
        return "dim"
    return "" if job.is_over else "bold yellow"
