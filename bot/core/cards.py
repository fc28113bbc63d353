"""Cards: how a job looks right now, and until when that stays true.

Everything is read off the rows, so that a card is the same whoever draws it.
"""

from collections.abc import Callable

from bot.core import replies, schedule
from bot.core.accounts import Accounts
from bot.core.conversions import Conversions, Place
from bot.core.endings import told_in_private
from bot.core.jobs import ACTIVE, SOFT_DEADLINE, Job, Status
from bot.core.ports import Clock, Jobs, Posts
from bot.core.posts import told_by
from bot.core.prices import money
from bot.core.replies import Left, Reply, Text

SOON = 20.0
"""Seconds before its time from which a card names none: apps count down, and on past it."""


class Cards:
    """Draws them."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        posts: Posts,
        accounts: Accounts,
        conversions: Conversions,
        at_once: Callable[[str], int | None],
        currency: str,
        clock: Clock,
    ) -> None:
        """`at_once`: how many videos of a model are made at a time."""
        self._jobs = jobs
        self._posts = posts
        self._accounts = accounts
        self._conversions = conversions
        self._at_once = at_once
        self._currency = currency
        self._clock = clock

    async def card(self, job: Job) -> Reply:
        """The card as it looks now, with what is left for the person and when it will be ready."""
        now, address = self._clock.now(), job.order.call.address
        terms = await self._accounts.terms(address)
        usage = await self._jobs.usage(address, job.order.call.person.id, terms.limits, now=now)
        place, kind = await self._conversions.place(job), told_by(job)
        ready_at = await self._ready_at(job, place, now)
        end = await self._posts.get(job.id, kind) if kind else None
        if end and end.direct and end.message_id:
            return told_in_private(job)
        return replies.card(
            job,
            ready_at=ready_at,
            before=place.before if place else 0,
            is_soon=ready_at is not None and ready_at - now <= SOON,
            at_once=self._at_once(job.request.model),
            is_late=now - (job.submitted_at or now) > SOFT_DEADLINE,
            left=Left.of(usage, terms.limits, now=now),
            cost=self._cost(job),
        )

    async def standing(self, job: Job) -> tuple[Text, list[Text]]:
        """How far a job under way is, and when it will be ready, as on its card."""
        now, place = self._clock.now(), await self._conversions.place(job)
        ready_at = await self._ready_at(job, place, now)
        before, at_once = place.before if place else 0, self._at_once(job.request.model)
        return replies.standing(job, at_once=at_once, before=before), replies.timing(
            job,
            ready_at=ready_at,
            is_soon=ready_at is not None and ready_at - now <= SOON,
            is_late=now - (job.submitted_at or now) > SOFT_DEADLINE,
        )

    async def stale_at(self, job: Job) -> float | None:
        """When a card that shows `job` stops being true although nothing happens to the job."""
        now, place = self._clock.now(), await self._conversions.place(job)
        ready_at = await self._ready_at(job, place, now)
        times = [ready_at - SOON, ready_at + 1] if ready_at else []
        if job.status is Status.IN_PROGRESS and job.submitted_at is not None:
            times.append(job.submitted_at + SOFT_DEADLINE + 1)
        return min((at for at in times if at > now), default=None)

    async def _ready_at(self, job: Job, place: Place | None, now: float) -> float | None:
        """None once that has passed: it would be put off for as long as the video takes."""
        if place is not None:
            return place.ready_at
        if job.status not in ACTIVE or replies.waits(job):
            return None
        durations = await self._jobs.durations(job.request.model, job.request.seconds)
        terms = await self._accounts.terms(job.order.call.address)
        typical = terms.catalog.typical(job.request.model)
        begun = job.submitted_at or job.created_at
        ready_at = begun + schedule.expected(durations, typical=typical)
        return ready_at if ready_at > now else None

    def _cost(self, job: Job) -> str | None:
        """The cost in its row, for people: prices may have changed since it was ordered."""
        if job.spend_cost <= 1:  # released, or without a price
            return None
        return money(job.spend_cost, self._currency)
