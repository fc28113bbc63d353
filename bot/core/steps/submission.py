"""The step that submits a job to its gateway: at most one POST that counts, and its saved outcome.

A job returns to the queue if its POST was certainly not sent or was answered "later". A job
without a clear yes or no becomes unconfirmed, for an operator to resolve.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from bot.core import fetching, moves, schedule
from bot.core.context import PAUSE, UNCALLED, StepContext
from bot.core.errors import BotError, Broken, Temporary, TextPartTooLarge
from bot.core.fronts import Fronts
from bot.core.jobs import HARD_DEADLINE, HELD, IN_BETWEEN, Job, Reason, Status
from bot.core.missing import sound_missing, video_missing
from bot.core.orders import VideoRequest
from bot.core.outcomes import Accepted, Busy, Creation, Locked, Made, NotSent, Rejected, Uncertain
from bot.core.parts import room, weight, within
from bot.core.ports import Gateway, Media
from bot.log import get_logger

MOST_TRIES = 33
"""Tries with a gateway that is unreachable or busy: half an hour, with the back-off."""

log = get_logger()


class _Withdrawn(Exception):
    """The POST must not be sent: the row has changed, or the job waits for a slot."""


class _Outgrown(Exception):
    """The job's files are larger than its gateway takes: they must be fitted again first."""


class Spool(Protocol):
    """Files that keep gateways' ids while the database can't store them."""

    def add(self, job_id: str, gateway_id: str, sources: Sequence[str] = ()) -> None:
        """Write an entry and return when it is on the disk. Raises `OSError`."""

    def forget(self, job_id: str) -> None:
        """Remove the entry of a job whose row now has the id. Raises `OSError`."""


@dataclass(frozen=True, slots=True)
class _Posted:
    """A finished POST."""

    sent: Job
    """The row as saved before the send; still queued if no connection was made."""
    outcome: Creation
    video: Path
    """The file of the video, if the response was the video itself."""
    body: int
    """Approximate size of the request body in bytes."""


@dataclass(frozen=True, slots=True)
class _Smaller(Rejected):
    """A final refusal of the size of a request. `request` is a smaller one to try."""

    request: VideoRequest | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """Submits claimed jobs.

    `links` makes fresh URLs of a job's files; none if we have no public address.

    `at_once` returns how many slots a model has, or None if that is unknown.
    """

    context: StepContext
    fronts: Fronts
    spool: Spool
    media: Media
    links: Callable[[Job], Sequence[str]]
    at_once: Callable[[str], int | None]

    async def bounded(self, job: Job) -> Job:
        """Return the job with files limited to what its gateway is known to take, and save it.

        If the row has changed meanwhile, the returned job is stale: no later save of it succeeds.
        """
        if not job.request.places:
            return job
        most = await self.fronts.most(job.gateway, job.base_url)
        request = self._within(job, most)
        if request == job.request:
            return job
        smaller = replace(job, request=request)
        return await self.context.save(job, smaller) or smaller

    def _within(self, job: Job, body: int | None) -> VideoRequest:
        most = room(job.request, body)
        return within(job.request, most, linked=bool(self.links(job)))

    async def submit(self, job: Job) -> None:
        """Submit a queued job whose pictures and sound are stored."""
        gateway = await self.context.gateway(job)
        if gateway is None:
            return
        pause = await self.context.held(job)
        if pause is not None:
            patience = HELD if pause.reason is Reason.PAUSED else PAUSE
            due_at = self.context.clock.now() + patience
            waiting = moves.requeued(job, due_at=due_at, attempts=job.attempts, reason=pause.reason)
            await self.context.save(job, waiting)
            await self.context.catch_up(job)
            return
        first_poll = await self.context.next_poll(job, elapsed=0.0)
        job = await self.bounded(job)
        async with AsyncExitStack() as stack:
            posted = await self._post(gateway, job, stack)
            if posted is None:
                return
            outcome = await self._followed(posted)
        await self._settle(posted.sent, outcome, first_poll=first_poll)

    async def take_up(self, job: Job) -> None:
        """Settle a job whose claim expired during its POST.

        The response is lost with the process that waited for it. The job becomes unconfirmed,
        unless the response was the video itself and is stored under the job's name.
        """
        try:
            video = await fetching.received(self.media, job.id)
        except Temporary:
            if not self.context.is_past(HARD_DEADLINE, job.submitted_at):
                await self.context.again(job, base=2.0, most=60.0)
                return
            video = None
        if video is None:
            lost = moves.unconfirmed(job, detail="process ended in the POST")
            await self.context.save(job, lost)
        else:
            await self._record(job, video, first_poll=0.0)

    async def _post(self, gateway: Gateway, job: Job, stack: AsyncExitStack) -> _Posted | None:
        """Send the POST. Returns None if it was not begun; the reason is then already saved."""
        try:
            return await self._create(gateway, job, stack)
        except _Withdrawn:
            log.info("job.not_sent", job=job.id)
        except _Outgrown:
            now = self.context.clock.now()
            await self.context.save(job, moves.refitted(job, job.request, due_at=now))
        except Temporary:
            await self.context.again(job, base=2.0, most=60.0)
        except Broken as broken:
            # Our copy was removed or can't be linked to any more: the retry came long after the
            # order, or the configuration changed.
            gone = moves.failed(job, _lost(job, broken), charged=False, detail=str(broken))
            await self.context.save(job, gone)
        return None

    async def _create(self, gateway: Gateway, job: Job, stack: AsyncExitStack) -> _Posted:
        """Send the POST. Its files and the response's file exist until `stack` closes.

        Raises `_Withdrawn` or `_Outgrown` if the POST must not be sent.
        """
        files = [
            await stack.enter_async_context(self.media.file(given.key))
            for given in (job.order.files if job.request.places else ())
            if given.key
        ]
        sizes = await asyncio.to_thread(_sizes, files) if files else []
        links = self.links(job)
        if _has_outgrown(job, sizes, linked=bool(links)):
            raise _Outgrown
        video = await stack.enter_async_context(self.media.scratch()) / "answer"
        body = weight(job.request, sizes, linked=bool(links))
        async with gateway.ready(job.request, files, links=links, into=video) as ready:
            if isinstance(ready, NotSent):
                return _Posted(job, ready, video, body)
            sent = await self.context.begin(job, self.at_once(job.request.model))
            if sent is None or sent.status is not Status.SUBMITTING:
                raise _Withdrawn
            return _Posted(sent, await ready.send(), video, body)

    async def _followed(self, posted: _Posted) -> Creation:
        """Process an outcome's content and return the final outcome.

        The POST was sent, so no error here may look like an error from before the send.
        """
        outcome = posted.outcome
        try:
            if isinstance(outcome, Made):
                return await self._receive(posted.sent, posted.video)
            if isinstance(outcome, Rejected) and outcome.reason is Reason.PICTURE_TOO_LARGE:
                return await self._too_large(posted.sent, outcome, posted.body)
        except Exception as error:  # noqa: BLE001 - after any error the row must leave `submitting`
            code = error.code if isinstance(error, BotError) else type(error).__name__
            log.error("job.answer_unheeded", job=posted.sent.id, code=code)
            if isinstance(outcome, Made):
                return Uncertain(code, answered=True)
        return outcome

    async def _receive(self, sent: Job, video: Path) -> Accepted:
        """Store a video that was the response itself. It comes only once, so retry until stored."""
        while True:
            try:
                return await fetching.receive(self.media, video, name=sent.id)
            except Temporary as away:  # a full disk, a storage that is away
                log.warning("job.video_unstored", job=sent.id, code=away.code)
                await self.context.clock.sleep(1.0)

    async def _too_large(self, sent: Job, no: Rejected, body: int) -> Rejected:
        """Remember that the gateway's proxy takes only smaller bodies; prepare a smaller one."""
        most = await self.context.insist(
            sent, lambda: self.fronts.refused(sent.gateway, sent.base_url, body)
        )
        log.warning("gateway.body_refused", gateway=sent.gateway, bytes=body, most=most)
        no = replace(no, detail=f"{no.detail} (a body of {body} bytes)")
        request = self._within(sent, most)
        # Limits only fall, down to a minimum, so a job is made smaller only a few times.
        if most is None or request == sent.request:
            return no
        return _Smaller(no.reason, no.detail, request=request)

    async def _settle(self, sent: Job, outcome: Creation, *, first_poll: float) -> None:
        """Save the outcome of a POST. Retry until the database accepts it."""
        if isinstance(outcome, Accepted):
            await self._record(sent, outcome, first_poll=first_poll)
            return
        if isinstance(outcome, Locked):
            outcome = await self._locked(sent, outcome)
        if sent.status is Status.QUEUED:
            # Nothing was sent and the row did not move. A change made since takes precedence.
            await self.context.insist(
                sent, lambda: self.context.save(sent, self._after(sent, outcome))
            )
        else:
            await self.context.insist(sent, lambda: self._rewrite(sent, outcome))
        if isinstance(outcome, Rejected) and outcome.reason is Reason.MODERATED:
            await self.context.insist(sent, lambda: self.context.passed(sent, balance=False))
        if isinstance(outcome, Rejected) and outcome.reason in IN_BETWEEN:
            about, detail = outcome.reason.value, outcome.detail
            await self.context.insist(sent, lambda: self.context.remark(sent, about, detail))
        if isinstance(outcome, Locked):
            await self.context.insist(sent, lambda: self.context.catch_up(sent))

    async def _locked(self, sent: Job, locked: Locked) -> Locked | Rejected:
        """Return `locked` if the gateway is paused for it, else a rejection of this order alone."""
        is_paused = await self.context.insist(sent, lambda: self.context.lock(sent, locked))
        return locked if is_paused else Rejected(Reason.REFUSED_ALONE, locked.detail)

    async def _record(self, sent: Job, accepted: Accepted, *, first_poll: float) -> None:
        """Save the gateway's id, in the spool while the database takes nothing.

        Without the id, a video that is paid for could not be found.
        """
        gateway_id = accepted.gateway_id

        async def accept() -> None:
            now = self.context.clock.now()
            # The POST may have taken long; the gateway makes the video since it was sent.
            due_at = max((sent.submitted_at or now) + first_poll, now + min(first_poll, 1.0))
            row = await self.context.jobs.accept(
                sent.id,
                gateway_id,
                sources=accepted.sources,
                cost=accepted.cost,
                now=now,
                due_at=due_at,
            )
            self.context.bells.changed(sent, row, now=now)

        spool = _Spooling(self.spool, sent.id, accepted)
        await self.context.insist(sent, accept, until_then=spool.keep)
        spool.forget()
        log.info("job.accepted", job=sent.id, gateway=sent.gateway)
        asked_at = sent.submitted_at or sent.created_at
        await self.context.insist(sent, lambda: self.context.works(sent, asked_at=asked_at))
        await self.context.insist(sent, lambda: self.context.passed(sent))

    async def _rewrite(self, sent: Job, outcome: Creation) -> None:
        """Save the outcome in the current row, if the row still waits for this POST's outcome."""
        while True:
            row = await self.context.jobs.get(sent.id)
            if row is None:
                return
            # The claim may have expired and made the row unconfirmed; a final refusal still counts.
            late = row.status is Status.UNCONFIRMED and isinstance(outcome, Rejected)
            if row.status is not Status.SUBMITTING and not late:
                return
            if await self.context.save(row, self._after(row, outcome)) is not None:
                return

    def _after(self, job: Job, outcome: Creation) -> Job:
        now = self.context.clock.now()
        match outcome:
            case NotSent(detail):
                return self._patient(job, now, retry_after=None, detail=detail)
            case Busy(retry_after):
                return self._patient(job, now, retry_after=retry_after, detail="429")
            case Locked(reason):
                # The try counts, so that another order tests next. Half of the tries are kept.
                attempts = min(job.attempts + 1, MOST_TRIES // 2)
                due_at = now + UNCALLED
                return moves.requeued(job, due_at=due_at, attempts=attempts, reason=reason)
            case _Smaller(request=VideoRequest() as request) if not job.is_final:
                return moves.refitted(job, request, due_at=now)
            case Rejected(reason, detail, charged):
                return moves.failed(job, reason, charged=charged, detail=detail)
            case Uncertain(detail, answered):
                why = Reason.GATEWAY_ERROR if answered else None
                return moves.unconfirmed(job, detail=detail, reason=why)
            case Accepted() | Made():
                raise Broken("accepted_elsewhere", job=job.id)

    def _patient(self, job: Job, now: float, *, retry_after: float | None, detail: str) -> Job:
        if job.attempts + 1 >= MOST_TRIES:
            return moves.failed(job, Reason.BUSY, charged=False, detail=detail)
        step = self.context.step(job)
        wait = schedule.back_off(job.attempts + 1, base=min(5.0, step), most=60.0)
        return moves.requeued(
            job,
            due_at=now + max(wait, min(retry_after or 0.0, 60.0)),
            attempts=job.attempts + 1,
            reason=Reason.BUSY,
        )


def _lost(job: Job, broken: Broken) -> Reason:
    """Return the reason why a request can't be written: a file is gone or too large."""
    if isinstance(broken, TextPartTooLarge):
        return Reason.PICTURE_TOO_LARGE
    sound, key = job.order.sound, broken.values.get("key")
    if job.order.video is not None:
        return Reason.GIVEN_GONE
    return Reason.SOUND_GONE if sound is not None and key == sound.key else Reason.PICTURE_GONE


def _sizes(files: Sequence[Path]) -> list[int]:
    return [file.stat().st_size for file in files]


def _has_outgrown(job: Job, sizes: Sequence[int], *, linked: bool) -> bool:
    """Whether a file has to be fitted again: it was fitted when the gateway took larger files."""
    fit = job.request.fit
    if linked and job.request.url_above is not None:
        return False
    pictures = zip(job.order.pictures, sizes, strict=False)
    return (
        sound_missing(job)
        or video_missing(job)
        or any(
            fit is not None and each.fit != fit and size > fit.most_bytes for each, size in pictures
        )
    )


@dataclass(slots=True)
class _Spooling:
    """Keeps one gateway id in the spool while the database can't store it."""

    spool: Spool
    job_id: str
    accepted: Accepted
    is_kept: bool = False
    is_logged: bool = False

    def keep(self) -> None:
        """Write the entry if that has not succeeded yet. The log has the id in any case."""
        if self.is_kept:
            return
        facts = {"job": self.job_id, "gateway_id": self.accepted.gateway_id}
        try:
            self.spool.add(self.job_id, self.accepted.gateway_id, self.accepted.sources)
        except OSError as error:
            if not self.is_logged:
                log.critical("job.id_unspooled", **facts, why=error.strerror)
            self.is_logged = True
        else:
            self.is_kept = True
            log.critical("job.id_spooled", **facts)

    def forget(self) -> None:
        """Remove the entry: the row has the id. If that fails, the next start removes the entry."""
        if self.is_kept:
            with suppress(OSError):
                self.spool.forget(self.job_id)
