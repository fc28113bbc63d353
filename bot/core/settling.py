"""The operators' use cases on single jobs: cancel, retry, and resolve an unconfirmed job.

A new paid try needs the job's id as a confirmation.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from bot.core import moves, variations
from bot.core.accounts import Accounts, Terms
from bot.core.acts import Act, UseCase, Values
from bot.core.errors import AnewStopped, Blocked, OverLimit, Refused, Stopped, WordsExpired
from bot.core.jobs import UNNAMED, Job, Reason, Status
from bot.core.matching import EARLIEST, Candidate, candidates
from bot.core.orders import Kind, Order
from bot.core.outcomes import Done, Failed, Missing, NoList, Running, Trouble
from bot.core.ports import Clock, Gateway, Jobs
from bot.core.prompts import clean
from bot.core.quotas import Limits
from bot.core.replies import Action
from bot.core.wake import Wake

LEAST = 4
"""Least characters of an id that an operator must type, if no other id begins with them."""
NOT_CHARGED = "jobs.not_charged"
"""The name of the act that releases the cost of a job."""
_CANDIDATES = 6

Change = Callable[[Job], Job]


class Ledger(Protocol):
    """The rows of jobs, as operators change them. Each change is one transaction with its act."""

    async def ids(self, beginning: str, *, most: int) -> list[str]: ...

    async def known_ids(self, base_url: str, among: Collection[str]) -> frozenset[str]:
        """Return which of these gateway ids belong to jobs that were sent to this address."""

    async def change(
        self, job_id: str, change: Change, act: Act, *, gateway_id: str | None = None
    ) -> tuple[Job, bool]:
        """Apply `change` to the job. Return the job, and whether it was changed.

        Raises `Refused` if another job has the gateway id already.
        """

    async def anew(
        self, job_id: str, change: Change, new: Job, limits: Limits, act: Act
    ) -> tuple[Job, bool]:
        """Apply `change` to the job, and admit `new`. Return the new job, and whether it was new.

        Idempotent: an order with the same event returns the job that was admitted before.
        """

    async def released(self, job_id: str) -> int | None:
        """Return the cost that was released when an operator said that the job was not charged.

        None if no cost was released.
        """

    async def call(self, job_id: str, act: Act) -> Job:
        """Make the job's next step due now, and retry its messages that were given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Cancels, retries and resolves single jobs for operators."""

    ledger: Ledger
    jobs: Jobs
    new_id: Callable[[], str]
    new_seed: Callable[[], int]
    gateways: Mapping[str, Gateway]
    accounts: Accounts
    clock: Clock
    wake: Wake

    @property
    def use_cases(self) -> Mapping[str, UseCase]:
        """The use cases, by the name that a command asks for."""
        return {
            "jobs.cancel": self.cancel,
            "jobs.candidates": self.candidates,
            "jobs.found": self.found,
            NOT_CHARGED: self.not_charged,
            "jobs.cost": self.cost,
            "jobs.again": self.again,
            "jobs.retry": self.retry,
        }

    async def cancel(self, *, actor: str, job: str, why: str = "") -> Values:
        """Cancel a job that was not sent to a gateway. The job doesn't count towards any limit."""

        def change(job: Job) -> Job:
            if job.status is Status.CANCELLED:
                return job
            _check_waits(job)
            return moves.cancelled(job, Reason.BY_ADMIN)

        act = self._act(actor, "jobs.cancel", await self._id(job), why)
        return self._outcome(*await self.ledger.change(act.subject, change, act))

    # --- nobody knows whether it was taken -----------------------------------------------------

    async def candidates(self, *, job: str) -> Values:
        """Return the job's gateway id if known, and the listed videos that may be this job's.

        Changes nothing.
        """
        row = _findable(await self._job(job))
        sent, gateway = row.submitted_at or row.created_at, self._gateway(row)
        own = None if row.gateway_id == UNNAMED else row.gateway_id
        answer: Values = {
            "job": row.id,
            "status": row.status.value,
            "person": clean(row.order.call.person.name) or row.order.call.person.id,
            "family": row.request.label,
            "gateway": row.gateway,
            "sent_at": sent,
            "known_id": own,
        }
        if gateway is None:
            return {**answer, "list": "gone", "candidates": []}
        listing = await gateway.listing(since=sent + EARLIEST)
        if isinstance(listing, NoList):
            return {**answer, "list": "none", "candidates": []}
        if isinstance(listing, Trouble):
            return {**answer, "list": "trouble", "why": listing.detail, "candidates": []}
        listed = [video.id for video in listing.videos]
        others = await self.ledger.known_ids(row.base_url, listed) - {own}
        found = candidates(row, listing.videos, known=others)
        shown = [_shown(each) for each in found]
        return {**answer, "list": "whole" if listing.whole else "part", "candidates": shown}

    async def found(self, *, actor: str, job: str, gateway_id: str, why: str = "") -> Values:
        """Resolve a job as accepted under this gateway id: from now on it is polled and posted.

        Also works for a job that was resolved as not charged: its cost counts again.
        """
        row, gateway_id, is_known = await self._job(job), gateway_id.strip(), True
        if not gateway_id or gateway_id == UNNAMED:
            raise Refused("gateway_id_missing")
        if not _goes_on_as(row, gateway_id):
            is_known = await self._is_known(_findable(row), gateway_id)
        now, cost = self.clock.now(), await self.ledger.released(row.id)

        def change(job: Job) -> Job:
            if _goes_on_as(job, gateway_id):
                return job
            if job.is_closed_as_not_taken and cost is not None:
                job = moves.reopened(job, spend_cost=cost)
            return moves.accepted(_unconfirmed(job), gateway_id, now=now, due_at=now)

        details = {"gateway_id": gateway_id}
        act = self._act(actor, "jobs.found", row.id, why, details)
        after, changed = await self.ledger.change(row.id, change, act, gateway_id=gateway_id)
        return {**self._outcome(after, changed), "known": is_known}

    async def not_charged(self, *, actor: str, job: str, why: str = "") -> Values:
        """Resolve an unconfirmed job as never accepted: it fails, and its cost is released.

        The act records the cost, in case the video turns up after all.
        """
        row = await self._job(job)

        def change(job: Job) -> Job:
            if job.reason is Reason.NOT_TAKEN:
                return job
            return moves.failed(_unconfirmed(job), Reason.NOT_TAKEN, charged=False)

        act = self._act(actor, NOT_CHARGED, row.id, why, {"cost": row.spend_cost})
        return self._outcome(*await self.ledger.change(row.id, change, act))

    async def cost(self, *, job: str) -> Values:
        """Return what a new paid try of the job would cost; None if a retry is free."""
        row = await self._job(job)
        answer: Values = {"job": row.id, "status": row.status.value, "cost": None}
        if row.status not in _PAID_AGAIN:
            return answer
        new, _ = await self._new(row, "asked")
        person, asked = row.order.call.person.name, new.request
        with_ = {"model": asked.model, "family": asked.label, "person": person}
        return {**answer, "cost": new.spend_cost, **with_}

    async def again(self, *, actor: str, job: str, confirm: str, why: str = "") -> Values:
        """Fail an unconfirmed job and admit a new paid job for the same order.

        The cost of the old job still counts, because it may have been charged.
        """
        row = await self._job(job)

        def change(job: Job) -> Job:
            if job.reason is Reason.TRIED_AGAIN:
                return job
            return moves.failed(_unconfirmed(job), Reason.TRIED_AGAIN, charged=True)

        return await self._anew(row, change, confirm, actor, "again", why)

    async def retry(self, *, actor: str, job: str, confirm: str = "", why: str = "") -> Values:
        """Make the job's next step due now; for a failed or cancelled job, admit a new paid job."""
        row = await self._job(job)
        _check_open(row)
        if row.status in _PAID_AGAIN:
            return await self._anew(row, lambda it: it, confirm, actor, "retry", why)
        called = await self.ledger.call(row.id, self._act(actor, "jobs.retry", row.id, why))
        return self._outcome(called, changed=True)

    # --- parts of these ------------------------------------------------------------------------

    async def _is_known(self, row: Job, gateway_id: str) -> bool:
        """Whether the gateway knows this id; False if the gateway can't tell now.

        Raises `Refused` if the gateway says that the id is unknown, or is not configured any more.
        """
        gateway = self._gateway(row)
        if gateway is None:
            raise Refused("gateway_gone", gateway=row.gateway)
        poll = await gateway.retrieve(gateway_id, prompt=row.request.written)
        if isinstance(poll, Missing):
            raise Refused("gateway_id_unknown", id=gateway_id, gateway=row.gateway)
        return isinstance(poll, Running | Done | Failed)

    async def _anew(
        self, row: Job, change: Change, confirm: str, actor: str, word: str, why: str
    ) -> Values:
        if confirm != row.id:
            raise Refused("again_unconfirmed", job=row.id)
        new, terms = await self._new(row, word)
        act = self._act(actor, f"jobs.{word}", row.id, why, {"cost": new.spend_cost})
        # A person's own running job does not keep an operator from mending this one.
        limits = replace(terms.limits, person_at_once=None)
        try:
            admitted, changed = await self.ledger.anew(row.id, change, new, limits, act)
        except Refused as refused:
            raise _to_operator(refused) from refused
        return {**self._outcome(admitted, changed), "of": row.id}

    async def _new(self, row: Job, word: str) -> tuple[Job, Terms]:
        """Return a new job for the same order, with today's models and prices, and its terms."""
        terms = await self.accounts.terms(row.order.call.address)
        order = variations.again(variations.in_words(row, terms.catalog))
        order = replace(order, call=replace(order.call, event_id=f"{word} {row.id}"))
        _check_kept(row, order)
        made = order.remix_of
        there = self.gateways.get(made.gateway) if made else None
        if made and (there is None or there.base_url != made.base_url):
            order = replace(order, remix_of=None)
        model, request = terms.catalog.choose(order, spare_seed=self.new_seed())
        now = self.clock.now()
        remix = order.remix_of if request.kind is Kind.REMIX or order.video else None
        new = Job(
            id=self.new_id(),
            order=replace(order, remix_of=remix),
            request=request,
            gateway=model.gateway,
            base_url=self.gateways[model.gateway].base_url,
            created_at=now,
            due_at=now,
            quota_cost=1,
            spend_cost=model.cost_of(request),
            private=row.private,
        )
        return new, terms

    def _outcome(self, job: Job, changed: bool) -> Values:
        self.wake.ring()
        status, reason = job.status.value, job.reason and job.reason.value
        return {"job": job.id, "status": status, "reason": reason, "changed": changed}

    async def _job(self, beginning: str) -> Job:
        job = await self.jobs.get(await self._id(beginning))
        if job is None:
            raise Refused("job_unknown")
        return job

    async def _id(self, beginning: str) -> str:
        """Return the whole id of the only job whose id begins like this. Raises `Refused`."""
        beginning = beginning.strip().lower()
        ids = await self.ledger.ids(beginning, most=_CANDIDATES) if beginning else []
        if not ids or (ids != [beginning] and len(beginning) < LEAST):
            raise Refused("job_not_found", id=beginning, least=LEAST)
        if len(ids) > 1:
            raise Refused("job_ambiguous", id=beginning, ids=", ".join(ids))
        return ids[0]

    def _gateway(self, job: Job) -> Gateway | None:
        """Return the job's gateway, if it is configured at the address that the job was sent to."""
        gateway = self.gateways.get(job.gateway)
        return gateway if gateway and gateway.base_url == job.base_url else None

    def _act(
        self, actor: str, action: str, job_id: str, why: str, details: Values | None = None
    ) -> Act:
        now, given = self.clock.now(), details or {}
        return Act(at=now, actor=actor, action=action, subject=job_id, why=why, details=given)


_PAID_AGAIN = frozenset({Status.FAILED, Status.CANCELLED, Status.UNCONFIRMED})


def _to_operator(refused: Refused) -> Refused:
    """Return the refusal worded for an operator: `refused` may be worded for the job's person."""
    if isinstance(refused, Stopped):
        return AnewStopped()
    if isinstance(refused, Blocked):
        return Refused("anew_blocked")
    return Refused("anew_limited") if isinstance(refused, OverLimit) else refused


def _check_kept(row: Job, order: Order) -> None:
    """Raise `Refused` if the order can't be repeated because its text or its files were removed."""
    try:
        variations.check_kept(row, Action.RETRY, order)
    except WordsExpired:
        raise Refused("anew_wordless") from None
    except Refused:
        raise Refused("anew_gone") from None


def _check_waits(job: Job) -> None:
    match job.status:
        case Status.QUEUED:
            return
        case Status.SUBMITTING | Status.IN_PROGRESS | Status.COMPLETED | Status.CONVERTING:
            raise Refused("cancel_too_late")
        case Status.UNCONFIRMED:
            raise Refused("cancel_unconfirmed")
    raise Refused("cancel_over", status=job.status.value)


def _check_open(job: Job) -> None:
    match job.status:
        case Status.SUBMITTING:
            raise Refused("retry_leaving", job=job.id)
        case Status.UNCONFIRMED:
            raise Refused("retry_unconfirmed", job=job.id)
        case Status.DELIVERED:
            raise Refused("retry_delivered", job=job.id)


def _unconfirmed(job: Job) -> Job:
    if job.status is not Status.UNCONFIRMED:
        raise Refused("not_unconfirmed", job=job.id, status=job.status.value)
    return job


def _findable(job: Job) -> Job:
    """Return the job if its gateway may have a video of it. Raises `Refused` otherwise."""
    return job if job.is_closed_as_not_taken else _unconfirmed(job)


def _goes_on_as(job: Job, gateway_id: str) -> bool:
    """Whether the job has this gateway id already and is not to be resolved.

    A job restored from a backup may have its id and be unconfirmed.
    """
    waits = job.status is Status.UNCONFIRMED or job.is_closed_as_not_taken
    return job.gateway_id == gateway_id and not waits


def _shown(candidate: Candidate) -> Values:
    video = candidate.video
    return {
        "id": video.id,
        "confidence": candidate.confidence,
        "grounds": list(candidate.grounds),
        "model": video.model,
        "status": video.status,
        "created_at": video.created_at,
        "later": candidate.later,
    }
