"""How times, costs and reasons are written for people."""

from datetime import timedelta
from typing import Literal

from babel.dates import format_timedelta

from bot.cli.drawing import local
from bot.cli.words import FREE, amount, tell
from bot.core.jobs import Job, Status
from bot.core.orders import Address

_READABLE = 100_000
"""Bytes: fewer are no tenth of a megabyte."""


def ago(at: float, *, now: float) -> str:
    """How long ago, or in what time; as short as can be read."""
    return _distance(at - now, "narrow")


def _distance(seconds: float, form: Literal["long", "narrow"]) -> str:
    return format_timedelta(
        timedelta(seconds=seconds), add_direction=True, threshold=1.2, format=form, locale="en"
    )


def moment(at: float, *, now: float) -> str:
    """Date, time and offset of this machine's time zone, and how long ago."""
    return f"{local(at):%Y-%m-%d %H:%M:%S %z} ({_distance(at - now, 'long')})"


def day(at: float) -> str:
    """Date in this machine's time zone."""
    return f"{local(at):%Y-%m-%d}"


def place(address: Address) -> str:
    """Where it was ordered, as other commands and the configuration name a community."""
    if address.community is None:
        return f"{address.platform}, {tell('jobs.private')}"
    return f"{address.platform}:{address.community}"


def size(count: int) -> str:
    """Bytes in a unit that can be read."""
    if count < _READABLE:
        return tell("jobs.bytes", bytes=count)
    return tell("jobs.megabytes", megabytes=count / 1e6)


def reason(job: Job) -> str:
    """Why it stands where it does, in plain words."""
    if job.reason is None:
        return tell("jobs.unconfirmed") if job.status is Status.UNCONFIRMED else ""
    return tell(f"reason.{job.reason}")


def spend(job: Job, currency: str) -> str:
    """The cost in money; "no price" where its model has none."""
    if job.spend_cost > FREE:
        return amount(job.spend_cost, currency)
    return tell("jobs.unpriced") if job.spend_cost else "0"
