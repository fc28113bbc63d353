"""Cards: how a job looks right now, and until when that stays true.

Everything is read off the rows, so that a card is the same whoever draws it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bot.core import schedule
from bot.core.accounts import Accounts
from bot.core.conversions import Conversions
from bot.core.endings import told_in_private
from bot.core.jobs import ACTIVE, LOCKS, SOFT_DEADLINE, WITHDRAWN, Job, Reason, Status
from bot.core.ports import Clock, Jobs, Posts
from bot.core.posts import told_by
from bot.core.prices import money
from bot.core.replies import (
    Action,
    Button,
    Left,
    Reply,
    Text,
    Tone,
    cost_fact,
    request_fact,
    switched,
)
from bot.log import get_logger

SOON = 20.0
"""Seconds before its time from which a card names none: apps count down, and on past it."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a video will be ready, and what it waits for, as far as anybody can tell."""

    ready_at: float | None = None
    is_soon: bool = False
    """`ready_at` is so near that it may pass before anybody reads it."""
    is_late: bool = False
    """It is past the soft deadline."""
    before: int = 0
    """How many videos are converted before it."""
    at_once: int | None = None
    """How many of its model are made at a time, if that is known."""


UNKNOWN = Timing()


@dataclass(slots=True, kw_only=True)
class Cards:
    """Draws them.

    `at_once`: how many videos of a model are made at a time.
    """

    jobs: Jobs
    posts: Posts
    accounts: Accounts
    conversions: Conversions
    at_once: Callable[[str], int | None]
    currency: str
    clock: Clock

    async def card(self, job: Job) -> Reply:
        """The card as it looks now, with what is left for the person and when it will be ready."""
        now, address = self.clock.now(), job.order.call.address
        terms = await self.accounts.terms(address)
        usage = await self.jobs.usage(address, job.order.call.person.id, terms.limits, now=now)
        kind = told_by(job)
        end = await self.posts.get(job.id, kind) if kind else None
        if end and end.direct and end.message_id:
            return told_in_private(job)
        timing, left = await self._timing(job), Left.of(usage, terms.limits, now=now)
        # What is in its row: prices may have changed since. 1 has no price, 0 was released.
        cost = money(job.spend_cost, self.currency) if job.spend_cost > 1 else None
        return card(job, timing, left=left, cost=cost)

    async def at_hand(self, job: Job, *, within: float | None = None) -> Reply:
        """The same, plainer where the rest can't be had, or not within so many seconds."""
        try:
            async with asyncio.timeout(within):
                return await self.card(job)
        except Exception as error:  # noqa: BLE001 - what is only nice to have is left out
            platform = job.order.call.address.platform
            log.warning("card.plain", platform=platform, job=job.id, error=type(error).__name__)
            return card(job)

    async def standing(self, job: Job) -> tuple[Text, list[Text]]:
        """How far a job under way is, and when it will be ready, as on its card."""
        timing = await self._timing(job)
        return standing(job, timing), due(job, timing)

    async def stale_at(self, job: Job) -> float | None:
        """When a card that shows `job` stops being true although nothing happens to the job."""
        now, ready_at = self.clock.now(), (await self._timing(job)).ready_at
        times = [ready_at - SOON, ready_at + 1] if ready_at else []
        if job.status is Status.IN_PROGRESS and job.submitted_at is not None:
            times.append(job.submitted_at + SOFT_DEADLINE + 1)
        return min((at for at in times if at > now), default=None)

    async def _timing(self, job: Job) -> Timing:
        now, place = self.clock.now(), await self.conversions.place(job)
        ready_at = place.ready_at if place else await self._ready_at(job, now)
        return Timing(
            ready_at=ready_at,
            is_soon=ready_at is not None and ready_at - now <= SOON,
            is_late=now - (job.submitted_at or now) > SOFT_DEADLINE,
            before=place.before if place else 0,
            at_once=self.at_once(job.request.model),
        )

    async def _ready_at(self, job: Job, now: float) -> float | None:
        """None once that has passed: it would be put off for as long as the video takes."""
        if job.status not in ACTIVE or waits(job):
            return None
        durations = await self.jobs.durations(job.request.model, job.request.seconds)
        terms = await self.accounts.terms(job.order.call.address)
        typical = terms.catalog.typical(job.request.model)
        begun = job.submitted_at or job.created_at
        ready_at = begun + schedule.expected(durations, typical=typical)
        return ready_at if ready_at > now else None


def card(
    job: Job, timing: Timing = UNKNOWN, *, left: Left | None = None, cost: str | None = None
) -> Reply:
    """The status card, always drawn from the job's row.

    `cost`: what is counted for it, if it has a price.
    """
    waiting = job.status in (Status.QUEUED, Status.SUBMITTING)
    price = [cost_fact(job.request, cost)] if cost else []
    return Reply(
        text=standing(job, timing),
        tone=_TONES[job.status],
        prompt=job.request.shown,
        facts=(
            request_fact(job.request),
            *switched(job.order.wish),
            *([Text(id="fact.private")] if job.private and not job.is_final else []),
            *due(job, timing),
            *price,
            *_left(job, left),
        ),
        progress=job.progress if waiting or job.status is Status.IN_PROGRESS else None,
        buttons=_card_buttons(job),
    )


def standing(job: Job, timing: Timing = UNKNOWN) -> Text:
    """How far a job is."""
    is_in_turn = job.status is Status.QUEUED and job.reason is Reason.AT_ONCE
    if is_in_turn and timing.at_once is not None:
        family = {"family": job.request.label}
        return Text(id="card.waiting_for_turn", values=family, count=timing.at_once)
    if job.status is Status.CONVERTING and timing.before:
        return Text(id="card.waiting_for_conversion", count=timing.before)
    return Text(id=f"card.{_state(job)}")


def due(job: Job, timing: Timing) -> list[Text]:
    """When it will be ready, if anybody can tell."""
    if timing.is_late and job.status is Status.IN_PROGRESS:
        return [Text(id="fact.late")]
    if not timing.ready_at or waits(job):
        return []
    if timing.is_soon:
        return [Text(id="fact.soon")]
    return [Text(id="fact.ready", values={"at": timing.ready_at})]


def waits(job: Job) -> bool:
    """Whether it waits for something of which nobody can tell when it comes."""
    return job.status is Status.QUEUED and job.reason is not None


def _state(job: Job) -> str:
    if job.status is Status.QUEUED:
        return _queued(job)
    if job.status is Status.COMPLETED and job.reason is Reason.UNDELIVERABLE:
        return "undeliverable_private" if job.private else Reason.UNDELIVERABLE
    if job.status is Status.CANCELLED and job.reason in WITHDRAWN:
        return str(job.reason)
    if job.status is Status.DELIVERED and job.video is None:
        return "delivered_gone" if job.has_result else "deleted"
    if job.silent and job.status in (Status.IN_PROGRESS, Status.DELIVERED):
        return f"{job.status}_silent"
    return job.status


def _queued(job: Job) -> str:
    if job.pictures_missing:
        return "fetching" if any(each.source for each in job.order.pictures) else "preparing"
    if job.sound_missing:
        return "fetching_sound"
    if job.reason in (None, Reason.AT_ONCE, Reason.PICTURE_TOO_LARGE, Reason.PAUSED):
        return Reason.PAUSED if job.reason is Reason.PAUSED else job.status
    return "waiting_for_operator" if job.reason in LOCKS else "waiting_for_gateway"


def _left(job: Job, left: Left | None) -> list[Text]:
    if left is None:
        return []
    if job.status in ACTIVE:
        return [left.fact]
    # A card that is over is not edited any more: what it says has to stay true.
    made = job.status is Status.DELIVERED and job.has_result
    id_ = "fact.left_after" if made else "fact.left_then"
    return [Text(id=id_, values={"until": left.resets_at}, count=left.videos)]


def _card_buttons(job: Job) -> tuple[Button, ...]:
    match job.status:
        case Status.QUEUED:
            return (Button(action=Action.CANCEL, about=job.id),)
        case Status.SUBMITTING | Status.IN_PROGRESS if not job.silent:
            return (Button(action=Action.DONT_POST, about=job.id),)
        case Status.CANCELLED:
            return (Button(action=Action.RETRY, about=job.id),)
        case _:
            return ()


_TONES = {
    Status.QUEUED: Tone.WAITING,
    Status.SUBMITTING: Tone.WAITING,
    Status.IN_PROGRESS: Tone.WORKING,
    Status.COMPLETED: Tone.WORKING,
    Status.CONVERTING: Tone.WORKING,
    Status.DELIVERED: Tone.DONE,
    Status.FAILED: Tone.FAILED,
    Status.UNCONFIRMED: Tone.FAILED,
    Status.CANCELLED: Tone.NEUTRAL,
}
