"""Cards: the message that shows a job's state, and when its contents become outdated.

A card depends on rows alone, so every process draws the same card.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bot.core.accounts import Accounts
from bot.core.conversions import Conversions
from bot.core.endings import sent_in_private
from bot.core.jobs import ACTIVE, LOCKS, SOFT_DEADLINE, WITHDRAWN, Job, Reason, Status
from bot.core.learned import Key, Learned
from bot.core.missing import pictures_missing, sound_missing, video_missing
from bot.core.orders import Kind
from bot.core.ports import Clock, Jobs, Posts
from bot.core.posts import end_kind
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
"""A card names no time in the last seconds before a video is expected.

Chat apps count down to a time, and go on counting past it.
"""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The expected time of a video, and what the video waits for, as far as known."""

    ready_at: float | None = None
    is_soon: bool = False
    """Whether `ready_at` is so near that it may pass before anybody reads the card."""
    is_late: bool = False
    """Whether the job is past the soft deadline."""
    before: int = 0
    """The number of videos that are converted before this one."""
    at_once: int | None = None
    """The number of videos that the job's model makes at a time; None if unknown."""


UNKNOWN = Timing()


@dataclass(slots=True, kw_only=True)
class Cards:
    """Draws cards.

    `at_once`: returns the number of videos that a model makes at a time.
    """

    jobs: Jobs
    learned: Learned
    posts: Posts
    accounts: Accounts
    conversions: Conversions
    at_once: Callable[[str], int | None]
    currency: str
    clock: Clock

    async def card(self, job: Job) -> Reply:
        """Return the present card, with the person's remaining limit and the expected time."""
        now, address = self.clock.now(), job.order.call.address
        terms = await self.accounts.terms(address)
        usage = await self.jobs.usage(address, job.order.call.person.id, terms.limits, now=now)
        kind = end_kind(job)
        end = await self.posts.get(job.id, kind) if kind else None
        if end and end.direct and end.message_id:
            return sent_in_private(job)
        timing, left = await self._timing(job), Left.of(usage, terms.limits, now=now)
        # The cost in the row counts, as prices may have changed. 1: no price; 0: released.
        cost = money(job.spend_cost, self.currency) if job.spend_cost > 1 else None
        return card(job, timing, left=left, cost=cost)

    async def at_hand(self, job: Job, *, within: float | None = None) -> Reply:
        """Return the card, or a plainer card if that fails or takes more than `within` seconds."""
        try:
            async with asyncio.timeout(within):
                return await self.card(job)
        except Exception as error:  # noqa: BLE001 - what is only nice to have is left out
            platform = job.order.call.address.platform
            log.warning("card.plain", platform=platform, job=job.id, error=type(error).__name__)
            return card(job)

    async def standing(self, job: Job) -> tuple[Text, list[Text]]:
        """Return an active job's state and expected time, as its card shows them."""
        timing = await self._timing(job)
        return standing(job, timing), due(job, timing)

    async def stale_at(self, job: Job) -> float | None:
        """Return when the card of `job` becomes outdated although the job does not change."""
        now, ready_at = self.clock.now(), (await self._timing(job)).ready_at
        times = [ready_at - SOON, ready_at + 1] if ready_at else []
        if job.status is Status.IN_PROGRESS and job.submitted_at is not None:
            times.append(job.submitted_at + SOFT_DEADLINE + 1)
        return min((at for at in times if at > now), default=None)

    async def _timing(self, job: Job) -> Timing:
        now, position = self.clock.now(), await self.conversions.position(job)
        ready_at = position.ready_at if position else await self._ready_at(job, now)
        return Timing(
            ready_at=ready_at,
            is_soon=ready_at is not None and ready_at - now <= SOON,
            is_late=now - (job.submitted_at or now) > SOFT_DEADLINE,
            before=position.before if position else 0,
            at_once=self.at_once(job.request.model),
        )

    async def _ready_at(self, job: Job, now: float) -> float | None:
        """Return when the job's video is expected to be made; None if that time has passed."""
        if job.status not in ACTIVE or waits(job):
            return None
        pace = await self.learned.pace(Key.of(job))
        terms = await self.accounts.terms(job.order.call.address)
        typical = terms.catalog.typical(job.request.model)
        begun = job.submitted_at or job.created_at
        ready_at = begun + pace.expected(typical=typical)
        return ready_at if ready_at > now else None


def card(
    job: Job, timing: Timing = UNKNOWN, *, left: Left | None = None, cost: str | None = None
) -> Reply:
    """Return the status card of a job's row.

    `cost`: the amount that is counted for the job, if it has a price.
    """
    waiting = job.status in (Status.QUEUED, Status.SUBMITTING)
    state = standing(job, timing)
    is_taken = job.status is Status.QUEUED
    price = [cost_fact(job.request, cost)] if cost else []
    return Reply(
        text=Text(id="card.taken", values={"state": state}) if is_taken else state,
        tone=_TONES[job.status],
        prompt=job.request.shown,
        facts=(
            request_fact(job.request),
            *purpose(job),
            *switched(job.order.wish),
            *([Text(id="fact.private")] if job.private and not job.is_final else []),
            *due(job, timing),
            *price,
            *_left(job, left),
        ),
        progress=job.progress if waiting or job.status is Status.IN_PROGRESS else None,
        buttons=_card_buttons(job),
    )


def purpose(job: Job) -> list[Text]:
    """Return what the order's files are for, as a list of at most one sentence.

    The other kinds show their first picture, or have none.
    """
    match job.request.kind:
        case Kind.REFERENCES:
            return [Text(id="fact.keeps", count=len(job.order.pictures))]
        case Kind.VIDEO:
            return [Text(id="fact.changes")]
        case Kind.EXTEND:
            return [Text(id="fact.goes_on")]
        case _:
            return []


def standing(job: Job, timing: Timing = UNKNOWN) -> Text:
    """Return the sentence for a job's state, as lists show it."""
    is_in_turn = job.status is Status.QUEUED and job.reason is Reason.AT_ONCE
    if is_in_turn and timing.at_once is not None:
        family = {"family": job.request.label}
        return Text(id="card.waiting_for_turn", values=family, count=timing.at_once)
    if job.status is Status.CONVERTING and timing.before:
        return Text(id="card.waiting_for_conversion", count=timing.before)
    return Text(id=f"card.{_state(job)}")


def due(job: Job, timing: Timing) -> list[Text]:
    """Return the expected time as a list of at most one sentence; empty if unknown."""
    if timing.is_late and job.status is Status.IN_PROGRESS:
        return [Text(id="fact.late")]
    if not timing.ready_at or waits(job):
        return []
    if timing.is_soon:
        return [Text(id="fact.soon")]
    return [Text(id="fact.ready", values={"at": timing.ready_at})]


def waits(job: Job) -> bool:
    """Whether the job waits for something that has no known time."""
    return job.status is Status.QUEUED and job.reason is not None


def _state(job: Job) -> str:
    if job.status is Status.QUEUED:
        return _queued(job)
    if job.status is Status.COMPLETED and job.reason is Reason.UNDELIVERABLE:
        return "undeliverable_private" if job.private else Reason.UNDELIVERABLE
    if job.status is Status.CANCELLED and job.reason in (*WITHDRAWN, Reason.BY_ADMIN):
        return str(job.reason)
    if job.status is Status.DELIVERED and job.video is None:
        return "delivered_gone" if job.has_result else "deleted"
    if job.silent and job.status in (Status.IN_PROGRESS, Status.DELIVERED):
        return f"{job.status}_silent"
    return job.status


def _queued(job: Job) -> str:
    if pictures_missing(job):
        if any(each.source for each in job.order.pictures):
            return "fetching"
        is_frame = any(each.last_of for each in job.order.pictures)
        return "preparing_frame" if is_frame else "preparing"
    if job.order.video is not None and video_missing(job):
        return "fetching_video" if job.order.video.source else "preparing_video"
    if sound_missing(job):
        return "fetching_sound"
    if job.reason in (None, Reason.AT_ONCE, Reason.PICTURE_TOO_LARGE, Reason.PAUSED):
        return Reason.PAUSED if job.reason is Reason.PAUSED else job.status
    return "waiting_for_operator" if job.reason in LOCKS else "waiting_for_gateway"


def _left(job: Job, left: Left | None) -> list[Text]:
    """Return what is left as a list of at most one sentence; empty if the end used up nothing."""
    if left is None:
        return []
    if job.status in ACTIVE:
        return [left.fact]
    # The card of a finished job is not edited any more, so its contents have to stay true.
    made = job.status is Status.DELIVERED and job.has_result
    return [left.fact_after] if made else []


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
