"""Write times, costs and reasons for people."""

from datetime import timedelta
from typing import Literal

from babel.dates import format_timedelta

from bot.cli.drawing import local
from bot.cli.words import FREE, amount, tell
from bot.core.jobs import Job, Status
from bot.core.orders import Address
from bot.core.prices import Cost

_READABLE = 100_000
"""Bytes below which a size is shown in bytes, not megabytes."""


def ago(at: float, *, now: float) -> str:
    """Return how long ago `at` was, or in what time it comes, in short form."""
    return _distance(at - now, "narrow")


def _distance(seconds: float, form: Literal["long", "narrow"]) -> str:
    return format_timedelta(
        timedelta(seconds=seconds), add_direction=True, threshold=1.2, format=form, locale="en"
    )


def moment(at: float, *, now: float) -> str:
    """Return date, time and offset in this machine's time zone, and how long ago."""
    return f"{local(at):%Y-%m-%d %H:%M:%S %z} ({_distance(at - now, 'long')})"


def day(at: float) -> str:
    """Return the date in this machine's time zone."""
    return f"{local(at):%Y-%m-%d}"


def place(address: Address) -> str:
    """Return where a job was ordered, as commands and the configuration name a community."""
    if address.community is None:
        return f"{address.platform}, {tell('jobs.private')}"
    return f"{address.platform}:{address.community}"


def size(count: int) -> str:
    """Return a size in bytes or megabytes, as text."""
    if count < _READABLE:
        return tell("jobs.bytes", bytes=count)
    return tell("jobs.megabytes", megabytes=count / 1e6)


def reason(job: Job) -> str:
    """Return why the job is in its state, as a sentence."""
    if job.reason is None:
        return tell("jobs.unconfirmed") if job.status is Status.UNCONFIRMED else ""
    return tell(f"reason.{job.reason}")


def spend(job: Job, currency: str) -> str:
    """Return the job's cost in money, or "no price" if its model has no price."""
    if job.spend_cost > FREE:
        return amount(job.spend_cost, currency)
    return tell("jobs.unpriced") if job.spend_cost else "0"


def told(cost: Cost) -> str:
    """Return the cost that the gateway told, and what it is if that is not the whole cost."""
    money = amount(cost.micro, cost.currency)
    return tell("jobs.told_fee", money=money) if cost.is_fee else money
