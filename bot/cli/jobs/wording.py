"""How times, costs and reasons are written for people."""

from datetime import datetime, timedelta

from babel.dates import format_timedelta

from bot.cli.jobs.facts import FREE
from bot.cli.words import tell
from bot.core.jobs import Job, Status
from bot.core.prices import MICRO

UNFINISHED = frozenset(
    {Status.QUEUED, Status.SUBMITTING, Status.IN_PROGRESS, Status.COMPLETED, Status.CONVERTING}
)


def age(at: float, *, now: float) -> str:
    """How long ago, or in what time."""
    return format_timedelta(
        timedelta(seconds=at - now), add_direction=True, threshold=1.2, locale="en"
    )


def moment(at: float, *, now: float) -> str:
    """Date, time and offset of this machine's time zone, and how long ago."""
    local = datetime.fromtimestamp(at).astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S %z} ({age(at, now=now)})"


def day(at: float) -> str:
    """Date in this machine's time zone."""
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d}"


def reason(job: Job) -> str:
    """Why it stands where it does, in plain words."""
    if job.reason is None:
        return tell("jobs.unconfirmed") if job.status is Status.UNCONFIRMED else ""
    return tell(f"reason.{job.reason}")


def spend(job: Job, currency: str) -> str:
    """The cost in money; "no price" where its model has none."""
    if job.spend_cost > FREE:
        return f"{job.spend_cost / MICRO:g} {currency}"
    return tell("jobs.unpriced") if job.spend_cost else "0"
