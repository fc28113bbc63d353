"""Handing a job to its gateway: at most one POST that counts, and its outcome written down.

A job that provably did not leave, or was answered "later", goes back to the queue; any without
a clear yes or no stays unconfirmed for a person to resolve.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core import fetching, moves, schedule
from bot.core.desk import PAUSE, UNCALLED, Desk
from bot.core.errors import BotError, Broken, Temporary, TextPartTooLarge
from bot.core.fronts import Fronts
from bot.core.jobs import HARD_DEADLINE, HELD, IN_BETWEEN, Job, Reason, Status
from bot.core.orders import VideoRequest
from bot.core.outcomes import Accepted, Busy, Creation, Locked, Made, NotSent, Rejected, Uncertain
from bot.core.parts import room, weight, within
from bot.core.ports import Gateway, Media, Spool
from bot.log import get_logger

MOST_TRIES = 33
"""Tries of a gateway that can't be reached or is too busy: half an hour, with the back-off."""

log = get_logger()


class _Withdrawn(Exception):
    """Somebody changed the row before the POST left, or it waits its turn: it must not leave."""


class _Outgrown(Exception):
    """Its files are larger than what goes there: they have to be made smaller first."""


@dataclass(frozen=True, slots=True)
class _Posted:
    """A POST that came to an end."""

    sent: Job
    """The row as it was when the first byte left, or could not."""
    outcome: Creation
    video: Path
    """Where the video is, if that was the answer."""
    body: int
    """Bytes that were sent, about."""


@dataclass(frozen=True, slots=True)
class _Smaller(Rejected):
    """A definite no to the size of a request, of which there is a smaller one."""

    request: VideoRequest | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """Submits claimed jobs.

    `links` makes fresh links to a job's files; none where nobody could follow them.

    `at_once`: how many videos of a model are made at a time, where that is known.
    """

    desk: Desk
    fronts: Fronts
    spool: Spool
    media: Media
    links: Callable[[Job], Sequence[str]]
    at_once: Callable[[str], int | None]

    async def bounded(self, job: Job) -> Job:
        """The job with files no larger than what its gateway is known to take; its row has it so.

        If somebody else changed the row meanwhile, nothing that is made of this one is written.
        """
        if not job.request.places:
            return job
        most = await self.fronts.most(job.gateway, job.base_url)
        request = self._within(job, most)
        if request == job.request:
            return job
        smaller = replace(job, request=request)
        return await self.desk.save(job, smaller) or smaller

    def _within(self, job: Job, body: int | None) -> VideoRequest:
        most = room(job.request, body)
        return within(job.request, most, linked=bool(self.links(job)))

    async def submit(self, job: Job) -> None:
        """The step of a queued job whose pictures and sound are here."""
        gateway = await self.desk.gateway(job)
        if gateway is None:
            return
        pause = await self.desk.held(job)
        if pause is not None:
            patience = HELD if pause.reason is Reason.PAUSED else PAUSE
            due_at = self.desk.clock.now() + patience
            waiting = moves.requeued(job, due_at=due_at, attempts=job.attempts, reason=pause.reason)
            await self.desk.save(job, waiting)
            await self.desk.catch_up(job)
            return
        first_poll = await self.desk.next_poll(job, elapsed=0.0)
        job = await self.bounded(job)
        async with AsyncExitStack() as stack:
            posted = await self._post(gateway, job, stack)
            if posted is None:
                return
            outcome = await self._followed(posted)
        await self._settle(posted.sent, outcome, first_poll=first_poll)

    async def take_up(self, job: Job) -> None:
        """The step of a job whose claim ran out in its POST.

        Its dead sender alone knew the answer; unless that was the video itself, which is
        here under the job's name.
        """
        try:
            video = await fetching.received(self.media, job.id)
        except Temporary:
            if not self.desk.is_past(HARD_DEADLINE, job.submitted_at):
                await self.desk.again(job, base=2.0, most=60.0)
                return
            video = None
        if video is None:
            lost = moves.unconfirmed(job, detail="process ended in the POST")
            await self.desk.save(job, lost)
        else:
            await self._record(job, video, first_poll=0.0)

    async def _post(self, gateway: Gateway, job: Job, stack: AsyncExitStack) -> _Posted | None:
        """POST; None where that was called off before the first byte, and is written down."""
        try:
            return await self._create(gateway, job, stack)
        except _Withdrawn:
            log.info("job.not_sent", job=job.id)
        except _Outgrown:
            now = self.desk.clock.now()
            await self.desk.save(job, moves.refitted(job, job.request, due_at=now))
        except Temporary:
            await self.desk.again(job, base=2.0, most=60.0)
        except Broken as broken:
            # Our own copy is no longer there, or can't be linked to any more: a retry long after
            # its order, another configuration.
            sound = job.order.sound
            lost = sound is not None and broken.values.get("key") == sound.key
            reason = Reason.SOUND_GONE if lost else Reason.PICTURE_GONE
            if isinstance(broken, TextPartTooLarge):
                reason = Reason.PICTURE_TOO_LARGE
            gone = moves.failed(job, reason, charged=False, detail=str(broken))
            await self.desk.save(job, gone)
        return None

    async def _create(self, gateway: Gateway, job: Job, stack: AsyncExitStack) -> _Posted:
        """Send it, with files that stay for as long as `stack` does."""
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
            sent = await self.desk.begin(job, self.at_once(job.request.model))
            if sent is None or sent.status is not Status.SUBMITTING:
                raise _Withdrawn
            return _Posted(sent, await ready.send(), video, body)

    async def _followed(self, posted: _Posted) -> Creation:
        """The outcome, with what it asks of us done.

        The POST has left: no error of ours may be taken for one of before that.
        """
        outcome = posted.outcome
        try:
            if isinstance(outcome, Made):
                return await self._receive(posted.sent, posted.video)
            if isinstance(outcome, Rejected) and outcome.reason is Reason.PICTURE_TOO_LARGE:
                return await self._too_large(posted.sent, outcome, posted.body)
        except Exception as error:  # noqa: BLE001 - whatever it is, the row may not stay submitting
            code = error.code if isinstance(error, BotError) else type(error).__name__
            log.error("job.answer_unheeded", job=posted.sent.id, code=code)
            if isinstance(outcome, Made):
                return Uncertain(code, answered=True)
        return outcome

    async def _receive(self, sent: Job, video: Path) -> Accepted:
        """A video that came as the answer comes only once: it is kept however long that takes."""
        while True:
            try:
                return await fetching.receive(self.media, video, name=sent.id)
            except Temporary as away:  # a full disk, a storage that is away
                log.warning("job.video_unstored", job=sent.id, code=away.code)
                await self.desk.clock.sleep(1.0)

    async def _too_large(self, sent: Job, no: Rejected, body: int) -> Rejected:
        """The gateway's front takes less: remember that, and send a smaller one."""
        most = await self.desk.insist(
            sent, lambda: self.fronts.refused(sent.gateway, sent.base_url, body)
        )
        log.warning("gateway.body_refused", gateway=sent.gateway, bytes=body, most=most)
        no = replace(no, detail=f"{no.detail} (a body of {body} bytes)")
        request = self._within(sent, most)
        # Limits only fall, down to a floor: so does what goes, a few times at the most.
        if most is None or request == sent.request:
            return no
        return _Smaller(no.reason, no.detail, request=request)

    async def _settle(self, sent: Job, outcome: Creation, *, first_poll: float) -> None:
        """Write the outcome of a POST down, however long the database takes to accept it."""
        if isinstance(outcome, Accepted):
            await self._record(sent, outcome, first_poll=first_poll)
            return
        if isinstance(outcome, Locked):
            outcome = await self._locked(sent, outcome)
        if sent.status is Status.QUEUED:
            # Not a byte left and the row never moved: whoever has changed it since knows better.
            await self.desk.insist(sent, lambda: self.desk.save(sent, self._after(sent, outcome)))
        else:
            await self.desk.insist(sent, lambda: self._rewrite(sent, outcome))
        if isinstance(outcome, Rejected) and outcome.reason is Reason.MODERATED:
            await self.desk.insist(sent, lambda: self.desk.passed(sent, balance=False))
        if isinstance(outcome, Rejected) and outcome.reason in IN_BETWEEN:
            about, detail = outcome.reason.value, outcome.detail
            await self.desk.insist(sent, lambda: self.desk.remark(sent, about, detail))
        if isinstance(outcome, Locked):
            await self.desk.insist(sent, lambda: self.desk.catch_up(sent))

    async def _locked(self, sent: Job, locked: Locked) -> Locked | Rejected:
        """A no to this order, if its gateway lets others pass."""
        is_paused = await self.desk.insist(sent, lambda: self.desk.lock(sent, locked))
        return locked if is_paused else Rejected(Reason.REFUSED_ALONE, locked.detail)

    async def _record(self, sent: Job, accepted: Accepted, *, first_poll: float) -> None:
        """A lost id is a video that is paid for and never found: so it is spooled if need be."""
        gateway_id = accepted.gateway_id

        async def accept() -> None:
            now = self.desk.clock.now()
            # The POST may have taken long, and its video is being made since it was sent.
            due_at = max((sent.submitted_at or now) + first_poll, now + min(first_poll, 1.0))
            row = await self.desk.jobs.accept(
                sent.id, gateway_id, sources=accepted.sources, now=now, due_at=due_at
            )
            self.desk.bells.changed(sent, row, now=now)

        spool = _Spooling(self.spool, sent.id, accepted)
        await self.desk.insist(sent, accept, until_then=spool.keep)
        spool.forget()
        log.info("job.accepted", job=sent.id, gateway=sent.gateway)
        asked_at = sent.submitted_at or sent.created_at
        await self.desk.insist(sent, lambda: self.desk.works(sent, asked_at=asked_at))
        await self.desk.insist(sent, lambda: self.desk.passed(sent))

    async def _rewrite(self, sent: Job, outcome: Creation) -> None:
        """Onto whatever the row has become, as long as it is still about this very POST."""
        while True:
            row = await self.desk.jobs.get(sent.id)
            if row is None:
                return
            # Its claim may have run out meanwhile; a definite no is still worth knowing.
            late = row.status is Status.UNCONFIRMED and isinstance(outcome, Rejected)
            if row.status is not Status.SUBMITTING and not late:
                return
            if await self.desk.save(row, self._after(row, outcome)) is not None:
                return

    def _after(self, job: Job, outcome: Creation) -> Job:
        now = self.desk.clock.now()
        match outcome:
            case NotSent(detail):
                return self._patient(job, now, retry_after=None, detail=detail)
            case Busy(retry_after):
                return self._patient(job, now, retry_after=retry_after, detail="429")
            case Locked(reason):
                # Counted, so that the next one to try is another; half of the tries are kept.
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
        step = self.desk.step(job)
        wait = schedule.back_off(job.attempts + 1, base=min(5.0, step), most=60.0)
        return moves.requeued(
            job,
            due_at=now + max(wait, min(retry_after or 0.0, 60.0)),
            attempts=job.attempts + 1,
            reason=Reason.BUSY,
        )


def _sizes(files: Sequence[Path]) -> list[int]:
    return [file.stat().st_size for file in files]


def _has_outgrown(job: Job, sizes: Sequence[int], *, linked: bool) -> bool:
    """Whether a file was made for another day, when more went where it goes."""
    fit = job.request.fit
    if linked and job.request.url_above is not None:
        return False
    pictures = zip(job.order.pictures, sizes, strict=False)
    return job.sound_missing or any(
        fit is not None and each.fit != fit and size > fit.most_bytes for each, size in pictures
    )


@dataclass(slots=True)
class _Spooling:
    """Keeps one gateway id in the spool while the database does not take it."""

    spool: Spool
    job_id: str
    accepted: Accepted
    is_kept: bool = False
    is_told: bool = False

    def keep(self) -> None:
        """Try until it is there. The log has the id either way, and says "spooled" when it is."""
        if self.is_kept:
            return
        told = {"job": self.job_id, "gateway_id": self.accepted.gateway_id}
        try:
            self.spool.add(self.job_id, self.accepted.gateway_id, self.accepted.sources)
        except OSError as error:
            if not self.is_told:
                log.critical("job.id_unspooled", **told, why=error.strerror)
            self.is_told = True
        else:
            self.is_kept = True
            log.critical("job.id_spooled", **told)

    def forget(self) -> None:
        """The row has it. An entry that can't be removed now is at the next start."""
        if self.is_kept:
            with suppress(OSError):
                self.spool.forget(self.job_id)
