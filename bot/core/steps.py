"""One step of a job: what to do next is read off its row, and what happened is written there.

Nothing is remembered between steps, so the process may die anywhere.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from bot.core import jobs as moves
from bot.core import schedule
from bot.core.errors import BotError, Broken, Refused, Temporary
from bot.core.jobs import HARD_DEADLINE, LAST_DEADLINE, SOFT_DEADLINE, Job, Reason, Status
from bot.core.orders import Order
from bot.core.outcomes import (
    Accepted,
    Busy,
    Creation,
    Done,
    Failed,
    Fetched,
    Locked,
    Missing,
    NotSent,
    Rejected,
    Running,
    Trouble,
    Uncertain,
)
from bot.core.ports import Clock, Gateway, Gateways, Jobs, Media, Platform, Spool
from bot.core.wake import Wake
from bot.log import get_logger

PICTURE_BYTES = 8_000_000
"""The largest picture we take from anybody."""
PICTURE_TRIES = 5
MOST_CRASHES = 3
PATIENCE = SOFT_DEADLINE
"""Seconds that a job waits for a gateway that can't be reached or is too busy."""
PAUSE = 300.0
"""Seconds that a gateway with key or balance trouble is left alone."""
LOST_AFTER = 600.0
LOST_TRIES = 5
"""A gateway that does not know an id is believed after this time and this many looks."""
CONTENT_PATIENCE = 2 * 3600.0
"""Seconds after completion in which content that can't be fetched is tried again."""

log = get_logger()


class _Withdrawn(Exception):
    """Somebody changed the row before the POST left: it must not leave."""


class Steps:
    """Takes claimed jobs one step further."""

    def __init__(
        self,
        *,
        jobs: Jobs,
        pauses: Gateways,
        spool: Spool,
        gateways: Mapping[str, Gateway],
        platforms: Mapping[str, Platform],
        media: Media,
        clock: Clock,
        wake_posts: Wake,
    ) -> None:
        self._jobs = jobs
        self._pauses = pauses
        self._spool = spool
        self._gateways = gateways
        self._platforms = platforms
        self._media = media
        self._clock = clock
        self._wake_posts = wake_posts

    async def take(self, job: Job) -> None:
        """Do whatever is next for `job`, which the caller has claimed."""
        if job.crashes >= MOST_CRASHES and job.status is not Status.SUBMITTING:
            log.error("job.parked", job=job.id, status=job.status, crashes=job.crashes)
            await self._save(job, replace(job, due_at=None, claimed_until=None))
            return
        match job.status:
            case Status.QUEUED if job.pictures_missing:
                await self._fetch_pictures(job)
            case Status.QUEUED:
                await self._submit(job)
            case Status.SUBMITTING:
                # Its claim ran out: whoever sent the POST is dead, and only they knew the answer.
                await self._save(job, moves.unconfirmed(job, detail="process ended in the POST"))
            case Status.IN_PROGRESS:
                await self._look(job)
            case Status.COMPLETED if job.video is None:
                await self._fetch_video(job)
            case _:
                await self._save(job, replace(job, due_at=None, claimed_until=None))

    # --- pictures ------------------------------------------------------------------------------

    async def _fetch_pictures(self, job: Job) -> None:
        kept: list[str] = []
        try:
            order = await self._with_pictures(job, kept)
        except Refused as refused:
            gone = refused.code == "picture_gone"
            reason = Reason.PICTURE_GONE if gone else Reason.PICTURE_BAD
            await self._save(job, moves.failed(job, reason, charged=False, detail=str(refused)))
        except (Temporary, Broken) as trouble:
            if job.attempts + 1 >= PICTURE_TRIES:
                lost = moves.failed(job, Reason.PICTURE_GONE, charged=False, detail=str(trouble))
                await self._save(job, lost)
            else:
                await self._again(job, base=2.0, most=60.0)
        else:
            fresh = replace(job, order=order, claimed_until=None, attempts=0, crashes=0)
            if await self._save(job, fresh) is None:
                for key in kept:
                    await self._media.delete(key)

    async def _with_pictures(self, job: Job, kept: list[str]) -> Order:
        platform = self._platforms[job.order.address.platform]
        fit = job.request.fit
        if fit is None:
            raise Broken("no_fit", job=job.id)
        pictures = []
        async with self._media.scratch() as directory:
            for number, picture in enumerate(job.order.pictures):
                if picture.key is None:
                    raw = directory / str(number)
                    await platform.fetch(picture, raw, most=PICTURE_BYTES)
                    kept.append(await self._media.keep_picture(raw, fit))
                    picture = picture.kept(kept[-1])
                pictures.append(picture)
        return replace(job.order, pictures=tuple(pictures))

    # --- submitting ----------------------------------------------------------------------------

    async def _submit(self, job: Job) -> None:
        paused_until = await self._pauses.paused_until(job.gateway)
        if paused_until is not None and paused_until > self._clock.now():
            reason = job.reason or Reason.BUSY
            waiting = moves.requeued(job, due_at=paused_until, attempts=job.attempts, reason=reason)
            await self._save(job, waiting)
            return
        gateway = await self._gateway(job)
        if gateway is None:
            return
        try:
            outcome = await self._create(gateway, job)
        except _Withdrawn:
            log.info("job.withdrawn", job=job.id)
        except Temporary:
            await self._again(job, base=2.0, most=60.0)
        except Broken as broken:
            # Our own copy is no longer there: a retry long after its order.
            gone = moves.failed(job, Reason.PICTURE_GONE, charged=False, detail=str(broken))
            await self._save(job, gone)
        else:
            await self._settle(job, outcome)

    async def _create(self, gateway: Gateway, job: Job) -> Creation:
        async def about_to_send() -> None:
            sent = moves.submitting(job, now=self._clock.now())
            if await self._save(job, sent) is None:
                raise _Withdrawn

        async with AsyncExitStack() as stack:
            files = [
                await stack.enter_async_context(self._media.file(picture.key))
                for picture in job.order.pictures
                if picture.key
            ]
            return await gateway.create(job.request, files, about_to_send=about_to_send)

    async def _settle(self, job: Job, outcome: Creation) -> None:
        """Write the outcome of a POST onto whatever the row has become meanwhile."""
        now = self._clock.now()
        if isinstance(outcome, Accepted):
            due_at = now + await self._next_look(job, elapsed=0.0)
            await self._record(job, outcome.gateway_id, due_at=due_at)
            log.info("job.accepted", job=job.id, gateway=job.gateway)
            self._wake_posts.ring()
            return
        if isinstance(outcome, Locked):
            await self._pause(job, outcome)
        await self._rewrite(job, lambda row: self._after(row, outcome, now))

    async def _record(self, job: Job, gateway_id: str, *, due_at: float) -> None:
        """Until the database takes it: a lost id is a video that is paid for and never found."""
        spooled = False
        while True:
            try:
                await self._jobs.accept(job.id, gateway_id, now=self._clock.now(), due_at=due_at)
            except BotError:
                raise
            except Exception:  # noqa: BLE001 - a full disk, a database that is away
                if not spooled:
                    log.critical("job.id_spooled", job=job.id, gateway_id=gateway_id)
                    self._spool.add(job.id, gateway_id)
                    spooled = True
                await self._clock.sleep(1.0)
            else:
                return

    def _after(self, job: Job, outcome: Creation, now: float) -> Job:
        match outcome:
            case NotSent(detail):
                return self._patient(job, now, retry_after=None, detail=detail)
            case Busy(retry_after):
                return self._patient(job, now, retry_after=retry_after, detail="429")
            case Locked(reason):
                return moves.requeued(job, due_at=now + PAUSE, attempts=0, reason=reason)
            case Rejected(reason, detail, charged):
                return moves.failed(job, reason, charged=charged, detail=detail)
            case Uncertain(detail):
                return moves.unconfirmed(job, detail=detail)
            case Accepted():
                raise Broken("accepted_elsewhere", job=job.id)

    def _patient(self, job: Job, now: float, *, retry_after: float | None, detail: str) -> Job:
        if now - job.created_at > PATIENCE:
            return moves.failed(job, Reason.BUSY, charged=False, detail=detail)
        step = self._gateways[job.gateway].poll_step
        wait = schedule.back_off(job.attempts + 1, base=min(5.0, step), most=60.0)
        return moves.requeued(
            job,
            due_at=now + max(wait, min(retry_after or 0.0, 60.0)),
            attempts=job.attempts + 1,
            reason=Reason.BUSY,
        )

    async def _rewrite(self, job: Job, change: Callable[[Job], Job]) -> None:
        """Apply `change` to the newest version of the row, until it sticks or has no place."""
        while True:
            row = await self._jobs.get(job.id)
            if row is None or row.status not in (Status.QUEUED, Status.SUBMITTING):
                return
            if await self._save(row, change(row)) is not None:
                return

    # --- waiting -------------------------------------------------------------------------------

    async def _look(self, job: Job) -> None:
        gateway = await self._gateway(job)
        if gateway is None or job.gateway_id is None:
            return
        look = await gateway.retrieve(job.gateway_id)
        if isinstance(look, Done):
            now = self._clock.now()
            await self._save(job, moves.completed(job, now=now, sources=look.sources))
        elif isinstance(look, Failed):
            charged = not gateway.refunds_failed
            failed = moves.failed(job, look.reason, charged=charged, detail=look.detail)
            await self._save(job, failed)
        elif self._elapsed(job) > LAST_DEADLINE:
            await self._save(job, moves.failed(job, Reason.TIMED_OUT, charged=True))
        else:
            await self._look_later(job, look, gateway)

    async def _look_later(
        self, job: Job, look: Running | Missing | Locked | Trouble, gateway: Gateway
    ) -> None:
        match look:
            case Running(progress, at_least):
                wait = max(at_least or 0.0, await self._next_look(job))
                # Gateways let it fall, jump and stand at 100 early: people see it rise.
                risen = max(job.progress, min(progress or 0, 99))
                await self._put_off(replace(job, progress=risen, attempts=0), wait, was=job)
            case Missing():
                await self._missing(job)
            case Locked():
                await self._pause(job, look)
                await self._put_off(job, PAUSE)
            case Trouble(detail, retry_after):
                log.warning("look.failed", job=job.id, detail=detail)
                pace = max(min(60.0, 4 * gateway.poll_step), await self._next_look(job))
                await self._put_off(job, max(pace, retry_after or 0.0))

    def _elapsed(self, job: Job) -> float:
        return self._clock.now() - (job.submitted_at or job.created_at)

    async def _missing(self, job: Job) -> None:
        if self._elapsed(job) >= LOST_AFTER and job.attempts + 1 >= LOST_TRIES:
            log.error("job.lost", job=job.id, gateway=job.gateway)
            await self._save(job, moves.failed(job, Reason.LOST, charged=True))
            return
        counted = replace(job, attempts=job.attempts + 1)
        await self._put_off(counted, await self._next_look(job), was=job)

    async def _next_look(self, job: Job, *, elapsed: float | None = None) -> float:
        elapsed = self._elapsed(job) if elapsed is None else elapsed
        if elapsed > HARD_DEADLINE:
            return schedule.LATE_STEP
        durations = await self._jobs.durations(job.request.model, job.request.seconds)
        step = self._gateways[job.gateway].poll_step
        return schedule.next_look(elapsed, durations, step=step)

    # --- the finished video --------------------------------------------------------------------

    async def _fetch_video(self, job: Job) -> None:
        gateway = await self._gateway(job)
        if gateway is None or job.gateway_id is None:
            return
        async with self._media.scratch() as directory:
            into = directory / "video.mp4"
            fetch = await gateway.content(job.gateway_id, job.sources, into)
            match fetch:
                case Fetched():
                    try:
                        video = await self._media.keep_video(into)
                    except Broken as broken:
                        await self._content_trouble(job, str(broken))
                    else:
                        await self._keep(job, moves.stored(job, video))
                case Locked():
                    await self._pause(job, fetch)
                    await self._put_off(job, PAUSE)
                case Trouble(detail):
                    await self._content_trouble(job, detail)

    async def _keep(self, job: Job, after: Job) -> None:
        if after.silent:
            after = moves.delivered(after, now=self._clock.now())
        if await self._save(job, after) is None and after.video:
            await self._media.delete(after.video.key)

    async def _content_trouble(self, job: Job, detail: str) -> None:
        log.warning("content.failed", job=job.id, detail=detail, attempts=job.attempts)
        if self._clock.now() - (job.completed_at or 0.0) > CONTENT_PATIENCE:
            gone = moves.failed(job, Reason.CONTENT_GONE, charged=True, detail=detail)
            await self._save(job, gone)
            return
        step = self._gateways[job.gateway].poll_step
        await self._again(job, base=step, most=600.0)

    # --- writing it down -----------------------------------------------------------------------

    async def _gateway(self, job: Job) -> Gateway | None:
        """The job's own gateway; if the configuration lost it, the job waits and we say so."""
        gateway = self._gateways.get(job.gateway)
        if gateway is None or gateway.base_url != job.base_url:
            log.error("gateway.unknown", job=job.id, gateway=job.gateway)
            await self._put_off(job, PAUSE)
            return None
        return gateway

    async def _pause(self, job: Job, locked: Locked) -> None:
        log.error("gateway.paused", gateway=job.gateway, reason=locked.reason, seconds=PAUSE)
        until = self._clock.now() + PAUSE
        await self._pauses.pause(job.gateway, locked.reason, until=until)

    async def _again(self, job: Job, *, base: float, most: float) -> None:
        wait = schedule.back_off(job.attempts + 1, base=base, most=most)
        await self._put_off(replace(job, attempts=job.attempts + 1), wait, was=job)

    async def _put_off(self, job: Job, seconds: float, *, was: Job | None = None) -> None:
        due_at = self._clock.now() + seconds
        later = replace(job, due_at=due_at, claimed_until=None, crashes=0)
        await self._save(was or job, later)

    async def _save(self, before: Job, after: Job) -> Job | None:
        saved = await self._jobs.save(before, after, now=self._clock.now())
        if saved is not None and saved.status is not before.status:
            log.info(f"job.{saved.status}", job=saved.id, reason=saved.reason)
        self._wake_posts.ring()
        return saved
